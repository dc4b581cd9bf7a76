"""Promise G2 as pure decisions: who goes next, and when."""

from __future__ import annotations

import random

import pytest

from relay.core.conversation.hold import Hold
from relay.core.conversation.lane import LANE_LIMIT, Entry, Lane
from relay.core.messages import Message, Person
from relay.core.ordering import SortKey

NOW = 1_000_000.0
WINDOW = 0.25


def entry(name: str, time: float, arrived: float | None = None, index: int = 0, attempts: int = 0) -> Entry:
    message = Message(name, Person("491701"), time)
    key = SortKey(time, time if arrived is None else arrived, index)
    return Entry(name, key, message, attempts, claimed=attempts > 0)


def drain(lane: Lane, now: float) -> list[str]:
    gone = []
    while (due := lane.due(now)) is not None and due <= now:
        gone.append(lane.launch().id)
        lane.remove(gone[-1])
    return gone


def test_a_message_waits_the_window_and_no_longer() -> None:
    lane = Lane(Hold(WINDOW))
    lane.add(entry("a", NOW))
    assert lane.due(NOW) == NOW + WINDOW
    assert drain(lane, NOW + WINDOW) == ["a"]


def test_a_backlog_does_not_wait_again() -> None:
    lane = Lane(Hold(WINDOW))
    for number in range(5):
        lane.add(entry(f"{number}", NOW - 100 + number))
    assert drain(lane, NOW) == ["0", "1", "2", "3", "4"]


def test_a_late_neighbour_is_put_first_while_nothing_is_claimed() -> None:
    lane = Lane(Hold(WINDOW))
    lane.add(entry("second", NOW + 1, arrived=NOW))
    lane.add(entry("first", NOW - 1, arrived=NOW + 0.1))
    assert lane.due(NOW + 0.1) == NOW + WINDOW, "one sorted after it has waited: the first goes with it"
    assert drain(lane, NOW + WINDOW) == ["first", "second"]


def test_within_one_second_of_whatsapp_arrival_decides() -> None:
    lane = Lane(Hold(WINDOW))
    lane.add(entry("b", NOW, arrived=NOW + 0.2, index=1))
    lane.add(entry("a", NOW, arrived=NOW + 0.1, index=9))
    lane.add(entry("c", NOW, arrived=NOW + 0.2, index=2))
    assert drain(lane, NOW + 1) == ["a", "b", "c"]


def test_a_replayed_message_is_as_new_whatever_its_attempts() -> None:
    lane = Lane(Hold(WINDOW))
    replayed = [entry("replayed second", NOW + 2, attempts=8), entry("replayed first", NOW + 1)]
    for one in replayed:
        one.claimed = False
    lane.reset(replayed, more=False)
    assert drain(lane, NOW + 10) == ["replayed first", "replayed second"]


def test_nothing_is_put_before_a_message_once_claimed() -> None:
    lane = Lane(Hold(WINDOW))
    lane.add(entry("claimed", NOW))
    claimed = lane.launch()
    lane.add(entry("older", NOW - 10, arrived=NOW + 1))
    lane.add(entry("oldest", NOW - 20, arrived=NOW + 1))
    lane.put_back(claimed, NOW)
    assert drain(lane, NOW + 2) == ["claimed", "oldest", "older"]


def test_nothing_is_put_before_a_row_that_an_earlier_daemon_claimed() -> None:
    lane = Lane(Hold(WINDOW))
    lane.add(entry("claimed before", NOW, attempts=1))
    lane.add(entry("older", NOW - 10, arrived=NOW))
    assert drain(lane, NOW + 2) == ["claimed before", "older"]


def test_a_retry_holds_back_what_follows() -> None:
    lane = Lane(Hold(WINDOW))
    lane.add(entry("a", NOW))
    lane.add(entry("b", NOW + 1))
    first = lane.launch()
    assert lane.due(NOW + 5) is None, "one at a time"
    lane.put_back(first, NOW + 30)
    assert lane.due(NOW + 5) == NOW + 30
    assert drain(lane, NOW + 30) == ["a", "b"]


def test_media_being_prepared_blocks_its_lane_only_while_it_is_first() -> None:
    lane = Lane(Hold(WINDOW))
    photo = entry("photo", NOW)
    photo.prepared, photo.preparing = False, True
    lane.add(photo)
    lane.add(entry("text", NOW + 1))
    assert lane.due(NOW + 10) is None
    photo.prepared, photo.preparing = True, False
    assert drain(lane, NOW + 10) == ["photo", "text"]


def test_a_web_servers_fast_clock_costs_no_more_than_the_window() -> None:
    lane = Lane(Hold(WINDOW))
    lane.add(entry("a", NOW + 3600))
    assert lane.due(NOW) == NOW + WINDOW


def test_a_message_is_in_the_lane_once() -> None:
    lane = Lane(Hold(WINDOW))
    assert lane.add(entry("a", NOW))
    assert not lane.add(entry("a", NOW))
    lane.launch()
    assert not lane.add(entry("a", NOW))


@pytest.mark.parametrize("seed", range(5))
def test_a_full_lane_keeps_the_true_beginning_and_says_that_there_is_more(seed: int) -> None:
    lane, numbers = Lane(Hold(WINDOW)), list(range(3 * LANE_LIMIT))
    random.Random(seed).shuffle(numbers)
    for number in numbers:
        lane.add(entry(f"{number}", NOW + number, arrived=NOW))
    assert lane.overflowed
    kept = drain(lane, NOW + WINDOW)
    assert kept == [str(number) for number in range(len(kept))], "no gap: what is missing comes after"
    assert lane.wants_more


def test_after_an_overflow_a_newcomer_does_not_overtake_the_rows_left_in_postgresql() -> None:
    lane = Lane(Hold(WINDOW))
    for number in range(LANE_LIMIT + 1):
        lane.add(entry(f"{number}", NOW + number))
    assert not lane.add(entry("newest", NOW + 10_000))
    assert "newest" not in drain(lane, NOW + 20_000)


def test_replayed_messages_go_in_their_old_order_also_the_last_that_was_launched() -> None:
    entries = [entry(str(number), NOW + number) for number in range(5)]
    lane = Lane(Hold(0.0))
    for one in entries:
        lane.add(one)
    for _ in range(5):
        lane.remove(lane.launch().id)
    lane.reset([entry(str(number), NOW + number) for number in range(5)], more=False)
    assert [one.id for one in lane.waiting] == [one.id for one in entries]
