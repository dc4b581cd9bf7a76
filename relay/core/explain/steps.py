"""A message's way, step by step, from arrival to read: told from its row, its calls and its history. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from relay.core.languages import Phrase, phrase


@dataclass(frozen=True, slots=True)
class File:
    """What a message carries beside its text. Without an `object_key` there is no copy of it (yet)."""

    kind: str
    mime_type: str
    filename: str | None
    size: int | None
    caption: str | None = field(repr=False)
    voice: bool
    bucket: str | None
    object_key: str | None

    @property
    def kept(self) -> bool:
        return self.object_key is not None


@dataclass(frozen=True, slots=True)
class Tracked:
    """One message as it stands. `report` is what the agent's side is to be told, `reported` what it was."""

    id: str
    seq: int
    tenant_id: str
    line_id: str
    conversation_id: str
    direction: str
    type: str
    state: str
    source_id: str
    provider_id: str | None
    reason_code: str | None
    reason: str | None
    late: bool
    attempts: int
    origin: str
    text: str | None = field(repr=False)
    media_type: str | None
    media: File | None
    provider_time: datetime
    arrived_at: datetime
    sort_time: datetime
    idx: int
    created_at: datetime
    claimed_at: datetime | None
    next_attempt_at: datetime | None
    unknown_until: datetime | None
    sent_at: datetime | None
    delivered_at: datetime | None
    read_at: datetime | None
    failed_at: datetime | None
    report: str | None
    reported: str | None
    callback_data: str | None = field(default=None, repr=False)
    """What the program that asked for it wants to know it by."""

    @property
    def caught_up(self) -> bool:
        """Its webhook had not reached the relay, which asked for it afterwards."""
        return self.origin == "catch_up"


@dataclass(frozen=True, slots=True)
class AttemptRecord:
    """One provider call."""

    n: int
    started_at: datetime
    finished_at: datetime | None
    outcome: str | None
    provider_id: str | None
    http_status: int | None
    code: str | None
    detail: str | None
    trace_id: str | None
    answer: str | None = None
    """The provider's whole word, where it refused the message or did not deliver it."""


@dataclass(frozen=True, slots=True)
class MessageEvent:
    """One line of a message's history."""

    at: datetime
    event: str
    detail: str | None


@dataclass(frozen=True, slots=True)
class TimelineStep:
    """`seconds` since the step before; None for the first. `text` is for people."""

    name: str
    at: datetime
    seconds: float | None
    text: str


SOURCE = {"inbound": "WhatsApp", "outbound": "Genesys"}
TARGET = {"inbound": "Genesys", "outbound": "WhatsApp"}
AFTER_TAKEN = ("delivered", "read", "failed", "undelivered")
HOLDER = {"inbound": phrase("the agent's side"), "outbound": phrase("the customer's phone")}


def steps(message: Tracked, attempts: Sequence[AttemptRecord], history: Sequence[MessageEvent]) -> list[TimelineStep]:
    """In the order of time, whatever the clocks say: nothing comes before its arrival, and nothing that the receiving
    side did with a message before it has taken it. Meta tells its times in whole seconds.
    """
    beginning = list(_beginning(message, attempts))
    taken_at = message.sent_at or message.arrived_at
    rest = sorted(
        _rest(message, attempts, history),
        key=lambda step: max(step[1], taken_at) if step[0] in AFTER_TAKEN else step[1],
    )
    found: list[TimelineStep] = []
    for name, at, text in beginning + rest:
        seconds = round(max(0.0, (at - found[-1].at).total_seconds()), 3) if found else None
        found.append(TimelineStep(name, at, seconds, text))
    return found


def _beginning(message: Tracked, attempts: Sequence[AttemptRecord]) -> Iterator[tuple[str, datetime, str]]:
    source = SOURCE[message.direction]
    how = {
        "api": phrase("arrived from the API"),
        "catch_up": phrase("asked for at %(source)s, whose webhook had not come", source=source),
    }
    came = how.get(message.origin) or phrase("arrived from %(source)s", source=source)
    yield "arrived", message.arrived_at, came
    yield "stored", message.created_at, phrase("stored; from here on it cannot be lost")
    if attempts:
        target = TARGET[message.direction]
        yield "claimed", attempts[0].started_at, phrase("first delivery attempt to %(target)s", target=target)


def _rest(
    message: Tracked, attempts: Sequence[AttemptRecord], history: Sequence[MessageEvent]
) -> Iterator[tuple[str, datetime, str]]:
    target, holder = TARGET[message.direction], HOLDER[message.direction]
    if len(attempts) > 1:
        yield "claimed_again", attempts[-1].started_at, _again(attempts[-1].n, target)
    if message.sent_at is not None:
        yield "sent", message.sent_at, phrase("%(target)s has taken it", target=target)
    if message.delivered_at is not None:
        yield "delivered", message.delivered_at, phrase("delivered to %(holder)s", holder=holder)
    if message.read_at is not None:
        yield "read", message.read_at, phrase("read on %(holder)s", holder=holder)
    if message.failed_at is not None:
        what = phrase("given up") if message.state == "dead" else phrase("failed")
        text = phrase("%(what)s: %(reason)s", what=what, reason=message.reason) if message.reason else what
        yield "failed", message.failed_at, text
    for one in history:
        if one.event == "reported":
            yield "reported", one.at, phrase("the agent's side was told: %(detail)s", detail=one.detail)
        elif one.event == "undelivered":
            yield (
                "undelivered",
                one.at,
                phrase("%(target)s could not deliver it: %(detail)s", target=target, detail=one.detail),
            )
        elif one.event == "report_given_up":
            yield "reported", one.at, phrase("the agent's side could not be told: %(detail)s", detail=one.detail)


def _again(n: int, target: str) -> Phrase:
    return phrase("delivery attempt %(n)s to %(target)s", n=n, target=target)
