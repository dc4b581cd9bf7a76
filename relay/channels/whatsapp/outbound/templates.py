"""Approved templates, filled. Source: Meta's template-messages page; OpenAPI file of v23.0.

A parameter holds no line break, tab or four spaces in a row, and is never empty (132012, 132018).
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from relay.channels.http.reading import without_none
from relay.channels.whatsapp.limits import HEADERS
from relay.channels.whatsapp.outbound.interactive import header_file
from relay.channels.whatsapp.outbound.titles import one_line
from relay.core.content import Parameter, Template
from relay.core.errors import CannotCarry
from relay.core.messages import Message

NOTHING = "–"
UNREADABLE = (
    "the notification names no template that WhatsApp could have; its id is whatsapp@ and the template's name, "
    "its language is written as Meta writes it, such as en or pt_BR"
)


def template(message: Message, message_id: str, media_url: str | None) -> dict[str, Any]:
    """The message's content."""
    wanted = message.template
    if wanted is None:
        raise CannotCarry("template_unreadable", UNREADABLE)
    components = [
        *_component("header", _header(message, wanted, media_url)),
        *_component("body", _texts(wanted.body)),
        *_urls(wanted),
        *_quick_replies(message, wanted, message_id),
    ]
    content = {"name": wanted.name, "language": {"code": wanted.language}, "components": components or None}
    return without_none(content)


def _header(message: Message, wanted: Template, media_url: str | None) -> list[dict[str, Any]]:
    media = message.media
    if media is None:
        return _texts(wanted.header)
    if media.kind not in HEADERS:
        raise CannotCarry(
            "media_type_not_allowed",
            "above a template stands a picture (JPEG, PNG; 5 MB), a video (MP4; 16 MB) or a document (100 MB)",
        )
    return [{"type": media.kind, media.kind: header_file(media, media_url)}]


def _component(kind: str, parameters: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [{"type": kind, "parameters": parameters}] if parameters else []


def _texts(parameters: Iterable[Parameter]) -> list[dict[str, Any]]:
    return [
        without_none({"type": "text", "parameter_name": one.name, "text": one_line(one.text) or NOTHING})
        for one in parameters
    ]


def _urls(wanted: Template) -> list[dict[str, Any]]:
    return [_button("url", place, {"type": "text", "text": one_line(text) or NOTHING}) for place, text in wanted.urls]


def _quick_replies(message: Message, wanted: Template, message_id: str) -> list[dict[str, Any]]:
    """In the places among the template's buttons that no link takes; where the options name the links, in their own."""
    taken = {place for place, _ in wanted.urls}
    replies = [i for i, option in enumerate(message.options) if not option.url]
    free = [place for place in range(len(replies) + len(taken)) if place not in taken]
    if len(replies) < len(message.options):
        free = replies
    return [
        _button("quick_reply", place, {"type": "payload", "payload": f"{message_id}.{i}"})
        for place, i in zip(free, replies, strict=False)
    ]


def _button(kind: str, place: int, parameter: dict[str, Any]) -> dict[str, Any]:
    return {"type": "button", "sub_type": kind, "index": str(place), "parameters": [parameter]}
