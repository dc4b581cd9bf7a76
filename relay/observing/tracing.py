"""Traces: which way one message took, and where it waited. Nothing here loads what writes them.

Web begins a trace for the share of webhooks that is asked for. Its traceparent (W3C Trace Context) goes with the
broker's message, and stands in the row's content from there on; whoever has the message in hand tells a span. All of
them are children of web's: a message outlives processes, and what died with one of them must be nobody's parent.

Without TRACING_URL nobody calls `write_to`, no message has a traceparent, and what is left of it all is a look at None.
"""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import AbstractContextManager, nullcontext
from typing import TYPE_CHECKING, Any, Protocol

from relay import even_clock
from relay.core.conversation import events
from relay.observing import counters

if TYPE_CHECKING:
    from relay.observing.spans import Spans

MOST_WAITS = 200
"""Of one conversation; of further messages the wait is not told."""

_spans: Spans | None = None
_not_traced = nullcontext()


def write_to(spans: Spans | None) -> None:
    """From now on; None: nowhere. Once for each process, after its fork."""
    global _spans
    _spans = spans


class TraceRoot(Protocol):
    """The span that a trace begins with; it ends with the block that it was begun for."""

    parent: str
    """The traceparent of all that comes of it."""

    def about(self, **attributes: Any) -> None:
        """As in `tell`."""


def begin(name: str, at: float) -> AbstractContextManager[TraceRoot | None]:
    """A trace that began at `at` (Unix seconds). None: this one is not traced, nor what comes of it."""
    if _spans is None:
        return _not_traced
    try:
        return _spans.begin(name, at) or _not_traced
    except Exception:  # noqa: BLE001 - as in `tell`
        counters.spans.labels("dropped").inc()
        return _not_traced


def tell(name: str, parent: str | None, began: float, **attributes: Any) -> None:
    """A span that is over now. Ids, numbers and words of our own are its attributes: nothing that anybody wrote.

    Whatever goes wrong with it, the message goes on; it is counted.
    """
    if _spans is None or parent is None:
        return
    try:
        _spans.tell(name, parent, began, even_clock.now(), attributes)
    except Exception:  # noqa: BLE001
        counters.spans.labels("dropped").inc()


class Waits:
    """Since when one conversation's messages wait for their next call, where they are traced. Lost in a crash."""

    __slots__ = ("_since",)

    def __init__(self) -> None:
        self._since: dict[str, float] = {}

    def heard(self, event: Any) -> None:
        """Of all that the conversation is told: rows that came, and calls that are to be made again."""
        if _spans is None:
            return
        if isinstance(event, events.Arrived):
            self._begin(row.id for row in event.rows if row.message.trace is not None)
        elif isinstance(event, events.RowsRead):
            self._begin(row.id for rows in event.lanes.values() for row in rows if row.message.trace is not None)
        elif isinstance(event, events.OutcomeWritten) and event.verdict and event.verdict.state == "received":
            self._begin((event.message_id,))

    def over(self, message_id: str) -> float | None:
        """Its turn has come. Since when it waited for that, in Unix seconds."""
        return self._since.pop(message_id, None)

    def _begin(self, message_ids: Iterable[str]) -> None:
        now = even_clock.now()
        for message_id in message_ids:
            if len(self._since) < MOST_WAITS:
                self._since.setdefault(message_id, now)
