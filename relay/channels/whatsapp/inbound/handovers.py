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
from relay.core.languages import bracketed, phrase
from relay.core.lengths import fitting, units
from relay.core.messages import Event, Message, Person
from relay.core.threads import LONGEST_NOTE, ThreadFact, ThreadState

HANDOVER = "handover"
RECAP = "recap"
RECAP_LINE = phrase("[Recap of the conversation so far, written by a machine. Not checked:]")
RECAP_END = phrase("[End of the recap]")
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
_CUSTOMER, _AGENT = phrase("Customer"), phrase("Agent")
_WRITERS = {
    "user": _CUSTOMER, "customer": _CUSTOMER, "assistant": phrase("Assistant"), "agent": _AGENT, "business": _AGENT
}  # fmt: skip
_ROLES = {
    "ai_agent": phrase("The AI agent"),
    "escalation": phrase("The escalation partner"),
    "customer_service": phrase("Customer service"),
    "marketing": phrase("The responder for marketing"),
    "utility": phrase("The responder for utility messages"),
    "ctwa": phrase("The responder for ads"),
    "meta_business_agent": phrase("Meta's Business Agent"),
}


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
    said = _cut(_summary(record(context)), LONGEST_RECAP) or _history(record(context))
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
    said = phrase("Their note: %(note)s", note=note) if note.strip() else None
    passed = phrase("%(responder)s handed this conversation over.", responder=_whom(_former(told)))
    return bracketed(joined((passed, said), " "))


def _taken(role: str | None) -> str:
    return phrase(
        "[%(responder)s took this conversation over. "
        "What is written here does not reach the customer until it comes back.]",
        responder=_whom(role),
    )


def _former(told: JsonObject) -> str | None:
    return clean(told.get("previous_owner_role")) or clean(told.get("previous_owner_app_role"))


def _whom(role: str | None) -> str:
    if not role:
        return phrase("Another responder")
    return _ROLES.get(role) or phrase("Another responder (%(role)s)", role=role[:LONGEST_KIND])


def _summary(context: JsonObject) -> str:
    return clean(record(context.get("summary")).get("text")) or ""


def _history(context: JsonObject) -> str:
    """The newest lines of it, as far as there is room for them."""
    items = record(context.get("history")).get("items")
    lines, room = [], LONGEST_RECAP
    for one in items[-_MOST_SAID:] if isinstance(items, list) else []:
        line = _entry(one if isinstance(one, dict) else {"text": one}, room)
        lines.append(line)
        room -= units(line) + 1
    return joined(lines)


def _entry(entry: JsonObject, room: int) -> str:
    """How one says who wrote it, and what, is described nowhere. Nothing where there is no room left for a word."""
    named = next(filter(None, (clean(entry.get(key)) for key in ("role", "sender", "from", "author", "type"))), "")
    said = next(filter(None, map(_words, (entry.get(key) for key in ("text", "message", "body", "content")))), "")
    who = _WRITERS.get(named.lower(), named[:LONGEST_KIND])
    words, rest = " ".join(said.split()), room - units(who) - 2
    return joined((who, _cut(words, min(_LONGEST_SAID, rest))), ": ") if words and rest > 0 else ""


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
