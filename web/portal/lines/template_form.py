"""The form by which a template is filled in and tried: a field for each place that it has."""

from __future__ import annotations

from typing import Any

from flask_wtf import FlaskForm
from wtforms import BooleanField, Field, StringField, ValidationError
from wtforms.validators import Length, Optional

from relay.core.content import Parameter, Template
from relay.core.messages import MediaKind
from relay.core.templates.listed import CODE_BUTTONS, FILES, ListedTemplate, TemplateShape, places
from web.api.messages.state import person_of
from web.portal.wizard.trial import dialled
from web.request.errors import ApiError

KINDS: dict[str, tuple[MediaKind, str]] = {
    "IMAGE": ("image", "picture"),
    "VIDEO": ("video", "video"),
    "DOCUMENT": ("document", "document"),
}
LONGEST, LONGEST_ADDRESS = 2000, 2048


class TemplateForm(FlaskForm):
    """Base of the form of each template; what is missing in it, the check says."""

    listed: ListedTemplate
    number = StringField(
        "Phone number with WhatsApp",
        [Optional(), Length(max=40)],
        description="With country code. It gets the message for real, at Meta's price.",
    )
    agreed = BooleanField("The owner of this phone has agreed to get this message")

    def validate_number(self, field: StringField) -> None:
        try:
            person_of(dialled(field.data or ""))
        except ApiError:
            raise ValidationError("Enter the number with its country code, such as +49 151 12345678.") from None

    def template(self) -> Template:
        """As it is filled in: what is left empty is left out."""
        shape = self.listed.shape or TemplateShape()
        body = tuple(
            Parameter(text, place if shape.named else None)
            for place in places(shape.body)
            if (text := self._text(f"body_{place}")) or not shape.named
        )
        while body and not body[-1].text:
            body = body[:-1]
        header = tuple(Parameter(text) for text in [self._text("header")] if text)
        urls = tuple((place, text) for place in range(len(shape.buttons)) if (text := self._text(f"button_{place}")))
        return Template(self.listed.name, self.listed.language, body, header, urls)

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
        return [one for one in self if one.name.startswith(("header", "body_", "button_"))]

    def _text(self, name: str) -> str:
        return (self[name].data or "").strip() if name in self else ""


def form_of(listed: ListedTemplate) -> type[TemplateForm]:
    """The form of this template."""
    return type("TemplateForm", (TemplateForm,), {"listed": listed, **_fields(listed)})


def _fields(listed: ListedTemplate) -> dict[str, Any]:
    shape = listed.shape or TemplateShape()
    found: dict[str, Any] = {}
    header = shape.header
    if header is not None and header.format in FILES:
        word = KINDS[header.format][1]
        about = "https and a public address; the relay fetches it once."
        found["header_file"] = _field(f"Address of the {word} in the header", LONGEST_ADDRESS, about)
    elif header is not None and places(header.text):
        found["header"] = _field(f"{_shown(places(header.text)[0])} in the header", LONGEST, header.text)
    for place in places(shape.body):
        example = shape.examples.get(place)
        found[f"body_{place}"] = _field(
            f"{_shown(place)} in the text", LONGEST, f"For example: {example}" if example else ""
        )
    for number, button in enumerate(shape.buttons):
        code = listed.category == "AUTHENTICATION" and button.type in CODE_BUTTONS
        if code or button.type == "COPY_CODE":
            found[f"button_{number}"] = _field(f"Code of the button {number + 1} ({button.text})", LONGEST, "")
        elif button.type == "URL" and places(button.url):
            found[f"button_{number}"] = _field(f"End of the address of the button {number + 1}", LONGEST, button.url)
    return found


def _field(label: str, longest: int, description: str) -> StringField:
    return StringField(label, [Optional(), Length(max=longest)], description=description)


def _shown(place: str) -> str:
    return f"{{{{{place}}}}}"
