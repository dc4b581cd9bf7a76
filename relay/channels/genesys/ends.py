"""What Genesys tells of a conversation's end, whichever way it comes.

Three shapes hold the same event: an EventBridge event (`detail`), a notification of the WebSocket (`topicName` and
`eventBody`), and what a workflow's data action posts (`event` beside the event's fields, or the fields alone in
`eventBody`). Several of them may stand in a list. Source: Resource Center, overview of triggers; SDK models
ConversationUserEndEvent and ConversationCustomerEndEvent. Fields may be missing, and be of any type.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

from relay.channels.base import Account, Listening
from relay.channels.genesys.client import GenesysClient
from relay.channels.genesys.errors import failure
from relay.channels.genesys.history import MESSAGES
from relay.channels.genesys.listening import GenesysListening
from relay.channels.http.client import HttpTransport
from relay.channels.http.reading import record, records
from relay.channels.text import clean, unix_seconds
from relay.core.conversation.ends import ConversationEnd

MOST = 1_000
"""Events in one body; what stands behind them is left out."""
LONGEST_ID = 64
LONGEST_WORD = 64
TOPICS = ("customer.end", "user.end")
ENVELOPES = ("detail", "eventBody")


class GenesysEnds:
    """The contract of base.Ends."""

    def __init__(self, client: GenesysClient, transport: HttpTransport) -> None:
        self._client = client
        self.listening: Listening = GenesysListening(client, transport)

    def told(self, body: Any) -> Iterator[ConversationEnd]:
        return ends(body)

    def end(self, conversation: str, account: Account, deadline: float) -> None:
        """All participants leave. Source: CLI; it takes conversation:communication:disconnect."""
        path = f"{MESSAGES}/{quote(conversation, safe='')}"
        answer = self._client.call("PATCH", path, account, deadline, body={"state": "disconnected"})
        if answer.status >= 300:
            raise failure(answer, account.credentials.values(), about_another=True)


def ends(body: Any) -> Iterator[ConversationEnd]:
    """The ends that it tells of, in its order. Over: the customer's part has ended. An agent has left: a part in which
    it came to talking has ended, and was not passed on to somebody else."""
    for index, one in enumerate(records(body)):
        if index == MOST:
            return
        found = _end(*_opened(one))
        if found is not None:
            yield found


def _opened(one: dict[str, Any]) -> tuple[str, dict[str, Any]]:
    """The topic and the event itself, out of its envelopes: one within another, no more."""
    topic = ""
    for _ in range(len(ENVELOPES) + 1):
        named = (one.get(name) for name in ("topicName", "topic", "event", "detail-type"))
        topic = next((text for text in map(clean, named) if text), topic)
        inner = next((record(one[name]) for name in ENVELOPES if isinstance(one.get(name), dict)), None)
        if inner is None:
            break
        one = inner
    return topic, one


def _end(topic: str, event: dict[str, Any]) -> ConversationEnd | None:
    kind = next((name for name in TOPICS if topic.strip().lower().endswith(name)), None)
    conversation = (clean(event.get("conversationId")) or "").strip().lower()
    if kind is None or not 0 < len(conversation) <= LONGEST_ID or not _of_messages(event):
        return None
    reason = _word(event, "disconnectType").upper()
    if kind == "user.end" and (not _talked(event) or reason.endswith("TRANSFER")):
        return None
    told = event.get("eventTime") or event.get("eventDate")
    at = unix_seconds(told) if told else time.time()
    who = _word(event, "participantId")
    return ConversationEnd("over" if kind == "customer.end" else "agent_left", conversation, at, who, reason)


def _of_messages(event: dict[str, Any]) -> bool:
    """Calls and mails are no concern of any line; what does not say what it is may be."""
    return _word(event, "mediaType").upper() in ("", "MESSAGE") and _word(event, "messageType").upper() in ("", "OPEN")


def _talked(event: dict[str, Any]) -> bool:
    """Whoever was only called, and did not answer, has not left. As a text where a workflow wrote it."""
    try:
        return float(event.get("interactingDurationMs") or 0) > 0
    except (TypeError, ValueError, OverflowError):
        return False


def _word(event: dict[str, Any], name: str) -> str:
    return (clean(event.get(name)) or "").strip()[:LONGEST_WORD]
