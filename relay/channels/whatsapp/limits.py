"""What WhatsApp takes: sizes of texts, titles and files, and which file goes as what.

Source: Meta's media and *-messages pages, November 2025. Text counts UTF-16 units, to be safe.
"""

from __future__ import annotations

from dataclasses import replace

from relay.channels.whatsapp.decoders import CONVERTED
from relay.core.errors import CannotCarry
from relay.core.filenames import UNTOLD, complete
from relay.core.languages import phrase
from relay.core.messages import Media, MediaKind

TEXT = 4096
"""Of a text, and of the body of a list."""
CAPTION = 1024
"""Below a file, and of the body of a message with buttons."""
LINK = 1500
"""Room kept for a presigned URL below a text."""

BUTTONS = 3
ROWS = 10
BUTTON_TITLE = 20
ROW_TITLE = 24
ROW_DESCRIPTION = 72

MB = 1024 * 1024
KB = 1024

CAPTIONED = ("image", "video", "document", "link")
HEADERS = ("image", "video", "document")
"""What may stand above buttons."""
OPUS = "audio/ogg; codecs=opus"

PICTURE = 5 * MB
_SIZES: dict[MediaKind, int] = {
    "image": PICTURE,
    "video": 16 * MB,
    "audio": 16 * MB,
    "document": 100 * MB,
    "sticker": 100 * KB,
}
_MOVING_STICKER = 500 * KB
_KINDS: dict[str, MediaKind] = {
    "image/jpeg": "image",
    "image/png": "image",
    "video/mp4": "video",
    "video/3gpp": "video",
    "audio/aac": "audio",
    "audio/amr": "audio",
    "audio/mpeg": "audio",
    "audio/mp4": "audio",
    OPUS: "audio",
    "image/webp": "sticker",
    "text/plain": "document",
    "application/pdf": "document",
    "application/msword": "document",
    "application/vnd.ms-excel": "document",
    "application/vnd.ms-powerpoint": "document",
    "application/vnd.openxmlformats-officedocument.wordprocessingml.document": "document",
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet": "document",
    "application/vnd.openxmlformats-officedocument.presentationml.presentation": "document",
}
_ALIASES = {
    "image/jpg": "image/jpeg",
    "image/pjpeg": "image/jpeg",
    "image/jfif": "image/jpeg",
    "image/x-png": "image/png",
    "image/x-ms-bmp": "image/bmp",
    "image/x-bmp": "image/bmp",
    "image/tif": "image/tiff",
    "audio/mp3": "audio/mpeg",
    "audio/x-mp3": "audio/mpeg",
    "audio/mpeg3": "audio/mpeg",
    "audio/x-mpeg": "audio/mpeg",
    "audio/x-m4a": "audio/mp4",
    "audio/m4a": "audio/mp4",
    "audio/aacp": "audio/aac",
    "audio/x-aac": "audio/aac",
    "audio/x-hx-aac-adts": "audio/aac",
    "audio/x-amr": "audio/amr",
    "audio/opus": OPUS,
    "video/3gp": "video/3gpp",
    "video/x-m4v": "video/mp4",
    "text/x-csv": "text/csv",
    "application/csv": "text/csv",
    "text/x-vcard": "text/vcard",
    "application/x-pdf": "application/pdf",
    "application/acrobat": "application/pdf",
    "application/vnd.ms-word": "application/msword",
    "application/excel": "application/vnd.ms-excel",
    "application/x-excel": "application/vnd.ms-excel",
    "application/x-msexcel": "application/vnd.ms-excel",
    "application/powerpoint": "application/vnd.ms-powerpoint",
    "application/mspowerpoint": "application/vnd.ms-powerpoint",
    "application/x-mspowerpoint": "application/vnd.ms-powerpoint",
}
_MAY_BE_OPUS = ("audio/ogg", "application/ogg", "application/x-ogg")
"""Names of a container: what is in it nobody said."""
_PLAIN = ("text/csv", "text/tab-separated-values", "text/markdown", "text/calendar", "text/vcard")
"""Plain text by another name: it goes as text/plain, and the file's name tells the phone what opens it."""


def meta_mime(mime_type: str) -> str:
    """The MIME type as Meta spells it: no parameters, except that ogg has to name opus."""
    base, _, parameters = mime_type.lower().partition(";")
    base = base.strip()
    if base == "audio/ogg" and "opus" in parameters:
        return OPUS
    return _ALIASES.get(base, base)


def fit_media(media: Media) -> Media:
    """The file as WhatsApp takes it, by its MIME type; too large or of no such type, a link to our copy.

    Pictures, sound and video are not among the types allowed as a document. Bare audio/ogg may be
    vorbis, and webp is for stickers only: both go by link.
    """
    if media.size == 0:
        raise CannotCarry("media_empty", phrase("the file is empty"))
    if media.kind == "link":
        return media
    media = _as_plain_text(media)
    mime = meta_mime(media.mime_type)
    kind = _KINDS.get(mime)
    if kind is None or (kind == "sticker") != (media.kind == "sticker"):
        return replace(media, kind="link")
    if media.size is not None and media.size > largest(replace(media, kind=kind)):
        return replace(media, kind="link")
    return replace(media, kind=kind, mime_type=mime, voice=media.voice and mime == OPUS)


def likely_kind(media: Media) -> MediaKind:
    """What a file will go as, asked before it was fetched: what counts is what its MIME type will make of it.

    Without a type, the kind that its sender named. A picture to be converted may still become a link, and so may sound
    and film that turn out to be of a kind that WhatsApp does not take.
    """
    mime = meta_mime(media.mime_type)
    if mime in UNTOLD:
        return media.kind
    if mime in _MAY_BE_OPUS and media.kind not in ("sticker", "link"):
        return "audio"
    if mime in CONVERTED and media.kind not in ("sticker", "link"):
        return "image"
    return fit_media(replace(media, size=None)).kind


def largest(media: Media) -> int:
    """How many bytes WhatsApp takes of a file of this kind."""
    return _MOVING_STICKER if media.kind == "sticker" and media.animated else _SIZES[media.kind]


def shown_name(media: Media) -> str:
    """The extension decides which icon the handset shows."""
    return complete(media.filename, media.mime_type)


def _as_plain_text(media: Media) -> Media:
    mime = meta_mime(media.mime_type)
    if mime not in _PLAIN:
        return media
    return replace(media, mime_type="text/plain", filename=complete(media.filename, mime))
