"""The form by which a template is filled in and tried: a field for each place that it has."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from flask_wtf import FlaskForm
from wtforms import BooleanField, Field, StringField, ValidationError
from wtforms.validators import Length, Optional

from relay.core.content import FilledCard, Parameter, Template
from relay.core.messages import MediaKind
from relay.core.templates.listed import ListedTemplate, ShapeButton, ShapeCard, TemplateShape, places
from web.api.messages.state import person_of
from web.portal.frame import time_zone
from web.portal.frame.language import _, _l
from web.portal.lines.template_places import KINDS, fields_of
from web.portal.wizard.trial import dialled
from web.request.errors import ApiError


class TemplateForm(FlaskForm):
    """Base of the form of each template; what is missing in it, the check says."""

    listed: ListedTemplate
    number = StringField(
        _l("Phone number with WhatsApp"),
        [Optional(), Length(max=40)],
        description=_l("With country code. It gets the message for real, at Meta's price."),
    )
    agreed = BooleanField(_l("The owner of this phone has agreed to get this message"))

    def validate_number(self, field: StringField) -> None:
        try:
            person_of(dialled(field.data or ""))
        except ApiError:
            raise ValidationError(_("Enter the number with its country code, such as +49 151 12345678.")) from None

    def template(self) -> Template:
        """As it is filled in: what is left empty is left out."""
        shape = self.listed.shape or TemplateShape()
        header = tuple(Parameter(text) for text in [self._text("header")] if text)
        return Template(
            self.listed.name,
            self.listed.language,
            self._body("", shape.body),
            header,
            self._ends("", shape.buttons),
            cards=self._cards(shape),
            offer_ends=self._offer_ends(),
        )

    def _cards(self, shape: TemplateShape) -> tuple[FilledCard, ...]:
        return tuple(
            FilledCard(
                _card_file(card),
                self._text(f"card_{place}_file"),
                self._body(f"card_{place}_", card.body),
                self._ends(f"card_{place}_", card.buttons),
            )
            for place, card in enumerate(shape.cards)
        )

    def _offer_ends(self) -> float | None:
        ends = self["offer_ends"].data if "offer_ends" in self else None
        return time_zone.here(ends).timestamp() if ends is not None else None

    def _body(self, prefix: str, text: str) -> tuple[Parameter, ...]:
        """Of numbered places only the last ones can be left out."""
        named = self.listed.shape is not None and self.listed.shape.named
        body = [Parameter(self._text(f"{prefix}body_{place}"), place if named else None) for place in places(text)]
        if named:
            return tuple(one for one in body if one.text)
        while body and not body[-1].text:
            body.pop()
        return tuple(body)

    def _ends(self, prefix: str, buttons: Sequence[ShapeButton]) -> tuple[tuple[int, str], ...]:
        found = ((place, self._text(f"{prefix}button_{place}")) for place in range(len(buttons)))
        return tuple((place, text) for place, text in found if text)

    @property
    def file(self) -> tuple[MediaKind, str] | None:
        """The kind and the address of the header's file."""
        shape, address = self.listed.shape, self._text("header_file")
        if shape is None or shape.header is None or shape.header.format not in KINDS or not address:
            return None
        return KINDS[shape.header.format][0], address

    @property
    def values(self) -> list[Field]:
        """The fields of the places, in the order in which the phone shows them."""
        return [one for one in self if one.name.startswith(("header", "offer_ends", "body_", "button_", "card_"))]

    def _text(self, name: str) -> str:
        return (self[name].data or "").strip() if name in self else ""


def form_of(listed: ListedTemplate) -> type[TemplateForm]:
    """The form of this template."""
    return type("TemplateForm", (TemplateForm,), {"listed": listed, **fields_of(listed)})


def _card_file(card: ShapeCard) -> Literal["image", "video"]:
    return "video" if card.header is not None and card.header.format == "VIDEO" else "image"
