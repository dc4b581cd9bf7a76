"""How a message's end is taken note of: the lane goes on, the phone shows that it was read, or the row is read anew."""

from __future__ import annotations

import time
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest

from relay.conversation.lanes import Lanes
from relay.conversation.outcomes import Outcomes
from relay.conversation.reports import Reports
from relay.core.conversation.lane import NEVER
from relay.core.conversation.signals import Signals
from relay.core.messages import Direction, Message, Person, Signal
from relay.runtime.commands import Settled
from tests.unit.actors.rows import LONG_AGO, holds, row, standing, verdict

WROTE = Message("wamid.1", Person("491701"), LONG_AGO, text="Hello")


class World:
    """A conversation's outcomes; `readings`: after how many seconds it wanted to read its rows."""

    def __init__(self, **settings: Any) -> None:
        self.lanes, self.signals, self.reports = Lanes(holds()), Signals(), Reports()
        self.readings: list[float] = []
        asides: Any = SimpleNamespace(signals=self.signals, reports=self.reports)
        self.outcomes = Outcomes(self.lanes, asides, self.readings.append)
        self.outcomes.settings = settings

    def launched(self, name: str, direction: Direction = "outbound", source: Any = None) -> None:
        self.lanes.add([row(name, direction, source=source)])
        self.lanes.launch(direction)

    def sent(self, name: str) -> bool:
        return self.outcomes.settled(Settled(name, standing(name, "sent"), None))

    @property
    def marked(self) -> Signal | None:
        signal = self.signals.launch(time.time(), None, show_typing=False)
        self.signals.told(again=False, now=time.time())
        return signal


def test_what_was_sent_leaves_its_lane() -> None:
    world = World()
    world.launched("a")
    assert world.sent("a") and world.lanes.empty and not world.readings


@pytest.mark.parametrize(
    "settled",
    [
        Settled("a", None, None),
        Settled("a", standing("a", "received"), None),
        Settled("a", standing("a", "received"), verdict("a", "unknown")),
    ],
)
def test_where_the_journal_and_the_row_do_not_agree_the_row_is_read(settled: Settled) -> None:
    world = World()
    world.launched("a")
    assert not world.outcomes.settled(settled)
    assert world.readings and world.lanes.due("outbound") == NEVER


def test_what_is_tried_again_is_not_read_anew() -> None:
    world = World()
    world.launched("a")
    assert world.outcomes.settled(Settled("a", standing("a", "received"), verdict("a", "received")))
    assert not world.readings and world.lanes.knows("a", "outbound")


def test_a_call_without_word_is_looked_up() -> None:
    world = World()
    world.launched("a")
    world.outcomes.look_after_stuck(60.0)
    assert not world.readings
    world.outcomes.look_after_stuck(-1.0)
    assert world.readings and world.lanes.due("outbound") == NEVER


def test_the_report_of_a_failure_is_due() -> None:
    world = World()
    world.launched("a")
    world.outcomes.told(replace(standing("a", "failed"), report="failed"))
    assert world.lanes.empty and world.reports.knows("a")


def test_the_customers_message_is_marked_read_when_genesys_has_it() -> None:
    world = World(mark_read=True)
    world.launched("a", "inbound", WROTE)
    assert world.marked is None
    world.sent("a")
    assert world.marked == Signal("read", "wamid.1")


def test_a_long_text_is_marked_read_once_when_its_last_part_is_there() -> None:
    world = World(mark_read=True)
    marked = []
    for part, source_id in enumerate(("wamid.1", "wamid.1#2", "wamid.1#3"), 1):
        name = f"part-{part}"
        world.launched(name, "inbound", replace(WROTE, source_id=source_id, part=part, parts=3))
        world.sent(name)
        marked.append(world.marked)
    assert marked == [None, None, Signal("read", "wamid.1")]


@pytest.mark.parametrize(
    "source",
    [
        replace(WROTE, source_id="sha256:0f3b"),
        replace(WROTE, source_id="sha256:0f3b#2", part=2, parts=2),
        replace(WROTE, notice=True),
    ],
)
def test_what_whatsapp_cannot_be_told_of_is_not_marked_read(source: Message) -> None:
    world = World(mark_read=True)
    world.launched("a", "inbound", source)
    world.sent("a")
    assert world.marked is None


def test_only_the_customers_own_are_marked_and_only_where_the_line_wants_it() -> None:
    silent, reading = World(), World(mark_read=True)
    silent.launched("a", "inbound", WROTE)
    reading.launched("a", "outbound", WROTE)
    assert silent.sent("a") and reading.sent("a")
    assert (silent.marked, reading.marked) == (None, None)


@pytest.mark.parametrize("state", ["failed", "dead"])
def test_nor_is_what_genesys_did_not_take(state: str) -> None:
    world = World(mark_read=True)
    world.launched("a", "inbound", WROTE)
    world.outcomes.settled(Settled("a", standing("a", state), verdict("a", state)))
    assert world.lanes.empty and world.marked is None


def test_where_the_line_wants_it_the_next_waits_for_this_ones_receipt() -> None:
    world = World(handset_order_seconds=20)
    world.launched("a")
    world.launched("of the customer", "inbound")
    world.lanes.add([row("b", at=LONG_AGO + 1)])
    world.sent("a")
    assert world.lanes.ready("outbound") is None
    world.outcomes.told(standing("a", "sent"))
    world.sent("of the customer")
    assert world.lanes.ready("outbound") is not None, "what goes to Genesys needs no handset"


def test_a_receipt_that_overtakes_the_answer_leaves_nothing_to_wait_for() -> None:
    world = World(handset_order_seconds=20)
    world.launched("a")
    world.lanes.add([row("b", at=LONG_AGO + 1)])
    world.outcomes.told(standing("a", "sent"))
    world.sent("a")
    assert world.lanes.ready("outbound") is not None
