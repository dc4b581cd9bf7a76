"""The customer service window: while it is closed, WhatsApp takes nothing but approved templates. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from relay.core.content import Parameter, Template
from relay.core.lengths import fitting, units
from relay.core.messages import Message

ROOM = 1024
"""Characters of a filled template, as WhatsApp counts them."""

_NAMED = re.compile(r"([a-z][a-z0-9_]{0,63})=(.*)", re.DOTALL)


def closed(window_until: float | None, now: float) -> bool:
    """Both in Unix seconds. Where nothing is known it counts as open: the provider decides."""
    return window_until is not None and now >= window_until


def in_its_place(message: Message, settings: Mapping[str, Any], name: str | None) -> Message | None:
    """What goes out in place of a message that came too late: the line's template, if it has one.

    "{text}" and "{name}" in its parameters stand for the message's text and the contact's name;
    "name=value" is a named parameter, if all of them are written so. Of a message in parts the
    first alone is replaced, since the template goes out once.
    """
    wanted = settings.get("window_template")
    if not isinstance(wanted, Mapping) or not wanted.get("name") or not wanted.get("language"):
        return None
    if message.template is not None or message.type == "template" or message.unreadable or message.part > 1:
        return None
    written = _parameters([str(one) for one in wanted.get("parameters") or ()])
    text, whole = _fitting(message, written, name or "")
    filled = tuple(replace(one, text=_filled(one, text, name or "")) for one in written)
    template = Template(str(wanted["name"]), str(wanted["language"]), body=filled, instead=not whole)
    return replace(
        message, type="template", text=None, media=None, options=(), opener=None, numbered=False, place=None,
        ask=None, native=None, template=template, direct=False,
    )  # fmt: skip


def opened_by(message: Message) -> bool:
    """Whether it opens the window itself: a template, or Direct Send, of which Meta makes one.

    Meta takes it outside the window and from whoever has the thread, which stays where it is.
    """
    native = message.native
    own = native is not None and native.fields.get("category") in ("utility", "authentication")
    return message.type == "template" or message.direct or own


def directly(message: Message, settings: Mapping[str, Any]) -> Message | None:
    """The same message by Direct Send, if the line wants that: a plain text, once."""
    more = message.media or message.place or message.ask or message.native or message.options or message.template
    if not settings.get("direct_send") or message.direct or message.unreadable:
        return None
    return None if more or message.type == "template" or not message.text else replace(message, direct=True)


def replacement(settings: Mapping[str, Any], name: str | None) -> Callable[[Message, float | None], Message | None]:
    """The same as a rule: (message, when the contact was invited or None) → what goes out in its place, or None.

    Where the line wants it the message itself, by Direct Send; what that did not carry becomes the template. A template
    that does not hold the text goes out once, until the contact writes again.
    """

    def of(message: Message, invited_at: float | None) -> Message | None:
        if (direct := directly(message, settings)) is not None:
            return direct
        instead = in_its_place(message, settings, name)
        if instead is None or instead.template is None:
            return None
        return None if instead.template.instead and invited_at is not None else instead

    return of


def _fitting(message: Message, written: Sequence[Parameter], name: str) -> tuple[str, bool]:
    """The text as there is room for it, and whether the template will hold all of the message."""
    text = " ".join((message.text or (message.media.caption if message.media else "") or "").split())
    times = sum(one.text.count("{text}") for one in written)
    if not times:
        return "", False
    room = (ROOM - sum(units(_filled(one, "", name)) for one in written)) // times
    more = message.media or message.place or message.ask or message.native or message.options
    bare = not more and message.parts == 1
    if units(text) <= room:
        return text, bare and bool(text)
    return text[: fitting(text, max(room - 1, 0))].rstrip() + "…", False


def _filled(written: Parameter, text: str, name: str) -> str:
    """In one pass: a text that holds "{name}" itself stays as it was written."""
    return re.sub(r"\{(text|name)\}", lambda found: text if found[1] == "text" else name, written.text)


def _parameters(written: Sequence[str]) -> list[Parameter]:
    named = [_NAMED.fullmatch(one) for one in written]
    if all(named):
        return [Parameter(match[2], match[1]) for match in named if match]
    return [Parameter(one) for one in written]
