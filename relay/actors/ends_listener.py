"""EndsListener: hears on a WebSocket which of a tenant's conversations end at Genesys.

It does not outlive a failure: its tenant is taken anew, by whichever daemon, after a pause that grows. What it hears is
written down as what is posted to /genesys/events is, so both together do no harm. Genesys tells nothing twice: while
PostgreSQL refuses, it is held here, so much of it and so long, and no more is listened to than can be held.
"""

from __future__ import annotations

import time
from dataclasses import asdict, dataclass
from typing import Any

import gevent
import structlog

from db.contacts import agents
from db.mailbox import ends
from db.tenants import event_listeners, lines
from db.tenants.event_listeners import ListenedTenant
from relay import metrics
from relay.channels.base import Account
from relay.channels.feeds import EventFeed, EventStream
from relay.checks.line_checks import account_of
from relay.core.errors import SendError, StoreError
from relay.core.languages import phrase
from relay.core.retry import backoff
from relay.runtime.actor import RelayActor, tell
from relay.runtime.commands import Ref, Tick
from relay.runtime.context import Parts
from relay.runtime.side import count_call

log = structlog.get_logger(__name__)

HELD_SECONDS = 30.0
"""So long the tenant is this daemon's after each word of it."""
KEEP_SECONDS = 8.0
LOOK_SECONDS = 5.0
"""So often it is looked which conversations there are; a new one is heard of that much later at most."""
LATEST_SUBSCRIPTION_SECONDS = 6 * 3600.0
"""A channel ends a day after the last one."""
HEAR_SECONDS = 0.5
AT_ONCE = 100
HELD_BODIES = 2_000
"""Heard, and not written down yet. Beyond it what comes waits in the socket."""
GIVEN_UP_SECONDS = 300.0
"""So long what was heard is held when nothing more is heard: after that it is lost, and counted."""
CALL_SECONDS = 10.0
LONGEST_PAUSE = 300.0
REFUSED_PAUSE = 600.0
"""Until somebody may have given the client what it lacks."""
OLD_CHANNEL_TRIES = 2
"""After so many failures in a row the channel itself may be the reason."""


@dataclass(frozen=True, slots=True)
class HeardEvents:
    """What was heard at `at` (Unix seconds), and waits to be written down."""

    at: float
    bodies: list[Any]


@dataclass(frozen=True, slots=True)
class ListenerEnded:
    """The actor of this claim has ended."""

    claim: str


class EndsListener(RelayActor):
    def __init__(self, parts: Parts, listener: ListenedTenant, boss: Ref) -> None:
        super().__init__()
        self._parts = parts
        self._listener = listener
        self._boss = boss
        self._account: Account | None = None
        self._channel: EventFeed | None = None
        self._stream: EventStream | None = None
        self._told_of: list[str] = []
        self._subscribed_at = self._kept_at = self._looked_at = 0.0
        self._over = False
        """Let go of already."""
        self._heard: list[HeardEvents] = []
        self._trouble: SendError | None = None
        """Why nothing more is heard."""
        self._since = 0.0
        """When it began."""

    def on_start(self) -> None:
        tell(self.actor_ref, Tick())

    def on_stop(self) -> None:
        if self._stream is not None:
            self._stream.close()
        try:
            self._write_last()
        finally:
            if not self._over:
                self._release(None, 0.0)
            tell(self._boss, ListenerEnded(self._listener.claim))

    def handle(self, command: Any) -> None:
        if not isinstance(command, Tick):
            super().handle(command)
            return
        try:
            if self._go_on():
                tell(self.actor_ref, Tick())
                return
            self._over = True  # somebody else's
        except SendError as error:
            self._fail(error)
        self.stop()

    def recover(self) -> None:
        """A fault of ours, or PostgreSQL's: the row says when it is anybody's again."""
        self._over = True
        self.stop()

    def _go_on(self) -> bool:
        """One short piece. False: the tenant is not this daemon's any more."""
        if self._trouble is not None:
            return self._wait_for_postgresql(self._trouble)
        try:
            if not self._tend():
                return False
        except StoreError as error:
            if self._stream is None:
                raise  # nothing is heard yet: it begins anew
            log.debug("listener_waits_for_postgresql", tenant_id=self._listener.tenant_id, error=str(error))
        self._hear()
        return True

    def _tend(self) -> bool:
        """What keeps it listening. False: as of `_go_on`."""
        now = time.monotonic()
        if now >= self._kept_at + KEEP_SECONDS:
            self._kept_at = now
            if not event_listeners.keep(self._parts.pool, self._listener, HELD_SECONDS):
                return False
        if self._stream is None:
            self._connect()
        if now >= self._looked_at + LOOK_SECONDS:
            self._looked_at = now
            self._subscribe()
        return True

    def _wait_for_postgresql(self, trouble: SendError) -> bool:
        """What was heard before the trouble is written down before it ends this."""
        if not self._write() and time.monotonic() < self._since + GIVEN_UP_SECONDS:
            gevent.sleep(HEAR_SECONDS)
            return True
        raise trouble

    def _connect(self) -> None:
        parts, listener = self._parts, self._listener
        held = lines.accounts(parts.pool, parts.cipher, listener.line_id)
        ends_of = parts.channels["genesys"].ends
        if held is None or ends_of is None:
            raise SendError("refused", "no_line", phrase("the line is not there any more"))
        self._account = account_of(held, "genesys")
        listening, known = ends_of.listening, listener.channel
        if known is None or listener.tries > OLD_CHANNEL_TRIES:
            count_call(parts, self._account)
            self._channel = listening.channel(self._account, time.monotonic() + CALL_SECONDS)
        else:
            self._channel = EventFeed(**known)
        self._stream = listening.listen(self._channel, self._account, time.monotonic() + CALL_SECONDS)
        event_listeners.begin(parts.pool, parts.cipher, listener, asdict(self._channel))
        log.info("genesys_is_listened_to", tenant_id=listener.tenant_id)

    def _subscribe(self) -> None:
        """Where there are others than those of whom the channel tells, and before it ends."""
        ends_of, account, channel = self._parts.channels["genesys"].ends, self._account, self._channel
        if ends_of is None or account is None or channel is None:
            return
        listening = ends_of.listening
        wanted = event_listeners.conversations(self._parts.pool, account.tenant_id, listening.most + 1)
        told, more = wanted[: listening.most], len(wanted) - listening.most
        lasts = self._subscribed_at and time.monotonic() < self._subscribed_at + LATEST_SUBSCRIPTION_SECONDS
        if lasts and set(told) <= set(self._told_of):
            return
        count_call(self._parts, account)
        refused = listening.subscribe(channel, told, account, time.monotonic() + CALL_SECONDS)
        if refused is not None:
            raise SendError("credentials", "rejected", refused)
        self._told_of, self._subscribed_at = told, time.monotonic()
        event_listeners.note(self._parts.pool, self._listener, len(told), max(0, more))

    def _hear(self) -> None:
        """What is there, and what comes in a moment; written down together."""
        if self._stream is None:
            return
        bodies: list[Any] = []
        deadline = time.monotonic() + HEAR_SECONDS
        room = min(AT_ONCE, HELD_BODIES - sum(len(one.bodies) for one in self._heard))
        try:
            while len(bodies) < room and (body := self._stream.heard(deadline)) is not None:
                bodies.append(body)
        except SendError as error:
            self._trouble, self._since = error, time.monotonic()  # what was heard before counts
        if bodies:
            self._heard.append(HeardEvents(time.time(), bodies))
        if not self._write() and room <= 0:
            gevent.sleep(HEAR_SECONDS)

    def _write(self) -> bool:
        """All that was heard. False: PostgreSQL refuses, and it is tried again. Twice does no harm."""
        ends_of = self._parts.channels["genesys"].ends
        try:
            while self._heard and ends_of is not None:
                one = self._heard[0]
                found = list(ends_of.told(one.bodies))
                if found:
                    metrics.ends_heard.inc(ends.keep(self._parts.pool, self._listener.tenant_id, found, one.at))
                self._tell_of_agents(ends_of.agents.moves(one.bodies))
                self._heard.pop(0)
        except StoreError as error:
            log.warning("heard_ends_wait", tenant_id=self._listener.tenant_id, error=str(error))
            return False
        return True

    def _write_last(self) -> None:
        """Once more before what is held goes with this actor."""
        if self._heard and not self._write():
            lost = sum(len(one.bodies) for one in self._heard)
            metrics.heard_losses.inc(lost)
            log.error("heard_ends_lost", tenant_id=self._listener.tenant_id, count=lost)

    def _tell_of_agents(self, moves: dict[str, bool]) -> None:
        """Who has gone writes no more; who talks now is found out beside this."""
        tenant_id = self._listener.tenant_id
        for genesys_id, questions in agents.asked_about(self._parts.pool, tenant_id, moves).items():
            self._parts.agents.moved(questions, gone=moves[genesys_id])

    def _fail(self, error: SendError) -> None:
        """Asked for anew after a pause; for long where only people can mend it."""
        final = error.fate in ("credentials", "refused") and error.status != 404
        pause = REFUSED_PAUSE if final else min(LONGEST_PAUSE, backoff(self._listener.tries + 1, LONGEST_PAUSE))
        pause = max(pause, error.retry_after or 0.0)
        log.warning("genesys_not_listened_to", tenant_id=self._listener.tenant_id, code=error.code, text=error.text)
        self._release(error.text, pause, forget=error.status == 404)

    def _release(self, trouble: str | None, seconds: float, *, forget: bool = False) -> None:
        self._over = True
        try:
            event_listeners.release(self._parts.pool, self._listener, trouble, seconds, forget=forget)
        except StoreError as error:
            log.debug("listener_left_to_run_out", tenant_id=self._listener.tenant_id, error=str(error))
