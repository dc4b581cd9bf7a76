"""EndsListener: hears on a WebSocket which of a tenant's conversations end at Genesys.

It does not outlive a failure: its tenant is taken anew, by whichever daemon, after a pause that grows. What it hears is
written down as what is posted to /genesys/events is, so both together do no harm.
"""

from __future__ import annotations

import time
from dataclasses import asdict, dataclass
from typing import Any

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
CALL_SECONDS = 10.0
LONGEST_PAUSE = 300.0
REFUSED_PAUSE = 600.0
"""Until somebody may have given the client what it lacks."""
OLD_CHANNEL_TRIES = 2
"""After so many failures in a row the channel itself may be the reason."""


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

    def on_start(self) -> None:
        tell(self.actor_ref, Tick())

    def on_stop(self) -> None:
        if self._stream is not None:
            self._stream.close()
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
        self._hear()
        return True

    def _connect(self) -> None:
        parts, listener = self._parts, self._listener
        held = lines.accounts(parts.pool, parts.cipher, listener.line_id)
        ends_of = parts.channels["genesys"].ends
        if held is None or ends_of is None:
            raise SendError("refused", "no_line", "the line is not there any more")
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
        ends_of, stream = self._parts.channels["genesys"].ends, self._stream
        if ends_of is None or stream is None:
            return
        bodies: list[Any] = []
        trouble: SendError | None = None
        deadline = time.monotonic() + HEAR_SECONDS
        try:
            while len(bodies) < AT_ONCE and (body := stream.heard(deadline)) is not None:
                bodies.append(body)
        except SendError as error:
            trouble = error  # what was heard before counts
        found = list(ends_of.told(bodies))
        if found:
            metrics.ends_heard.inc(ends.keep(self._parts.pool, self._listener.tenant_id, found, time.time()))
        self._tell_of_agents(ends_of.agents.moves(bodies))
        if trouble is not None:
            raise trouble

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
