"""A machine's clock that is set, forwards or backwards, does not set the one that messages are ordered by."""

from __future__ import annotations

from itertools import pairwise

import hypothesis.strategies as st
import pytest
from hypothesis import given

from relay.even_clock import BELIEVED_SECONDS, STEP_SECONDS, EvenClock

NOON = 1_800_000_000.0


class Machine:
    """Whose steady clock goes on by itself, and whose wall clock is so far ahead of it."""

    def __init__(self) -> None:
        self.steady, self.ahead = 5.0, NOON
        self.clock = EvenClock(lambda: self.steady + self.ahead, lambda: self.steady)

    def after(self, seconds: float) -> float:
        self.steady += seconds
        return self.clock.now()


def test_it_tells_the_time_of_day() -> None:
    assert Machine().after(10) == pytest.approx(NOON + 15, abs=1e-3)


@pytest.mark.parametrize("seconds", [-3600, -2, 2, 3600])
def test_while_the_machines_clock_is_set_it_goes_on(seconds: float) -> None:
    machine = Machine()
    before = machine.after(1)
    machine.ahead += seconds
    assert machine.after(10) == pytest.approx(before + 10, abs=1e-3)
    machine.ahead -= seconds
    assert machine.after(10) == pytest.approx(before + 20, abs=1e-3)


@pytest.mark.parametrize("seconds", [-3600, 3600])
def test_what_stays_set_is_believed(seconds: float) -> None:
    machine = Machine()
    before = machine.after(1)
    machine.ahead += seconds
    machine.after(1)
    assert machine.after(BELIEVED_SECONDS) == pytest.approx(before + 1 + BELIEVED_SECONDS + seconds, abs=1e-3)


def test_a_clock_that_is_set_again_and_again_is_not_believed() -> None:
    machine = Machine()
    before = machine.after(1)
    for number in range(8):
        machine.ahead += 60 if number % 2 else -60
        machine.after(BELIEVED_SECONDS / 2)
    assert machine.clock.now() == pytest.approx(before + 4 * BELIEVED_SECONDS, abs=1e-3)


@given(st.lists(st.tuples(st.floats(0, 5), st.floats(-0.9 * STEP_SECONDS, 0.9 * STEP_SECONDS)), max_size=20))
def test_small_corrections_are_followed_and_it_never_goes_back(steps: list[tuple[float, float]]) -> None:
    machine = Machine()
    told = [machine.clock.now()]
    for seconds, corrected in steps:
        machine.ahead += corrected
        told.append(machine.after(seconds))
    assert all(one < other for one, other in pairwise(told))
    assert machine.after(60) == pytest.approx(machine.steady + machine.ahead, abs=1e-3)
