"""Whatever happens in whatever order: each message goes once, in its place, after its hold, within bounds.

Hypothesis lets arrivals, turns, calls, receipts, losses of memory, take-overs, outages and clocks interleave.
"""

from __future__ import annotations

import hypothesis.strategies as st
from hypothesis import HealthCheck, settings
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from relay.core.conversation.events import RoomWanted
from relay.core.conversation.lane import LANE_LIMIT
from relay.core.limits import PAIR_SECONDS
from relay.core.messages import Direction
from tests.unit.relay.core.conversation.relay_model import Around

LONGEST = 1500.0
"""Seconds until everything is done once all answer: a lost file takes ten minutes, or twenty when clocks go back."""

directions = st.sampled_from(("inbound", "outbound"))


class Interleavings(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.around = Around()

    @rule(direction=directions, ago=st.sampled_from((0.0, 3.0)), photo=st.booleans(), due=st.booleans())
    def arrives(self, direction: Direction, ago: float, photo: bool, due: bool) -> None:
        self.around.arrive(direction, ago, photo=photo)
        if due:
            self.around.commit(500)
            self.around.pump()
            self.around.advance(0.3)

    @rule(most=st.integers(1, 5))
    def calls_end_well(self, most: int) -> None:
        for _ in range(most):
            self.around.end("sent")
            self.around.pump()

    @rule(direction=directions)
    def its_call_fails_while_an_older_one_comes(self, direction: Direction) -> None:
        self.arrives(direction, 0.0, False, True)
        self.around.pump()
        self.around.end("received")
        self.arrives(direction, 3.0, False, True)

    @rule()
    def an_answer_fails_and_its_report_is_due(self) -> None:
        self.arrives("outbound", 0.0, False, True)
        self.around.pump()
        self.around.end("failed")
        self.around.pump()

    @precondition(lambda self: len(self.around.rows) + len(self.around.broker) < LANE_LIMIT // 2)
    @rule(direction=directions)
    def a_burst_arrives(self, direction: Direction) -> None:
        for number in range(LANE_LIMIT + 6):
            self.around.arrive(direction, float(number % 7))

    @rule(most=st.sampled_from((1, 2, 500)))
    def is_committed(self, most: int) -> None:
        self.around.commit(most)

    @rule(who=st.sampled_from(("inbox", "turns", "claims")))
    def somebody_becomes_slow_or_quick(self, who: str) -> None:
        self.around.slow ^= {who}

    @rule()
    def somebody_slow_does_one_thing(self) -> None:
        self.around.deliver()
        self.around.grant()
        self.around.claim()

    @rule(how=st.sampled_from(("sent", "received", "unknown", "failed")), word=st.booleans())
    def a_call_ends(self, how: str, word: bool) -> None:
        self.around.end(how, word=word)

    @precondition(lambda self: self.around.rows)
    @rule(data=st.data())
    def a_receipt_comes(self, data: st.DataObject) -> None:
        self.around.receipt(data.draw(st.sampled_from(sorted(self.around.rows))))

    @rule(well=st.booleans())
    def a_report_is_told(self, well: bool) -> None:
        self.around.tell_report(well=well)

    @rule(how=st.sampled_from(("ready", "trouble", "impossible")))
    def a_file_is_prepared(self, how: str) -> None:
        self.around.prepare(how)

    @rule(what=st.sampled_from(("asked", "files", "reports")))
    def somebody_dies_and_says_nothing(self, what: str) -> None:
        self.around.slow ^= {"turns"}
        self.arrives("inbound", 0.0, what == "files", True)
        self.around.slow ^= {"turns"}
        getattr(self.around, what).clear()

    @rule(seconds=st.sampled_from((0.05, 0.3, 1.0, 15.0, 70.0)))
    def time_passes(self, seconds: float) -> None:
        self.around.advance(seconds)

    @rule(seconds=st.sampled_from((-90.0, -1.0, 1.0, 90.0)))
    def the_clock_is_set(self, seconds: float) -> None:
        self.around.set_clock(seconds)

    @rule()
    def others_want_room(self) -> None:
        if self.around.conversation is not None:
            self.around.tell(RoomWanted())

    @rule()
    def memory_is_lost(self) -> None:
        self.around.lose_memory()

    @rule()
    def another_daemon_takes_over(self) -> None:
        self.around.restart()

    @rule()
    def a_channel_is_lost(self) -> None:
        self.around.lose_channel()

    @precondition(lambda self: self.around.cut)
    @rule()
    def the_next_channel_brings_all_of_it_again(self) -> None:
        self.around.open_channel()

    @rule()
    def somebody_looks_for_unfinished_rows(self) -> None:
        self.around.sweep()

    @rule()
    def postgresql_goes_away_or_comes_back(self) -> None:
        self.around.away = not self.around.away

    @invariant()
    def whoever_is_quick_does_all_there_is(self) -> None:
        self.around.pump()

    @invariant()
    def nothing_goes_out_twice(self) -> None:
        self.around.check_once()

    def teardown(self) -> None:
        """All comes to an end, and then there is nothing left in memory."""
        messages = len(self.around.rows) + len(self.around.broker) + len(self.around.lost)
        self.around.settle(LONGEST + PAIR_SECONDS * messages)
        self.around.check_once()
        assert self.around.conversation is None
        assert not [one for one in self.around.rows.values() if one.unfinished or one.report != one.reported]


TestInterleavings = Interleavings.TestCase
TestInterleavings.settings = settings(
    max_examples=200, stateful_step_count=40, derandomize=True, deadline=None, suppress_health_check=list(HealthCheck)
)
