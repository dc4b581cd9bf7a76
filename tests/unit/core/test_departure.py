"""What is not sent although its turn has come: too late for the 24-hour window, or given up by its line."""

from __future__ import annotations

from typing import Any

import pytest

from relay.core.conversation.departure import OUTCOME_UNKNOWN, WINDOW_CLOSED, hindrance
from relay.core.conversation.lane import Entry
from relay.core.messages import Direction, Message, Person
from relay.core.ordering import SortKey

NOW = 1_000_000.0
GIVE_UP = {"unknown_outcome": "give_up"}


def entry(kind: str = "text", *, unknown: bool = False) -> Entry:
    return Entry("m", SortKey(NOW, NOW, 0), Message("s", Person("491701"), NOW, kind), unknown=unknown)


@pytest.mark.parametrize("until", [NOW, NOW - 1])
def test_outside_the_window_whatsapp_takes_nothing_but_templates(until: float) -> None:
    assert hindrance(entry(), "outbound", until, {}, NOW) is WINDOW_CLOSED
    assert hindrance(entry("template"), "outbound", until, {}, NOW) is None
    assert hindrance(entry(), "inbound", until, {}, NOW) is None, "Genesys knows no window"


@pytest.mark.parametrize("until", [None, NOW + 1])
def test_inside_it_or_where_nothing_is_known_a_message_goes(until: float | None) -> None:
    assert hindrance(entry(), "outbound", until, {}, NOW) is None


@pytest.mark.parametrize("direction", ["inbound", "outbound"])
def test_whether_an_unknown_outcome_is_repeated_the_line_says(direction: Direction) -> None:
    assert hindrance(entry(unknown=True), direction, None, GIVE_UP, NOW) is OUTCOME_UNKNOWN
    assert hindrance(entry(), direction, None, GIVE_UP, NOW) is None
    others: list[dict[str, Any]] = [{}, {"unknown_outcome": "repeat"}]
    assert [hindrance(entry(unknown=True), direction, None, one, NOW) for one in others] == [None, None]


def test_what_may_have_been_sent_is_not_called_too_late() -> None:
    assert hindrance(entry(unknown=True), "outbound", NOW - 1, GIVE_UP, NOW) is OUTCOME_UNKNOWN
    assert hindrance(entry(unknown=True), "outbound", NOW - 1, {}, NOW) is WINDOW_CLOSED
