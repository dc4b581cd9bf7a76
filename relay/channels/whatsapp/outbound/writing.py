"""How a line wants what its side writes to look on the phone."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from relay.core.markdown import as_whatsapp_marks
from relay.core.messages import Message

BOT = "bot"
"""`originatingEntity` of what no person wrote, in whatever case it comes."""


def written_for(message: Message, settings: Mapping[str, Any]) -> Message:
    """The message with the Markdown in its texts in WhatsApp's marks, where the line wants that: `markdown` is "bots"
    or "all". A template's words are its own, and a program's are the program's."""
    wanted = settings.get("markdown")
    by_bot = message.attributes.get("originating_entity", "").lower() == BOT
    if message.template is not None or message.native is not None:
        return message
    if wanted not in ("bots", "all") or (wanted == "bots" and not by_bot):
        return message
    media = message.media
    if media is not None and media.caption:
        media = replace(media, caption=as_whatsapp_marks(media.caption))
    return replace(message, text=as_whatsapp_marks(message.text) if message.text else message.text, media=media)
