"""How long a message waits for neighbours, when their way from web to the lane is fast, slow, or a backlog."""

from __future__ import annotations

from dataclasses import replace

import hypothesis.strategies as st
import pytest
from hypothesis import given

from relay.core.conversation.hold import LONGEST_LAG, LONGEST_LOOK, MEMORY_SECONDS, Hold, Longest

NOW = 1_000_000.0
WINDOW = 0.25


def test_where_everything_passes_quickly_only_the_window_counts() -> None:
    assert Hold(WINDOW, newest_arrival=NOW).release(NOW, NOW + 0.02) == NOW + WINDOW


def test_a_neighbour_from_the_windows_end_needs_as_long_for_its_way_as_others_did_lately() -> None:
    assert Hold(WINDOW, lag=0.04).release(NOW, NOW + 0.05) == pytest.approx(NOW + WINDOW + 0.04)


def test_behind_a_slow_passage_a_message_waits_until_nothing_has_come_for_a_window() -> None:
    slow = Hold(WINDOW, newest_arrival=NOW, quiet=0.0, lag=0.3)
    assert slow.release(NOW, NOW + 0.6) == pytest.approx(NOW + 0.6 + WINDOW), "its neighbour may be as slow"
    assert replace(slow, quiet=WINDOW).release(NOW, NOW + 0.6) <= NOW + 0.6
    later = replace(slow, newest_arrival=NOW + WINDOW)
    assert later.release(NOW, NOW + 0.4) <= NOW + 0.4, "whatever came after it has been taken in by now"


def test_where_the_queue_is_not_in_order_of_arrival_what_came_after_it_has_to_be_later_by_as_much() -> None:
    hold = Hold(WINDOW, newest_arrival=NOW + WINDOW + 0.1, lag=0.3, skew=0.2)
    assert hold.release(NOW, NOW + 0.4) > NOW + 0.4
    assert replace(hold, newest_arrival=NOW + WINDOW + 0.2).release(NOW, NOW + 0.4) <= NOW + 0.4


def test_what_took_hours_holds_nobody_for_longer_than_a_few_windows() -> None:
    stale = Hold(WINDOW, quiet=WINDOW, lag=7200.0, skew=7200.0)
    assert stale.release(NOW, NOW) == pytest.approx(NOW + WINDOW + LONGEST_LAG * WINDOW)
    assert stale.release(NOW - 60, NOW) <= NOW


def test_until_the_queue_has_caught_up_only_what_came_after_it_releases_a_message() -> None:
    behind = Hold(WINDOW, quiet=3600.0, caught_up=False)
    assert behind.release(NOW - 3600, NOW) == pytest.approx(NOW + LONGEST_LOOK * WINDOW)
    assert replace(behind, newest_arrival=NOW).release(NOW - 3600, NOW) <= NOW


def test_the_longest_of_late_is_remembered_for_a_while_and_then_forgotten() -> None:
    longest = Longest()
    longest.noted(0.3, 10.0)
    longest.noted(0.1, 11.0)
    assert longest.seconds(10.0 + MEMORY_SECONDS) == 0.3
    longest.noted(0.2, 10.0 + MEMORY_SECONDS)
    assert longest.seconds(10.0 + 2 * MEMORY_SECONDS) == 0.2
    assert longest.seconds(10.0 + 4 * MEMORY_SECONDS) == 0.0


@given(
    st.floats(0, 10), st.floats(0, 20), st.floats(0, 20), st.floats(0, 9), st.floats(0, 9), st.integers(0, 9),
    st.booleans(),
)  # fmt: skip
def test_nothing_goes_before_its_window_and_whoever_waits_looks_again_in_bounded_time(
    age: float, newest: float, quiet: float, lag: float, skew: float, uncommitted: int, caught_up: bool
) -> None:
    arrival = NOW - age
    hold = Hold(WINDOW, NOW - newest, quiet, lag, skew, uncommitted, caught_up)
    at = hold.release(arrival, NOW)
    assert at >= arrival + WINDOW
    assert at <= NOW + WINDOW * max(LONGEST_LOOK, 1 + LONGEST_LAG)


def test_a_message_waits_for_what_the_broker_has_delivered_and_nobody_committed() -> None:
    after = NOW + WINDOW + 0.01
    assert Hold(WINDOW, uncommitted=1).release(NOW, after) == pytest.approx(after + WINDOW / 10)
    assert Hold(WINDOW).release(NOW, after) <= after


def test_the_more_is_coming_the_later_it_looks_again_though_not_for_ever() -> None:
    after = NOW + WINDOW + 0.01
    looks = [Hold(WINDOW, uncommitted=count).release(NOW, after) - after for count in (1, 10, 1000, 10_000)]
    assert looks == pytest.approx([WINDOW / 10, WINDOW, 8 * WINDOW, 8 * WINDOW], abs=1e-3)


def test_a_web_servers_fast_clock_makes_nobody_wait_for_longer_than_the_window() -> None:
    assert Hold(WINDOW).release(NOW + 3600, NOW) == NOW + WINDOW
