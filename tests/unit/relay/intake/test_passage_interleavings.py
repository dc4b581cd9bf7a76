"""Whatever a queue, its channels and the intake do: nothing may go while a neighbour that web has taken is uncommitted.

A neighbour of a message is what arrived at web for the same line until a window after it. Hypothesis lets publishes,
commits, losses of the channel and clocks interleave.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

import hypothesis.strategies as st
from hypothesis import settings
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from relay.broker.envelopes import Delivery
from relay.core.conversation.hold import Pace
from relay.core.queues import INBOUND
from relay.intake.passage import Passage

START = 1_000_000.0
WINDOW = 0.25
PREFETCH = 5
lines = st.sampled_from(("one", "two"))


@dataclass
class Published:
    line: str | None
    """None: a mark."""
    arrived_at: float
    name: str = ""
    brought_before: bool = False
    committed: bool = False


class Queue(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.passage = Passage(WINDOW, Pace())
        self.now = self.steady = START
        self.generation = 0
        self.open = False
        self.queue: deque[Published] = deque()
        self.unacked: deque[tuple[Published, Delivery]] = deque()
        self.all: list[Published] = []

    @rule(line=lines, count=st.integers(1, 4))
    def web_publishes(self, line: str, count: int) -> None:
        for _ in range(count):
            self.all.append(Published(line, self.now))
            self.queue.append(self.all[-1])
        self._bring()

    @precondition(lambda self: self.open)
    @rule()
    def a_neighbour_comes_behind_as_much_as_the_broker_brings_at_once(self) -> None:
        self.web_publishes("two", 1)
        self.some_of_a_line_is_committed("two", 6)
        self.web_publishes("one", PREFETCH)
        self.web_publishes("two", 1)
        self.time_passes(0.3)

    @precondition(lambda self: not self.open)
    @rule()
    def a_channel_is_opened(self) -> None:
        self.open, self.generation = True, self.generation + 1
        self.passage.opened(PREFETCH)
        self.queue.append(Published(None, 0.0, f"d/{self.generation}"))
        self._bring()

    @precondition(lambda self: self.open)
    @rule()
    def the_channel_is_lost(self) -> None:
        """What was not acked comes first when the next one is opened."""
        self.open = False
        self.queue.extendleft(reversed([one for one, _ in self.unacked]))
        self.unacked.clear()
        self.passage.lost(self.now, self.steady)

    @rule(line=lines, most=st.integers(1, 6))
    def some_of_a_line_is_committed(self, line: str, most: int) -> None:
        group = [pair for pair in self.unacked if pair[0].line == line][:most]
        for one, _ in group:
            one.committed = True
        self.unacked = deque(pair for pair in self.unacked if pair not in group)
        self.passage.committed([delivery for _, delivery in group], self.now, self.steady)
        self._bring()

    @rule(line=lines)
    def a_commit_of_the_last_channels_ends(self, line: str) -> None:
        """It is stored, and comes again all the same."""
        again = next((one for one in self.queue if one.line == line and one.brought_before), None)
        if again is not None and not self.open:
            again.committed = True
            self.passage.committed([self._delivery(again)], self.now, self.steady)

    @rule(seconds=st.sampled_from((0.05, 0.2, 0.3, 5.0)))
    def time_passes(self, seconds: float) -> None:
        self.now, self.steady = self.now + seconds, self.steady + seconds

    @invariant()
    def nothing_may_go_while_its_neighbour_is_uncommitted(self) -> None:
        for line in ("one", "two"):
            hold = self.passage.hold(line, self.steady)
            mine = [one for one in self.all if one.line == line]
            missing = [one.arrived_at for one in mine if not one.committed]
            for one in mine:
                if one.committed and hold.release(one.arrived_at, self.now) <= self.now:
                    over = one.arrived_at + WINDOW - 1e-6
                    assert not [at for at in missing if at < over], "its neighbour is on its way"

    def teardown(self) -> None:
        """All may go in the end."""
        if not self.open:
            self.a_channel_is_opened()
        while self.unacked:
            for line in ("one", "two"):
                self.some_of_a_line_is_committed(line, 6)
        self.time_passes(60.0)
        assert not self.passage.behind
        for one in self.all:
            assert self.passage.hold(str(one.line), self.steady).release(one.arrived_at, self.now) <= self.now

    def _bring(self) -> None:
        while self.open and self.queue and len(self.unacked) < PREFETCH:
            one = self.queue.popleft()
            delivery = self._delivery(one)
            if one.line is not None:
                self.passage.delivered(delivery, self.now, self.steady)
                self.unacked.append((one, delivery))
            elif one.name == f"d/{self.generation}":
                self.passage.marked(delivery, self.now, self.steady)
            one.brought_before = True

    def _delivery(self, one: Published) -> Delivery:
        headers = {"lineId": one.line, "arrivedAt": one.arrived_at} if one.line else {"mark": one.name}
        return Delivery(INBOUND, b"", id(one), 0, headers, one.brought_before, self.generation)


TestQueue = Queue.TestCase
TestQueue.settings = settings(max_examples=150, stateful_step_count=40, derandomize=True, deadline=None)
