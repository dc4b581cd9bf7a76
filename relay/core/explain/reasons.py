"""Why something waits, in words. Pure: what is known about it comes in, a sentence goes out."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Literal

from relay.core.languages import Phrase, phrase
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
_LIMITED_BY_WHATSAPP = phrase("limited by WhatsApp's %(allowed)s a second; clears in %(how_long)s").pattern
_LIMITED_BY_GENESYS = phrase("limited by Genesys' %(allowed)s a minute; clears in %(how_long)s").pattern
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
        return WaitReason("paused", phrase("the tenant is paused; what waits goes out when it is resumed"))
    if side.line_status != "active":
        if side.line_reason:
            return WaitReason("line_inactive", phrase("the line is not active: %(why)s", why=side.line_reason))
        return WaitReason("line_inactive", phrase("the line is not active; complete its onboarding"))
    if side.daemons == 0:
        return WaitReason("no_daemon", phrase("no daemon of the relay is running; the operator has to start one"))
    if side.health == "refused":
        why = f" ({side.health_reason.rstrip('.')})" if side.health_reason else ""
        return WaitReason(
            "credentials",
            phrase(
                "%(target)s refuses the credentials%(why)s; enter valid ones, everything is kept",
                target=side.target,
                why=why,
            ),
        )
    return None


def own(side: SideState, message: Unfinished, terms: Terms) -> WaitReason:
    """What keeps a message back whose turn it is in its conversation."""
    target, now = side.target, side.now
    if message.state == "sending":
        return WaitReason(
            "sending", phrase("delivery attempt %(n)s to %(target)s is under way", n=message.attempts, target=target)
        )
    if not message.owned:
        return WaitReason(
            "no_daemon", phrase("no daemon has taken over its share of the conversations yet; one does within seconds")
        )
    if message.state == "unknown":
        return _unknown(message, target)
    if message.next_attempt_at is not None and message.next_attempt_at > now:
        wait = duration((message.next_attempt_at - now).total_seconds())
        text = phrase("%(failed)s; the next follows in %(wait)s", failed=_failed(message, target), wait=wait)
        return WaitReason("backoff", text, message.next_attempt_at)
    if message.fetching and message.attempts == 0:
        return WaitReason(
            "file",
            phrase(
                "its file is being fetched from %(source)s; without success it is tried for an hour", source=side.source
            ),
        )
    if side.direction == "outbound" and message.lately >= PAIR_BURST:
        text = phrase("limited by WhatsApp's one message in 6 seconds to the same contact")
        return WaitReason("rate", text, estimate=True)
    return limited(side, message.ahead, terms) or _soon(message, side, terms)


def _unknown(message: Unfinished, target: str) -> WaitReason:
    trouble = said(message.code, message.reason)
    text = phrase(
        "nobody knows whether delivery attempt %(n)s reached %(target)s (%(trouble)s)",
        n=message.attempts,
        target=target,
        trouble=trouble,
    )
    if message.unknown_until is None:
        return WaitReason("unknown", phrase("%(text)s; receipts that may tell are being read", text=text))
    settled = phrase("%(text)s; without word by then it is settled anew", text=text)
    return WaitReason("unknown", settled, message.unknown_until)


def _failed(message: Unfinished, target: str) -> Phrase:
    return phrase(
        "delivery attempt %(n)s to %(target)s failed (%(trouble)s)",
        n=message.attempts,
        target=target,
        trouble=said(message.code, message.reason),
    )


def _soon(message: Unfinished, side: SideState, terms: Terms) -> WaitReason:
    over = message.arrived_at + timedelta(seconds=terms.window_seconds)
    if over > side.now:
        return WaitReason("hold", phrase("held for a moment: an earlier one may still be on its way"), over)
    if message.attempts and message.code:
        text = phrase("%(failed)s; it waits for its next turn", failed=_failed(message, side.target))
        return WaitReason("backoff", text)
    if message.ahead > 1:
        text = phrase(
            "it is the next of its conversation, %(others)s others of the line before it", others=message.ahead - 1
        )
        return WaitReason("soon", text)
    return WaitReason("soon", phrase("it is the next of its conversation"))


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
    wait = duration(seconds)
    how_long = phrase("more than %(wait)s", wait=wait) if waiting > COUNTED else phrase("about %(wait)s", wait=wait)
    if side.direction == "outbound":
        allowed, pattern = f"{rate.per_second:g}", _LIMITED_BY_WHATSAPP
    else:
        allowed, pattern = f"{rate.per_second * 60:g}", _LIMITED_BY_GENESYS
    return WaitReason(
        "rate",
        phrase(pattern, allowed=allowed, how_long=how_long),
        until=side.now + timedelta(seconds=seconds),
        estimate=True,
    )


def said(code: str | None, reason: str | None) -> str:
    """A provider's words about a failure."""
    return ": ".join(part for part in (code, reason) if part) or phrase("no reason was given")


def duration(seconds: float) -> str:
    """For people: the two-digit precision of somebody who waits."""
    if seconds < 90:
        return phrase("1 second") if round(seconds) <= 1 else phrase("%(n)s seconds", n=round(seconds))
    if seconds < 90 * 60:
        return phrase("%(n)s minutes", n=round(seconds / 60))
    if seconds < 48 * 3600:
        return phrase("%(n)s hours", n=round(seconds / 3600))
    return phrase("%(n)s days", n=round(seconds / 86400))
