"""Answers to tap: quick replies of both kinds. Source: SDK models ConversationContentQuickReply and ...V2."""

from __future__ import annotations

from typing import Any

from relay.channels.genesys.drafts import ElementContent
from relay.channels.http.reading import record, records
from relay.channels.text import clean
from relay.core.content import Option, OptionKind


def quick_reply(body: Any) -> ElementContent:
    """One answer; the question is the text of the message."""
    return ElementContent(options=answers([record(body)]), one_of_many=True)


def quick_replies(body: Any) -> ElementContent:
    """The second kind: question and answers in one element."""
    found = record(body)
    return ElementContent(text=clean(found.get("title")) or "", options=answers(found.get("actions")))


def answers(actions: Any, kind: OptionKind = "quick_reply") -> tuple[Option, ...]:
    return tuple(option for action in records(actions) if (option := answer(action, kind)))


def answer(action: dict[str, Any], kind: OptionKind) -> Option | None:
    """Without a payload its author gets the text back, without a text the payload is shown."""
    text, payload = clean(action.get("text")), clean(action.get("payload"))
    shown = (text or "").strip() or (payload or "").strip()
    return Option(shown, payload or shown, kind) if shown else None
