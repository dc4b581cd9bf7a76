"""How a provider tells events on a connection that the relay opens."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Protocol


@dataclass(frozen=True, slots=True)
class EventFeed:
    """Where a provider tells events. Whoever knows `address` hears them: never log it."""

    id: str
    address: str = field(repr=False)


class EventStream(Protocol):
    """An open connection on which events are told."""

    def heard(self, deadline: float) -> Any:
        """The body of one, as `Ends.told` reads it; None: nothing before `deadline`. Raises SendError: it is over."""
        ...

    def close(self) -> None: ...
