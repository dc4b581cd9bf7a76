"""Approved templates, filled. Source: Meta's template-messages page; OpenAPI file of v23.0.

A parameter holds no line break, tab or four spaces in a row, and is never empty (132012, 132018).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any

from relay.channels.http.reading import without_none
from relay.channels.whatsapp.limits import HEADERS
from relay.channels.whatsapp.outbound.interactive import header_file
from relay.channels.whatsapp.outbound.template_parts import button, component, filled_buttons, further, texts
from relay.channels.whatsapp.outbound.titles import one_line
from relay.core.content import Parameter, Template
from relay.core.errors import CannotCarry
from relay.core.languages import phrase
from relay.core.messages import Message
from relay.core.templates.check import mistakes
from relay.core.templates.listed import ListedTemplate, TemplateShape, places
from relay.core.templates.values import TemplateMistake

NOTHING = "–"
LONGEST_REASON = 1000
UNREADABLE = phrase(
    "the notification names no template that WhatsApp could have; its id is whatsapp@ and the template's name, "
    "its language is written as Meta writes it, such as en or pt_BR"
)


def template(
    message: Message, message_id: str, media_url: str | None, languages: Sequence[ListedTemplate] = ()
) -> dict[str, Any]:
    """The message's content. Of a listed template all is checked first: CannotCarry says what is wrong."""
    if message.template is None:
        raise CannotCarry("template_unreadable", UNREADABLE)
    wanted = _tidy(message.template)
    _check(message, wanted, languages)
    shape = next((one.shape for one in languages if one.language == wanted.language and one.shape), None)
    components = [
        *component("header", _header(message, _titled(wanted, shape), media_url)),
        *component("body", texts(wanted.body)),
        *filled_buttons(wanted.urls, shape.buttons if shape else ()),
        *_quick_replies(message, wanted, message_id, shape),
        *further(wanted, shape),
    ]
    content = {"name": wanted.name, "language": {"code": wanted.language}, "components": components or None}
    return without_none(content)


def _tidy(wanted: Template) -> Template:
    """Values as they travel: on one line, and never empty."""
    cards = tuple(replace(one, body=_lines(one.body), urls=_ends(one.urls)) for one in wanted.cards)
    return replace(wanted, body=_lines(wanted.body), header=_lines(wanted.header), urls=_ends(wanted.urls), cards=cards)


def _lines(values: Iterable[Parameter]) -> tuple[Parameter, ...]:
    return tuple(replace(one, text=one_line(one.text) or NOTHING) for one in values)


def _ends(urls: Iterable[tuple[int, str]]) -> tuple[tuple[int, str], ...]:
    return tuple((place, one_line(text) or NOTHING) for place, text in urls)


def _check(message: Message, wanted: Template, languages: Sequence[ListedTemplate]) -> None:
    answers = sum(not option.url for option in message.options)
    refuse(mistakes(languages, wanted, message.media.kind if message.media else None, answers))


def refuse(found: Sequence[TemplateMistake]) -> None:
    """Raises CannotCarry with all that is wrong."""
    if found:
        raise CannotCarry("template_mistake", "; ".join(one.text for one in found)[:LONGEST_REASON])


def _titled(wanted: Template, shape: TemplateShape | None) -> Template:
    """The header's only value by its name, where the template names its values: nobody writes that name."""
    if shape is None or not shape.named or shape.header is None or len(wanted.header) != 1 or wanted.header[0].name:
        return wanted
    names = places(shape.header.text)
    return replace(wanted, header=(replace(wanted.header[0], name=names[0]),)) if names else wanted


def _header(message: Message, wanted: Template, media_url: str | None) -> list[dict[str, Any]]:
    media = message.media
    if media is None:
        return texts(wanted.header)
    if media.kind not in HEADERS:
        raise CannotCarry(
            "media_type_not_allowed",
            phrase("above a template stands a picture (JPEG, PNG; 5 MB), a video (MP4; 16 MB) or a document (100 MB)"),
        )
    return [{"type": media.kind, media.kind: header_file(media, media_url)}]


def _quick_replies(
    message: Message, wanted: Template, message_id: str, shape: TemplateShape | None
) -> list[dict[str, Any]]:
    """In their places among the template's buttons where these are known; else in those that no link takes, and where
    the options name the links, in their own."""
    taken = {place for place, _ in wanted.urls}
    replies = [i for i, option in enumerate(message.options) if not option.url]
    free = [place for place in range(len(replies) + len(taken)) if place not in taken]
    if shape is not None:
        free = [place for place, one in enumerate(shape.buttons) if one.type == "QUICK_REPLY"]
    elif len(replies) < len(message.options):
        free = replies
    return [
        button("quick_reply", place, {"type": "payload", "payload": f"{message_id}.{i}"})
        for place, i in zip(free, replies, strict=False)
    ]
