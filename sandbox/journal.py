"""What the providers have processed, in its order: for whoever counts what arrived, what came twice, and when."""

from __future__ import annotations

import time
from collections import deque
from dataclasses import asdict, dataclass, field
from typing import Any

KEPT = 300_000


@dataclass(slots=True)
class Processed:
    """A call that took effect. `at` is Unix time in seconds; `answered` is false where a fault kept the answer back."""

    number: int
    side: str
    call: str
    id: str | None
    reference: str | None
    answered: bool = True
    at: float = field(default_factory=time.time)


class Journal:
    """Bounded: the oldest entries are forgotten. Numbers go on, so that a reader can go on where it stopped."""

    def __init__(self) -> None:
        self._entries: deque[Processed] = deque(maxlen=KEPT)
        self._written = 0

    def write(self, side: str, call: str, message_id: str | None, reference: str | None) -> Processed:
        self._written += 1
        entry = Processed(self._written, side, call, message_id, reference)
        self._entries.append(entry)
        return entry

    def after(self, number: int) -> list[dict[str, Any]]:
        """The entries behind this number, the oldest first."""
        newer = self._written - number
        entries = [] if newer <= 0 else list(self._entries)[-newer:]
        return [asdict(entry) for entry in entries]
