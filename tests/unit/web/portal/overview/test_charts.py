"""Bars as numbers: what is drawn where, and what is said to those who cannot see it."""

from datetime import UTC, datetime, timedelta

import pytest

from db.views.figures import DeliveryRate, TimeSlot
from web.portal.overview.charts import HEIGHT, chart, nice

BEGIN = datetime(2026, 11, 23, tzinfo=UTC)


def _slots(*counts: tuple[int, int, int]) -> list[TimeSlot]:
    """(from customers, from agents, of those failed) by hour."""
    return [
        TimeSlot(BEGIN + timedelta(hours=n), DeliveryRate(came), DeliveryRate(went, failed=failed))
        for n, (came, went, failed) in enumerate(counts)
    ]


def _clock(at: datetime) -> str:
    return at.strftime("%H:%M")


@pytest.mark.parametrize(
    ("most", "top"), [(0, 2), (1, 2), (2, 2), (3, 4), (7, 8), (9, 10), (11, 20), (61, 80), (201, 400), (9_999, 10_000)]
)
def test_an_axis_ends_with_a_round_number_whose_half_is_whole(most: int, top: int) -> None:
    assert nice(most) == top


def test_directions_are_stacked_and_fill_the_height() -> None:
    [bar] = chart(_slots((3, 1, 0)), _clock, _clock, 1, "hour").bars
    assert (bar.inbound_height, bar.outbound_height) == (75, 25)
    assert bar.inbound_y == HEIGHT - 75
    assert bar.outbound_y == 0
    assert bar.cap_y is None


def test_a_single_failure_among_many_is_marked_above_its_bar() -> None:
    quiet, busy = chart(_slots((1, 0, 0), (500, 500, 1)), _clock, _clock, 1, "hour").bars
    assert quiet.cap_y is None
    assert busy.cap_y is not None
    assert busy.cap_y < busy.outbound_y


def test_the_summary_says_what_the_bars_show() -> None:
    found = chart(_slots((3, 1, 0), (10, 4, 2)), _clock, _clock, 1, "hour")
    assert found.summary == (
        "Last 2 hours: 13 messages from customers, 5 from agents, 2 of them failed. The busiest hour was 01:00 with 14."
    )
    assert found.ticks == ["00:00", "01:00"]


def test_nothing_at_all_is_said_and_not_drawn() -> None:
    found = chart(_slots((0, 0, 0)), _clock, _clock, 1, "hour")
    assert found.empty
    assert found.summary == "No messages in the last 1 hours."
