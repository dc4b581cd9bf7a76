"""For how long messages are held by what a queue has brought: for their own line's neighbours, for nobody else's."""

from __future__ import annotations

from collections.abc import Iterable

from relay.broker.envelopes import Delivery
from relay.core.queues import INBOUND
from relay.intake.passage import LineHolds, Passage

NOW = 1_000_000.0
WINDOW = 0.25
SOON = NOW + 0.01


def delivery(line: str | None, arrived_at: float | None = NOW, generation: int = 1) -> Delivery:
    headers = {"lineId": line, "arrivedAt": arrived_at}
    return Delivery(INBOUND, b"{}", 1, 0, {k: v for k, v in headers.items() if v is not None}, False, generation)


def brought(*deliveries: Delivery, at: float = SOON) -> Passage:
    passage = Passage(WINDOW)
    for one in deliveries:
        passage.delivered(one, at)
    return passage


def released(passage: Passage, line: str, arrival: float = NOW, *, by: float) -> bool:
    return passage.hold(line).release(arrival, by) <= by


def test_a_message_waits_for_what_its_own_line_has_uncommitted() -> None:
    own, other = delivery("own"), delivery("other")
    passage = brought(own, other)
    later = NOW + WINDOW + 0.1
    assert not released(passage, "own", by=later)
    passage.committed([own], later)
    assert released(passage, "own", by=later), "the other line's thousand are none of its business"
    assert not released(passage, "other", by=later)


def test_what_does_not_name_its_line_may_be_any_lines() -> None:
    unnamed = delivery(None)
    passage = brought(unnamed)
    later = NOW + WINDOW + 0.1
    assert not released(passage, "own", by=later)
    passage.committed([unnamed], later)
    assert passage.hold("own").uncommitted == 0


def test_of_a_lines_own_backlog_a_message_waits_for_a_window_of_arrivals_and_no_longer() -> None:
    own = [delivery("own", NOW + second) for second in (0, 0.1, 0.3, 9)]
    passage = brought(*own, at=NOW + 10)
    passage.committed(own[:2], NOW + 10)
    assert not released(passage, "own", by=NOW + 10)
    passage.committed(own[2:3], NOW + 10)
    assert released(passage, "own", by=NOW + 10)


def test_once_the_queue_has_brought_what_arrived_a_window_later_nothing_is_missing() -> None:
    """Whosesoever that is: a queue keeps its order. Until then, while it lags, a neighbour may be in it."""
    own = delivery("own")
    passage = brought(own, at=NOW + 5)
    passage.committed([own], NOW + 5)
    assert not released(passage, "own", by=NOW + 5.1)
    passage.delivered(delivery("other", NOW + WINDOW), NOW + 5.1)
    assert released(passage, "own", by=NOW + 5.1)


def test_when_nothing_more_comes_the_wait_ends() -> None:
    own = delivery("own", NOW - 600)
    passage = brought(own, at=NOW)
    passage.committed([own], NOW)
    assert not released(passage, "own", NOW - 600, by=NOW + 0.1)
    assert released(passage, "own", NOW - 600, by=NOW + WINDOW)


def test_what_a_lost_channel_was_bringing_is_not_waited_for() -> None:
    passage = brought(delivery("own"))
    passage.lost()
    assert released(passage, "own", by=NOW + WINDOW + 0.01)


def test_what_is_committed_of_a_former_channel_does_not_count_for_the_present_one() -> None:
    """A group may be under way when a channel is lost: what it had brought comes again over the next one."""
    old = delivery("own", generation=1)
    passage = brought(old)
    passage.delivered(delivery("own", generation=2), SOON)
    assert passage.hold("own").uncommitted == 1
    passage.committed([old], SOON)
    assert passage.hold("own").uncommitted == 1


def test_after_a_take_over_stored_rows_wait_a_windows_quiet_for_what_is_in_the_queue() -> None:
    passage = Passage(WINDOW)
    assert released(passage, "own", NOW - 60, by=NOW)
    passage.consumed(NOW)
    assert not released(passage, "own", NOW - 60, by=NOW + 0.1)
    assert released(passage, "own", NOW - 60, by=NOW + WINDOW)


def test_memory_is_only_taken_by_what_is_uncommitted() -> None:
    lines: Iterable[Delivery] = [delivery(f"line {n}") for n in range(50)]
    passage = brought(*lines)
    passage.committed(list(lines), SOON)
    assert not passage._uncommitted
    assert not passage._newest_committed


def test_a_conversations_holds_are_of_its_line_and_of_now() -> None:
    passages = {"inbound": Passage(WINDOW), "outbound": Passage(WINDOW)}
    holds = LineHolds(passages, "")  # type: ignore[arg-type]
    passages["inbound"].delivered(delivery("own"), SOON)
    assert (holds["inbound"].uncommitted, holds["outbound"].uncommitted) == (0, 0)
    holds.line_id = "own"
    assert (holds["inbound"].uncommitted, holds["outbound"].uncommitted) == (1, 0)
    assert set(holds) == {"inbound", "outbound"}
