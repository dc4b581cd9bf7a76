"""What a conversation still has to tell the agent's side about its messages: Delivered, Failed."""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Iterable
from typing import Any

from relay.core.mailbox import Standing
from relay.core.messages import Report
from relay.core.retry import LONGEST_WAIT

REMEMBERED = 100
"""Messages whose last report is kept in mind; a standing that overtook it comes within moments."""


LOST_SECONDS = 90.0
"""A report of which there has been no word for so long is told again: its sender is gone."""


class Reports:
    """One at a time. A newer word about a message replaces the older one that was not told yet."""

    def __init__(self) -> None:
        self._due: dict[str, Standing] = {}
        self._told: OrderedDict[str, str] = OrderedDict()
        self._in_flight: str | None = None
        self._launched_at = 0.0
        self._not_before = 0.0

    def __bool__(self) -> bool:
        return bool(self._due)

    def knows(self, message_id: str) -> bool:
        return message_id in self._due

    def forget(self, message_id: str) -> None:
        """The message is being sent anew, after a replay: so is the word about it."""
        self._due.pop(message_id, None)
        self._told.pop(message_id, None)

    def add(self, standing: Standing) -> None:
        """A standing that was read before the last report was written down still asks for it: not again."""
        if standing.report is not None and self._told.get(standing.message_id) not in (standing.report, "delivered"):
            self._due[standing.message_id] = standing

    def load(self, standings: Iterable[Standing]) -> None:
        """From PostgreSQL; what is known already is newer."""
        for standing in standings:
            if standing.message_id not in self._due:
                self.add(standing)

    def due(self) -> float | None:
        """When the next one may go (Unix seconds), or None."""
        if not self._due:
            return None
        return self._launched_at + LOST_SECONDS if self._in_flight is not None else self._not_before

    def launch(self) -> Report | None:
        due = self.due()
        if due is None or due > time.time():
            return None
        standing = next(iter(self._due.values()))
        self._in_flight, self._launched_at = standing.message_id, time.time()
        status: Any = standing.report
        at = standing.at or time.time()
        return Report(
            standing.message_id, standing.source_id, status, at, standing.code, standing.reason,
            part=standing.part, parts=standing.parts,
        )  # fmt: skip

    def told(self, message_id: str, status: str) -> None:
        """The journal has written it; it stays if there is a newer word to tell."""
        self._landed(message_id)
        self._told[message_id] = status
        if len(self._told) > REMEMBERED:
            self._told.popitem(last=False)
        standing = self._due.get(message_id)
        if standing is not None and standing.report == status:
            del self._due[message_id]

    def withdraw(self, message_id: str) -> None:
        """There is nothing to tell after all: the message goes out in another form, or is but a part of one."""
        self._landed(message_id)
        self.forget(message_id)

    def again(self, message_id: str, seconds: float) -> None:
        self._landed(message_id)
        self._not_before = time.time() + min(LONGEST_WAIT, seconds)

    def _landed(self, message_id: str) -> None:
        if self._in_flight == message_id:
            self._in_flight = None
