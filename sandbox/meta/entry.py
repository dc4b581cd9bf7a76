"""One message of a chat, as the phone has it. `direction` is the relay's: inbound is what the customer wrote."""

from dataclasses import dataclass, field
from typing import Any

from sandbox.meta.media import MediaItem
from sandbox.webhooks.update import DeliveryState

SHOWN = ("interactive", "location", "contacts", "order", "template", "answer", "referral")


@dataclass(slots=True)
class ThreadMessage:
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
    track: DeliveryState | None = None
    origin: str = "phone"
    """Who made it: phone (the customer), api, or app (the business's own phone)."""
    shown: dict[str, Any] = field(default_factory=dict)
    """What the phone shows beside the text, by the names in SHOWN."""
    about: str | None = None
    """The message that a reaction, an edit or a revocation is about."""
    quoted: dict[str, Any] | None = None
    reactions: dict[str, str] = field(default_factory=dict)
    edits: list[str] = field(default_factory=list)
    deleted: bool = False

    def reached(self, status: str, timestamp: int) -> None:
        self.status = status
        self.statuses.append({"status": status, "timestamp": timestamp})

    def quote(self) -> dict[str, Any]:
        return {"id": self.id, "direction": self.direction, "type": self.type, "text": self.text}

    def react(self, by: str, emoji: str) -> None:
        self.reactions.pop(by, None)
        if emoji:
            self.reactions[by] = emoji

    def edit(self, text: str) -> None:
        self.edits.append(self.text or "")
        self.text = text

    @property
    def replies_to(self) -> str | None:
        context = self.context or {}
        return context.get("id") or context.get("message_id")

    @property
    def options(self) -> list[dict[str, Any]]:
        return list((self.shown.get("interactive") or {}).get("options", []))

    @property
    def _header(self) -> dict[str, Any] | None:
        """The header that the file belongs to, if there is one."""
        header = (self.shown.get("interactive") or {}).get("header")
        return header if header and header["type"] != "text" else None

    def view(self) -> dict[str, Any]:
        file = self.media.view() if self.media else None
        if self._header is not None:
            self._header["media"], file = file, None
        return {
            "id": self.id,
            "direction": self.direction,
            "origin": self.origin,
            "type": self.type,
            "text": self.text,
            "timestamp": self.timestamp,
            "status": self.status,
            "statuses": self.statuses,
            "media": file,
            "context": self.context,
            "reply_to": self.replies_to,
            "quoted": self.quoted,
            "forwarded": _forwarded(self.context or {}),
            "about": self.about,
            "reactions": [{"emoji": emoji, "by": by} for by, emoji in self.reactions.items()],
            "edited": bool(self.edits),
            "edits": self.edits,
            "deleted": self.deleted,
            "biz_opaque_callback_data": self.opaque,
            "errors": self.errors,
            "payload": self.payload,
            "webhook": self.track.view() if self.track else None,
        } | {name: self.shown.get(name) for name in SHOWN}


def _forwarded(context: dict[str, Any]) -> str | None:
    if context.get("frequently_forwarded"):
        return "frequently"
    return "once" if context.get("forwarded") else None
