"""What became of a conversation's messages: the word of their rows, whoever changed them, decides.

The journal tells how our own calls ended, receipts what the other side made of them. Where neither
does, or they contradict each other, the lane stands still until the row has been read.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import structlog

from relay import metrics
from relay.conversation.asides import Asides
from relay.conversation.lanes import Lanes
from relay.core.conversation.lane import Entry
from relay.core.conversation.signals import to_mark
from relay.core.mailbox import Standing, Verdict
from relay.core.messages import Direction
from relay.core.status import UNFINISHED
from relay.runtime.commands import Settled

log = structlog.get_logger(__name__)


class Outcomes:
    """`read_again(seconds)` has the rows read after a while."""

    def __init__(self, lanes: Lanes, asides: Asides, read_again: Callable[[float], None]) -> None:
        self._lanes = lanes
        self._asides = asides
        self._read_again = read_again
        self.settings: Mapping[str, Any] = {}
        """The line's own, as of the last turn."""

    def settled(self, settled: Settled) -> bool:
        """The journal's word of how a call ended. False: it does not say what became of the message."""
        if settled.facts is not None:
            self._lanes.learn(settled.message_id, settled.facts)
        if settled.standing is None:
            self.lost(settled.message_id, "outcome_not_written")
            return False
        told = settled.verdict.state if settled.verdict is not None else "sent"
        if settled.standing.state in UNFINISHED and settled.standing.state != told:
            self.lost(settled.message_id, "put_back")  # a status told of its failure before the call's own end
            return False
        self._stands(settled.standing, settled.verdict)
        return True

    def told(self, standing: Standing) -> None:
        """A receipt's word. Where the line wants it, the next message has waited for this one's `sent`."""
        self._lanes.on_handset(standing.message_id)
        self._stands(standing, by_receipt=True)

    def lost(self, message_id: str, why: str) -> None:
        """What became of the message only its row can tell: its lane waits until that has been read."""
        log.warning(why, message_id=message_id)
        self._lanes.stand_still(message_id)
        self._read_again(0.5)

    def look_after_stuck(self, seconds: float) -> None:
        """Calls that ended without word to us, or whose end nobody could write."""
        for message_id in self._lanes.stuck(seconds):
            self.lost(message_id, "call_without_word")

    def _stands(self, standing: Standing, verdict: Verdict | None = None, *, by_receipt: bool = False) -> None:
        self._asides.reports.add(standing)
        finished = self._lanes.settle(standing, verdict)
        if finished is None:
            return
        direction, entry = finished
        metrics.messages.labels(direction, standing.state).inc()
        if standing.state == "sent":
            self._sent(direction, entry, by_receipt)

    def _sent(self, direction: Direction, entry: Entry, by_receipt: bool) -> None:
        if direction == "inbound" and self.settings.get("mark_read"):
            read = to_mark(entry.message)
            if read is not None:
                self._asides.signals.read(read)
        seconds = float(self.settings.get("handset_order_seconds", 0))
        if direction == "outbound" and not by_receipt and seconds > 0:
            self._lanes.await_handset(entry.id, seconds)
