"""How a file of a customer or an agent leaves us: under which type, under which name, never as a page of ours.

Whoever sent it chose both. A browser that got `text/html` or an SVG from us would run what is in it.
"""

from __future__ import annotations

import unicodedata
from typing import Literal
from urllib.parse import quote

from relay.core.filenames import cleaned

NEUTRAL = "application/octet-stream"
PICTURES = frozenset({"image/png", "image/jpeg", "image/gif", "image/webp"})
SOUNDS = frozenset({
    "audio/aac", "audio/amr", "audio/mp4", "audio/mpeg", "audio/ogg", "audio/wav", "audio/webm", "audio/x-wav",
})  # fmt: skip
FILMS = frozenset({"video/mp4", "video/3gpp", "video/webm", "video/quicktime"})
SHOWN = PICTURES | SOUNDS | FILMS
"""What a browser draws without running anything."""
HARMLESS = SHOWN | {
    "image/avif", "image/heic", "image/heif", "audio/opus",
    # A PDF may hold a script, which runs in its viewer and not as a page of the server it came from.
    "application/pdf", "application/rtf", "application/zip", "application/gzip", "application/json",
    "text/plain", "text/csv", "text/vcard", "text/calendar",
    "application/msword", "application/vnd.ms-excel", "application/vnd.ms-powerpoint",
    "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "application/vnd.openxmlformats-officedocument.presentationml.presentation",
    "application/vnd.oasis.opendocument.text", "application/vnd.oasis.opendocument.spreadsheet",
    "application/vnd.oasis.opendocument.presentation",
}  # fmt: skip
"""What may say what it is, for whoever needs to know: no browser takes any of it for a page. All else is NEUTRAL."""


def type_to_serve(mime_type: str) -> str:
    """The type that may be said of a file. Parameters stay for sounds and films only, which need their codecs."""
    base = mime_type.partition(";")[0].strip().lower()
    if base not in HARMLESS:
        return NEUTRAL
    tells_codecs = base in SOUNDS | FILMS and mime_type.isascii() and mime_type.isprintable()
    return mime_type.strip() if tells_codecs else base


def disposition(filename: str | None, way: Literal["inline", "attachment"] = "attachment") -> str:
    """A Content-Disposition header by RFC 6266: in ASCII, and what is beyond that percent-encoded beside it."""
    name = cleaned(filename)
    if not name:
        return way
    # Cleaned once more: a full-width quote, semicolon or slash is a plain one only now.
    plain = cleaned(unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode()) or "file"
    encoded = "" if plain == name else f"; filename*=UTF-8''{quote(name, safe='')}"
    return f'{way}; filename="{plain}"{encoded}'
