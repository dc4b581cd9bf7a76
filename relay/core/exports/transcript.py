"""A message as a line of its conversation's table."""

from __future__ import annotations

from relay.core.explain.steps import Tracked
from relay.core.exports.spreadsheet import Cell

WRITERS = {"inbound": "customer", "outbound": "agent"}
HEAD = (
    "time", "from", "type", "text", "file", "state", "reason", "sent", "delivered", "read", "failed", "late",
    "message_id",
)  # fmt: skip


def line(message: Tracked) -> tuple[Cell, ...]:
    """In the order of HEAD. A file is named as it was sent; without a name by its kind."""
    file = message.media
    return (
        message.provider_time,
        WRITERS[message.direction],
        message.type,
        message.text or (file.caption if file else None),
        (file.filename or file.kind) if file else None,
        message.state,
        message.reason,
        message.sent_at,
        message.delivered_at,
        message.read_at,
        message.failed_at,
        message.late,
        message.id,
    )
