"""What a conversation knows of its messages: what goes next, what is under way, and how that ended."""

from __future__ import annotations

import time

import pytest

from relay.conversation.lanes import LONGEST_HANDSET_WAIT, Lanes
from relay.core.conversation.lane import LANE_LIMIT, NEVER
from relay.core.limits import PAIR_BURST
from relay.core.mailbox import Row
from relay.core.messages import Direction, Media, Message, Person
from tests.unit.actors.rows import LONG_AGO, holds, row, standing, verdict


@pytest.fixture
def lanes() -> Lanes:
    return Lanes(holds())


def waits(lanes: Lanes, direction: Direction = "outbound") -> bool:
    due = lanes.due(direction)
    return due is not None and due > time.time()


def test_the_lanes_are_apart_and_each_message_has_its_place(lanes: Lanes) -> None:
    lanes.add([row("b", at=LONG_AGO + 1), row("a"), row("other", "inbound"), row("a")])
    assert lanes.launch("outbound").id == "a"
    assert lanes.ready("outbound") is None, "one at a time"
    first = lanes.ready("inbound")
    assert first is not None and first.id == "other"
    assert lanes.settle(standing("a", "sent"), None) is not None
    assert lanes.launch("outbound").id == "b"
    assert not lanes.empty


def test_a_message_whose_file_is_not_there_is_not_ready(lanes: Lanes) -> None:
    picture = Message("s", Person("491701"), LONG_AGO, "image", media=Media("image"))
    lanes.add([row("a", source=picture)])
    assert not waits(lanes) and lanes.ready("outbound") is None


def test_what_was_read_anew_is_new_only_once(lanes: Lanes) -> None:
    found: dict[Direction, list[Row]] = {"outbound": [row("a"), row("b", at=LONG_AGO + 1)]}
    assert lanes.load(found) == ["a", "b"]
    assert lanes.load(found) == []
    lanes.launch("outbound")
    assert lanes.load(found) == [], "nor while it is under way"
    lanes.settle(standing("a", "failed"), None)
    assert lanes.load(found) == ["a"], "a replay"


def test_a_waiting_message_is_brought_up_to_date_and_one_under_way_is_not(lanes: Lanes) -> None:
    lanes.add([row("a"), row("b", at=LONG_AGO + 1)])
    entry = lanes.launch("outbound")
    later = time.time() + 60
    again = [row("a", attempts=7), row("b", at=LONG_AGO + 1, attempts=3, next_attempt_at=later)]
    lanes.load({"outbound": again})
    [waiting] = lanes["outbound"].waiting
    assert entry.attempts == 0
    assert (waiting.attempts, waiting.not_before) == (3, later)


def test_what_a_full_lane_left_in_postgresql_counts_as_known(lanes: Lanes) -> None:
    rows = [row(f"{number:03}", at=LONG_AGO + number) for number in range(LANE_LIMIT + 1)]
    assert len(lanes.load({"outbound": rows})) == LANE_LIMIT
    assert lanes.knows(rows[-1].id, "outbound") and not lanes.knows(rows[0].id, "inbound")


def test_metas_pair_limit_holds_the_next_ones_back(lanes: Lanes) -> None:
    for number in range(int(PAIR_BURST)):
        lanes.add([row(f"{number}")])
        assert not waits(lanes)
        lanes.launch("outbound")
        lanes.settle(standing(f"{number}", "sent"), None)
    lanes.add([row("one too many"), row("of the customer", "inbound")])
    assert waits(lanes)
    assert not waits(lanes, "inbound"), "it is between WhatsApp and the contact"


def test_a_finished_message_leaves_with_its_direction(lanes: Lanes) -> None:
    lanes.add([row("a", "inbound")])
    assert lanes.settle(standing("stranger", "sent"), None) is None
    assert lanes.settle(standing("a", "received"), None) is None
    found = lanes.settle(standing("a", "delivered"), None)
    assert found is not None and (found[0], found[1].id) == ("inbound", "a")
    assert lanes.empty


@pytest.mark.parametrize("state", ["received", "unknown"])
def test_what_has_to_be_tried_again_keeps_its_place_and_waits(lanes: Lanes, state: str) -> None:
    lanes.add([row("a"), row("b", at=LONG_AGO + 1)])
    lanes.launch("outbound")
    how = verdict("a", state, attempt=2)
    assert lanes.settle(standing("a", state), how) is None
    head = lanes["outbound"].waiting[0]
    assert (head.id, head.attempts, head.unknown) == ("a", 2, state == "unknown")
    assert head.not_before == (how.unknown_until or how.next_attempt_at)
    assert waits(lanes) and lanes.ready("outbound") is None


def test_a_call_without_word_holds_its_lane_until_the_row_has_been_read(lanes: Lanes) -> None:
    lanes.add([row("a"), row("b", "inbound")])
    lanes.launch("outbound")
    lanes.launch("inbound")
    assert lanes.stuck(60.0) == []
    lanes["outbound"].in_flight.launched_at -= 61.0  # type: ignore[union-attr]
    assert lanes.stuck(60.0) == ["a"]
    lanes.stand_still("a")
    assert lanes.stuck(60.0) == []
    assert lanes.due("outbound") == NEVER and not lanes.knows("a", "outbound")
    assert lanes.knows("b", "inbound"), "the other one goes on"
    lanes.load({"outbound": [row("a", attempts=1)]})
    assert lanes.ready("outbound") is not None


def test_the_next_message_may_wait_until_this_one_is_on_the_phone(lanes: Lanes) -> None:
    lanes.add([row("next"), row("of the customer", "inbound")])
    lanes.await_handset("this", 3600.0)
    due = lanes.due("outbound")
    assert due is not None and time.time() < due <= time.time() + LONGEST_HANDSET_WAIT
    assert not waits(lanes, "inbound")
    lanes.on_handset("another")
    assert waits(lanes)
    lanes.on_handset("this")
    assert not waits(lanes)
