"""A user's phone and its chat with one business number: what the phone shows, in the order in which it shows it."""

from collections import deque
from dataclasses import dataclass, field
from typing import Any

from sandbox.clock import monotonic, unix_seconds
from sandbox.meta.entry import ThreadMessage
from sandbox.meta.routing.ownership import ThreadOwner

KEPT = 5_000
TYPING_SECONDS = 25
ENTRY_POINT_HOURS, ANSWER_HOURS = 168, 24


@dataclass
class Phone:
    wa_id: str
    user_id: str
    name: str = ""
    username: str | None = None
    hide_phone: bool = False
    online: bool = True
    read_receipts: bool = True
    reads_automatically: bool = True
    chat_open: bool = False
    fail_code: int | None = None
    gone: bool = False
    """The number was given up; nobody can be reached under it."""
    delays_ms: dict[str, float] = field(default_factory=lambda: {"sent": 20.0, "delivered": 60.0, "read": 300.0})


class Thread:
    """The chat of one phone with one number. Bounded: the oldest messages scroll away."""

    def __init__(self, phone: Phone, phone_number_id: str) -> None:
        self.phone = phone
        self.phone_number_id = phone_number_id
        self.shown: deque[ThreadMessage] = deque(maxlen=KEPT)
        self.undelivered: dict[str, ThreadMessage] = {}
        self.last_from_user = 0
        self.referred_at = 0
        self.free_until = 0
        self.typing_until = 0.0
        self.ownership = ThreadOwner()

    def show(self, entry: ThreadMessage) -> None:
        self.undelivered.pop(entry.id, None)
        self.shown.append(entry)

    def hold(self, entry: ThreadMessage) -> None:
        self.undelivered[entry.id] = entry
        if len(self.undelivered) > KEPT:
            self.undelivered.pop(next(iter(self.undelivered)))

    def typing(self) -> None:
        self.typing_until = monotonic() + TYPING_SECONDS

    def heard(self, timestamp: int, *, from_ad: bool = False) -> None:
        """The user wrote or called: the business may answer freely."""
        self.last_from_user = max(self.last_from_user, timestamp)
        if from_ad:
            self.referred_at = max(self.referred_at, timestamp)

    def silent(self, hours: float) -> None:
        """As if the user had been silent so much longer."""
        self.last_from_user = max(0, self.last_from_user - int(hours * 3600))
        self.ownership.silent(hours)

    def answered(self) -> None:
        """An answer within a day to somebody who came by an ad opens seven days."""
        now = unix_seconds()
        if self.free_until < now and now - self.referred_at < ANSWER_HOURS * 3600:
            self.free_until = now + ENTRY_POINT_HOURS * 3600

    def is_open(self, hours: float | None) -> bool:
        """Whether the business may send anything but templates."""
        now = unix_seconds()
        return hours is None or now - self.last_from_user <= hours * 3600 or now < self.free_until

    def newest(self, direction: str) -> ThreadMessage | None:
        """The newest message that can be answered, edited or taken back."""
        return next((each for each in reversed(self.shown) if each.direction == direction and each.about is None), None)

    @property
    def last_time(self) -> int:
        return self.shown[-1].timestamp if self.shown else 0

    def summary(self) -> dict[str, Any]:
        phone, last = self.phone, self.shown[-1] if self.shown else None
        return {
            "wa_id": phone.wa_id,
            "user_id": phone.user_id,
            "name": phone.name,
            "to": self.phone_number_id,
            "online": phone.online,
            "last": (last.text or last.type) if last else None,
            "time": last.timestamp if last else None,
        }

    def view(self, limit: int | None = None, window_hours: float | None = None) -> dict[str, Any]:
        shown = list(self.shown)[-limit:] if limit else list(self.shown)
        return {
            "wa_id": self.phone.wa_id,
            "user_id": self.phone.user_id,
            "to": self.phone_number_id,
            "typing": monotonic() < self.typing_until,
            "window_open": self.is_open(window_hours),
            **self.ownership.view(),
            "messages": [each.view() for each in shown],
            "undelivered": [each.view() for each in self.undelivered.values()],
        }
