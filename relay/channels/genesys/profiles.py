"""Which files an integration's supported content profile lets through. Source: SDK model SupportedContent."""

from __future__ import annotations

from fnmatch import fnmatchcase
from typing import Any

from relay.channels.base import Finding
from relay.channels.genesys import advice
from relay.channels.http.reading import record, records
from relay.channels.text import clean
from relay.core.languages import phrase

OFFICE = "application/vnd.openxmlformats-officedocument"
WISHED = (
    "image/jpeg",
    "image/png",
    "video/mp4",
    "audio/ogg",
    "audio/mpeg",
    "application/pdf",
    f"{OFFICE}.wordprocessingml.document",
    f"{OFFICE}.spreadsheetml.sheet",
)
"""What customers and agents send. Voice notes are audio/ogg, stickers image/webp."""
DIRECTIONS = {
    "inbound": ((*WISHED, "image/webp"), phrase("customers' files of these types are taken out of their messages")),
    "outbound": (WISHED, phrase("agents' messages with files of these types are not sent")),
}


def findings(profile: dict[str, Any]) -> list[Finding]:
    """One for each direction."""
    allowed = record(record(profile.get("mediaTypes")).get("allow"))
    return [_finding(direction, allowed.get(direction)) for direction in DIRECTIONS]


def _finding(direction: str, allowed: Any) -> Finding:
    wished, consequence = DIRECTIONS[direction]
    patterns = [(clean(item.get("type")) or "").lower() for item in records(allowed)]
    missing = [mime for mime in wished if not any(fnmatchcase(mime, pattern) for pattern in patterns)]
    check = f"{direction}_files"
    if not missing:
        return Finding(
            check, "ok", phrase("the content profile lets the usual files through %(direction)s", direction=direction)
        )
    text = phrase("the content profile blocks %(direction)s: %(types)s", direction=direction, types=", ".join(missing))
    return Finding(check, "warning", text, phrase(advice.CONTENT, direction=direction, consequence=consequence))
