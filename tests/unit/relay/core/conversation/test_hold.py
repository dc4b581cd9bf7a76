"""How long a message waits for neighbours, when their way from web to the lane is fast, slow, or a backlog."""

from __future__ import annotations

import pytest

from relay.core.conversation.hold import MEMORY_SECONDS, Hold

NOW = 1_000_000.0
WINDOW = 0.25


def test_where_everything_passes_quickly_only_the_window_counts() -> None:
    assert Hold(WINDOW, newest_arrival=NOW).release(NOW, NOW + 0.02) == NOW + WINDOW


def test_behind_a_slow_passage_a_message_waits_until_nothing_has_come_for_a_window() -> None:
    slow = Hold(WINDOW, newest_arrival=NOW, quiet_since=NOW + 0.3, slow_until=NOW + 0.3 + MEMORY_SECONDS)
    assert slow.release(NOW, NOW + 0.3) == NOW + 0.3 + WINDOW, "its neighbour may be as slow"
    later = Hold(WINDOW, newest_arrival=NOW + WINDOW, quiet_since=NOW + 0.4, slow_until=slow.slow_until)
    assert later.release(NOW, NOW + 0.4) <= NOW + 0.4, "whatever came after it has been taken in by now"
    assert slow.release(NOW, slow.slow_until + 0.1) <= slow.slow_until, "one slow passage is forgotten"


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
