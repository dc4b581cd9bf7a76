"""Which messages a conversation itself fails on, again and again, and when that has been often enough. Pure.

Not the provider's refusals: those are judged in `relay.core.retry`. Here the relay's own code raised, and it will
raise again whenever it comes to the same row.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from typing import Any

from relay.core.conversation.conversation import Conversation
from relay.core.conversation.events import Event, MappingRead, RowsRead, TurnGranted
from relay.core.conversation.hold import Hold
from relay.core.messages import Direction
from relay.core.retry import backoff

MOST_FAILURES = 5
"""So often the relay may fail on a row before it is set aside. With the pauses (1, 2, 4, 8 s) others wait for 15 s."""
REMEMBERED = 256
"""Rows whose failures are remembered: all that two lanes and the reports hold."""


class Failures:
    """How often the relay has failed on what. Counted while the conversation is in memory."""

    def __init__(self) -> None:
        self._times: dict[str, int] = {}

    def failed(self, ids: Collection[str]) -> float:
        """One more failure on each of these. Returns after how many seconds the rows may be read anew."""
        for one in ids:
            self._times[one] = self._times.pop(one, 0) + 1
        while len(self._times) > REMEMBERED:
            del self._times[next(iter(self._times))]
        return backoff(2 + max((self._times.get(one, 1) for one in ids), default=1))

    def too_many(self, ids: Collection[str]) -> list[str]:
        return [one for one in ids if self._times.get(one, 0) >= MOST_FAILURES]


def concern(told: Any) -> str | None:
    """The id of the message that an event or effect is about."""
    parts = (getattr(told, name, None) for name in ("row_status", "report", "job", "verdict"))
    found = next((one for one in (told, *parts) if hasattr(one, "message_id")), None)
    return None if found is None else str(found.message_id)


def culprits(anew: Callable[[], Conversation], read: RowsRead, event: Event, now: float) -> list[str] | None:
    """The messages that a conversation cannot bear, tried one at a time, at the same turn if it failed at one.

    None: it bears each of them, but not all together. Empty: it bears all, and will not fail again by itself.
    """
    turn: list[Event] = [event] if isinstance(event, (TurnGranted, MappingRead)) else []
    found = [message_id for message_id, told in _one_by_one(read) if not _bears(anew(), [told, *turn], now)]
    if not found and not _bears(anew(), [read, *turn], now):
        return None
    return list(dict.fromkeys(found))


def _one_by_one(read: RowsRead) -> Iterator[tuple[str, RowsRead]]:
    for direction, rows in read.lanes.items():
        for row in rows:
            yield row.id, RowsRead(read.mapping, {direction: [row]}, ())
    for report in read.reports:
        yield report.message_id, RowsRead(read.mapping, {}, (report,))


def _bears(conversation: Conversation, told: Sequence[Event], now: float) -> bool:
    try:
        for event in told:
            conversation.on(event, now, _at_once)
    except Exception:  # noqa: BLE001 - whatever it is, it was raised and logged where it happened
        return False
    return True


def _at_once(_line_id: str, _direction: Direction) -> Hold:
    return Hold(0.0)
