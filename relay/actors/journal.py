"""JournalActor: claims and outcomes of many conversations in one transaction, then word to everybody.

It writes whenever its inbox is empty or the group is full, so a quiet relay waits for nothing and a
busy one shares its commits. While PostgreSQL is in trouble everything is kept and written again until it is taken. That
has a bound: a claim holds its sender, of which there are a few for each line, and an outcome or a report its
conversation, which goes no further before it is written. What only one of them meets holds up nobody else: an outcome
or a report waits by itself (`relay/runtime/unwritten.py`), a claim is refused.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from dataclasses import replace
from math import inf
from typing import Any

import structlog

from db.contacts import conversations
from db.contacts.seen import Arrival
from db.cursor import Cursor
from db.errors import meets_everybody
from db.mailbox import claims, receipts, sweep
from relay import metrics
from relay.core.conversation.events import OutcomeWritten, ReportEnded, RowChanged, Wake
from relay.core.errors import StoreError
from relay.core.mailbox import Claim, RowStatus
from relay.core.retry import store_backoff
from relay.runtime.actor import RelayActor, Stop, tell
from relay.runtime.commands import Claimed, ClaimRequest, Outcome, ReportOutcome, Tick
from relay.runtime.context import Parts
from relay.runtime.unwritten import End

log = structlog.get_logger(__name__)

GROUP = 500
NOT_WRITABLE = "not_writable"
"""In place of a provider's words that PostgreSQL does not take."""


class JournalActor(RelayActor):
    vital = True

    def __init__(self, parts: Parts) -> None:
        super().__init__()
        self._parts = parts
        self._claims: list[ClaimRequest] = []
        self._outcomes: list[Outcome] = []
        self._reports: list[ReportOutcome] = []
        self._tried: set[int] = set()
        """The claims that went through a write whose answer was lost; only they may be granted again."""
        self._failures = 0
        self._resting_until = 0.0

    def handle(self, command: Any) -> None:
        if isinstance(command, ClaimRequest):
            self._claims.append(command)
        elif isinstance(command, Outcome):
            self._outcomes.append(command)
        elif isinstance(command, ReportOutcome):
            self._reports.append(command)
        elif isinstance(command, Stop):
            self._end()
            return
        elif not isinstance(command, Tick):
            super().handle(command)
        waiting, now = len(self._claims) + len(self._outcomes) + len(self._reports), time.monotonic()
        if now < self._resting_until or not (self.inbox_empty or waiting >= GROUP):
            return
        if waiting or self._parts.unwritten.due(now):
            self._write()

    def recover(self) -> None:
        """Something unforeseen: what is held is written a while later."""
        self._rest(StoreError("the journal failed; see the log"))

    def _end(self) -> None:
        """What has been told is written; claims are not, because nobody will send any more."""
        try:
            self._write_outcomes()
            self._write_unwritten(inf)
        except StoreError as error:
            log.warning("outcomes_left_to_the_next_owner", outcomes=len(self._outcomes), error=str(error))
        if self._parts.unwritten:
            log.warning("outcomes_left_to_the_next_owner", outcomes=len(self._parts.unwritten))
        self.stop()

    def _write(self) -> None:
        try:
            self._write_unwritten(time.monotonic())
            self._write_outcomes()
            if self._claims:
                self._write_claims()
            self._failures, self._parts.journal_behind = 0, False
        except StoreError as error:
            self._rest(error)

    def _rest(self, error: StoreError) -> None:
        self._failures += 1
        self._parts.journal_behind = True
        wait = store_backoff(self._failures)
        if self._failures == 1:
            log.warning("journal_waits", outcomes=len(self._outcomes), claims=len(self._claims), error=str(error))
        self._resting_until = time.monotonic() + wait
        self._parts.timers.after(wait, self.actor_ref, Tick())

    def _write_claims(self) -> None:
        """A sender that has ended sends nothing: its claim would only block the message."""
        if self._parts.stopping:
            self._refuse_claims()
            return
        self._claims = [one for one in self._claims if one.sender.is_alive()]
        group, started = {one.claim.message_id: one for one in reversed(self._claims)}, time.monotonic()
        if group:
            wanted = [replace(one.claim, again=True) if id(one) in self._tried else one.claim for one in group.values()]
            self._tried |= {id(one) for one in group.values()}
            granted = self._claim(wanted)
        asked, self._claims, self._tried = self._claims, [], set()
        self._count(len(group))
        for one in asked:
            message_id = one.claim.message_id
            mine = group[message_id] is one and message_id in granted
            tell(one.sender, Claimed(message_id, mine, started))

    def _claim(self, wanted: Sequence[Claim]) -> set[str]:
        """The ids that are granted. One that meets trouble of its own is not: its conversation looks again later.

        Raises StoreError: some may be written all the same.
        """
        try:
            with self._parts.pool.autocommit() as cursor:
                return claims.claim(cursor, self._parts.lease.daemon_id, wanted, self._parts.limits.request)
        except StoreError as error:
            if meets_everybody(error):
                raise
        return {granted for one in wanted for granted in self._claim([one])} if len(wanted) > 1 else set()

    def _refuse_claims(self) -> None:
        """Those that a statement may have written whose answer was lost are the next owner's to find out."""
        for one in self._claims:
            tell(one.sender, Claimed(one.claim.message_id, False, time.monotonic()))
        self._claims, self._tried = [], set()

    def _write_outcomes(self) -> None:
        if not self._outcomes and not self._reports:
            return
        unwritten = self._parts.unwritten
        try:
            row_statuses = self._in_groups(self._outcomes, self._reports)
        finally:
            self._outcomes = [one for one in self._outcomes if one not in unwritten]
            self._reports = [one for one in self._reports if one not in unwritten]
        outcomes, reports, self._outcomes, self._reports = self._outcomes, self._reports, [], []
        self._tell_written(outcomes, reports, row_statuses)

    def _write_unwritten(self, now: float) -> None:
        """Those whose time has come."""
        for end in self._parts.unwritten.due(now):
            row_statuses = self._alone(end)
            if row_statuses is not None:
                self._parts.unwritten.written(end)
                self._tell_written(*_split([end]), row_statuses)

    def _tell_written(
        self, outcomes: Sequence[Outcome], reports: Sequence[ReportOutcome], row_statuses: dict[str, RowStatus]
    ) -> None:
        self._count(len(outcomes) + len(reports))
        for one in outcomes:
            self._count_end(one)
            row_status = row_statuses.pop(one.message_id, None)
            written = OutcomeWritten(
                one.message_id, row_status, one.verdict, one.genesys_conversation_id, one.facts, one.thread
            )
            if not tell(one.conversation, written) and row_status is not None:
                tell(self._parts.shards.get(row_status.shard), Wake(one.conversation_id))
        for told in reports:
            tell(told.conversation, ReportEnded(told.message_id, told.status))
        for row_status in row_statuses.values():  # what parked receipts said about others
            tell(self._parts.shards.get(row_status.shard), RowChanged(row_status))

    def _in_groups(self, outcomes: Sequence[Outcome], reports: Sequence[ReportOutcome]) -> dict[str, RowStatus]:
        """Write all at once; if one of them is at fault, or meets trouble of its own, one by one.

        Raises StoreError: nothing is lost, and all of it is to be written again.
        """
        if len(outcomes) + len(reports) > 1:
            try:
                return self._commit(outcomes, reports)
            except Exception as error:  # whatever is odd about one of them shows when it is alone
                if meets_everybody(error):
                    raise
        row_statuses: dict[str, RowStatus] = {}
        ends: list[End] = [*outcomes, *reports]
        for one in ends:
            row_statuses |= self._alone(one) or {}
        return row_statuses

    def _alone(self, end: End) -> dict[str, RowStatus] | None:
        """None: PostgreSQL did not take it, and may take others; it is kept.

        Raises StoreError: it is everybody's trouble, or that of too many.
        """
        try:
            return self._as_far_as_possible(end)
        except StoreError as error:
            if meets_everybody(error) or self._parts.unwritten.full_for(end):
                raise
            if end not in self._parts.unwritten:
                log.warning("outcome_waits_alone", message_id=end.message_id, error=str(error))
            pause = self._parts.unwritten.refused(end, time.monotonic())
            self._parts.timers.after(pause, self.actor_ref, Tick())
            return None

    def _as_far_as_possible(self, end: End) -> dict[str, RowStatus]:
        """What came of a call matters more than what the provider said about it: that is left out first.

        What even then cannot be written is told to nobody: the row keeps its claim, which the sweep ends as unknown.
        """
        try:
            return self._commit(*_split([end]))
        except StoreError:
            raise
        except Exception as error:
            plain = _without_words(end) if isinstance(end, Outcome) else _without_reason(end)
            if plain == end:
                metrics.journal_losses.inc()
                log.error("outcome_not_written", message_id=end.message_id, error=type(error).__name__, exc_info=error)
                return {}
            log.warning("outcome_written_without_words", message_id=end.message_id, error=type(error).__name__)
        return self._as_far_as_possible(plain)

    def _commit(self, outcomes: Sequence[Outcome], reports: Sequence[ReportOutcome]) -> dict[str, RowStatus]:
        sent = [one.sent for one in outcomes if one.sent is not None]
        with self._parts.pool.transaction() as cursor:
            # Mappings before messages, and both by id: the order in which intake locks them too.
            self._learn(cursor, outcomes)
            claims.lock(cursor, [one.message_id for one in outcomes] + [one.message_id for one in reports])
            claims.record_attempts(cursor, [one.attempt for one in outcomes if one.attempt is not None])
            accepted = {one.message_id: one for one in claims.record_sent(cursor, sent)}
            verdicts = [one.verdict for one in outcomes if one.verdict is not None]
            claims.record_verdicts(cursor, verdicts)
            claims.note_verdicts(cursor, verdicts)
            claims.record_reports(cursor, [(one.message_id, one.status, one.given_up) for one in reports])
            parked = receipts.unpark(cursor, [(one.line_id, one.provider_id) for one in sent if one.provider_id])
            others = [one.message_id for one in outcomes if one.message_id not in accepted]
            found = {one.message_id: one for one in claims.row_statuses(cursor, others)}
            row_statuses = accepted | {one.message_id: one for one in parked} | found
            self._hint(cursor, row_statuses.values())
            return row_statuses

    def _hint(self, cursor: Cursor, row_statuses: Iterable[RowStatus]) -> None:
        """Shards that were given up meanwhile: their owner may take these calls' ends for unknown."""
        for one in row_statuses:
            if one.shard not in self._parts.shards:
                sweep.notify(cursor, one.shard, one.conversation_id)

    @staticmethod
    def _learn(cursor: Cursor, outcomes: Sequence[Outcome]) -> None:
        """What the providers' answers told about the contact."""
        told = ((one.conversation_id, one.genesys_conversation_id) for one in outcomes if one.genesys_conversation_id)
        news = conversations.news_of_genesys(cursor, told)
        named = {one.conversation_id for one in outcomes if one.aliases or one.thread}
        conversations.lock(cursor, named | {conversation_id for conversation_id, _ in news})
        conversations.touch(cursor, [Arrival(one.conversation_id, thread=one.thread) for one in outcomes if one.thread])
        conversations.see_genesys_conversations(cursor, news)
        conversations.add_aliases(
            cursor, [(one.line_id, alias, one.conversation_id) for one in outcomes for alias in one.aliases]
        )

    @staticmethod
    def _count(written: int) -> None:
        metrics.journal_groups.inc()
        metrics.journal_writes.inc(written)

    @staticmethod
    def _count_end(outcome: Outcome) -> None:
        if outcome.attempt is not None:
            metrics.attempts.labels(outcome.attempt.outcome).inc()


def _split(ends: Sequence[End]) -> tuple[list[Outcome], list[ReportOutcome]]:
    outcomes = [one for one in ends if isinstance(one, Outcome)]
    return outcomes, [one for one in ends if isinstance(one, ReportOutcome)]


def _without_reason(report: ReportOutcome) -> ReportOutcome:
    return replace(report, given_up=report.given_up and NOT_WRITABLE)


def _without_words(outcome: Outcome) -> Outcome:
    """What came of the call, without what anybody said in it."""
    attempt, verdict = outcome.attempt, outcome.verdict
    if attempt is not None:
        provider_id = attempt.provider_id if (attempt.provider_id or "").isprintable() else None
        attempt = replace(
            attempt,
            provider_id=provider_id,
            code=attempt.code and NOT_WRITABLE,
            detail=None,
            trace_id=None,
            answer=None,
        )
    if verdict is not None:
        verdict = replace(verdict, code=verdict.code and NOT_WRITABLE, reason=verdict.reason and NOT_WRITABLE)
    sent = attempt if outcome.sent is not None else None
    return replace(outcome, attempt=attempt, sent=sent, verdict=verdict, genesys_conversation_id=None, aliases=())
