"""What WhatsApp takes, and how a message or file is made to fit.

Source: Meta's media and *-messages pages, November 2025. Text counts UTF-16 units, to be safe.
"""

from __future__ import annotations

from dataclasses import replace

from relay.channels.parts import numbered
from relay.channels.reading import joined_once
from relay.channels.text import pieces, units
from relay.core.errors import CannotCarry
from relay.core.messages import Media, MediaKind, Message

TEXT = 4096
CAPTION = 1024
LINK = 1500
"""Room kept for a presigned URL below a text."""

MB = 1024 * 1024
KB = 1024

CAPTIONED = ("image", "video", "document", "link")
OPUS = "audio/ogg; codecs=opus"
UNTOLD = ("", "application/octet-stream", "binary/octet-stream")

_SIZES: dict[MediaKind, int] = {
    "image": 5 * MB,
    "video": 16 * MB,
    "audio": 16 * MB,
    "document": 100 * MB,
    "sticker": 100 * KB,
}
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
    "audio/mp3": "audio/mpeg",
    "audio/x-m4a": "audio/mp4",
    "audio/m4a": "audio/mp4",
    "audio/x-aac": "audio/aac",
    "audio/opus": OPUS,
    "video/3gp": "video/3gpp",
    "application/x-pdf": "application/pdf",
}


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
        raise CannotCarry("media_empty", "the file is empty")
    if media.kind == "link":
        return media
    mime = meta_mime(media.mime_type)
    kind = _KINDS.get(mime)
    if kind is None or (kind == "sticker") != (media.kind == "sticker"):
        return replace(media, kind="link")
    if media.size is not None and media.size > _SIZES[kind]:
        return replace(media, kind="link")
    return replace(media, kind=kind, mime_type=mime, voice=media.voice and mime == OPUS)


def fit(message: Message) -> list[Message]:
    """The message as one or more that WhatsApp takes. Every part costs money, so as few as possible."""
    if message.media is None:
        texts = pieces(message.text or "", TEXT)
        return numbered(message, [replace(message, text=text) for text in texts] or [message])
    caption = joined_once(message.text, message.media.caption)
    room = TEXT - LINK if message.media.kind == "link" else CAPTION
    if not caption or (_takes_caption(message.media) and units(caption) <= room):
        return [replace(message, text=None, media=replace(message.media, caption=caption or None))]
    bare = replace(message, text=None, media=replace(message.media, caption=None))
    rest = [replace(message, text=text, media=None, reply_to=None) for text in pieces(caption, TEXT)]
    return numbered(message, [bare, *rest])


def _takes_caption(media: Media) -> bool:
    """Asked before the file was fetched: what counts is the kind its MIME type will make of it.

    Without a type it may turn out to be sound, so the text goes apart.
    """
    if meta_mime(media.mime_type) in UNTOLD:
        return media.kind == "link"
    return fit_media(replace(media, size=None)).kind in CAPTIONED
