"""For how long messages are held by what a queue has brought: for their own line's neighbours, for nobody else's."""

from __future__ import annotations

from collections.abc import Iterable

from relay.broker.envelopes import Delivery
from relay.core.conversation.hold import Pace
from relay.core.queues import INBOUND
from relay.intake.passage import Passage

NOW = 1_000_000.0
WINDOW = 0.25
MOST = 100
SOON = NOW + 0.01
"""Both clocks of these tests show the same."""


def delivery(line: str | None, arrived_at: float | None = NOW, generation: int = 1, *, again: bool = False) -> Delivery:
    headers = {"lineId": line, "arrivedAt": arrived_at}
    return Delivery(INBOUND, b"{}", 1, 0, {k: v for k, v in headers.items() if v is not None}, again, generation)


def mark(generation: int = 1) -> Delivery:
    return Delivery(INBOUND, b"", 1, 0, {"mark": f"d/{generation}"}, False, generation)


def passage_at_rest(pace: Pace | None = None) -> Passage:
    """Its channel is open, and nothing was in its queue."""
    passage = Passage(WINDOW, pace or Pace())
    passage.opened(MOST)
    passage.marked(mark(), NOW - 60, NOW - 60)
    return passage


def brought(*deliveries: Delivery, at: float = SOON) -> Passage:
    passage = passage_at_rest()
    for one in deliveries:
        passage.delivered(one, at, at)
    return passage


def released(passage: Passage, line: str, arrival: float = NOW, *, by: float) -> bool:
    return passage.hold(line, by).release(arrival, by) <= by


def test_a_message_waits_for_what_its_own_line_has_uncommitted() -> None:
    own, other = delivery("own"), delivery("other")
    passage = brought(own, other)
    later = NOW + WINDOW + 0.1
    assert not released(passage, "own", by=later)
    passage.committed([own], later, later)
    assert released(passage, "own", by=later), "the other line's thousand are none of its business"
    assert not released(passage, "other", by=later)


def test_what_does_not_name_its_line_may_be_any_lines() -> None:
    unnamed = delivery(None)
    passage = brought(unnamed)
    later = NOW + WINDOW + 0.1
    assert not released(passage, "own", by=later)
    passage.committed([unnamed], later, later)
    assert passage.hold("own", later).uncommitted == 0


def test_of_a_lines_own_backlog_a_message_waits_for_a_window_of_arrivals_and_no_longer() -> None:
    own = [delivery("own", NOW + second) for second in (0, 0.1, 0.3, 9)]
    passage = brought(*own, at=NOW + 10)
    passage.committed(own[:2], NOW + 10, NOW + 10)
    assert not released(passage, "own", by=NOW + 10)
    passage.committed(own[2:3], NOW + 10, NOW + 10)
    assert released(passage, "own", by=NOW + 10)


def test_once_the_queue_has_brought_what_arrived_a_window_later_nothing_is_missing() -> None:
    """Whosesoever that is: a queue keeps its order. Until then, while it lags, a neighbour may be in it."""
    own = delivery("own")
    passage = brought(own, at=NOW + 5)
    passage.committed([own], NOW + 5, NOW + 5)
    assert not released(passage, "own", by=NOW + 5.1)
    passage.delivered(delivery("other", NOW + WINDOW), NOW + 5.1, NOW + 5.1)
    assert released(passage, "own", by=NOW + 5.1)


def test_when_nothing_more_comes_the_wait_ends() -> None:
    own = delivery("own", NOW - 600)
    passage = brought(own, at=NOW)
    passage.committed([own], NOW, NOW)
    assert not released(passage, "own", NOW - 600, by=NOW + 0.1)
    assert released(passage, "own", NOW - 600, by=NOW + WINDOW)


def test_one_slow_queue_makes_all_of_them_careful() -> None:
    pace = Pace()
    slow, other = passage_at_rest(pace), passage_at_rest(pace)
    assert released(other, "own", by=NOW + WINDOW)
    slow.delivered(delivery("any", NOW), NOW + 0.2, NOW + 0.2)
    assert not released(other, "own", by=NOW + WINDOW)


def test_a_loop_that_is_late_makes_them_careful_before_anything_has_come() -> None:
    pace = Pace()
    passage = passage_at_rest(pace)
    pace.way.noted(0.2, NOW)
    assert not released(passage, "own", by=NOW + WINDOW)
    assert released(passage, "own", by=NOW + WINDOW + 0.2)


def test_what_comes_again_says_nothing_of_the_way_here() -> None:
    pace = Pace()
    passage_at_rest(pace).delivered(delivery("own", NOW - 600, again=True), NOW, NOW)
    assert pace.way.seconds(NOW) == 0


def test_what_came_out_of_turn_is_remembered_as_the_queues_skew() -> None:
    pace = Pace()
    passage = passage_at_rest(pace)
    for arrived_at in (NOW, NOW - 0.1):
        passage.delivered(delivery("any", arrived_at), SOON, SOON)
    assert 0.09 < passage.hold("own", SOON).skew < 0.11


def test_while_the_broker_holds_back_what_is_too_much_at_once_a_neighbour_may_be_behind_it() -> None:
    others = [delivery("other") for _ in range(MOST)]
    passage = brought(*others)
    assert not released(passage, "own", by=NOW + 3600)
    passage.committed(others[:50], NOW + 3600, NOW + 3600)
    passage.delivered(delivery("other", NOW + 1), NOW + 3600, NOW + 3600)
    assert not released(passage, "own", NOW + 1, by=NOW + 3600)
    assert released(passage, "own", NOW + 1, by=NOW + 3600 + WINDOW)


# A channel that is lost


def test_after_a_loss_nothing_overtakes_what_its_line_had_in_the_queue() -> None:
    """Neither when its rows are there long since, nor whatever time passes: until the mark has come back."""
    passage = brought(delivery("own"))
    passage.lost(NOW + 0.1, NOW + 0.1)
    assert not released(passage, "own", by=NOW + 3600)
    passage.delivered(delivery("other", NOW - 1, 2), NOW + 3600, NOW + 3600)
    assert not released(passage, "own", by=NOW + 3600)
    again = delivery("own", NOW, 2, again=True)
    passage.delivered(again, NOW + 3600, NOW + 3600)
    passage.marked(mark(2), NOW + 3600, NOW + 3600)
    assert not released(passage, "own", by=NOW + 3601)
    passage.committed([again], NOW + 3601, NOW + 3601)
    assert released(passage, "own", NOW + 0.1, by=NOW + 3602 + WINDOW)


def test_after_a_loss_what_might_have_gone_before_it_still_may() -> None:
    passage = passage_at_rest()
    passage.lost(NOW, NOW)
    assert released(passage, "own", NOW - WINDOW, by=NOW)
    assert not released(passage, "own", NOW - WINDOW + 0.1, by=NOW + 60), "its neighbour may have been on its way"


def test_while_the_queue_is_behind_what_came_a_window_later_releases_a_message_all_the_same() -> None:
    passage = passage_at_rest()
    passage.lost(NOW, NOW)
    passage.delivered(delivery("other", NOW + WINDOW, 2), NOW + 1, NOW + 1)
    assert released(passage, "own", by=NOW + 1)
    assert not released(passage, "other", by=NOW + 1)


def test_what_comes_without_the_broker_goes_on_while_that_is_away() -> None:
    """A program's message through the API: web cannot have taken anything else meanwhile."""
    passage = brought(delivery("own"))
    passage.lost(NOW + 1, NOW + 1)
    assert released(passage, "other", NOW + 2, by=NOW + 6)
    assert not released(passage, "own", NOW + 2, by=NOW + 6), "something of its own line was in the queue"
    passage.opened(MOST)
    assert not released(passage, "other", NOW + 2, by=NOW + 6), "now web may have"


def test_a_second_loss_before_the_queue_has_caught_up_forgets_nothing() -> None:
    passage = brought(delivery("own"))
    passage.lost(NOW + 0.1, NOW + 0.1)
    passage.delivered(delivery("other", NOW + 0.1, 2), NOW + 1, NOW + 1)
    passage.lost(NOW + 1, NOW + 1)
    assert not released(passage, "own", by=NOW + 3600)
    assert not released(passage, "other", NOW + 0.1, by=NOW + 3600)


def test_what_is_committed_of_a_former_channel_does_not_count_for_the_present_one() -> None:
    """A group may be under way when a channel is lost: what it had brought comes again over the next one."""
    old = delivery("own", generation=1)
    passage = brought(old)
    passage.delivered(delivery("own", generation=2), SOON, SOON)
    assert passage.hold("own", SOON).uncommitted == 1
    passage.committed([old], SOON, SOON)
    assert passage.hold("own", SOON).uncommitted == 1


def test_after_a_take_over_stored_rows_wait_for_what_is_in_the_queue() -> None:
    passage = Passage(WINDOW, Pace())
    passage.opened(MOST)
    assert not released(passage, "own", NOW - 3600, by=NOW)
    waiting = delivery("own", NOW - 3600)
    passage.delivered(waiting, NOW, NOW)
    passage.marked(mark(), NOW, NOW)
    assert passage.behind
    assert not released(passage, "own", NOW - 3600, by=NOW)
    passage.committed([waiting], NOW, NOW)
    assert not passage.behind
    assert released(passage, "own", NOW - 3600, by=NOW + WINDOW)


def test_what_comes_behind_the_mark_is_not_waited_for_by_those_who_wait_for_the_queue() -> None:
    passage = Passage(WINDOW, Pace())
    passage.opened(MOST)
    before, after = delivery("own"), delivery("other")
    passage.delivered(before, NOW, NOW)
    passage.marked(mark(), NOW, NOW)
    passage.delivered(after, NOW, NOW)
    assert passage.behind
    passage.committed([before], NOW, NOW)
    assert not passage.behind


def test_memory_is_only_taken_by_what_is_uncommitted() -> None:
    lines: Iterable[Delivery] = [delivery(f"line {n}") for n in range(50)]
    passage = brought(*lines)
    passage.committed(list(lines), SOON, SOON)
    assert not passage._uncommitted
    assert not passage._newest_committed
