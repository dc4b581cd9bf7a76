"""What a message may hold beside text and file: answers to tap, places, templates, and what it is about.

Values only, JSON-able like the events that carry them (`relay.core.messages`).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

OptionKind = Literal["quick_reply", "button", "date"]
AskKind = Literal["contact", "location", "call", "flow"]
About = Literal["reply", "reaction", "edit", "revocation"]


@dataclass(frozen=True, slots=True)
class Option:
    """An answer that can be tapped; with `url` a link to open instead.

    `payload` is what its author gets back, of any length, and never travels to the phone.
    """

    text: str
    payload: str | None = None
    kind: OptionKind = "quick_reply"
    """What its author calls an answer of this sort."""
    description: str | None = None
    section: str | None = None
    url: str | None = None


@dataclass(frozen=True, slots=True)
class Answer:
    """An option that was tapped: first where it stood, then (`found`) which one that was."""

    message_id: str
    """Ours: the message that offered it."""
    index: int
    option: Option | None = None
    offered_by: str | None = None
    """The offering provider's id of that message."""

    @property
    def found(self) -> bool:
        return self.option is not None and self.offered_by is not None


@dataclass(frozen=True, slots=True)
class Location:
    """A point on the map. Degrees."""

    latitude: float
    longitude: float
    name: str | None = None
    address: str | None = None


@dataclass(frozen=True, slots=True)
class Ask:
    """What the contact is asked to give by a tap; what they give comes back as a message of its own kind."""

    kind: AskKind
    flow: str | None = None
    """Of a form that the provider keeps: its id, of digits only, or its name."""
    button: str | None = None
    """What stands on the button that opens the form."""
    screen: str | None = None
    """Where the form begins, if not at its beginning."""


@dataclass(frozen=True, slots=True)
class Native:
    """A message in the words of the provider that takes it, written by a program and passed on as it is.

    `fields` are the provider's own, JSON-able, without those that say for whom the message is and whose call it is.
    """

    type: str
    fields: dict[str, Any]
    callback_data: str | None = None
    """What its author had written where our own id has to stand: given back by our API."""


@dataclass(frozen=True, slots=True)
class Parameter:
    """What is put into a template. `name` is absent where its parameters are numbered."""

    text: str
    name: str | None = None


TEMPLATE_NAME = r"[a-z0-9_]{1,512}"
TEMPLATE_LANGUAGE = r"[a-z]{2,3}(_[A-Za-z]{2,8})?"
"""As Meta writes them: order_update; en, en_US, fil."""


@dataclass(frozen=True, slots=True)
class FilledCard:
    """What is put into one card of a template that is a carousel."""

    file: Literal["image", "video"] = "image"
    link: str = ""
    """Where the provider itself fetches the file that stands above."""
    body: tuple[Parameter, ...] = ()
    urls: tuple[tuple[int, str], ...] = ()
    """As in Template."""


@dataclass(frozen=True, slots=True)
class Template:
    """A message that the provider has approved before; the only kind that may open a conversation.

    A file in its header is the message's `media`, answers to tap are its `options`, in the order of its buttons.
    """

    name: str
    language: str
    body: tuple[Parameter, ...] = ()
    header: tuple[Parameter, ...] = ()
    urls: tuple[tuple[int, str], ...] = ()
    """What is put into the address of a link: (place of the button from 0, text)."""
    instead: bool = False
    """It goes out in place of a message that it does not contain: that one has not been delivered."""
    cards: tuple[FilledCard, ...] = ()
    """Of a carousel, in the order of its cards."""
    offer_ends: float | None = None
    """Unix seconds at which the offer that it makes ends."""


@dataclass(frozen=True, slots=True)
class Quote:
    """A message that another one is about. `text` is its beginning, or what kind of message it was."""

    text: str
    by: Literal["contact", "business"]
