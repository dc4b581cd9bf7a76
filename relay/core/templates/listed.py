"""A template of the business account as the provider describes it. Values only, JSON-able (`relay.core.messages`).

Source: the fields and components of Meta's GET /{WABA_ID}/message_templates.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

SENDABLE = ("APPROVED", "REINSTATED", "UNARCHIVED", "FLAGGED")
"""Meta's words for a template that may be sent; FLAGGED warns, the others are news of APPROVED."""
STOPPED = (
    "PENDING", "REJECTED", "PAUSED", "DISABLED", "IN_APPEAL", "PENDING_DELETION", "DELETED", "LIMIT_EXCEEDED",
    "LOCKED", "ARCHIVED",
)  # fmt: skip
"""Those for one that may not. Of a word that stands in neither list Meta decides."""
FILES = ("IMAGE", "VIDEO", "DOCUMENT")
CODE_BUTTONS = ("URL", "COPY_CODE", "OTP")
"""What an authentication template gives the code to; Meta lists its OTP buttons as links."""
RIGHT_TO_LEFT = ("ar", "ckb", "dv", "fa", "he", "ps", "ur", "yi")

_PLACE = re.compile(r"\{\{\s*(\w{1,64})\s*\}\}")


def places(text: str) -> tuple[str, ...]:
    """What has to be filled in, each once, in the order of its coming: "1", "2", or names. Numbers by their size."""
    found = tuple(dict.fromkeys(_PLACE.findall(text)))
    return tuple(sorted(found, key=int)) if all(one.isdecimal() for one in found) else found


def filled(text: str, values: Mapping[str, str]) -> str:
    """In one pass; a place without a value stays as it is written."""
    return _PLACE.sub(lambda found: values.get(found[1]) or found[0], text)


@dataclass(frozen=True, slots=True)
class ShapeHeader:
    """`format` is TEXT, IMAGE, VIDEO, DOCUMENT, LOCATION, or what Meta will think of next."""

    format: str
    text: str = ""


@dataclass(frozen=True, slots=True)
class ShapeButton:
    """`type` is Meta's word: QUICK_REPLY, URL, PHONE_NUMBER, COPY_CODE, OTP, FLOW, CATALOG, MPM, VOICE_CALL, ..."""

    type: str
    text: str = ""
    url: str = ""
    phone: str = ""


@dataclass(frozen=True, slots=True)
class ShapeCard:
    """One card of a carousel."""

    header: ShapeHeader | None = None
    body: str = ""
    buttons: tuple[ShapeButton, ...] = ()


@dataclass(frozen=True, slots=True)
class LimitedOffer:
    """An offer's line above its text; `expires`: a moment has to be given with each message."""

    text: str
    expires: bool = False


@dataclass(frozen=True, slots=True)
class TemplateShape:
    """What a template is made of. `named`: its places have names, else numbers from 1."""

    body: str = ""
    named: bool = False
    header: ShapeHeader | None = None
    footer: str = ""
    buttons: tuple[ShapeButton, ...] = ()
    cards: tuple[ShapeCard, ...] = ()
    offer: LimitedOffer | None = None
    examples: dict[str, str] = field(default_factory=dict)
    """What Meta was shown when it approved the template: by place of the body."""

    @property
    def only_body(self) -> bool:
        return not (self.header or self.footer or self.buttons or self.cards or self.offer)


SURE_SECONDS = 4500.0
"""A list that was read whole is not doubtful for so long: until the next reading, and once more where that fails."""


@dataclass(frozen=True, slots=True)
class ListedTemplate:
    """One language of a template. Without `shape` nobody has told yet what it is made of."""

    name: str
    language: str
    status: str
    category: str
    quality: str = "UNKNOWN"
    shape: TemplateShape | None = None
    template_id: str = ""
    reason: str = ""
    """Why it was refused, in Meta's word."""
    next_category: str = ""
    """What Meta will make of its category, or thinks it should be; until that has happened `category` counts."""
    doubtful: bool = False
    """It stands in a list that was not read whole, or not lately: Meta may have another status or language by now."""

    @property
    def sendable(self) -> bool:
        return self.status in SENDABLE

    @property
    def right_to_left(self) -> bool:
        return self.language.partition("_")[0] in RIGHT_TO_LEFT
