"""Why something waits, in words. Pure: what is known about it comes in, a sentence goes out."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Literal

from relay.core.limits import PAIR_BURST, Rate, Rates, rate_of
from relay.core.messages import ChannelName, Direction
from relay.core.queues import SOURCE, TARGET

Kind = Literal[
    "sending", "paused", "line_inactive", "no_daemon", "credentials", "earlier", "unknown", "backoff", "file", "hold",
    "rate", "trouble", "soon", "report",
]  # fmt: skip
NAMES: dict[ChannelName, str] = {"whatsapp": "WhatsApp", "genesys": "Genesys"}
COUNTED = 10_000
"""Nobody needs to know more exactly how many wait."""
SHORT_SECONDS = 5.0
"""What clears sooner than this is not worth a word about rates."""
USED_UP = 0.1
"""A bucket with less than this share of its burst is what holds things up."""

Peek = Callable[[Rate], float | None]
"""Calls that a limit permits at this moment, negative while a provider's own pause lasts; None: nobody knows."""


@dataclass(frozen=True, slots=True)
class Terms:
    """What beside the rows decides: the installation's rates, what is left of them, the reorder window."""

    rates: Rates = field(default_factory=Rates)
    peek: Peek = lambda _: None
    window_seconds: float = 0.25


@dataclass(frozen=True, slots=True)
class WaitReason:
    """`text` is for people. `message_id`: who is waited for. `estimate`: `until` is a guess from what is known."""

    kind: Kind
    text: str
    until: datetime | None = None
    message_id: str | None = None
    estimate: bool = False


@dataclass(frozen=True, slots=True)
class SideState:
    """What holds for everything that goes over one side of a line."""

    now: datetime
    direction: Direction
    tenant_id: str
    tenant_status: str
    line_status: str
    line_reason: str | None
    settings: dict[str, Any]
    phone_number_id: str
    client_id: str | None
    health: str | None
    health_reason: str | None
    daemons: int

    @property
    def target(self) -> str:
        return NAMES[TARGET[self.direction]]

    @property
    def source(self) -> str:
        return NAMES[SOURCE[self.direction]]

    def rate(self, rates: Rates) -> Rate:
        side = TARGET[self.direction]
        counted_by = self.phone_number_id if side == "whatsapp" else self.client_id or ""
        return rate_of(side, self.tenant_id, counted_by, self.settings, rates)


@dataclass(frozen=True, slots=True)
class Unfinished:
    """A message, as far as it concerns its waiting."""

    id: str
    state: str
    attempts: int
    code: str | None
    reason: str | None
    arrived_at: datetime
    next_attempt_at: datetime | None
    unknown_until: datetime | None
    report: str | None
    fetching: bool | None
    owned: bool
    """A living daemon has its shard."""
    head: str | None
    """The first of its lane; it may be itself."""
    lately: int
    """So many went to the same contact within the pair limit's memory."""
    ahead: int
    """So many have waited on this side of the line for at least as long."""


def stopped(side: SideState) -> WaitReason | None:
    """What keeps all of a side back, whatever the message."""
    if side.tenant_status == "paused":
        return WaitReason("paused", "the tenant is paused; what waits goes out when it is resumed")
    if side.line_status != "active":
        why = f": {side.line_reason}" if side.line_reason else "; complete its onboarding"
        return WaitReason("line_inactive", f"the line is not active{why}")
    if side.daemons == 0:
        return WaitReason("no_daemon", "no daemon of the relay is running; the operator has to start one")
    if side.health == "refused":
        why = f" ({side.health_reason.rstrip('.')})" if side.health_reason else ""
        return WaitReason(
            "credentials", f"{side.target} refuses the credentials{why}; enter valid ones, everything is kept"
        )
    return None


def own(side: SideState, message: Unfinished, terms: Terms) -> WaitReason:
    """What keeps a message back whose turn it is in its conversation."""
    target, now = side.target, side.now
    if message.state == "sending":
        return WaitReason("sending", f"delivery attempt {message.attempts} to {target} is under way")
    if not message.owned:
        return WaitReason(
            "no_daemon", "no daemon has taken over its share of the conversations yet; one does within seconds"
        )
    if message.state == "unknown":
        return _unknown(message, target)
    if message.next_attempt_at is not None and message.next_attempt_at > now:
        text = f"delivery attempt {message.attempts} to {target} failed ({said(message.code, message.reason)})"
        wait = duration((message.next_attempt_at - now).total_seconds())
        return WaitReason("backoff", f"{text}; the next follows in {wait}", message.next_attempt_at)
    if message.fetching and message.attempts == 0:
        return WaitReason(
            "file", f"its file is being fetched from {side.source}; without success it is tried for an hour"
        )
    if side.direction == "outbound" and message.lately >= PAIR_BURST:
        return WaitReason("rate", "limited by WhatsApp's one message in 6 seconds to the same contact", estimate=True)
    return limited(side, message.ahead, terms) or _soon(message, side, terms)


def _unknown(message: Unfinished, target: str) -> WaitReason:
    trouble = said(message.code, message.reason)
    text = f"nobody knows whether delivery attempt {message.attempts} reached {target} ({trouble})"
    if message.unknown_until is None:
        return WaitReason("unknown", f"{text}; receipts that may tell are being read")
    return WaitReason("unknown", f"{text}; without word by then it is settled anew", message.unknown_until)


def _soon(message: Unfinished, side: SideState, terms: Terms) -> WaitReason:
    over = message.arrived_at + timedelta(seconds=terms.window_seconds)
    if over > side.now:
        return WaitReason("hold", "held for a moment: an earlier one may still be on its way", over)
    if message.attempts and message.code:
        text = f"delivery attempt {message.attempts} to {side.target} failed ({said(message.code, message.reason)})"
        return WaitReason("backoff", f"{text}; it waits for its next turn")
    others = f", {message.ahead - 1:,} others of the line before it" if message.ahead > 1 else ""
    return WaitReason("soon", f"it is the next of its conversation{others}")


def limited(side: SideState, waiting: int, terms: Terms, *, flowing: bool = False) -> WaitReason | None:
    """Is it the provider's rate? `waiting` on all that shares the limit; `flowing`: messages do go through."""
    rate = side.rate(terms.rates)
    left = terms.peek(rate)
    used_up = flowing if left is None else left <= max(1.0, rate.burst * USED_UP)
    if not used_up:
        return None
    seconds = (waiting - (left or 0.0)) / rate.per_second
    if seconds < SHORT_SECONDS:
        return None
    whose = side.target + ("'" if side.target.endswith("s") else "'s")
    allowed = f"{rate.per_second:g} a second" if side.direction == "outbound" else f"{rate.per_second * 60:g} a minute"
    how_long = f"{'more than' if waiting > COUNTED else 'about'} {duration(seconds)}"
    return WaitReason(
        "rate",
        f"limited by {whose} {allowed}; clears in {how_long}",
        until=side.now + timedelta(seconds=seconds),
        estimate=True,
    )


def said(code: str | None, reason: str | None) -> str:
    """A provider's words about a failure."""
    return ": ".join(part for part in (code, reason) if part) or "no reason was given"


def duration(seconds: float) -> str:
    """For people: the two-digit precision of somebody who waits."""
    if seconds < 90:
        return f"{max(1, round(seconds))} second{'' if round(seconds) <= 1 else 's'}"
    if seconds < 90 * 60:
        return f"{round(seconds / 60)} minutes"
    return f"{round(seconds / 3600)} hours" if seconds < 48 * 3600 else f"{round(seconds / 86400)} days"
