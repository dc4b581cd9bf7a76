"""What is said in place of a file that could not be carried. Nothing a customer sends may vanish."""

from __future__ import annotations

from dataclasses import replace

from relay.core.messages import Message


def without_media(message: Message, reason: str) -> Message:
    """The same message with its file replaced by a notice of what is missing and why; decoration just goes."""
    media = message.media
    if media is None:
        return message
    if media.optional:
        said = [text for text in (message.text, media.caption) if text]
        return replace(message, media=None, text="\n".join(said) or None)
    name = f" {media.filename}" if media.filename else ""
    notice = f"[{media.kind}{name} could not be delivered: {reason}]"
    said = [text for text in (media.caption, message.text) if text]
    return replace(message, media=None, text="\n".join([*said, notice]))
