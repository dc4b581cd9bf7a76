"""How long a message waits for neighbours, when their way from web to the lane is fast, slow, or a backlog."""

from __future__ import annotations

import pytest

from relay.core.conversation.hold import MEMORY_SECONDS, Hold

NOW = 1_000_000.0
WINDOW = 0.25


def test_where_everything_passes_quickly_only_the_window_counts() -> None:
    hold = Hold(WINDOW)
    hold = hold.took_in(NOW, NOW, NOW + 0.02)
    assert hold.release(NOW, NOW + 0.02) == NOW + WINDOW


def test_behind_a_slow_passage_a_message_waits_for_what_arrived_a_window_later() -> None:
    hold = Hold(WINDOW)
    hold = hold.took_in(NOW, NOW, NOW + 0.3)
    assert hold.release(NOW, NOW + 0.3) == NOW + 0.3 + WINDOW, "its neighbour may be as slow"
    hold = hold.took_in(NOW + WINDOW, NOW + WINDOW, NOW + 0.4)
    assert hold.release(NOW, NOW + 0.4) <= NOW + 0.4, "whatever came after it has been taken in by now"


def test_a_message_waits_for_what_the_broker_has_delivered_and_nobody_committed() -> None:
    hold, after = Hold(WINDOW), NOW + WINDOW + 0.01
    hold = hold.delivered()
    hold = hold.delivered()
    assert hold.release(NOW, after) == pytest.approx(after + WINDOW / 10), "its neighbour may be among them"
    hold = hold.committed(1)
    assert hold.release(NOW, after) > after
    hold = hold.committed(1)
    assert hold.release(NOW, after) <= after


def test_what_a_lost_channel_was_bringing_is_not_waited_for() -> None:
    hold = Hold(WINDOW)
    hold = hold.delivered()
    hold = hold.channel_lost()
    assert hold.release(NOW, NOW + 1) <= NOW + 1


def test_in_a_backlog_a_message_waits_for_the_rest_of_its_own_window_and_no_longer() -> None:
    hold, arrival = Hold(WINDOW), NOW - 600
    hold = hold.took_in(arrival, arrival + 0.1, NOW)
    assert hold.release(arrival, NOW) == NOW + WINDOW, "the next batch may hold its neighbour"
    hold = hold.delivered()
    hold = hold.took_in(arrival + 0.2, arrival + 5, NOW + 0.05)
    assert hold.release(arrival, NOW + 0.05) <= NOW


def test_when_nothing_more_comes_the_wait_ends() -> None:
    hold = Hold(WINDOW)
    hold = hold.took_in(NOW - 600, NOW - 600, NOW)
    assert hold.release(NOW - 600, NOW + 0.1) == NOW + WINDOW
    assert hold.release(NOW - 600, NOW + MEMORY_SECONDS + 0.1) <= NOW


def test_a_web_servers_fast_clock_does_not_release_others_early() -> None:
    hold = Hold(WINDOW)
    hold = hold.took_in(NOW - 1, NOW + 3600, NOW)
    assert hold.release(NOW - 0.1, NOW) == NOW + WINDOW


def test_after_a_take_over_stored_rows_wait_a_windows_quiet_for_what_is_in_the_queue() -> None:
    hold = Hold(WINDOW)
    assert hold.release(NOW - 60, NOW) <= NOW
    hold = hold.consuming(NOW)
    assert hold.release(NOW - 60, NOW) == NOW + WINDOW
    hold = hold.delivered()
    assert hold.release(NOW - 60, NOW + WINDOW) > NOW + WINDOW
    hold = hold.committed(1)
    hold = hold.took_in(NOW - 59, NOW - 59, NOW + WINDOW)
    assert hold.release(NOW - 60, NOW + WINDOW) <= NOW + WINDOW
