"""LineCatchUp: asks Genesys what its side wrote on one line, and publishes what the relay never received.

One call at a time, each on a permit that no message needs. What is found goes to the queue that its webhook would
have gone to, with the same id: order, lanes and "once" are those of any other message, and whichever comes second, the
webhook or this, changes nothing.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import structlog

from db.tenants import catch_ups, lines
from db.tenants.catch_ups import DueCatchUp, Outcome
from db.tenants.signers import Signers
from relay import metrics
from relay.actors.catch_up_progress import AskBegun, AskList, AskTexts, AskWhereabouts, Progress, Step
from relay.broker.updates import packed
from relay.channels.base import Account, History
from relay.channels.listings import ListedMessage, WrittenMessage
from relay.checks.line_checks import account_of
from relay.core.brevity import shallow
from relay.core.catch_up import (
    MOST_CONVERSATIONS,
    MOST_DENIED,
    MOST_PAGES,
    MOST_SECONDS,
    MOST_TEXTS,
    STALLED_SECONDS,
    Talk,
    candidates,
    missing,
    wait_for_permit,
)
from relay.core.errors import SendError, StoreError
from relay.core.limits import Rate
from relay.core.messages import Update, dump
from relay.core.restored import before_loss
from relay.core.retry import LONGEST_WAIT, backoff
from relay.runtime.actor import RelayActor, tell
from relay.runtime.commands import Ref, Tick
from relay.runtime.context import Parts
from relay.runtime.side import rate_of_account

log = structlog.get_logger(__name__)

TAKEN_SECONDS = 45.0
"""So long the line is this daemon's after each word of it."""
KEEP_EVERY = 10.0
PUBLISH_SECONDS = 8.0
CALL_SECONDS = 10.0
TRIES = 5
"""Of one call, before its conversation is left out."""
IN_A_ROW = 3
"""So many conversations left out one after the other, and Genesys is at fault, not they: the whole is put off."""
PERMITTED = -1_000_000
"""What was permitted once is not what is missing, however many single conversations are kept from the client."""


@dataclass(frozen=True, slots=True)
class LineCaughtUp:
    """The line's actor has ended."""

    line_id: str


class LineCatchUp(RelayActor):
    def __init__(self, parts: Parts, due: DueCatchUp, boss: Ref) -> None:
        super().__init__()
        self._parts = parts
        self._due = due
        self._boss = boss
        self._signer = ""
        self._lost_at: float | None = None
        self._account: Account | None = None
        self._progress: Progress | None = None
        self._only_line = False
        """Of its tenant: what names no line can be no other one's."""

    def on_start(self) -> None:
        tell(self.actor_ref, Tick())

    def on_stop(self) -> None:
        tell(self._boss, LineCaughtUp(self._due.line_id))

    def handle(self, command: Any) -> None:
        if not isinstance(command, Tick):
            super().handle(command)
            return
        try:
            self._go_on()
        except StoreError as error:
            log.warning("catch_up_waits", line_id=self._due.line_id, error=str(error))
            self._again(LONGEST_WAIT / 6)

    def recover(self) -> None:
        """A fault of ours: begun anew after a pause, a few times; nothing is sent twice."""
        try:
            self._end("failed", "the relay itself failed; its log says where", again=True)
        finally:
            self.stop()

    # One step at a time

    def _go_on(self) -> None:
        history, progress = self._parts.channels["genesys"].history, self._progress or self._begin()
        if history is None or progress is None or self._account is None:
            self.stop()
            return
        if time.monotonic() - progress.kept > KEEP_EVERY:
            self._keep(progress)
        if not progress.steps:
            self._end("incomplete" if progress.skipped else "complete", progress.skipped or None)
        elif time.monotonic() - progress.began > MOST_SECONDS:
            left = f"{len(progress.steps)} conversations were not reached within {MOST_SECONDS / 60:.0f} minutes"
            self._end("incomplete", left)
        elif time.monotonic() - progress.stepped > STALLED_SECONDS:
            stalled = f"for {STALLED_SECONDS / 60:.0f} minutes there was no call to spare, or Genesys answered none"
            self._end("incomplete", stalled, again=True)
        elif wait := self._wait():
            self._again(wait)
        else:
            self._ask(history, self._account, progress)

    def _begin(self) -> Progress | None:
        """None: the line is not there any more, or was released meanwhile."""
        held = lines.accounts(self._parts.pool, self._parts.cipher, self._due.line_id)
        if held is None or held.line_status != "active":
            return None
        self._account = account_of(held, "genesys")
        self._signer = Signers(self._parts.pool, self._parts.cipher).digest(held.genesys.get("webhook_secret", ""))
        with self._parts.pool.autocommit() as cursor:
            self._lost_at = catch_ups.lost_at_of(cursor)
        self._only_line = lines.is_only_one(self._parts.pool, self._due.line_id)
        talks = catch_ups.talks(self._parts.pool, self._due)
        asked = talks[:MOST_CONVERSATIONS]
        progress = Progress(deque([*(AskList(one) for one in asked), AskBegun()]), len(asked))
        if len(talks) > len(asked):
            progress.skipped = f"only the {MOST_CONVERSATIONS:,} conversations that were active last were asked about"
        self._progress = progress
        log.info("catch_up_begins", line_id=self._due.line_id, conversations=len(asked))
        return progress

    def _ask(self, history: History, account: Account, progress: Progress) -> None:
        step = progress.steps[0]
        deadline = time.monotonic() + CALL_SECONDS
        try:
            with self._parts.call():
                further = self._asked(step, history, account, deadline)
        except SendError as error:
            self._failed(error, step, progress)
            return
        progress.denied[type(step)], progress.tries, progress.left_out = PERMITTED, 0, 0
        progress.done(step)
        progress.steps.extendleft(reversed(further))
        self._again(0.0)

    def _asked(self, step: Step, history: History, account: Account, deadline: float) -> Sequence[Step]:
        """Make the step's one call. Answers with what is to be asked next."""
        if isinstance(step, AskWhereabouts):
            found = history.conversation_of(step.newest, account, deadline)
            talk = step.talk
            same = found is None or found == talk.genesys_id
            return () if same else (AskList(Talk(talk.conversation_id, talk.address, found or "")),)
        if isinstance(step, AskBegun):
            return self._begun(step, history, account, deadline)
        if isinstance(step, AskTexts):
            talk = step.talk
            ours = bool(talk.conversation_id) or self._only_line
            self._publish(history.written(talk.genesys_id, talk.address, step.wanted, account, deadline, ours=ours))
            return ()
        listing = history.listed(step.talk.genesys_id, account, deadline)
        further: list[Step] = list(self._texts(step.talk, listing.messages))
        if listing.over and step.talk.conversation_id:
            newest = catch_ups.newest_handed_over(self._parts.pool, step.talk.conversation_id)
            here = {one.message_id for one in listing.messages}
            further += [AskWhereabouts(step.talk, newest)] if newest is not None and newest not in here else []
        return further

    def _begun(self, step: AskBegun, history: History, account: Account, deadline: float) -> list[Step]:
        begun = history.begun(self._due.since, step.page, account, deadline)
        new = catch_ups.unknown(self._parts.pool, begun.ids) if begun.ids else []
        if self._progress is not None:
            self._progress.total += len(new)
        further: list[Step] = [AskList(Talk("", "", one)) for one in new]
        return [*further, AskBegun(step.page + 1)] if begun.more and step.page < MOST_PAGES else further

    def _texts(self, talk: Talk, listed: Sequence[ListedMessage]) -> list[Step]:
        by_id = {one.message_id: one for one in listed}
        wanted = candidates(((one.message_id, one.at) for one in listed), self._due.since)
        left = missing(wanted, catch_ups.known(self._parts.pool, self._due.line_id, wanted)) if wanted else []
        return [
            AskTexts(talk, tuple(by_id[one] for one in left[begin : begin + MOST_TEXTS]))
            for begin in range(0, len(left), MOST_TEXTS)
        ]

    def _publish(self, written: Sequence[WrittenMessage]) -> None:
        """As web does with a webhook's items. Raises StoreError when the broker does not confirm: asked once more."""
        if not written:
            return
        due, now = self._due, time.time()
        updates = [
            Update(
                "genesys", due.tenant_id, due.line_id, one.address, now, one.index, one.payload, one.media_type,
                one.mime_type, signer=self._signer, origin="catch_up",
                before_loss=before_loss(message.at, message.delivered, self._lost_at),
            )
            for message in written for one in message.updates
        ]  # fmt: skip
        self._parts.publisher.publish(
            packed([(one, _encoded(one)) for one in updates], self._parts.limits.shards), PUBLISH_SECONDS
        )
        metrics.caught_up.inc(len(updates))
        if self._progress is not None:
            self._progress.found += len(updates)
        log.info("caught_up", line_id=due.line_id, messages=len(updates))

    # When it does not go well

    def _failed(self, error: SendError, step: Step, progress: Progress) -> None:
        """A limit is waited for; trouble for a while, then the conversation is left out, as is what is not there."""
        if error.fate == "throttled":
            wait = min(LONGEST_WAIT, error.retry_after or 1.0)
            self._parts.bucket.penalise(self._rate().key, wait)
            self._again(wait)
        elif error.fate in ("retry", "unknown"):
            progress.tries += 1
            if progress.tries < TRIES:
                self._again(backoff(progress.tries))
                return
            progress.tries, progress.left_out = 0, progress.left_out + 1
            progress.skipped = f"Genesys could not be asked about every conversation: {error.text}"
            if progress.left_out >= min(IN_A_ROW, progress.total):
                self._end("failed", f"Genesys could not be asked: {error.text}", again=True)
                return
            self._leave(step, progress)
        elif isinstance(step, AskBegun):
            progress.skipped = f"conversations that agents began meanwhile were not looked for: {error.text}"
            self._leave(step, progress)
        elif error.fate == "credentials":
            denied = progress.denied[type(step)] = progress.denied.get(type(step), 0) + 1
            progress.skipped = f"Genesys does not permit it for every conversation: {error.text}"
            if error.status != 403 or denied == min(MOST_DENIED, progress.total):
                self._end("failed", error.text)
                return
            self._leave(step, progress)
        else:
            self._leave(step, progress)

    def _leave(self, step: Step, progress: Progress) -> None:
        progress.done(step)
        self._again(0.0)

    def _end(self, outcome: Outcome, why: str | None, *, again: bool = False) -> None:
        progress = self._progress
        if progress is not None:
            self._keep(progress)
        catch_ups.end(self._parts.pool, self._due, outcome, why, again=again)
        metrics.catch_ups.labels(outcome).inc()
        found = progress.found if progress is not None else 0
        log.info("catch_up_ended", line_id=self._due.line_id, outcome=outcome, found=found, why=why)
        self.stop()

    def _keep(self, progress: Progress) -> None:
        progress.kept = time.monotonic()
        catch_ups.keep(self._parts.pool, self._due, TAKEN_SECONDS, progress.total, progress.asked, progress.found)

    # Pacing

    def _rate(self) -> Rate:
        assert self._account is not None
        return rate_of_account("genesys", self._account, self._parts.limits)

    def _wait(self) -> float:
        """Seconds until there is a permit that no message needs; 0: one was taken."""
        rate, bucket = self._rate(), self._parts.bucket
        wait = wait_for_permit(bucket.peek(rate.key, rate.per_second, rate.burst), rate.per_second, rate.burst)
        if wait:
            return min(wait, LONGEST_WAIT)
        granted = bucket.take(rate.key, rate.per_second, rate.burst)
        return 0.0 if granted.count else max(0.05, granted.wait_seconds)

    def _again(self, seconds: float) -> None:
        if seconds > 0:
            self._parts.timers.after(seconds, self.actor_ref, Tick())
        else:
            tell(self.actor_ref, Tick())


def _encoded(update: Update) -> bytes:
    """Without what is nested deeper than can be written."""
    try:
        return dump(update)
    except TypeError:  # orjson's
        return dump(replace(update, payload=shallow(update.payload)))
