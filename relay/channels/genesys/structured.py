"""Genesys' rich content as text that can be read and answered on a phone.

Source: models of content types in the Genesys SDK 269, fixtures of real webhooks.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from typing import Any

from relay.channels.reading import joined, record, records
from relay.channels.text import clean

Item = dict[str, Any]


def readable(item: Item) -> str:
    """The whole message: its text, then its content in order, options numbered."""
    contents = [content for content in records(item.get("content")) if not record(content.get("attachment"))]
    options = [option for content in contents if (option := _quick_reply(content))]
    rest = [_content(content) for content in contents if not _quick_reply(content)]
    return joined((item.get("text"), *rest, _numbered(options)))


def _quick_reply(content: Item) -> str | None:
    """One option; each is a content item of its own."""
    reply = record(content.get("quickReply"))
    return clean(reply.get("text")) or clean(reply.get("payload"))


def _numbered(options: Iterable[str]) -> str:
    return "\n".join(f"{number}. {option}" for number, option in enumerate(options, 1))


def _content(content: Item) -> str | None:
    kind = clean(content.get("contentType")) or ""
    body = record(content.get(kind[:1].lower() + kind[1:]))
    return _READERS.get(kind, _other)(body)


def _other(body: Item) -> str:
    return joined(body.get(key) for key in ("title", "subtitle", "text", "body", "description", "url"))


def _text(body: Item) -> str | None:
    return clean(body.get("body")) or clean(body.get("text"))


def _options(body: Item) -> str:
    actions = (clean(action.get("text")) or clean(action.get("payload")) for action in records(body.get("actions")))
    return joined((body.get("title"), _numbered(action for action in actions if action)))


def _card(body: Item) -> str:
    title = clean(body.get("title"))
    actions = [_action(action) for action in records(body.get("actions"))]
    default = record(body.get("defaultAction")).get("url")
    shown = (f"*{title}*" if title else None, body.get("description"), body.get("image"), body.get("video"), default)
    return joined((*shown, *actions))


def _action(action: Item) -> str:
    """A link is shown with its address, an answer as something to write back."""
    text, url = clean(action.get("text")), clean(action.get("url"))
    if url:
        return f"• {text}: {url}" if text else f"• {url}"
    return f"• {text or clean(action.get('payload')) or ''}"


def _carousel(body: Item) -> str:
    return "\n\n".join(filter(None, (_card(card) for card in records(body.get("cards")))))


def _notification(body: Item) -> str:
    """A canned response or template, with its parameters filled in where Genesys has not done so."""
    template = record(body.get("template")) or body
    header, footer = record(template.get("header")), record(template.get("footer"))
    media = record(header.get("media")).get("url")
    buttons = (_button(button) for button in records(template.get("buttons")))
    return joined((_filled(header), media, _filled(record(template.get("body"))), _filled(footer), *buttons))


def _filled(section: Item) -> str:
    text = clean(section.get("text")) or ""
    values = {clean(p.get("name")): clean(p.get("text")) or "" for p in records(section.get("parameters"))}
    return re.sub(r"\{\{\s*([^{}\s]{1,100})\s*\}\}", lambda m: values.get(m[1], m[0]), text)


def _button(button: Item) -> str:
    text = clean(button.get("text")) or ""
    target = clean(button.get("url")) or clean(button.get("phoneNumber"))
    return f"• {text}: {target}" if target else f"• {text}"


def _dates(body: Item) -> str:
    times = (clean(slot.get("dateTime")) for slot in records(body.get("availableTimes")))
    return joined((body.get("title"), body.get("subtitle"), _numbered(_moment(slot) for slot in times if slot)))


def _moment(text: str) -> str:
    """2026-11-23T10:00:00.000Z as 2026-11-23 10:00 UTC."""
    match = re.fullmatch(r"(\d{4}-\d\d-\d\d)T(\d\d:\d\d)(?::\d\d(?:\.\d+)?)?(Z|[+-]\d\d:?\d\d)?", text)
    return f"{match[1]} {match[2]}{' UTC' if match[3] == 'Z' else ' ' + (match[3] or '')}".rstrip() if match else text


def _list(body: Item) -> str:
    head = record(body.get("receivedMessage"))
    lines = []
    number = 0
    for section in records(body.get("sections")):
        lines.append(clean(section.get("title")) or "")
        for item in records(section.get("items")):
            number += 1
            lines.append(f"{number}. {joined((item.get('title'), item.get('subtitle')), ' – ')}")
    return joined((head.get("title"), head.get("subtitle"), *lines))


def _location(body: Item) -> str:
    latitude, longitude = clean(body.get("latitude")), clean(body.get("longitude"))
    link = f"https://maps.google.com/?q={latitude},{longitude}" if latitude and longitude else None
    return joined((body.get("text"), body.get("address"), body.get("url") or link))


_READERS: dict[str, Callable[[Item], str | None]] = {
    "Text": _text,
    "QuickReplyV2": _options,
    "Card": _card,
    "Carousel": _carousel,
    "Notification": _notification,
    "DatePicker": _dates,
    "ListPicker": _list,
    "Location": _location,
}
