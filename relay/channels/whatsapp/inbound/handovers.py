"""A conversation goes over to another responder, or comes from one, and what that one says of it.

Recaps are written by somebody's model about what customers said: they are shown, marked as what they are, and nothing
in them is ever looked for. Source: Meta's messaging-handovers and conversation-context pages, 2026.
"""

from __future__ import annotations

import hashlib

from relay.channels.base import JsonObject
from relay.channels.http.reading import joined, record
from relay.channels.text import clean, unix_seconds
from relay.channels.whatsapp.identity import handed_over, person
from relay.channels.whatsapp.inbound import notices
from relay.channels.whatsapp.inbound.wording import LONGEST_KIND
from relay.core.lengths import fitting, units
from relay.core.messages import Event, Message, Person
from relay.core.threads import LONGEST_NOTE, ThreadFact, ThreadState

HANDOVER = "handover"
RECAP = "recap"
RECAP_LINE = "[Recap of the conversation so far, written by a machine. Not checked:]"
RECAP_END = "[End of the recap]"
LONGEST_RECAP = 3000
"""Characters, so that it is one message at Genesys."""
_LONGEST_SAID = 400
_MOST_SAID = 40
_DAY = 86_400
_BEFORE = 1.0
"""Seconds: what is told stands before what the customer writes in the same second."""
_COUNTS = 0.5
"""Seconds after its own time, which is in whole ones: what led to it, seen as a copy, may have the same."""
_STATES: dict[str, ThreadState] = {"control_passed": "owned", "control_taken": "elsewhere"}
_WRITERS = {"user": "Customer", "customer": "Customer", "assistant": "Assistant", "agent": "Agent", "business": "Agent"}
_ROLES = {
    "ai_agent": "the AI agent", "escalation": "the escalation partner", "customer_service": "customer service",
    "marketing": "the responder for marketing", "utility": "the responder for utility messages",
    "ctwa": "the responder for ads", "meta_business_agent": "Meta's Business Agent",
}  # fmt: skip


def events(item: JsonObject) -> list[Event]:
    """What the agent is to read, in order: that it happened, and the recap. News where nobody says of whom."""
    handover = record(item.get(HANDOVER))
    kind = (clean(handover.get("type")) or "")[:LONGEST_KIND]
    customer, when = person(handed_over(handover), {}), unix_seconds(handover.get("timestamp"))
    if not customer.address or kind not in _STATES:
        return [notices.notice({**item, "kind": "other", "value": handover})]
    told = record(handover.get(kind))
    role = (clean(told.get("new_owner_role")) or "")[:LONGEST_KIND] or None
    passed = kind == "control_passed"
    message = Message(
        source_id=_digest(HANDOVER, kind, customer.address, str(when), role or "", clean(told.get("metadata")) or ""),
        person=customer,
        provider_time=when - _BEFORE,
        type=HANDOVER,
        text=_passed(told) if passed else _taken(role),
        attributes={"handover": "passed" if passed else "taken"},
        notice=not passed,
        thread=ThreadFact(_STATES[kind], when + _COUNTS, role),
    )
    return [message, *recap(told.get("conversation_context"), customer, when - _BEFORE)]


def recap(context: object, customer: Person, when: float) -> list[Event]:
    """The recap as a note of its own, before what the customer writes. The same words are shown once a day."""
    said = _cut(_summary(record(context)) or _history(record(context)), LONGEST_RECAP)
    if not said.strip():
        return []
    return [
        Message(
            source_id=_digest(RECAP, customer.address, said, str(when // _DAY)),
            person=customer,
            provider_time=when,
            type=RECAP,
            text=joined((RECAP_LINE, said, RECAP_END)),
            attributes={"recap": "true"},
        )
    ]


def _passed(told: JsonObject) -> str:
    note = _cut(clean(told.get("metadata")) or "", LONGEST_NOTE)
    said = f"Their note: {note}" if note.strip() else None
    return f"[{joined((f'{_whom(_former(told))} handed this conversation over.', said), ' ')}]"


def _taken(role: str | None) -> str:
    return (
        f"[{_whom(role)} took this conversation over. "
        "What is written here does not reach the customer until it comes back.]"
    )


def _former(told: JsonObject) -> str | None:
    return clean(told.get("previous_owner_role")) or clean(told.get("previous_owner_app_role"))


def _whom(role: str | None) -> str:
    named = _ROLES.get(role or "", f"another responder ({role[:LONGEST_KIND]})" if role else "another responder")
    return named[:1].upper() + named[1:]


def _summary(context: JsonObject) -> str:
    return clean(record(context.get("summary")).get("text")) or ""


def _history(context: JsonObject) -> str:
    """The newest lines of it. How an entry says who wrote it, and what, is described nowhere."""
    items = record(context.get("history")).get("items")
    newest = items[-_MOST_SAID:] if isinstance(items, list) else []
    return joined(_entry(one if isinstance(one, dict) else {"text": one}) for one in newest)


def _entry(entry: JsonObject) -> str:
    named = next(filter(None, (clean(entry.get(key)) for key in ("role", "sender", "from", "author", "type"))), "")
    said = next(filter(None, map(_words, (entry.get(key) for key in ("text", "message", "body", "content")))), "")
    who = _WRITERS.get(named.lower(), named[:LONGEST_KIND])
    return joined((who, _cut(" ".join(said.split()), _LONGEST_SAID)), ": ") if said.strip() else ""


def _words(value: object) -> str:
    """A text, or an object that holds one, once or twice around."""
    inner = record(value)
    return clean(value) or next(
        filter(None, (clean(inner.get(key)) or clean(record(inner.get(key)).get("body")) for key in ("text", "body"))),
        "",
    )


def _cut(text: str, limit: int) -> str:
    return text if units(text) <= limit else f"{text[: fitting(text, limit - 1)].rstrip()}…"


def _digest(*told: str) -> str:
    """An id for what has none: a repetition of the webhook gives the same."""
    return f"sha256:{hashlib.sha256(chr(0).join(told).encode()).hexdigest()[:32]}"
