"""A message's way in steps: told from its row, its calls and its history."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from relay.core.explain.steps import AttemptRecord, MessageEvent, Tracked, steps

START = datetime(2026, 3, 4, 12, 0, tzinfo=UTC)


def at(seconds: float) -> datetime:
    return START + timedelta(seconds=seconds)


def message(**more: Any) -> Tracked:
    nothing: dict[str, Any] = dict.fromkeys(Tracked.__dataclass_fields__)
    known = {"direction": "outbound", "state": "sent", "origin": "webhook", "arrived_at": START, "created_at": at(0.1)}
    return Tracked(**(nothing | known | more))


def call(n: int, seconds: float) -> AttemptRecord:
    return AttemptRecord(n, at(seconds), None, None, None, None, None, None, None)


def test_every_step_says_how_long_after_the_one_before_it_came() -> None:
    told = steps(message(sent_at=at(1), delivered_at=at(3), read_at=at(63)), [call(1, 0.5)], [])
    assert [(one.name, one.seconds) for one in told] == [
        ("arrived", None), ("stored", 0.1), ("claimed", 0.4), ("sent", 0.5), ("delivered", 2.0), ("read", 60.0),
    ]  # fmt: skip


def test_what_happened_stands_among_them_in_the_order_of_time() -> None:
    history = [MessageEvent(at(2), "undelivered", "131000: busy"), MessageEvent(at(9), "reported", "delivered")]
    told = steps(message(sent_at=at(1), delivered_at=at(8)), [call(1, 0.5), call(2, 6)], history)
    assert [one.name for one in told] == [
        "arrived", "stored", "claimed", "sent", "undelivered", "claimed_again", "delivered", "reported",
    ]  # fmt: skip


def test_what_became_of_a_message_comes_after_it_was_taken_though_meta_counts_in_whole_seconds() -> None:
    told = steps(message(state="failed", sent_at=at(1.4), failed_at=at(1), delivered_at=at(1)), [call(1, 0.5)], [])
    assert [(one.name, one.seconds) for one in told[3:]] == [("sent", 0.9), ("delivered", 0.0), ("failed", 0.0)]


def test_nothing_comes_before_the_arrival_whatever_the_clocks_say() -> None:
    told = steps(message(sent_at=at(-5)), [], [])
    assert [(one.name, one.seconds) for one in told] == [("arrived", None), ("stored", 0.1), ("sent", 0.0)]
