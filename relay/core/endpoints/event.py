"""One event as an endpoint is told it: docs/events.md, and PostedEvent in the API's description."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import orjson

from relay.core.messages import Message

LONGEST_TEXT = 65536
"""Characters of what was said. Neither provider carries more."""


@dataclass(frozen=True, slots=True)
class TenantEvent:
    """`id` is the same however often it is sent. `at`: when the relay learned of it, in Unix seconds."""

    id: str
    kind: str
    at: float
    tenant_id: str
    data: dict[str, Any]
    content: dict[str, Any] | None = field(default=None, repr=False)


def body(event: TenantEvent) -> bytes:
    """What is signed and posted."""
    data = {"tenant_id": event.tenant_id, **event.data}
    if event.content is not None:
        data["content"] = event.content
    at = datetime.fromtimestamp(event.at, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    return orjson.dumps({"type": event.kind, "timestamp": at, "data": data})


def content_of(message: Message, contact: dict[str, str | None]) -> dict[str, Any]:
    """What was said and by whom, for endpoints that want it. A file is named; where it lies is not told."""
    media = message.media
    return {
        "text": None if message.text is None else message.text[:LONGEST_TEXT],
        "file": media and {"kind": media.kind, "mime_type": media.mime_type or None, "name": media.filename},
        "contact": contact,
    }
