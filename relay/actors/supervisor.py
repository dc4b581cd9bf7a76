"""Supervisor: starts the daemon's actors, keeps its lease, shares out the shards, restarts what died."""

from __future__ import annotations

import time
import traceback
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import structlog

from db.daemons import shards
from db.daemons.lease import AnotherDaemonError, LeaseSession
from db.daemons.versions import WrongVersionError
from db.errors import meets_everybody
from db.mailbox import end_requests, ends, sweep
from relay import metrics
from relay.actors.intake import ChannelDropped, IntakeActor
from relay.actors.journal import JournalActor
from relay.actors.parked import ParkedReceipts
from relay.actors.shard import BeginShard, FoundUnfinished, ShardActor
from relay.actors.sweeping import SweepWalk
from relay.actors.tenant import TenantActor
from relay.core.conversation.events import RowChanged, Wake
from relay.core.errors import StoreError
from relay.core.retry import backoff
from relay.core.sharing import share
from relay.intake.intake import Intake
from relay.runtime.actor import RelayActor, Stop, failing, tell
from relay.runtime.commands import Ref, ReloadTenant, Tick
from relay.runtime.context import Parts
from relay.stores import catalogues

log = structlog.get_logger(__name__)

LEASE_EVERY = 0.9
SWEEP_EVERY = 1.0
GIVE_BACK_SECONDS = 0.05
"""A shard's actor has ended by then, unless it is at something."""
ALONE_SECONDS = 3.0
"""A predecessor that was just killed may hold its lock for a moment."""
EXPIRE_EVERY = 600.0
SHARD_FAILURES = 5
"""After so many commands in a row that failed, a shard begins anew: long before the daemon would give up."""
STEADY_SECONDS = 120.0
"""A shard that went well for so long fails for the first time again."""


@dataclass(frozen=True, slots=True)
class DatabaseNotification:
    """PostgreSQL said something on one of our channels."""

    channel: str
    payload: str


@dataclass(frozen=True, slots=True)
class GiveBack:
    """Shards have been let go: as soon as their actors have ended somebody else may go on with them."""


class Supervisor(RelayActor):
    """`fail` hears that this daemon may not go on: it has let go of its shards by then."""

    vital = True

    def __init__(self, parts: Parts, session: LeaseSession, fail: Callable[[BaseException], None]) -> None:
        super().__init__()
        self._parts = parts
        self._session = session
        self._fail = fail
        self._started_at = time.monotonic()
        self._epochs: dict[int, int] = {}
        self._leaving: dict[int, Ref] = {}
        self._gives_back = False
        """A GiveBack is on its way: one is enough for all of them."""
        self._rests: dict[int, tuple[int, float]] = {}
        """Of shards that died or failed: how often in a row, and until when each is left alone (time.monotonic)."""
        self._walk = SweepWalk(parts.pool)
        self._lease_at = 0.0
        self._parked = ParkedReceipts(parts)
        self._expire_at = 0.0
        self._stopping = False

    def on_start(self) -> None:
        metrics.lease_left.set_function(lambda: max(0.0, self._parts.lease.until - time.monotonic()))
        self._parts.start_tenant = lambda tenant_id: TenantActor.start(self._parts, tenant_id)
        self._parts.journal = JournalActor.start(self._parts)
        self._parts.intake = self._new_intake()
        tell(self.actor_ref, Tick())

    def handle(self, command: Any) -> None:
        if isinstance(command, Tick):
            self._tick()
        elif isinstance(command, DatabaseNotification):
            self._notified(command)
        elif isinstance(command, GiveBack):
            self._give_back_soon()
        elif isinstance(command, Stop):
            self._end()
        else:
            super().handle(command)

    def _tick(self) -> None:
        if self._stopping:
            return
        self._parts.timers.after(SWEEP_EVERY, self.actor_ref, Tick())
        try:
            if time.monotonic() >= self._lease_at:
                self._keep_lease()
            self._revive()
            self._give_back()
            for work in (self._sweep, self._apply_parked, self._parked.drop, self._expire):
                self._apart(work)
        except StoreError as error:
            log.debug("supervisor_waits_for_postgresql", error=str(error))
            if time.monotonic() >= self._parts.lease.until:
                self._let_all_go()
        except WrongVersionError as error:
            self._let_all_go()
            self._fail(error)
        except AnotherDaemonError as error:
            if time.monotonic() - self._started_at > ALONE_SECONDS:
                log.error("relay_not_alone", error=str(error))
                self._let_all_go()
                self._fail(error)

    # Lease and shards

    def _keep_lease(self) -> None:
        self._renew()
        self._share_out()
        self._lease_at = time.monotonic() + LEASE_EVERY

    def _renew(self) -> None:
        """A daemon whose lease ran out has lost its shards, and learns it here."""
        asked = time.monotonic()
        owned = self._session.renew(self._parts.limits.lease, self._parts.limits.lease / 3)
        self._parts.lease.until, self._parts.lease.renewed = asked + self._parts.limits.lease, asked
        for number in [number for number, epoch in self._epochs.items() if owned.get(number) != epoch]:
            log.warning("shard_lost", shard=number)
            self._let_go(number)
        for number, epoch in owned.items():
            # Taken by a transaction whose answer never came.
            if number not in self._epochs and number not in self._leaving:
                self._host(number, epoch)

    def _share_out(self) -> None:
        """An even share each: give up what is too much, take what nobody living owns.

        After an outage of PostgreSQL all leases are over. Whoever comes back first leaves the others theirs for a
        moment: they know of calls that ended meanwhile, and have only to write it.
        """
        for name in self._session.end_leases_of_the_dead():
            log.warning("daemon_found_dead", daemon=name)
        with self._parts.pool.transaction() as cursor:
            wanted = share(self._parts.lease.daemon_id, shards.living(cursor), self._parts.limits.shards)
            mine = sorted(self._epochs)
            room = wanted - len(mine) - len(self._leaving)
            me, settled = self._parts.lease.daemon_id, self._session.settled
            taken = shards.take(cursor, me, room, expired=settled) if room > 0 else {}
        for number in mine[wanted:]:
            self._let_go(number)
        for number, one in sorted(taken.items()):
            if number not in self._leaving:  # else the next renewal finds it, when its old actor has gone
                self._host(number, one.epoch, from_dead=one.from_dead)
        metrics.shards_owned.set(len(self._epochs))

    def _host(self, number: int, epoch: int, *, from_dead: bool = False) -> None:
        ref = ShardActor.start(self._parts, number, epoch, from_dead=from_dead)
        self._parts.shards[number], self._epochs[number] = ref, epoch
        tell(ref, BeginShard())

    def _let_all_go(self) -> None:
        for number in list(self._epochs):
            self._let_go(number)  # closes its channel, so that the next owner gets what is in the queue

    def _let_go(self, number: int) -> None:
        """Its actor closes the channel and stops the conversations; only then the shard is given back."""
        self._epochs.pop(number)
        ref = self._leaving[number] = self._parts.shards.pop(number)
        tell(ref, Stop())
        self._look_soon()

    def _look_soon(self) -> None:
        if not self._gives_back:
            self._gives_back = True
            self._parts.timers.after(GIVE_BACK_SECONDS, self.actor_ref, GiveBack())

    def _give_back_soon(self) -> None:
        """Not with the next tick: these conversations wait meanwhile."""
        self._gives_back = False
        if self._stopping:
            return
        try:
            self._give_back()
        except StoreError as error:  # with the next tick
            log.debug("supervisor_waits_for_postgresql", error=str(error))
            return
        if any(ref.is_alive() for ref in self._leaving.values()):
            self._look_soon()

    def _give_back(self) -> None:
        """Calls under way end by themselves; a claim by the old epoch fails.

        Not while the journal is behind: the next owner would make calls again, and tell again, that have ended.
        """
        if self._parts.journal_behind:
            return
        now = time.monotonic()
        gone = [
            number
            for number, ref in self._leaving.items()
            if not ref.is_alive() and now >= self._rests.get(number, (0, 0.0))[1]
        ]
        if not gone:
            return
        with self._parts.pool.transaction() as cursor:
            for number in gone:
                if number not in self._epochs:
                    shards.give_up(cursor, self._parts.lease.daemon_id, number)
        for number in gone:
            del self._leaving[number]
            log.info("shard_given_up", shard=number)

    def _revive(self) -> None:
        """Actors guard themselves; if one died all the same, its rows are in PostgreSQL."""
        if self._parts.journal is None or not self._parts.journal.is_alive():
            log.error("journal_died")
            self._parts.journal = JournalActor.start(self._parts)
        if self._parts.intake is None or not self._parts.intake.is_alive():
            log.error("intake_died")
            self._parts.intake = self._new_intake()
            for number in list(self._epochs):  # what it had not acked is brought again over new channels
                self._let_go(number)
        broken = {one.actor_urn for one in failing() if one.failures >= SHARD_FAILURES}
        for number, ref in list(self._parts.shards.items()):
            if not ref.is_alive():
                log.error("shard_died", shard=number)
                self._parts.consumer.close(number)
                tell(self._parts.intake, ChannelDropped(number))
            elif ref.actor_urn in broken:
                log.error("shard_fails", shard=number)
            else:
                continue
            self._rest(number)
            self._let_go(number)

    def _rest(self, number: int) -> None:
        """One shard that fails each time, wherever it goes, must not keep everybody busy with taking it over."""
        times, last = self._rests.get(number, (0, 0.0))
        now = time.monotonic()
        times = times + 1 if now - last < STEADY_SECONDS else 1
        self._rests[number] = (times, now + backoff(times))

    def _new_intake(self) -> Ref:
        parts = self._parts
        return IntakeActor.start(
            parts, Intake(parts.pool, parts.channels, parts.limits.shards, catalogues.say, parts.tombstones)
        )

    # Work that no actor knows of

    @staticmethod
    def _apart(work: Callable[..., None], *rows: Any) -> None:
        """What single rows make of it is no reason to leave the rest undone; it is tried again with the next sweep.

        Raises StoreError: PostgreSQL is in trouble.
        """
        try:
            work(*rows)
        except Exception as error:
            if meets_everybody(error):
                raise
            if isinstance(error, StoreError):  # told once by who speaks with the store
                log.debug("supervisor_waits_for_postgresql", error=str(error))
                return
            where = "".join(traceback.format_tb(error.__traceback__))  # without its text, which may quote a row
            log.error("supervisor_work_failed", work=work.__name__, error=type(error).__name__, where=where)

    def _expire(self) -> None:
        """A bounded number of old ends now and then; each daemon does it, and none waits for another."""
        if time.monotonic() >= self._expire_at:
            self._expire_at = time.monotonic() + EXPIRE_EVERY
            with self._parts.pool.transaction() as cursor:
                ends.expire(cursor)
                end_requests.expire(cursor)

    def _sweep(self) -> None:
        if not self._parts.shards or self._parts.journal_behind:
            return  # rows that do not say yet what has been sent and told would have it done again
        found = self._walk.step(sorted(self._parts.shards))
        self._apart(self._end_stale, found)
        for shard, rows in _by_shard(found).items():
            tell(self._parts.shards.get(shard), FoundUnfinished(rows))

    def _end_stale(self, found: Sequence[sweep.UnfinishedMessage]) -> None:
        """Calls without word become unknown; not those of which the journal still holds the word."""
        stale = [one for one in found if one.stale and not self._parts.unwritten.ended(one.message_id)]
        if stale:
            with self._parts.pool.transaction() as cursor:
                sweep.expire(cursor, stale, self._parts.limits.unknown_outcome)

    def _apply_parked(self) -> None:
        for row_status in self._parked.apply():
            tell(self._parts.shards.get(row_status.shard), RowChanged(row_status))

    def _notified(self, notified: DatabaseNotification) -> None:
        if notified.channel == "relay_tenants":
            tell(self._parts.tenants.get(notified.payload), ReloadTenant())
            return
        if notified.channel == shards.CHANNEL:
            self._look_at_once()
            return
        number, _, conversation_id = notified.payload.partition(":")
        if number.isdigit() and conversation_id:
            tell(self._parts.shards.get(int(number)), Wake(conversation_id))

    def _look_at_once(self) -> None:
        """Shards are free: whoever waited for the next tick would let their conversations wait, too."""
        if not self._stopping:
            try:
                self._keep_lease()
            except StoreError as error:
                log.debug("supervisor_waits_for_postgresql", error=str(error))

    # The end

    def _end(self) -> None:
        """Stop intake, let calls under way end, flush the journal, hand everything back."""
        self._stopping = True
        for ref in self._parts.shards.values():
            tell(ref, Stop())
        for ref in self._parts.shards.values():
            _await_end(ref)
        self._parts.shards.clear()
        tell(self._parts.intake, Stop())
        self.stop()


def _by_shard(found: Sequence[sweep.UnfinishedMessage]) -> dict[int, list[sweep.UnfinishedMessage]]:
    shards: dict[int, list[sweep.UnfinishedMessage]] = {}
    for one in found:
        shards.setdefault(one.shard, []).append(one)
    return shards


def _await_end(ref: Ref) -> None:
    ref.actor_stopped.wait(5.0)
