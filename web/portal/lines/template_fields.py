"""Fields of a template that a line's settings name: what holds for each of them."""

from __future__ import annotations

import re
from collections.abc import Collection

from flask_wtf import FlaskForm
from pydantic import TypeAdapter
from pydantic import ValidationError as PydanticError
from wtforms import Field, StringField, TextAreaField, ValidationError
from wtforms.validators import Length, Optional, Regexp, StopValidation

from relay.core.content import TEMPLATE_LANGUAGE, TEMPLATE_NAME
from web.api.tenants.schemas import TemplateText
from web.portal.frame.language import _, _l, _n
from web.portal.wizard.forms import stripped

MOST_PARAMETERS = 20
BRACES = re.compile(r"\{([^{}]*)\}")


class NeededWith:
    """May be empty only where the others are."""

    def __init__(self, others: tuple[str, ...], message: str) -> None:
        self._others = others
        self._message = message

    def __call__(self, form: FlaskForm, field: Field) -> None:
        if not field.data and any(form[name].data for name in self._others):
            raise StopValidation(self._message)


def name_field(prefix: str, label: str, about: str) -> StringField:
    """Of the three fields of a template that begin with `prefix`: which one it is."""
    others = (f"{prefix}template_language", f"{prefix}template_parameters")
    missing = _l("Name the template. To do without one, empty its language and parameters too.")
    form = Regexp(f"^{TEMPLATE_NAME}$", message=_l("As Meta writes it: small letters, digits and underscores."))
    return StringField(label, [NeededWith(others, missing), Optional(), form], [stripped], about)


def language_field(prefix: str) -> StringField:
    missing = _l("Name the language that the template is approved in.")
    about = _l("As Meta writes it, such as en or pt_BR.")
    form = Regexp(f"^{TEMPLATE_LANGUAGE}$", message=about)
    needed = NeededWith((f"{prefix}template_name",), missing)
    return StringField(_l("Language of the template"), [needed, Optional(), form], [stripped], about)


def parameters_field(about: str) -> TextAreaField:
    return TextAreaField(
        _l("Parameters of the template, one a line"), [Optional(), Length(max=4000)], [stripped], about
    )


def lines_of(text: str) -> list[str]:
    """The lines that hold something."""
    return [line.strip() for line in text.splitlines() if line.strip()]


def checked_parameters(text: str, filled_in: Collection[str]) -> None:
    """`filled_in`: the words that may stand in braces. Raises ValidationError."""
    parameters = lines_of(text)
    try:
        TypeAdapter(list[TemplateText]).validate_python(parameters)
    except PydanticError:
        raise ValidationError(_("A line may have 1,024 characters, all of them printable.")) from None
    if len(parameters) > MOST_PARAMETERS:
        raise ValidationError(_("A template has at most %(most)s parameters.", most=MOST_PARAMETERS))
    if set(BRACES.findall(text)) - set(filled_in):
        also = _("and")
        words = f" {also} ".join(f"{{{word}}}" for word in filled_in)
        text = _n(
            "Only %(words)s is filled in; take other words out of their braces.",
            "Only %(words)s are filled in; take other words out of their braces.",
            len(filled_in),
            words=words,
        )
        raise ValidationError(text)
