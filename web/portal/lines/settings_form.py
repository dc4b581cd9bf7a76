"""What a line does otherwise than the platform: the form on its page."""

from __future__ import annotations

import re
from typing import Any, Self

from flask_wtf import FlaskForm
from pydantic import TypeAdapter
from pydantic import ValidationError as PydanticError
from wtforms import (
    BooleanField,
    Field,
    FloatField,
    IntegerField,
    SelectField,
    StringField,
    TextAreaField,
    ValidationError,
)
from wtforms.validators import Length, NumberRange, Optional, Regexp, StopValidation

from db.tenants.onboarding import Line
from relay.core.content import TEMPLATE_LANGUAGE, TEMPLATE_NAME
from web.api.tenants.schemas import TemplateText
from web.portal.wizard.forms import stripped

MOST_PARAMETERS = 20
BRACES = re.compile(r"\{([^{}]*)\}")
FILLED_IN = ("text", "name")


class NeededWith:
    """May be empty only where the others are."""

    def __init__(self, others: tuple[str, ...], message: str) -> None:
        self._others = others
        self._message = message

    def __call__(self, form: FlaskForm, field: Field) -> None:
        if not field.data and any(form[name].data for name in self._others):
            raise StopValidation(self._message)


class SettingsForm(FlaskForm):
    """Empty fields leave a line as the platform is."""

    whatsapp_rate_per_second = IntegerField(
        "Messages to WhatsApp a second",
        [Optional(), NumberRange(1, 1000)],
        description="Meta allows a new number 80 a second, and more once it has raised it. Empty: as the platform.",
    )
    genesys_rate_per_minute = IntegerField(
        "Messages to Genesys a minute",
        [Optional(), NumberRange(1, 100_000)],
        description="Genesys allows an OAuth client 300 calls a minute, unless it has raised that for you. "
        "Empty: as the platform.",
    )
    unknown_outcome = SelectField(
        "When nobody knows whether a message was sent",
        [Optional()],
        choices={
            "": "As the platform: send it again",
            "repeat": "Send it again: it may arrive twice, it never gets lost",
            "give_up": "Give it up: it may be lost, it never arrives twice",
        },
        description="A provider's answer can get lost. When the message leaves no trace in time, this decides.",
    )
    handset_order_seconds = FloatField(
        "Wait for the phone to show a message (seconds)",
        [Optional(), NumberRange(0, 30)],
        description="The next message waits until WhatsApp confirms the one before it, at most so long. 0 or empty: no "
        "waiting. Messages are sent in order in any case; a phone may show them otherwise.",
    )

    mark_read = BooleanField(
        "Mark customers' messages as read when Genesys has them",
        description="Two blue ticks on the phone, whether or not an agent has looked already.",
    )
    show_typing = BooleanField(
        "Show the customer when an agent is typing",
        description="Needs typing in Genesys' platform configuration. WhatsApp then marks the customer's message as "
        "read, too.",
    )
    template_name = StringField(
        "Template after 24 hours",
        [
            NeededWith(
                ("template_language", "template_parameters"),
                "Name the template. To do without one, empty its language and parameters too.",
            ),
            Optional(),
            Regexp(f"^{TEMPLATE_NAME}$", message="As Meta writes it: small letters, digits and underscores."),
        ],
        [stripped],
        "Its name in the WhatsApp Manager. Empty: the agent's message fails, and says why.",
    )
    template_language = StringField(
        "Language of the template",
        [
            NeededWith(("template_name",), "Name the language that the template is approved in."),
            Optional(),
            Regexp(f"^{TEMPLATE_LANGUAGE}$", message="As Meta writes it, such as en or pt_BR."),
        ],
        [stripped],
        "As Meta writes it, such as en or pt_BR.",
    )
    template_parameters = TextAreaField(
        "Parameters of the template, one a line",
        [Optional(), Length(max=4000)],
        [stripped],
        "As many lines as its body has variables; for variables with names, name=value in each. {text} stands for what "
        "the agent wrote, {name} for the customer's name. Without {text} the agent is told that their own message was "
        "not delivered.",
    )

    @classmethod
    def of(cls, line: Line) -> Self:
        template = line.settings.get("window_template") or {}
        shown = {
            "show_typing": line.settings.get("show_typing", True),
            "template_name": template.get("name"),
            "template_language": template.get("language"),
            "template_parameters": "\n".join(template.get("parameters", [])),
        }
        return cls(None, data=line.settings | shown)

    def validate_template_parameters(self, given: Field) -> None:
        template = self._template() or {}
        try:
            TypeAdapter(list[TemplateText]).validate_python(template.get("parameters", []))
        except PydanticError:
            raise ValidationError("A line may have 1,024 characters, all of them printable.") from None
        if len(template.get("parameters", [])) > MOST_PARAMETERS:
            raise ValidationError(f"A template has at most {MOST_PARAMETERS} parameters.")
        if set(BRACES.findall(given.data)) - set(FILLED_IN):
            raise ValidationError("Only {text} and {name} are filled in; take other words out of their braces.")

    def settings(self) -> dict[str, Any]:
        names = ("whatsapp_rate_per_second", "genesys_rate_per_minute", "unknown_outcome", "handset_order_seconds")
        found = {name: self[name].data if self[name].data not in ("", None) else None for name in names}
        return found | {
            "mark_read": self.mark_read.data or None,
            "show_typing": None if self.show_typing.data else False,
            "window_template": self._template(),
        }

    def _template(self) -> dict[str, Any] | None:
        if not self.template_name.data:
            return None
        lines = (self.template_parameters.data or "").splitlines()
        parameters = [line.strip() for line in lines if line.strip()]
        return {
            "name": self.template_name.data,
            "language": self.template_language.data,
            "parameters": parameters,
        }
