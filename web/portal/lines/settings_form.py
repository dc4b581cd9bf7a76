"""What a line does otherwise than the platform: the form on its page."""

from __future__ import annotations

from typing import Any, Self

from wtforms import (
    BooleanField,
    Field,
    FloatField,
    IntegerField,
    SelectField,
)
from wtforms.validators import NumberRange, Optional

from db.tenants.onboarding import Line
from web.portal.frame.language import _l, offered
from web.portal.lines.ends_form import EndsForm
from web.portal.lines.template_fields import (
    checked_parameters,
    language_field,
    lines_of,
    name_field,
    parameters_field,
)
from web.portal.lines.writing_form import WritingForm

FILLED_IN = ("text", "name")


class SettingsForm(EndsForm, WritingForm):
    """Empty fields leave a line as the platform is."""

    whatsapp_rate_per_second = IntegerField(
        _l("Messages to WhatsApp a second"),
        [Optional(), NumberRange(1, 1000)],
        description=_l(
            "Meta allows a new number 80 a second, and more once it has raised it. One that is used in the "
            "WhatsApp Business app, too, is held to 20 by itself. Empty: as the platform."
        ),
    )
    genesys_rate_per_minute = IntegerField(
        _l("Messages to Genesys a minute"),
        [Optional(), NumberRange(1, 100_000)],
        description=_l(
            "Genesys allows an OAuth client 300 calls a minute, unless it has raised that for you. "
            "Empty: as the platform."
        ),
    )
    unknown_outcome = SelectField(
        _l("When nobody knows whether a message was sent"),
        [Optional()],
        choices=offered(
            {
                "": _l("As the platform: send it again"),
                "repeat": _l("Send it again: it may arrive twice, it never gets lost"),
                "give_up": _l("Give it up: it may be lost, it never arrives twice"),
            }
        ),
        description=_l("A provider's answer can get lost. When the message leaves no trace in time, this decides."),
    )
    handset_order_seconds = FloatField(
        _l("Wait for the phone to show a message (seconds)"),
        [Optional(), NumberRange(0, 30)],
        description=_l(
            "The next message waits until WhatsApp confirms the one before it, at most so long. 0 or empty: no "
            "waiting. Messages are sent in order in any case; a phone may show them otherwise."
        ),
    )

    mark_read = BooleanField(
        _l("Mark customers' messages as read when Genesys has them"),
        description=_l("Two blue ticks on the phone, whether or not an agent has looked already."),
    )
    show_typing = BooleanField(
        _l("Show the customer when an agent is typing"),
        description=_l(
            "Needs typing in Genesys' platform configuration. WhatsApp then marks the customer's message as read, too."
        ),
    )
    responder_role = SelectField(
        _l("What this line is beside other responders"),
        [Optional()],
        choices=offered(
            {
                "": _l("Customer service, or there are no others"),
                "customer_service": _l("Customer service"),
                "escalation": _l("Escalation partner"),
            }
        ),
        description=_l(
            "As Meta Business Suite has it under Conversation Routing. Only for a number that other responders "
            "share, such as Meta's Business Agent."
        ),
    )
    take_over = BooleanField(
        _l("Take a customer over before an agent's message"),
        description=_l(
            "For the escalation partner: whoever answers the customer at that moment loses them. Off: a "
            "message that Meta refuses is marked as failed, with the reason."
        ),
    )
    template_name = name_field(
        "",
        _l("Template after 24 hours"),
        _l("Its name in the WhatsApp Manager. Empty: the agent's message fails, and says why."),
    )
    template_language = language_field("")
    template_parameters = parameters_field(
        _l(
            "As many lines as its body has variables; for variables with names, name=value in each. {text} "
            "stands for what "
            "the agent wrote, {name} for the customer's name. Without {text} the agent is told that their own "
            "message was "
            "not delivered."
        )
    )

    direct_send = BooleanField(
        _l("Send texts by Direct Send after 24 hours"),
        description=_l(
            "Meta makes a utility template of each. Only for news of what a customer has ordered or asked for, "
            "never for advertising. What Meta does not take so goes out as the template above."
        ),
    )
    marketing_messages = BooleanField(
        _l("Send marketing templates as marketing messages"),
        description=_l(
            "By Meta's Marketing Messages API, which the WhatsApp account has to be enabled for. The category "
            "that the template has now decides."
        ),
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
        return cls(None, data=line.settings | shown | cls.shown_ends(line.settings))

    def validate_template_parameters(self, given: Field) -> None:
        checked_parameters(given.data or "", FILLED_IN)

    def settings(self) -> dict[str, Any]:
        names = ("whatsapp_rate_per_second", "genesys_rate_per_minute", "unknown_outcome", "handset_order_seconds")
        found = {name: self[name].data if self[name].data not in ("", None) else None for name in names}
        return (
            found
            | self.end_settings()
            | self.writing_settings()
            | {
                "mark_read": self.mark_read.data or None,
                "direct_send": self.direct_send.data or None,
                "marketing_messages": self.marketing_messages.data or None,
                "responder_role": self.responder_role.data or None,
                "take_over": self.take_over.data or None,
                "show_typing": None if self.show_typing.data else False,
                "window_template": self._template(),
            }
        )

    def _template(self) -> dict[str, Any] | None:
        if not self.template_name.data:
            return None
        return {
            "name": self.template_name.data,
            "language": self.template_language.data,
            "parameters": lines_of(self.template_parameters.data or ""),
        }
