"""What is said in place of a file that could not be carried. Nothing a customer sends may vanish."""

from __future__ import annotations

from dataclasses import replace

from relay.core.languages import Say, phrase
from relay.core.messages import Message

KINDS = {
    "image": phrase("image"), "video": phrase("video"), "audio": phrase("audio"), "document": phrase("document"),
    "sticker": phrase("sticker"),
}  # fmt: skip


def without_media(message: Message, reason: str, say: Say = str) -> Message:
    """The same message with its file replaced by a notice of what is missing and why; decoration just goes."""
    media = message.media
    if media is None:
        return message
    if media.optional:
        said = [text for text in (message.text, media.caption) if text]
        return replace(message, media=None, text="\n".join(said) or None)
    name = f" {media.filename}" if media.filename else ""
    file = f"{say(KINDS.get(media.kind, media.kind))}{name}"
    notice = say(phrase("[%(file)s could not be delivered: %(reason)s]", file=file, reason=reason))
    said = [text for text in (media.caption, message.text) if text]
    return replace(message, media=None, text="\n".join([*said, notice]))
