"""A field for each place of a template that is filled in: header, text, buttons, cards, the end of an offer."""

from __future__ import annotations

from collections.abc import Sequence

from wtforms import DateTimeLocalField, Field, StringField
from wtforms.validators import Length, Optional, Regexp

from relay.core.messages import MediaKind
from relay.core.templates.listed import (
    CODE_BUTTONS,
    FILES,
    ListedTemplate,
    ShapeButton,
    ShapeCard,
    TemplateShape,
    places,
)
from web.portal.frame.language import _, _l

KINDS: dict[str, tuple[MediaKind, str]] = {
    "IMAGE": ("image", _l("picture")),
    "VIDEO": ("video", _l("video")),
    "DOCUMENT": ("document", _l("document")),
}
LONGEST, LONGEST_ADDRESS = 2000, 2048
MOMENTS = ["%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S"]
_AT_METAS = Regexp(r"\s*https://\S+\s*$", message=_l("An address begins with https:// and holds no blanks."))


def fields_of(listed: ListedTemplate) -> dict[str, Field]:
    """By name, in the order in which the phone shows their places."""
    shape = listed.shape or TemplateShape()
    found: dict[str, Field] = {}
    header = shape.header
    if header is not None and header.format in FILES:
        word = KINDS[header.format][1]
        about = _("https and a public address; the relay fetches it once.")
        found["header_file"] = _field(_("Address of the %(file)s in the header", file=word), LONGEST_ADDRESS, about)
    elif header is not None and places(header.text):
        found["header"] = _field(
            _("%(place)s in the header", place=_shown(places(header.text)[0])), LONGEST, header.text
        )
    if shape.offer is not None and shape.offer.expires:
        found["offer_ends"] = DateTimeLocalField(
            _("The offer ends"), [Optional()], format=MOMENTS, description=_("Where you are.")
        )
    for name in places(shape.body):
        example = shape.examples.get(name)
        about = _("For example: %(example)s", example=example) if example else ""
        found[f"body_{name}"] = _field(_("%(place)s in the text", place=_shown(name)), LONGEST, about)
    found |= _of_buttons(listed, "button_", "", shape.buttons)
    for place, card in enumerate(shape.cards):
        found |= _of_card(listed, place, card)
    return found


def _of_card(listed: ListedTemplate, place: int, card: ShapeCard) -> dict[str, Field]:
    owner = _("card %(number)s", number=place + 1)
    found: dict[str, Field] = {}
    if card.header is not None and card.header.format in FILES:
        word = KINDS[card.header.format][1]
        about = _("https and a public address; WhatsApp fetches it.")
        found[f"card_{place}_file"] = _field(
            _("Address of the %(file)s on %(card)s", file=word, card=owner), LONGEST_ADDRESS, about, _AT_METAS
        )
    for each in places(card.body):
        found[f"card_{place}_body_{each}"] = _field(
            _("%(place)s on %(card)s", place=_shown(each), card=owner), LONGEST, card.body
        )
    return found | _of_buttons(listed, f"card_{place}_button_", " " + _("on %(card)s", card=owner), card.buttons)


def _of_buttons(listed: ListedTemplate, prefix: str, owner: str, buttons: Sequence[ShapeButton]) -> dict[str, Field]:
    found: dict[str, Field] = {}
    for number, button in enumerate(buttons):
        code = listed.category == "AUTHENTICATION" and button.type in CODE_BUTTONS
        if code or button.type == "COPY_CODE":
            label = _(
                "Code of the button %(number)s%(where)s (%(text)s)", number=number + 1, where=owner, text=button.text
            )
            found[f"{prefix}{number}"] = _field(label, LONGEST, "")
        elif button.type == "URL" and places(button.url):
            label = _("End of the address of the button %(number)s%(where)s", number=number + 1, where=owner)
            found[f"{prefix}{number}"] = _field(label, LONGEST, button.url)
    return found


def _field(label: str, longest: int, description: str, *further: Regexp) -> StringField:
    return StringField(label, [Optional(), Length(max=longest), *further], description=description)


def _shown(place: str) -> str:
    return f"{{{{{place}}}}}"
