"""Genesys' events of conversations, out of whatever they came in. Any of it may be missing, or of any type.

Three shapes hold the same event: an EventBridge event (`detail`), a notification of the WebSocket (`topicName` and
`eventBody`), and what a workflow's data action posts (`event` beside the event's fields, or the fields alone in
`eventBody`). Several of them may stand in a list.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from relay.channels.http.reading import record, records
from relay.channels.text import clean

MOST = 1_000
"""Events in one body; what stands behind them is left out."""
LONGEST_ID = 64
LONGEST_WORD = 64
ENVELOPES = ("detail", "eventBody")


def opened(body: Any) -> Iterator[tuple[str, dict[str, Any]]]:
    """Each event with its topic, in lower case."""
    for index, one in enumerate(records(body)):
        if index == MOST:
            return
        yield _opened(one)


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
    return topic.strip().lower(), one


def conversation_of(event: dict[str, Any]) -> str | None:
    """Genesys' id of it; None where there is none, or it is a call or a mail. What does not say what it is may be."""
    conversation = (clean(event.get("conversationId")) or "").strip().lower()
    of_messages = word(event, "mediaType").upper() in ("", "MESSAGE") and word(event, "messageType").upper() in (
        "",
        "OPEN",
    )
    return conversation if 0 < len(conversation) <= LONGEST_ID and of_messages else None


def word(event: dict[str, Any], name: str) -> str:
    return (clean(event.get(name)) or "").strip()[:LONGEST_WORD]
