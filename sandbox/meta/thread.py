"""A user's phone and its chat with one business number: what the phone shows, in the order in which it shows it."""

from collections import deque
from dataclasses import dataclass, field
from typing import Any

from sandbox.clock import monotonic
from sandbox.meta.media import MediaItem
from sandbox.webhooks.update import Track

KEPT = 5_000
TYPING_SECONDS = 25


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
    delays_ms: dict[str, float] = field(default_factory=lambda: {"sent": 20.0, "delivered": 60.0, "read": 300.0})


@dataclass(slots=True)
class Entry:
    """One message of a chat. `direction` is the relay's: inbound is what the customer wrote."""

    id: str
    direction: str
    type: str
    timestamp: int
    text: str | None = None
    payload: dict[str, Any] = field(default_factory=dict)
    media: MediaItem | None = None
    context: dict[str, Any] | None = None
    opaque: str | None = None
    addressed_by: str = "wa_id"
    category: str = "service"
    status: str = "accepted"
    statuses: list[dict[str, Any]] = field(default_factory=list)
    errors: list[dict[str, Any]] = field(default_factory=list)
    track: Track | None = None

    def reached(self, status: str, timestamp: int) -> None:
        self.status = status
        self.statuses.append({"status": status, "timestamp": timestamp})

    def view(self) -> dict[str, Any]:
        return {
            "id": self.id,
            "direction": self.direction,
            "type": self.type,
            "text": self.text,
            "timestamp": self.timestamp,
            "status": self.status,
            "statuses": self.statuses,
            "media": self.media.view() if self.media else None,
            "context": self.context,
            "biz_opaque_callback_data": self.opaque,
            "errors": self.errors,
            "payload": self.payload,
            "webhook": self.track.view() if self.track else None,
        }


class Thread:
    """The chat of one phone with one number. Bounded: the oldest messages scroll away."""

    def __init__(self, phone: Phone, phone_number_id: str) -> None:
        self.phone = phone
        self.phone_number_id = phone_number_id
        self.shown: deque[Entry] = deque(maxlen=KEPT)
        self.undelivered: dict[str, Entry] = {}
        self.last_from_user = 0
        self.typing_until = 0.0

    def show(self, entry: Entry) -> None:
        self.undelivered.pop(entry.id, None)
        self.shown.append(entry)

    def hold(self, entry: Entry) -> None:
        self.undelivered[entry.id] = entry
        if len(self.undelivered) > KEPT:
            self.undelivered.pop(next(iter(self.undelivered)))

    def typing(self) -> None:
        self.typing_until = monotonic() + TYPING_SECONDS

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

    def view(self, limit: int | None = None) -> dict[str, Any]:
        shown = list(self.shown)[-limit:] if limit else list(self.shown)
        return {
            "wa_id": self.phone.wa_id,
            "to": self.phone_number_id,
            "typing": monotonic() < self.typing_until,
            "messages": [each.view() for each in shown],
            "undelivered": [each.view() for each in self.undelivered.values()],
        }
