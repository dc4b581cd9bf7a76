"""Genesys' notifications: a channel, the conversations that it tells of, and the WebSocket on which it does.

Source: SDK NotificationsApi, models Channel and ChannelTopic; limits from Genesys' developer blog. A channel lasts 24
hours after it was last subscribed with, hears of up to 1,000 topics, and of nothing that was told while no socket was
connected.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from contextlib import suppress
from typing import Any
from urllib.parse import quote
from uuid import UUID

import orjson

from relay.channels.base import Account
from relay.channels.feeds import EventFeed
from relay.channels.genesys.client import GenesysClient
from relay.channels.genesys.errors import failure
from relay.channels.http.client import HttpResponse, HttpTransport
from relay.channels.http.reading import joined, record, records
from relay.channels.http.websocket import WebSocket
from relay.channels.text import clean
from relay.core.errors import SendError
from relay.core.languages import phrase

CHANNELS = "/api/v2/notifications/channels"
TOPIC = "v2.detail.events.conversation.{}.{}"
HEARD = ("customer.end", "user.end", "user.start")
MOST_TOPICS = 1_000
PING_SECONDS = 40.0
"""Genesys says something every 30 s; who hears nothing for so long asks."""
SILENT_SECONDS = 60.0
"""And gives the socket up."""
CLOSING = "v2.system.socket_closing"
PING = '{"message": "ping"}'


class GenesysListening:
    """The contract of base.Listening."""

    most = MOST_TOPICS // len(HEARD)

    def __init__(self, client: GenesysClient, transport: HttpTransport) -> None:
        self._client = client
        self._http = transport

    def channel(self, account: Account, deadline: float) -> EventFeed:
        told = record(self._asked("POST", CHANNELS, account, deadline).data)
        channel_id, address = clean(told.get("id")), clean(told.get("connectUri"))
        if not channel_id or not address:
            raise SendError("retry", "no_channel", phrase("Genesys made a channel without an id or an address"))
        return EventFeed(channel_id, address)

    def subscribe(
        self, channel: EventFeed, conversations: Sequence[str], account: Account, deadline: float
    ) -> str | None:
        path = f"{CHANNELS}/{quote(channel.id, safe='')}/subscriptions"
        topics = [{"id": TOPIC.format(one, event)} for one in _dashed(conversations) for event in HEARD]
        answer = self._asked("PUT", path, account, deadline, topics[:MOST_TOPICS])
        found = list(records(record(answer.data).get("entities")))
        refused = [one for one in found if (clean(one.get("state")) or "").lower() == "rejected"]
        return _why(refused) if refused and len(refused) == len(found) else None

    def listen(self, channel: EventFeed, account: Account, deadline: float) -> GenesysStream:
        return GenesysStream(self._http.web_socket(channel.address, self._client.hosts.streams(account), deadline))

    def _asked(self, method: str, path: str, account: Account, deadline: float, body: Any = None) -> HttpResponse:
        answer = self._client.call(method, path, account, deadline, body=body)
        if answer.status >= 300:
            raise failure(answer, account.credentials.values(), about_another=True)
        return answer


class GenesysStream:
    """The contract of feeds.EventStream."""

    def __init__(self, link: WebSocket) -> None:
        self._link = link
        self._heard_at = time.monotonic()
        self._asked = False

    def heard(self, deadline: float) -> Any:
        text = self._link.receive(deadline)
        now = time.monotonic()
        if text is None:
            self._silence(now - self._heard_at)
            return None
        self._heard_at, self._asked = now, False
        said: dict[str, Any] = {}
        with suppress(orjson.JSONDecodeError):  # whatever it is, it is no event
            said = record(orjson.loads(text))
        if said.get("topicName") == CLOSING:
            raise SendError("retry", "closing", phrase("Genesys is about to close the WebSocket"))
        return said

    def close(self) -> None:
        self._link.close()

    def _silence(self, seconds: float) -> None:
        if seconds > SILENT_SECONDS:
            raise SendError(
                "retry", "silent", phrase("Genesys has said nothing on the WebSocket, although it was asked to")
            )
        if seconds > PING_SECONDS and not self._asked:
            self._asked = True
            self._link.send(PING)


def _dashed(conversations: Iterable[str]) -> list[str]:
    """As topics name them, once each; what is no id of Genesys' has no topic."""
    found: dict[str, None] = {}
    for one in conversations:
        with suppress(ValueError):
            found[str(UUID(one))] = None
    return list(found)


def _why(refused: Sequence[dict[str, Any]]) -> str:
    """What Genesys says of the first; of what is missing all."""
    missing = {clean(name) for one in refused for name in one.get("missingPermissions") or () if isinstance(name, str)}
    said = joined([refused[0].get("rejectionReason")])
    named = ", ".join(sorted(name for name in missing if name))
    return f"{said or 'Genesys rejects it'}{'; missing permission: ' + named if named else ''}"[:300]
