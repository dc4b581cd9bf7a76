"""What goes out in place of a message that was refused for its form, and not for what it says. Pure."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import TypeVar

from relay.core.errors import CannotCarry, SendError
from relay.core.messages import Message

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class OtherForm:
    """The message as it goes out next; `event` and `why` are for its history."""

    message: Message = field(repr=False)
    event: str
    why: str


def after_refusal(message: Message, error: SendError) -> OtherForm | None:
    """An answer whose question is over goes as a text; one whose file is refused goes with a link to our copy of it.
    Each has one other form: what is refused in that has failed. None: it has failed already."""
    if error.fate == "as_link":
        return _with_link(message, error)
    if message.answer is None or not message.answer.found:
        return None
    plain = replace(message, answer=replace(message.answer, offered_by=None))
    return OtherForm(plain, "as_text", f"refused as an answer ({error.code}), goes as a text")


def in_some_form(render: Callable[[Message], T], message: Message) -> T:
    """What `render` makes of the message, or of the one with a link where the file, as it turned out to be, can not
    stand with the rest. Raises CannotCarry."""
    try:
        return render(message)
    except CannotCarry:
        linked = _linked(message)
        if linked is None:
            raise
    return render(linked)


def _with_link(message: Message, error: SendError) -> OtherForm | None:
    linked = _linked(message)
    why = f"its file was refused ({error.code}: {error.text}), goes with a link to it"
    return OtherForm(linked, "as_link", why) if linked is not None else None


def _linked(message: Message) -> Message | None:
    """None where there is no copy of ours, or the file stands where no link can: in a template."""
    media = message.media
    if media is None or media.kind == "link" or media.object_key is None:
        return None
    return None if message.template is not None else replace(message, media=replace(media, kind="link"))
