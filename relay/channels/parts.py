"""One message that has to become several, the same way for both channels."""

from __future__ import annotations

from dataclasses import replace

from relay.core.messages import Message


def numbered(message: Message, parts: list[Message]) -> list[Message]:
    """Give the parts their ids: the first keeps the message's own, the others are "<id>#2" and so on.

    A message that is a part itself, "<id>#2", has the parts "<id>#2", "<id>#2.2", and its first
    sibling "<id>" has "<id>", "<id>#1.2": an id is never given twice.
    """
    if len(parts) == 1:
        return parts
    if message.parts == 1:
        ids = [message.source_id, *(_id(message.source_id, str(n)) for n in range(2, len(parts) + 1))]
        return [
            replace(part, source_id=source_id, part=n, parts=len(parts))
            for n, (part, source_id) in enumerate(zip(parts, ids, strict=True), 1)
        ]
    first, *others = parts
    suffix = message.source_id.partition("#")[2] or "1"
    return [first, *(replace(p, source_id=_id(message.report_id, f"{suffix}.{n}")) for n, p in enumerate(others, 2))]


def _id(base: str, suffix: str) -> str:
    return f"{base}#{suffix}"
