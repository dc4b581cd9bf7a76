"""What a customer wants to send, before Meta has made a message of it."""

from dataclasses import dataclass, field
from typing import Any

MEDIA_TYPES = ("image", "video", "audio", "document", "sticker")


@dataclass
class FileData:
    data: bytes
    mime_type: str
    filename: str | None = None


@dataclass
class PhoneMessage:
    type: str
    text: str | None = None
    file: FileData | None = None
    message: dict[str, Any] = field(default_factory=dict)
    """Merged into the message last: any shape may be sent."""
    timestamp: int | None = None
    content: Any = None
    """The object named after the type, where the type has one."""
    context: dict[str, Any] = field(default_factory=dict)
    referral: dict[str, Any] | None = None
    field: str = "messages"
    animated: bool = False
    voice: bool | None = None
    unsupported_type: str = "poll_creation"
    error: int | None = None
    """Meta could not take in what the customer sent: its code, in place of a content."""
