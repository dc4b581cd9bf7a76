"""ChannelActor: one side of one line. Pacing, breaker, and the senders it lends out turn by turn.

A conversation asks for a turn and chooses its message only when it gets one, so that order can
still be mended while a line waits for its rate limit. Messages go before reports and signals.
"""

from __future__ import annotations

import time
from typing import Any

import structlog

from relay import metrics
from relay.actors.sender import SenderActor
from relay.channels.base import Account
from relay.core.conversation.events import LaneName
from relay.core.errors import SendError
from relay.core.limits import Rate
from relay.runtime.actor import RelayActor, Stop, tell
from relay.runtime.commands import BESIDE, AskTurn, CredentialsRefused, Freed, PassTurn, Ref, Tick, Turn
from relay.runtime.context import Parts
from relay.runtime.side import Side, rate_of_account
from relay.stores.permits import Permits

log = structlog.get_logger(__name__)

SENDERS = 32
"""Calls under way at once over one side of a line: 80 messages a second at 0.4 s each."""

BESIDE_EVERY = 10

OFFER_SECONDS = 5.0
"""A turn that nobody took by then is offered to the next: its conversation has gone."""


class ChannelActor(RelayActor):
    def __init__(self, parts: Parts, side: Side, tenant: Ref) -> None:
        super().__init__()
        self._parts = parts
        self._side = side
        self._tenant = tenant
        self._asked: dict[tuple[str, LaneName], AskTurn] = {}
        self._asked_beside: dict[tuple[str, LaneName], AskTurn] = {}
        self._free: list[Ref] = []
        self._lent: dict[str, tuple[Ref, float]] = {}
        self._rate = self._rate_now()
        self._permits = Permits(parts.bucket, SENDERS)
        self._turns = 0
        self._alarm_at = 0.0
        self._reclaim_from = 0.0
        """Not before (time.monotonic): senders were still waiting for the journal."""
        self._counted_as = "closed"
        metrics.breakers.labels(side.channel.name, self._counted_as).inc()
        self._told_refused: bool | None = None

    def handle(self, command: Any) -> None:
        if isinstance(command, AskTurn):
            asked = self._asked_beside if command.lane in BESIDE else self._asked
            asked.setdefault((command.conversation.actor_urn, command.lane), command)
        elif isinstance(command, Freed):
            self._freed(command)
        elif isinstance(command, PassTurn):
            self._passed(command.sender)
        elif isinstance(command, Account):
            self._side.account = command
            self._rate = self._rate_now()
            self._side.breaker.mended()
        elif isinstance(command, Stop):
            self._stop_all()
            return
        elif isinstance(command, Tick):
            if not self._alarm_at or time.monotonic() < self._alarm_at:
                return  # an alarm that a sooner one has replaced
            self._alarm_at = 0.0
            self._reclaim()
        else:
            super().handle(command)
        self._pump()

    def on_stop(self) -> None:
        metrics.breakers.labels(self._side.channel.name, self._counted_as).dec()

    def recover(self) -> None:
        """The queues survive; turns that were being handed out come back by the reclaim."""
        self._wake_in(1.0)

    # Turns

    def _pump(self) -> None:
        now = time.monotonic()
        if left := self._permits.keep(now):
            self._wake_in(left)
        while (self._asked or self._asked_beside) and len(self._lent) < SENDERS:
            if not self._side.breaker.permits(now):
                self._wake_in(max(0.05, self._side.breaker.wait(now)))
                return
            wait = self._permits.ready(self._rate, len(self._asked) + len(self._asked_beside))
            if wait:
                self._wake_in(wait)
                return
            self._offer(now)

    def _offer(self, now: float) -> None:
        ask = self._next()
        sender = self._free.pop() if self._free else self._new_sender()
        if tell(ask.conversation, Turn(ask.lane, sender, self.actor_ref, self._side.account.settings)):
            self._permits.use()
            self._lent[sender.actor_urn] = (sender, now)
            self._side.breaker.granted()
            self._wake_in(OFFER_SECONDS + self._parts.limits.request)
        else:
            self._free.append(sender)

    def _next(self) -> AskTurn:
        """Messages first; every tenth turn is for the rest, or a busy line would never tell of a failure."""
        self._turns += 1
        beside_turn = not self._asked or (self._turns % BESIDE_EVERY == 0 and bool(self._asked_beside))
        asked = self._asked_beside if beside_turn else self._asked
        return asked.pop(next(iter(asked)))

    def _new_sender(self) -> Ref:
        return SenderActor.start(self._parts, self._side, self.actor_ref)

    def _passed(self, sender: Ref) -> None:
        if self._take_back(sender) is not None:
            self._permits.unused()
            self._side.breaker.returned()

    def _freed(self, freed: Freed) -> None:
        began = self._take_back(freed.sender)
        if began is None:
            return
        breaker = self._side.breaker
        if freed.called and isinstance(freed.error, SendError):
            self._failed(freed.error, began)
        elif freed.called and freed.error is None:
            breaker.succeeded(time.monotonic())
        else:
            breaker.returned()
        if breaker.credentials_refused or (freed.called and freed.error is None):
            self._tell_health(breaker.credentials_refused)
        self._show()

    def _tell_health(self, refused: bool) -> None:
        """When it changes, and once after a start: what was written down may be from another daemon's time."""
        if refused != self._told_refused:
            self._told_refused = refused
            reason = self._side.breaker.reason if refused else None
            tell(self._tenant, CredentialsRefused(self._side.account.line_id, self._side.name, reason))

    def _failed(self, error: SendError, began: float) -> None:
        was_open = self._side.breaker.open
        self._side.breaker.failed(error, time.monotonic(), began)
        if error.fate == "throttled" and error.scope == "line":
            self._permits.forget()
            self._parts.bucket.penalise(self._rate.key, min(30.0, error.retry_after or 1.0))
        if self._side.breaker.open and not was_open:
            log.warning(
                "line_interrupted",
                line_id=self._side.account.line_id,
                channel=self._side.channel.name,
                reason=self._side.breaker.reason,
            )

    def _take_back(self, sender: Ref) -> float | None:
        """When its turn began (time.monotonic); None when it has been taken back already."""
        lent = self._lent.pop(sender.actor_urn, None)
        if lent is None:
            return None
        self._free.append(sender)
        return lent[1]

    def _reclaim(self) -> None:
        """Take back turns whose conversation or sender vanished; a living sender is replaced, not shared.

        None while the journal is behind: then a sender that says nothing may be waiting for its claim, and needs its
        whole time from then on.
        """
        longest = OFFER_SECONDS + self._parts.limits.request * 3
        now = time.monotonic()
        if self._parts.journal_behind:
            self._reclaim_from = now + longest
        elif now >= self._reclaim_from:
            for sender, since in list(self._lent.values()):
                if now - since > longest:
                    self._replace(sender)
        if self._lent or self._asked or self._asked_beside:
            self._wake_in(longest)

    def _replace(self, sender: Ref) -> None:
        log.warning("turn_reclaimed", line_id=self._side.account.line_id)
        del self._lent[sender.actor_urn]
        self._side.breaker.returned()
        sender.stop(block=False)

    # Pacing

    def _rate_now(self) -> Rate:
        return rate_of_account(self._side.name, self._side.account, self._parts.limits)

    def _wake_in(self, seconds: float) -> None:
        at = time.monotonic() + seconds
        if not self._alarm_at or at < self._alarm_at:
            self._alarm_at = at
            self._parts.timers.after(seconds, self.actor_ref, Tick())

    def _show(self) -> None:
        state = self._side.breaker.state
        if state != self._counted_as:
            metrics.breakers.labels(self._side.channel.name, self._counted_as).dec()
            metrics.breakers.labels(self._side.channel.name, state).inc()
            self._counted_as = state

    def _stop_all(self) -> None:
        self._permits.give_back()
        for ref in [*self._free, *(lent[0] for lent in self._lent.values())]:
            ref.stop(block=False)
        self.stop()
