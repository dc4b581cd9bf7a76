"""Who answers a contact, where a business lets several responders do so (WhatsApp Conversation Routing). Pure.

Meta calls a contact and a number a thread. It is owned by one responder, or idle; no API tells by whom, so what was
heard is put together: messages are ours, copies are somebody else's, handovers and our own calls say so themselves.
Source: Meta's conversation-routing pages of October and November 2026.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

ThreadState = Literal["owned", "elsewhere", "idle", "unknown"]
"""owned: by the line; elsewhere: by another responder; idle: by nobody; unknown: nobody has said so lately."""
CERTAINTY: tuple[ThreadState, ...] = ("owned", "idle", "unknown", "elsewhere")
"""Of two that were heard of the same second the one further behind counts."""
ResponderRole = Literal["customer_service", "marketing", "utility", "ctwa", "ai_agent", "escalation"]
ROLES: tuple[ResponderRole, ...] = get_args(ResponderRole)
ThreadAction = Literal["pass", "release", "take"]
ACTIONS: tuple[ThreadAction, ...] = get_args(ThreadAction)
THREAD_CONTROL = "thread_control"
"""The type of a row that hands a thread over and says nothing to the contact."""

SILENCE_SECONDS = 86_400.0
"""A thread becomes idle when its contact has been silent for so long; Meta tells nobody."""
LATEST_SECONDS = 900.0
"""What was asked of a thread so long ago is not done any more: others may have begun to talk in it."""
LONGEST_NOTE = 2000
"""Characters that go along with a handover."""


@dataclass(frozen=True, slots=True)
class ThreadControl:
    """What is asked of a thread. `role`: to whom it is passed; None: to the escalation partner."""

    action: ThreadAction
    role: ResponderRole | None = None
    note: str | None = None


@dataclass(frozen=True, slots=True)
class ThreadFact:
    """What was heard about a thread; `at` (Unix seconds) is when it became so, `role` the owner's."""

    state: ThreadState
    at: float
    role: str | None = None

    @property
    def since(self) -> float | None:
        """None where nothing was ever heard."""
        return self.at or None


def prevailing(new: ThreadFact, known: ThreadFact | None) -> ThreadFact:
    """The later one counts, in whichever order they come; of the same second the one that says least of us.

    Whoever has lost the thread must not write, while whoever has it hears of it again with the next message. A role
    stays known for as long as its owner has the thread. `db.contacts.windows` says the same in SQL.
    """
    if known is None:
        return new
    if (new.at, CERTAINTY.index(new.state)) < (known.at, CERTAINTY.index(known.state)):
        return known
    return ThreadFact(new.state, new.at, new.role or (known.role if known.state == new.state else None))


def told_before(state: ThreadState | None, at: float | None, role: str | None) -> ThreadFact | None:
    """From what is kept with a conversation."""
    return None if state is None or at is None else ThreadFact(state, at, role)


def as_of(fact: ThreadFact | None, heard_at: float | None, now: float) -> ThreadFact:
    """How the thread stands `now`; `heard_at` is when its contact last wrote to anybody, as far as that is known.

    What is older than the contact's silence tells nothing: the thread has become idle, and somebody may have it again.
    """
    if fact is None:
        return ThreadFact("unknown", 0.0)
    # Whoever lost the thread hears nothing more of the contact, who was not silent then.
    silent_since = heard_at if heard_at is not None and heard_at > fact.at - SILENCE_SECONDS else fact.at
    if fact.state != "idle" and now >= silent_since + SILENCE_SECONDS:
        return ThreadFact("unknown", silent_since + SILENCE_SECONDS)
    return fact


def in_words(control: ThreadControl) -> str:
    """As an agent would have asked for it."""
    words = (f"/{control.action}", control.role if control.action == "pass" else None, control.note)
    return " ".join(filter(None, words))


def after_control(control: ThreadControl, at: float) -> ThreadFact:
    """What holds once Meta has done it."""
    match control.action:
        case "take":
            return ThreadFact("owned", at)
        case "release":
            return ThreadFact("idle", at)
        case "pass":
            return ThreadFact("elsewhere", at, control.role or "escalation")
