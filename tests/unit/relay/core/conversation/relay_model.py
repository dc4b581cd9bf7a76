"""Everything around one conversation, as small as it can be: PostgreSQL's rows, senders, journal, alarms, broker.

`Around` performs what the conversation wants done, and its methods let things happen in any order. It checks, at
each dispatch, what must hold: once, in order, nothing before a claimed message, the hold window kept.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field, replace

from relay.core.conversation import effects as do
from relay.core.conversation import events
from relay.core.conversation.clock import MOST_ALARMS
from relay.core.conversation.conversation import Conversation
from relay.core.conversation.dispatch import DispatchFacts, DispatchJob
from relay.core.conversation.hold import MEMORY_SECONDS, Hold
from relay.core.conversation.lane import LANE_LIMIT
from relay.core.conversation.place import Place
from relay.core.conversation.reports import MOST_DUE, REMEMBERED
from relay.core.errors import CannotCarry, SendError
from relay.core.mailbox import Row, RowStatus, Verdict
from relay.core.messages import Direction, Media, Message, Person
from relay.core.ordering import SortKey
from relay.core.status import UNFINISHED
from tests.unit.relay.core.conversation.rows import MAPPING, NOW

WINDOW = 0.25
CALL_SECONDS = 10.0
SENDER_SECONDS = 35.0
STUCK_SECONDS = 60.0
UNKNOWN_SECONDS = 20.0
DIRECTIONS: tuple[Direction, Direction] = ("inbound", "outbound")


@dataclass
class Stored:
    """A row as PostgreSQL has it, and what the test knows of it."""

    row: Row
    claimed_at: float = 0.0
    report: str | None = None
    reported: str | None = None
    taken: int = 0
    """So often the provider took it."""
    in_doubt: int = 0
    """So many of its calls ended without anybody knowing how."""
    late: bool = False
    """When it became known, one that sorts after it had been dispatched."""
    dispatched: bool = False
    arrived_by: float = field(init=False)
    """Its arrival, or the earliest time that the relay's clock told since it was stored: it may be set back."""

    def __post_init__(self) -> None:
        self.arrived_by = self.row.key.arrived_at

    @property
    def unfinished(self) -> bool:
        return self.row.state in UNFINISHED

    @property
    def row_status(self) -> RowStatus:
        report = self.report if self.report != self.reported else None
        return RowStatus(self.row.id, "c", 0, self.row.state, report, self.row.id, 0.0, None, None)


@dataclass
class Around:
    now: float = NOW
    """Unix seconds; may be set forwards and back. `elapsed` may not."""
    elapsed: float = 0.0
    epoch: int = 1
    away: bool = False
    rows: dict[str, Stored] = field(default_factory=dict)
    known: set[str] = field(default_factory=set)
    broker: deque[Row] = field(default_factory=deque)
    cut: bool = False
    lost: deque[Row] = field(default_factory=deque)
    """While the channel is cut: what it had brought, and what waits in the queue."""
    inbox: deque[events.Event] = field(default_factory=deque)
    asked: list[events.LaneName] = field(default_factory=list)
    jobs: list[tuple[float, DispatchJob]] = field(default_factory=list)
    calls: list[tuple[float, DispatchJob]] = field(default_factory=list)
    files: list[do.PrepareFile] = field(default_factory=list)
    reports: list[do.TellReport] = field(default_factory=list)
    alarms: list[tuple[float, events.Alarm]] = field(default_factory=list)
    slow: set[str] = field(default_factory=set)
    left: int = 0

    def __post_init__(self) -> None:
        self.holds: dict[Direction, Hold] = {one: Hold(WINDOW) for one in DIRECTIONS}
        self.conversation: Conversation | None = None
        self.start()

    # The conversation, in its actor

    def start(self) -> None:
        self.conversation = Conversation("c", Place(0, self.epoch, STUCK_SECONDS, lambda _: "general"))
        self.inbox.clear()
        self.asked, self.jobs, self.files, self.reports, self.alarms = [], [], [], [], []
        self.inbox.append(events.Wake("c"))

    def tell(self, event: events.Event) -> None:
        if self.conversation is None:
            self.start()
        self.inbox.append(event)

    def deliver(self) -> None:
        """The next command of the inbox."""
        if self.inbox and self.conversation is not None:
            self._happened(self.inbox.popleft())

    def _happened(self, event: events.Event) -> None:
        happened = deque([event])
        while happened and self.conversation is not None:
            now = happened.popleft()
            if isinstance(now, events.Arrived):
                self._become_known([row.id for row in now.rows])
            for effect in self.conversation.on(now, self.now, lambda _, direction: self.holds[direction]):
                answer = self._perform(effect)
                if answer is not None:
                    happened.append(answer)
        self.check_memory()

    def _perform(self, effect: do.Effect) -> events.Event | None:
        match effect:
            case do.ReadRows():
                return self._read()
            case do.SetAlarm(at):
                self.alarms.append((self.elapsed + max(0.0, at - self.now), events.Alarm(at)))
            case do.AskForTurn(_, _, lane):
                self.asked += [lane] if lane not in self.asked else []
            case do.Leave():
                self._leave()
            case _:
                self._hand_over(effect)
        return None

    def _hand_over(self, effect: do.Effect) -> None:
        match effect:
            case do.StartDispatch(_, job):
                self.check_dispatch(job)
                self.jobs.append((self.elapsed, job))
            case do.PrepareFile():
                self.files.append(effect)
            case do.TellReport():
                self.reports.append(effect)
            case do.WriteVerdict(_, verdict):
                self.write(verdict.message_id, verdict)
            case do.SaveContent(message_id, message):
                self.rows[message_id].row = replace(self.rows[message_id].row, message=message)
            case do.ReturnTurn() | do.CountFinished() | do.Warn() | do.StartPresence():
                pass
            case _:
                raise AssertionError(f"nobody performs {effect}")

    def _leave(self) -> None:
        if not self.inbox:
            assert not [one for one in self.rows.values() if one.unfinished], "it left while there was work"
            self.conversation, self.left = None, self.left + 1

    def _read(self) -> events.Event:
        if self.away:
            return events.RowsNotRead()
        lanes: dict[Direction, list[Row]] = {}
        for direction in DIRECTIONS:
            found = [one.row for one in self.rows.values() if one.unfinished and one.row.direction == direction]
            lanes[direction] = sorted(found, key=lambda row: (not row.claimed, row.key))[: LANE_LIMIT + 1]
            self._become_known([row.id for row in lanes[direction]])
        told = [one.row_status for one in self.rows.values() if one.report != one.reported]
        return events.RowsRead(MAPPING, lanes, told[:MOST_DUE])

    def _become_known(self, names: list[str]) -> None:
        for name in names:
            one = self.rows[name]
            if name not in self.known and not one.row.claimed:
                one.late = any(
                    other.dispatched and other.row.direction == one.row.direction and other.row.key > one.row.key
                    for other in self.rows.values()
                )
            self.known.add(name)

    # What must hold

    def check_dispatch(self, job: DispatchJob) -> None:
        one = self.rows[job.message_id]
        lane = [other for other in self.rows.values() if other.row.direction == job.direction and other.unfinished]
        others = [other for other in lane if other is not one]
        if one.unfinished and not one.row.claimed:
            assert not [other for other in others if other.row.claimed], "it was put before a claimed message"
            ahead = [other for other in others if other.row.key < one.row.key and other.row.id in self.known]
            assert one.late or one.dispatched or all(other.late for other in ahead), "it overtook one that was known"
        if one.unfinished and not one.row.claimed:
            earliest = min(other.arrived_by for other in lane)
            assert earliest + WINDOW <= self.now + 1e-6, "it did not wait for the window"
            hold = self.holds[job.direction]
            committed_after = hold.newest_arrival >= earliest + WINDOW
            assert committed_after or not hold.uncommitted, "it did not wait for what was being taken in"
            assert committed_after or hold.caught_up, "it did not wait for what was ahead in the queue"
        one.dispatched = True

    def check_memory(self) -> None:
        if self.conversation is None:
            return
        known = self.conversation
        for lane in known._lanes.values():
            assert len(lane.waiting) <= LANE_LIMIT
        assert len(known._reports) <= MOST_DUE and len(known._reports._told) <= REMEMBERED
        assert len(known._alarms) <= MOST_ALARMS and len(known._stirred) <= 4 and len(known._asked) <= 4

    def check_once(self) -> None:
        for one in self.rows.values():
            assert one.taken <= 1 + one.in_doubt, f"{one.row.id} went out twice"

    # What may happen

    def arrive(self, direction: Direction, ago: float, *, photo: bool = False) -> None:
        """At web, and in a queue; the provider dates it `ago` seconds before."""
        number = len(self.rows) + len(self.broker) + len(self.lost)
        name = f"{direction}-{number}"
        media = Media("image") if photo else None
        message = Message(name, Person("491701"), self.now - ago, "image" if photo else "text", "hello", media)
        key = SortKey(float(int(self.now - ago)), round(self.now, 6), number)
        self._bring(Row(name, "t", "l", "c", 0, direction, key, message))

    def _bring(self, row: Row) -> None:
        if self.cut:
            self.lost.append(row)
            return
        self.broker.append(row)
        hold = self.holds[row.direction]
        self.holds[row.direction] = replace(hold, uncommitted=hold.uncommitted + 1, quiet=0.0)

    def commit(self, most: int) -> None:
        """The shard takes in so many, and hands them over."""
        if self.away or not self.broker:
            return
        group = [self.broker.popleft() for _ in range(min(most, len(self.broker)))]
        nothing_else = not self._left_over()
        for row in group:
            self.rows[row.id] = stored = Stored(row)
            stored.arrived_by = min(stored.arrived_by, self.now)
        for direction in DIRECTIONS:
            arrivals = [row.key.arrived_at for row in group if row.direction == direction]
            if arrivals:
                self._passed(direction, arrivals)
        self.tell(events.Arrived(MAPPING, group, nothing_else))

    def _passed(self, direction: Direction, arrivals: list[float]) -> None:
        hold = self.holds[direction]
        self.holds[direction] = replace(
            hold,
            uncommitted=hold.uncommitted - len(arrivals),
            newest_arrival=max(hold.newest_arrival, min(self.now, max(arrivals))),
            lag=max(0.0, self.now - min(arrivals)),
        )

    def grant(self) -> None:
        if self.asked:
            self.tell(events.TurnGranted(self.asked.pop(0), {}, "turn"))

    def claim(self) -> None:
        """The journal claims for the first sender that asked."""
        if self.away or not self.jobs:
            return
        _, job = self.jobs.pop(0)
        one = self.rows[job.message_id]
        if one.row.attempts == job.attempt - 1 and one.row.state in ("received", "unknown") and job.epoch == self.epoch:
            one.row = replace(
                one.row, state="sending", attempts=job.attempt, claimed=True, next_attempt_at=None, unknown_until=None
            )
            one.claimed_at = self.elapsed
            self.calls.append((self.elapsed, job))
        else:
            self.tell(events.NotClaimed(job.message_id))

    def end(self, how: str, *, word: bool = True) -> None:
        """The first call ends: sent, received (to be tried again), unknown or failed. Without `word` nobody hears."""
        if self.away or not self.calls:
            return
        _, job = self.calls.pop(0)
        one = self.rows[job.message_id]
        one.taken += how in ("sent", "unknown")
        one.in_doubt += how == "unknown" or (how == "sent" and not word)
        if not word:
            return
        facts = None if how == "sent" else DispatchFacts(job.failures + 1, 1.0)
        verdict = None
        if how != "sent":
            again = self.now + 2.0 if how == "received" else None
            until = self.now + UNKNOWN_SECONDS if how == "unknown" else None
            verdict = Verdict(
                job.message_id, job.epoch, job.attempt, how, self.now, next_attempt_at=again, unknown_until=until
            )
        self.write(job.message_id, verdict, facts)

    def write(self, name: str, verdict: Verdict | None, facts: DispatchFacts | None = None) -> None:
        """The journal writes an outcome, where it is not overtaken, and tells what the row says now."""
        one = self.rows[name]
        if verdict is None:
            if one.unfinished:
                one.row = replace(one.row, state="sent", next_attempt_at=None, unknown_until=None)
        elif one.unfinished and one.row.attempts == verdict.attempt and verdict.epoch == self.epoch:
            one.row = replace(
                one.row,
                state=verdict.state,
                next_attempt_at=verdict.next_attempt_at,
                unknown_until=verdict.unknown_until,
            )
            if verdict.state == "failed" and one.row.direction == "outbound":
                one.report = "failed"
        if self.conversation is not None:
            self.tell(events.OutcomeWritten(name, one.row_status, verdict, facts=facts))

    def receipt(self, name: str) -> None:
        """The phone has it: told of a message whose call went out."""
        one = self.rows[name]
        if self.away or not one.taken or one.row.direction != "outbound":
            return
        one.row, one.report = replace(one.row, state="delivered"), "delivered"
        self.tell(events.RowChanged(one.row_status))

    def tell_report(self, *, well: bool) -> None:
        if self.away or not self.reports:
            return
        report = self.reports.pop(0).report
        if well:
            self.rows[report.message_id].reported = report.status
        self.tell(events.ReportEnded(report.message_id, report.status, None if well else 1.0))

    def prepare(self, how: str) -> None:
        """A file is ready, in trouble, or impossible."""
        if self.away or not self.files:
            return
        wanted = self.files.pop(0)
        message, error = wanted.message, None
        if how == "ready":
            message = replace(message, media=Media("image", object_key="k", upload_id="u"))
            stored = self.rows[wanted.message_id]
            stored.row = replace(stored.row, message=message)
        else:
            error = SendError("retry", "503", "again") if how == "trouble" else CannotCarry("too_large", "too large")
        self.tell(events.FilePrepared(wanted.message_id, wanted.direction, message, error))

    def advance(self, seconds: float) -> None:
        """Time passes; alarms go off in it, and whoever has a deadline keeps it."""
        until = self.elapsed + seconds
        while self.alarms and min(at for at, _ in self.alarms) <= until:
            at, alarm = min(self.alarms, key=lambda one: one[0])
            self.alarms.remove((at, alarm))
            self._pass(max(0.0, at - self.elapsed))
            self.tell(alarm)
            self.deliver()
        self._pass(until - self.elapsed)

    def _pass(self, seconds: float) -> None:
        if seconds > 0.5:
            self.answer_claims()
        self.elapsed, self.now = self.elapsed + seconds, self.now + seconds
        for direction, hold in self.holds.items():
            quiet = hold.quiet + seconds
            self.holds[direction] = replace(hold, quiet=quiet, lag=hold.lag if quiet < 2 * MEMORY_SECONDS else 0.0)
        self.jobs = [one for one in self.jobs if self.elapsed - one[0] < SENDER_SECONDS]
        while self.calls and self.elapsed - self.calls[0][0] >= CALL_SECONDS and not self.away:
            self.end("unknown")

    def answer_claims(self) -> None:
        """The journal never takes long over a claim while PostgreSQL is there."""
        while self.jobs and not self.away:
            self.claim()

    def set_clock(self, seconds: float) -> None:
        self.answer_claims()
        self.now += seconds
        for one in self.rows.values():
            one.arrived_by = min(one.arrived_by, self.now)

    def lose_channel(self) -> None:
        """What the queues had brought comes again, once they are consumed anew."""
        for direction, hold in self.holds.items():
            safe = hold.newest_arrival
            self.holds[direction] = Hold(WINDOW, newest_arrival=safe, lag=hold.lag, caught_up=False)
        self.cut = True
        self.lost, self.broker = self.lost + self.broker, deque()

    def open_channel(self) -> None:
        self.cut, again, self.lost = False, self.lost, deque()
        for row in again:
            self._bring(row)
        for direction, hold in self.holds.items():
            self.holds[direction] = replace(hold, caught_up=True)

    def lose_memory(self) -> None:
        if self.conversation is not None:
            self._happened(events.MemoryLost(1.0))

    def restart(self) -> None:
        """Another daemon takes the shard over; what was under way becomes unknown."""
        if self.away:
            return
        self.epoch += 1
        for one in self.rows.values():
            if one.row.state == "sending":
                one.in_doubt += 1
                one.row = replace(one.row, state="unknown", unknown_until=self.now + UNKNOWN_SECONDS)
        self.calls = []
        self.start()

    def expire(self) -> None:
        """What was claimed long ago and never settled becomes unknown, and its conversation is woken."""
        if self.away:
            return
        found: list[tuple[str, events.LaneName]] = []
        for one in self.rows.values():
            if one.row.state == "sending" and self.elapsed - one.claimed_at > STUCK_SECONDS:
                self.calls = [call for call in self.calls if call[1].message_id != one.row.id]
                one.row = replace(one.row, state="unknown", unknown_until=self.now + UNKNOWN_SECONDS)
                one.in_doubt += 1
                found.append((one.row.id, one.row.direction))
        if found:
            self.tell(events.Wake("c", tuple(found)))

    def sweep(self) -> None:
        """Whoever has work is told of it once more."""
        if self.away:
            return
        lanes: list[tuple[str, events.LaneName]] = [
            (one.row.id, one.row.direction if one.unfinished else "report")
            for one in self.rows.values()
            if one.unfinished or one.report != one.reported
        ]
        if lanes:
            self.tell(events.Wake("c", tuple(lanes)))

    def pump(self) -> None:
        """Inbox, turns and claims, unless somebody there is slow."""
        for _ in range(1000):
            busy = len(self.inbox) + len(self.asked) + len(self.jobs)
            if "inbox" not in self.slow:
                self.deliver()
            if "turns" not in self.slow:
                self.grant()
            if "claims" not in self.slow:
                self.claim()
            if not self.inbox and len(self.inbox) + len(self.asked) + len(self.jobs) >= busy:
                return

    def settle(self, longest: float) -> None:
        """Everybody around answers at once and well from now on. Raises AssertionError if it takes too long."""
        self.away, end = False, self.elapsed + longest
        self.open_channel()
        self.slow.clear()
        while self.conversation is not None or self.broker:
            assert self.elapsed < end, f"after {longest} s there is still work: {self._left_over()}"
            self.commit(500)
            while self.inbox or self.asked or self.jobs or self.calls or self.files or self.reports:
                self.pump()
                self.end("sent")
                self.prepare("ready")
                self.tell_report(well=True)
            self.advance(1.0)
            self.expire()

    def _left_over(self) -> list[Stored]:
        return [one for one in self.rows.values() if one.unfinished or one.report != one.reported]
