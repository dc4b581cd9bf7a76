"""One update on its way to a callback, and what became of it."""

import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from typing import Any

from sandbox.clock import monotonic


@dataclass(frozen=True, slots=True)
class Callback:
    """Where a webhook goes and how it is signed. Equal callbacks share connections, lanes and batches."""

    side: str
    url: str
    secret: str
    headers: tuple[tuple[str, str], ...] = ()


@dataclass(slots=True)
class DeliveryState:
    """What the page and the control interface show about an update's delivery."""

    state: str = "waiting"
    attempts: int = 0
    http_status: int | None = None
    error: str | None = None
    posted_at: float | None = None
    """When the first attempt began, Unix time in seconds."""
    answered_at: float | None = None
    """When the newest attempt ended."""

    def attempted(self, posted_at: float, status: int | None, error: str | None) -> None:
        self.attempts += 1
        self.posted_at, self.answered_at = self.posted_at or posted_at, time.time()
        self.http_status, self.error = status, error

    def view(self) -> dict[str, Any]:
        return asdict(self)


@dataclass(slots=True)
class WebhookUpdate:
    callback: Callback
    conversation: str
    stamp: str
    """The provider's time at the provider's granularity: updates that share it are never swapped."""
    payload: dict[str, Any]
    track: DeliveryState = field(default_factory=DeliveryState)
    on_delivered: Callable[[], None] | None = None
    created: float = field(default_factory=monotonic)
