"""Messages with something to tap: reply buttons, a list, or a link button.

Source: Meta's interactive-reply-buttons, -list and -cta-url pages. What is tapped comes back with
its id, "<our message id>.<place in message.options>"; payloads stay here.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any
from urllib.parse import urlsplit

from relay.channels.http.reading import joined, without_none
from relay.channels.text import pieces
from relay.channels.whatsapp.limits import (
    BUTTON_TITLE,
    BUTTONS,
    CAPTION,
    HEADERS,
    LINK,
    ROW_TITLE,
    TEXT,
    shown_name,
)
from relay.channels.whatsapp.outbound.titles import (
    bulleted,
    button_titles,
    buttons_tell_all,
    cut,
    listed,
    one_line,
    rows,
)
from relay.core.content import Option
from relay.core.errors import CannotCarry
from relay.core.languages import Say, phrase
from relay.core.lengths import units
from relay.core.messages import Media, Message

OPENER = phrase("Choose")
NO_TEXT = "…"
"""A body must not be empty."""

Content = tuple[str, dict[str, Any]]


def interactive(message: Message, message_id: str, media_url: str | None, say: Say) -> Content:
    """Type and content of a message with options."""
    text = body_text(message, media_url)
    if sendable_link(message.options):
        return _link(message, text, media_url)
    buttons = as_buttons(message) and units(text) <= CAPTION
    kind, limit = ("button", CAPTION) if buttons else ("list", TEXT)
    if units(text) > limit:
        raise CannotCarry(
            "text_too_long", phrase("WhatsApp takes %(count)s characters above a %(kind)s", count=limit, kind=kind)
        )
    body = text or (NO_TEXT if buttons else pieces(bulleted(message.options), TEXT)[:1] or [NO_TEXT])[0]
    header = _header(message.media, media_url, allowed=buttons)
    action = _buttons(message, message_id) if buttons else _list(message, message_id, say)
    return "interactive", without_none({"type": kind, "header": header, "body": {"text": body}, "action": action})


def as_buttons(message: Message) -> bool:
    """Whether its options go as buttons: few enough, below a short text, and nothing of them lost."""
    text = message.text or ""
    if len(message.options) > BUTTONS or units(text) > CAPTION:
        return False
    return buttons_tell_all(message.options) or text.endswith(listed(message.options))


def sendable_link(options: Sequence[Option]) -> bool:
    """Whether there is nothing to tap but one link, and one that WhatsApp's button takes."""
    if len(options) != 1 or not options[0].url:
        return False
    url = options[0].url
    if not re.fullmatch(r"https?://[^\s\x00-\x1f]+", url, re.IGNORECASE) or units(url) > LINK:
        return False
    try:
        return bool(urlsplit(url).hostname)
    except ValueError:
        return False


def link_line(option: Option) -> str:
    """A link as it stands in a text."""
    label = one_line(option.text)
    return joined((None if label == option.url else label, option.url), ": ")


def body_text(message: Message, media_url: str | None) -> str:
    """The text, with the link to a file that can only be had by link. A decoration is not worth one."""
    text, media = (message.text or "").strip(), message.media
    if media is None or media.kind != "link" or (media.optional and text):
        return text
    if not media_url:
        raise CannotCarry("media_not_ready", phrase("there is no link to the file"))
    return joined((text, joined((media.filename, media_url), ": ")))


def _header(media: Media | None, media_url: str | None, *, allowed: bool) -> dict[str, Any] | None:
    if media is None or media.kind == "link":
        return None
    if not allowed or media.kind not in HEADERS:
        if media.optional:
            return None
        raise CannotCarry(
            "caption_not_allowed", phrase("WhatsApp takes no %(kind)s above these options", kind=media.kind)
        )
    return {"type": media.kind, media.kind: header_file(media, media_url)}


def header_file(media: Media, media_url: str | None) -> dict[str, Any]:
    """A file that stands above a text: by upload id, or by link where it was not uploaded."""
    if not (media.upload_id or media_url):
        raise CannotCarry("media_not_ready", phrase("the file was not uploaded"))
    item: dict[str, Any] = {"id": media.upload_id} if media.upload_id else {"link": media_url}
    if media.kind == "document":
        item["filename"] = shown_name(media)
    return item


def _buttons(message: Message, message_id: str) -> dict[str, Any]:
    titles = enumerate(button_titles(message.options))
    return {"buttons": [{"type": "reply", "reply": {"id": f"{message_id}.{i}", "title": title}} for i, title in titles]}


def _list(message: Message, message_id: str, say: Say) -> dict[str, Any]:
    """Sections in the order of their first rows. One needs no title, several need one each."""
    sections: dict[str, list[dict[str, Any]]] = {}
    for i, (option, row) in enumerate(zip(message.options, rows(message.options), strict=True)):
        item = without_none({"id": f"{message_id}.{i}", "title": row.title, "description": row.description})
        sections.setdefault(one_line(option.section), []).append(item)
    untitled = None if len(sections) == 1 else NO_TEXT
    shown = [{"title": cut(title, ROW_TITLE) or untitled, "rows": items} for title, items in sections.items()]
    button = cut(message.opener or "", BUTTON_TITLE) or say(OPENER)
    return {"button": button, "sections": list(map(without_none, shown))}


def _link(message: Message, text: str, media_url: str | None) -> Content:
    (option,) = message.options
    if units(text) > CAPTION:
        # The link to a file that could not be the header left no room.
        return "text", {"body": joined((text, link_line(option))), "preview_url": False}
    parameters = {"display_text": cut(option.text, BUTTON_TITLE) or NO_TEXT, "url": option.url}
    content = {
        "type": "cta_url",
        "header": _header(message.media, media_url, allowed=True),
        "body": {"text": text or one_line(option.text) or NO_TEXT},
        "action": {"name": "cta_url", "parameters": parameters},
    }
    return "interactive", without_none(content)
