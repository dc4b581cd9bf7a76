"""Promise G2 as pure decisions: who goes next, and when."""

from __future__ import annotations

import random
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest

from relay.core.conversation.clock import NEVER
from relay.core.conversation.dispatch import DispatchFacts
from relay.core.conversation.hold import Hold
from relay.core.conversation.lane import FILE_LOST_SECONDS, LANE_LIMIT, Lane, Pending
from relay.core.conversation.launch import dispatch_job
from relay.core.messages import Media, Message, Person
from relay.core.ordering import SortKey
from tests.unit.relay.core.conversation.rows import LONG_AGO, MAPPING, NOW, PLACE, row, verdict

WINDOW = 0.25
TAKE = DispatchFacts(0, None, take=True)


HOLD = Hold(WINDOW)


def entry(name: str, time: float, arrived: float | None = None, index: int = 0, attempts: int = 0) -> Pending:
    message = Message(name, Person("491701"), time)
    key = SortKey(time, time if arrived is None else arrived, index)
    return Pending(name, key, message, attempts, claimed=attempts > 0)


def drain(lane: Lane, now: float, hold: Hold = HOLD) -> list[str]:
    gone = []
    while (due := lane.due(now, hold)) is not None and due <= now:
        gone.append(lane.launch(now).id)
        assert lane.in_flight is not None
        lane.remove(lane.in_flight)
    return gone


def test_a_message_waits_the_window_and_no_longer() -> None:
    lane = Lane()
    lane.add(entry("a", NOW))
    assert lane.due(NOW, HOLD) == NOW + WINDOW
    assert drain(lane, NOW + WINDOW) == ["a"]


def test_a_message_from_a_web_whose_clock_is_ahead_waits_no_longer_than_others() -> None:
    lane = Lane()
    lane.add(entry("a", NOW, arrived=NOW + 60))
    hold = Hold(WINDOW, newest_arrival=NOW)
    assert lane.due(NOW, hold) == NOW + WINDOW
    assert drain(lane, NOW + WINDOW, hold) == ["a"]


@pytest.mark.parametrize(("facts", "takes"), [(TAKE, True), (replace(TAKE, took=True), False), (None, False)])
def test_what_has_to_take_the_thread_does_so_once_though_it_was_heard_to_be_ours_since(
    facts: DispatchFacts | None, takes: bool
) -> None:
    lane = Lane()
    lane.add(entry("a", NOW))
    if facts is not None:
        lane.learn("a", facts)
    lane.load([row("a", key=SortKey(NOW, NOW, 0))])
    ours = replace(MAPPING, thread_state="owned", thread_at=NOW)
    turn: Any = SimpleNamespace(settings={"responder_role": "escalation", "take_over": True})
    assert dispatch_job(lane.launch(NOW + 1), "outbound", ours, PLACE, turn, NOW + 1).take is takes


def test_a_backlog_does_not_wait_again() -> None:
    lane = Lane()
    for number in range(5):
        lane.add(entry(f"{number}", NOW - 100 + number))
    assert drain(lane, NOW) == ["0", "1", "2", "3", "4"]


def test_a_late_neighbour_is_put_first_while_nothing_is_claimed() -> None:
    lane = Lane()
    lane.add(entry("second", NOW + 1, arrived=NOW))
    lane.add(entry("first", NOW - 1, arrived=NOW + 0.1))
    assert lane.due(NOW + 0.1, HOLD) == NOW + WINDOW, "one sorted after it has waited: the first goes with it"
    assert drain(lane, NOW + WINDOW) == ["first", "second"]


def test_within_one_second_of_whatsapp_arrival_decides() -> None:
    lane = Lane()
    lane.add(entry("b", NOW, arrived=NOW + 0.2, index=1))
    lane.add(entry("a", NOW, arrived=NOW + 0.1, index=9))
    lane.add(entry("c", NOW, arrived=NOW + 0.2, index=2))
    assert drain(lane, NOW + 1) == ["a", "b", "c"]


def test_a_replayed_message_is_as_new_whatever_its_attempts() -> None:
    lane = Lane()
    lane.load([row("second", at=NOW + 2, attempts=8), row("first", at=NOW + 1)])
    assert drain(lane, NOW + 10) == ["first", "second"]


def test_nothing_is_put_before_a_message_once_claimed() -> None:
    lane = Lane()
    lane.add(entry("claimed", NOW))
    claimed = lane.launch(NOW)
    lane.add(entry("older", NOW - 10, arrived=NOW + 1))
    lane.add(entry("oldest", NOW - 20, arrived=NOW + 1))
    lane.try_again(claimed, verdict("claimed", "received", wait=0.0), NOW, unknown=False)
    assert drain(lane, NOW + 2) == ["claimed", "oldest", "older"]


def test_nor_before_one_that_was_late_itself() -> None:
    lane = Lane()
    lane.add(entry("first", NOW))
    drain(lane, NOW + 2)
    lane.add(entry("late and claimed", NOW - 5, arrived=NOW))
    claimed = lane.launch(NOW)
    lane.add(entry("later", NOW - 9, arrived=NOW))
    lane.add(entry("newer", NOW + 1, arrived=NOW))
    lane.try_again(claimed, verdict("a", "received", wait=0.0), NOW, unknown=False)
    assert drain(lane, NOW + 2) == ["late and claimed", "later", "newer"]


def test_nothing_is_put_before_a_row_that_an_earlier_daemon_claimed() -> None:
    lane = Lane()
    lane.add(entry("claimed before", NOW, attempts=1))
    lane.add(entry("older", NOW - 10, arrived=NOW))
    assert drain(lane, NOW + 2) == ["claimed before", "older"]


def test_a_retry_holds_back_what_follows() -> None:
    lane = Lane()
    lane.add(entry("a", NOW))
    lane.add(entry("b", NOW + 1))
    first = lane.launch(NOW)
    assert lane.due(NOW + 5, HOLD) is None, "one at a time"
    lane.try_again(first, verdict("a", "received", wait=30.0), NOW, unknown=False)
    assert lane.due(NOW + 5, HOLD) == NOW + 30
    assert drain(lane, NOW + 30) == ["a", "b"]


def test_media_being_prepared_blocks_its_lane_only_while_it_is_first() -> None:
    lane = Lane()
    photo = entry("photo", NOW)
    photo.file_ready, photo.busy_since = False, NOW
    lane.add(photo)
    lane.add(entry("text", NOW + 1))
    assert lane.due(NOW + 10, HOLD) is None
    photo.file_ready, photo.busy_since = True, None
    assert drain(lane, NOW + 10) == ["photo", "text"]


def test_a_web_servers_fast_clock_costs_no_more_than_the_window() -> None:
    lane = Lane()
    lane.add(entry("a", NOW + 3600))
    assert lane.due(NOW, HOLD) == NOW + WINDOW


def test_a_message_is_in_the_lane_once() -> None:
    lane = Lane()
    assert lane.add(entry("a", NOW))
    assert not lane.add(entry("a", NOW))
    lane.launch(NOW)
    assert not lane.add(entry("a", NOW))


@pytest.mark.parametrize("seed", range(5))
def test_a_full_lane_keeps_the_true_beginning_and_says_that_there_is_more(seed: int) -> None:
    lane, numbers = Lane(), list(range(3 * LANE_LIMIT))
    random.Random(seed).shuffle(numbers)
    for number in numbers:
        lane.add(entry(f"{number}", NOW + number, arrived=NOW))
    assert lane.overflowed
    kept = drain(lane, NOW + WINDOW)
    assert kept == [str(number) for number in range(len(kept))], "no gap: what is missing comes after"
    assert lane.wants_more


def test_what_comes_back_from_a_call_makes_no_lane_longer_than_its_limit() -> None:
    lane = Lane()
    for number in range(LANE_LIMIT + 1):
        lane.add(entry(f"{number:03}", NOW + number))
        if not number:
            lane.launch(NOW)
    first = lane.in_flight
    assert first is not None and not lane.overflowed and len(lane.waiting) == LANE_LIMIT
    lane.try_again(first, verdict("000", "received", wait=0.0), NOW, unknown=False)
    assert lane.waiting[0] is first and len(lane.waiting) == LANE_LIMIT and lane.overflowed


def test_after_an_overflow_a_newcomer_does_not_overtake_the_rows_left_in_postgresql() -> None:
    lane = Lane()
    for number in range(LANE_LIMIT + 1):
        lane.add(entry(f"{number}", NOW + number))
    assert not lane.add(entry("newest", NOW + 10_000))
    assert "newest" not in drain(lane, NOW + 20_000)


def test_replayed_messages_go_in_their_old_order_also_the_last_that_was_dispatched() -> None:
    rows = [row(str(number), at=NOW + number) for number in range(5)]
    lane = Lane()
    lane.load(rows)
    names = [one.id for one in rows]
    assert drain(lane, NOW + 10) == names
    lane.load(rows)
    assert [one.id for one in lane.waiting] == names


def test_what_was_read_anew_is_new_only_once() -> None:
    lane, rows = Lane(), [row("a"), row("b", at=LONG_AGO + 1)]
    assert lane.load(rows) == ["a", "b"]
    assert lane.load(rows) == []
    lane.launch(NOW)
    assert lane.load(rows) == [], "nor while it is under way"
    assert lane.in_flight is not None
    lane.remove(lane.in_flight)
    assert lane.load(rows) == ["a"], "a replay"


def test_a_waiting_message_is_brought_up_to_date_and_one_under_way_is_not() -> None:
    lane = Lane()
    lane.load([row("a"), row("b", at=LONG_AGO + 1)])
    flying, later = lane.launch(NOW), NOW + 60
    lane.load([row("a", attempts=7), row("b", at=LONG_AGO + 1, attempts=3, next_attempt_at=later)])
    [waiting] = lane.waiting
    assert flying.attempts == 0
    assert (waiting.attempts, waiting.not_before) == (3, later)


def test_what_a_full_lane_left_in_postgresql_counts_as_known() -> None:
    lane, rows = Lane(), [row(f"{number:03}", at=LONG_AGO + number) for number in range(LANE_LIMIT + 1)]
    assert len(lane.load(rows)) == LANE_LIMIT
    assert lane.works_on(rows[-1].id)
    lane.launch(NOW)
    lane.stand_still(rows[0].id)
    assert not lane.works_on(rows[0].id), "only its row can tell, however full the lane is"


@pytest.mark.parametrize("state", ["received", "unknown"])
def test_what_has_to_be_tried_again_keeps_its_place_and_waits(state: str) -> None:
    lane = Lane()
    lane.load([row("a"), row("b", at=LONG_AGO + 1)])
    how = verdict("a", state, attempt=2)
    lane.try_again(lane.launch(NOW), how, NOW, unknown=state == "unknown")
    head = lane.waiting[0]
    assert (head.id, head.attempts, head.unknown) == ("a", 2, state == "unknown")
    assert head.not_before == (how.unknown_until or how.next_attempt_at) and lane.ready(NOW, HOLD) is None


def test_what_an_attempt_changed_is_known_to_the_next_one_also_after_reading_anew() -> None:
    lane, text = Lane(), Message("s", Person("491701"), LONG_AGO, text="instead")
    lane.load([row("a")])
    lane.launch(NOW)
    lane.learn("a", DispatchFacts(2, 7.0, text))
    lane.stand_still("a")
    assert lane.due(NOW, HOLD) == NEVER and not lane.works_on("a"), "only its row can tell"
    lane.load([row("a", attempts=2, claimed=True, source=text)])
    again = lane.launch(NOW)
    assert (again.failures, again.first_failure, again.attempts, again.message) == (2, 7.0, 2, text)


def test_a_call_without_word_is_found() -> None:
    lane = Lane()
    lane.load([row("a")])
    flying = lane.launch(NOW)
    assert lane.stuck(60.0, NOW + 59) is None
    assert lane.stuck(60.0, NOW + 60) is flying
    assert lane.stuck(60.0, NOW - 3600) is flying, "also where the clock was set back"


def test_a_file_that_nobody_has_spoken_of_for_long_is_wanted_again() -> None:
    lane = Lane()
    lane.load([row("a", source=Message("s", Person("491701"), LONG_AGO, "image", media=Media("image")))])
    [photo] = lane.without_file(NOW)
    photo.busy_since = NOW
    assert not list(lane.without_file(NOW + FILE_LOST_SECONDS - 1))
    assert list(lane.without_file(NOW + FILE_LOST_SECONDS)) == [photo]


def test_while_a_messages_end_is_being_written_its_file_is_not_wanted() -> None:
    lane = Lane()
    lane.load([row("a", source=Message("s", Person("491701"), LONG_AGO, "image", media=Media("image")))])
    lane.waiting[0].ends, lane.waiting[0].busy_since = True, NOW
    assert not list(lane.without_file(NOW + FILE_LOST_SECONDS)) and lane.due(NOW, HOLD) is None
    assert lane.stuck(60.0, NOW + 60) is lane.waiting[0]
