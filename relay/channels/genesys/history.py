"""What Genesys tells afterwards: the messages of a conversation, in the form in which its webhooks would have come.

Source: SDK models MessageConversation, MessageDetails, MessageData; permission from the CLI. What no document says is
taken either way: ids with dashes or without, and whose id a customer's message is listed with.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from typing import Any
from urllib.parse import quote

from relay.channels.base import Account
from relay.channels.genesys import webhook
from relay.channels.genesys.client import GenesysClient
from relay.channels.genesys.errors import failure
from relay.channels.http.client import HttpResponse
from relay.channels.http.reading import joined_once, record, records
from relay.channels.listings import BegunConversations, ListedMessage, Listing, WrittenMessage
from relay.channels.raw_update import RawUpdate
from relay.channels.text import clean, iso_time, unix_seconds
from relay.core.genesys_ids import is_genesys_own, plain
from relay.core.messages import Message

VIEW = "conversation:message:view"
MESSAGES = "/api/v2/conversations/messages"
MOST_TEXTS = 100
"""In one call. Genesys takes 1,000, and asks for no more than are needed."""
BEGUN = "/api/v2/analytics/conversations/details/query"
PAGE = 100
OVER = ("disconnected", "terminated")


class GenesysHistory:
    """All calls are look-ups: repeating them does no harm."""

    def __init__(self, client: GenesysClient) -> None:
        self._client = client

    def begun(self, since: float, page: int, account: Account, deadline: float) -> BegunConversations:
        """Of the organisation's chats over Open Messaging those that this line may have. One call.

        Whether a session names the integration as an address no document says: one that names no address may be ours.
        """
        messages = [{"dimension": "mediaType", "value": "message"}, {"dimension": "messageType", "value": "open"}]
        body = {
            "interval": f"{iso_time(since)}/{iso_time(time.time())}",
            "order": "asc",
            "orderBy": "conversationStart",
            "segmentFilters": [{"type": "and", "predicates": messages}],
            "paging": {"pageSize": PAGE, "pageNumber": page},
        }
        answer = self._asked("POST", BEGUN, account, deadline, body)
        found = list(records(record(answer.data).get("conversations")))
        ours = [one for one in found if _may_have_begun(one, since, account.line_ref)]
        ids = tuple(told for one in ours if (told := clean(one.get("conversationId"))))
        return BegunConversations(ids, len(found) >= PAGE)

    def listed(self, conversation: str, account: Account, deadline: float) -> Listing:
        """The messages of a conversation, without their texts, the oldest first. One call."""
        answer = self._asked("GET", f"{MESSAGES}/{quote(conversation, safe='')}", account, deadline)
        participants = list(records(record(answer.data).get("participants")))
        found = [_listed(one) for each in participants for one in records(each.get("messages"))]
        messages = {one.message_id: one for one in found if one is not None}
        customer = [each for each in participants if clean(each.get("purpose")) == "customer"]
        over = bool(customer) and all(clean(each.get("state")) in OVER for each in customer)
        return Listing(tuple(sorted(messages.values(), key=lambda one: one.at)), over)

    def written(
        self,
        conversation: str,
        address: str,
        wanted: Sequence[ListedMessage],
        account: Account,
        deadline: float,
        *,
        ours: bool,
    ) -> list[WrittenMessage]:
        """Of these messages those that the agents' side wrote to this line, as its webhooks would have brought them.

        `address` is the customer's, for the case that the answer does not name it. `ours`: the conversation is known to
        be the line's; else what names no integration may be another one's, and is left out. Ordered by their times.
        """
        found = []
        for each in self._texts(conversation, wanted, account, deadline):
            body = _as_webhook(each, address, account, ours=ours)
            found += [(_time(body), body, _was_delivered(each))] if body is not None else []
        found.sort(key=lambda one: one[0])
        return [
            WrittenMessage(tuple(_part(body, index)), at, delivered)
            for index, (at, body, delivered) in enumerate(found)
        ]

    def taken(
        self,
        conversation: str,
        message: Message,
        among: Sequence[ListedMessage],
        account: Account,
        deadline: float,
    ) -> str | None:
        """Genesys' id of a customer's message, if it is one of these.

        Known by our id where Genesys tells it, else by time and text together; without a text by nothing else, since
        files of one album have the same time. None: it cannot be seen (yet).
        """
        texts = list(self._texts(conversation, among, account, deadline))
        for same in (_bears_our_id, _says_the_same):
            for each in texts:
                if clean(each.get("direction")) != "outbound" and same(each, message):
                    return plain(clean(each.get("id")) or "")
        return None

    def conversation_of(self, message_id: str, account: Account, deadline: float) -> str | None:
        """Where a message went whose id the relay was answered with; None where Genesys does not say."""
        answer = self._asked("GET", f"{MESSAGES}/{quote(message_id, safe='')}/details", account, deadline)
        return clean(record(answer.data).get("conversationId"))

    def _texts(
        self, conversation: str, wanted: Sequence[ListedMessage], account: Account, deadline: float
    ) -> Iterator[dict[str, Any]]:
        path = f"{MESSAGES}/{quote(conversation, safe='')}/messages/bulk"
        for begin in range(0, len(wanted), MOST_TEXTS):
            ids = [one.ref for one in wanted[begin : begin + MOST_TEXTS]]
            answer = self._asked("POST", path, account, deadline, ids)
            yield from records(record(answer.data).get("entities"))

    def _asked(self, method: str, path: str, account: Account, deadline: float, body: Any = None) -> HttpResponse:
        """Raises SendError: "credentials" for a missing permission, "refused" for what is not there."""
        answer = self._client.call(method, path, account, deadline, body=body)
        if answer.status == 200 and isinstance(answer.data, dict):
            return answer
        raise failure(answer, account.credentials.values(), about_another=True)


def _may_have_begun(conversation: dict[str, Any], since: float, line_ref: str) -> bool:
    """Its day may be asked about and it be older: the interval chooses by days."""
    sessions = [one for each in records(conversation.get("participants")) for one in records(each.get("sessions"))]
    addresses = {clean(one.get(name)) for one in sessions for name in ("addressTo", "addressFrom")} - {None, ""}
    began = conversation.get("conversationStart")
    return (not began or unix_seconds(began) >= since) and (not addresses or line_ref in addresses)


def _listed(one: dict[str, Any]) -> ListedMessage | None:
    """Without a time it may be of any time: it counts as written now, and its text tells more."""
    ref = clean(one.get("messageId"))
    if not ref:
        return None
    told = one.get("messageTime")
    return ListedMessage(ref, plain(ref), unix_seconds(told) if told else time.time())


def _as_webhook(data: dict[str, Any], address: str, account: Account, *, ours: bool) -> dict[str, Any] | None:
    """The body of the webhook that did not come; None for customers' messages, and for another line's."""
    body = record(data.get("normalizedMessage"))
    message_id = clean(data.get("id")) or clean(body.get("id"))
    direction = (clean(data.get("direction")) or clean(body.get("direction")) or "").lower()
    channel = record(body.get("channel"))
    line = clean(channel.get("id")) or clean(data.get("fromAddress")) or (account.line_ref if ours else None)
    to = record(channel.get("to")) or {"id": clean(data.get("toAddress")) or address, "idType": "Opaque"}
    if not message_id or direction != "outbound" or line != account.line_ref or not to.get("id"):
        return None
    told = channel.get("time") or data.get("timestamp")
    channel = {**channel, "id": line, "to": to, "time": told, "messageId": plain(message_id)}
    conversation = clean(data.get("conversationId"))
    return {
        **body,
        "id": plain(message_id),
        "channel": channel,
        "direction": "Outbound",
        "conversationId": conversation,
    }


def _part(body: dict[str, Any], index: int) -> Iterator[RawUpdate]:
    for part in webhook.split(body):
        yield RawUpdate(part.line_ref, part.address, part.payload, index, part.media_type, part.mime_type)


def _was_delivered(data: dict[str, Any]) -> bool:
    """Among its receipts is a Delivered, which only the integration itself tells [SDK: MessageData.normalizedReceipts].

    `status` alone is no proof: what Genesys calls delivery-success of an open message no document says.
    """
    return any(clean(one.get("status")) == "Delivered" for one in records(data.get("normalizedReceipts")))


def _time(body: dict[str, Any]) -> float:
    return unix_seconds(record(body.get("channel")).get("time"))


def _given_ids(data: dict[str, Any]) -> list[str]:
    """What is named as the id that it was handed over with. Genesys may name its own there."""
    channel = record(record(data.get("normalizedMessage")).get("channel"))
    told = (clean(data.get("providerMessageId")), clean(channel.get("messageId")))
    return [one for one in told if one]


def _bears_our_id(data: dict[str, Any], message: Message) -> bool:
    return message.source_id in _given_ids(data)


def _says_the_same(data: dict[str, Any], message: Message) -> bool:
    """The time that we gave and the text, and no other message's id.

    WhatsApp tells whole seconds: two messages of one second that say the same are told apart by their ids only.
    """
    text = joined_once(message.text, message.media.caption if message.media else None)
    if not text or not all(is_genesys_own(one) for one in _given_ids(data)):
        return False
    body = record(data.get("normalizedMessage"))
    told = clean(record(body.get("channel")).get("time"))
    if told is None or iso_time(unix_seconds(told)) != iso_time(message.provider_time):
        return False
    return clean(body.get("text")) == text
