"""What a line does when a conversation ends: a part of the form of its settings."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask_wtf import FlaskForm
from wtforms import BooleanField, Field, SelectField, TextAreaField, ValidationError
from wtforms.validators import Length, Optional

from relay.core.conversation.ends import MOST_WORD, bare
from web.portal.frame.language import _, _l, offered
from web.portal.lines.template_fields import (
    BRACES,
    checked_parameters,
    language_field,
    lines_of,
    name_field,
    parameters_field,
)
from web.portal.wizard.forms import stripped

MOST_WORDS = 20


class EndsForm(FlaskForm):
    """Empty fields: nothing is sent."""

    end_words = TextAreaField(
        _l("Words by which the customer ends it, one a line"),
        [Optional(), Length(max=2000)],
        [stripped],
        _l(
            "Such as STOP CHAT. A customer who writes one of them, and nothing else, ends the conversation at "
            "Genesys; the "
            "agent sees the message. Capitals, blanks and full stops do not count."
        ),
    )
    end_text = TextAreaField(
        _l("Text"),
        [Optional(), Length(max=1024)],
        [stripped],
        _l("Sent to the customer when the conversation is over. {name} stands for their name. Empty: nothing is sent."),
    )
    end_template_name = name_field(
        "end_", _l("Template"), _l("Sent where there is no text, or the customer wrote more than 24 hours ago.")
    )
    end_template_language = language_field("end_")
    end_template_parameters = parameters_field(
        _l("As many lines as its body has variables. {name} stands for the customer's name.")
    )

    end_thread = SelectField(
        _l("Who answers the customer then"),
        [Optional()],
        choices=offered(
            {
                "": _l("This line, until the customer has been silent for a day"),
                "release": _l("Whoever Meta's routing chooses: the conversation is released"),
                "ai_agent": _l("Meta's agent: the conversation is passed to it"),
            }
        ),
        description=_l("Only where several responders answer this number (Conversation Routing)."),
    )

    end_listening = BooleanField(
        _l("Listen to Genesys for the ends of conversations"),
        description=_l(
            "Needs nothing to be set up at Genesys. For many conversations at once, or where none may be "
            "missed, set up a trigger or EventBridge instead."
        ),
    )

    def validate_end_words(self, given: Field) -> None:
        words = lines_of(given.data or "")
        if len(words) > MOST_WORDS or any(len(word) > MOST_WORD or not bare(word) for word in words):
            raise ValidationError(
                _(
                    "At most %(lines)s lines, each with %(length)s characters that can be seen.",
                    lines=MOST_WORDS,
                    length=MOST_WORD,
                )
            )

    def validate_end_text(self, given: Field) -> None:
        if set(BRACES.findall(given.data or "")) - {"name"}:
            raise ValidationError(_("Only {name} is filled in; take other words out of their braces."))

    def validate_end_template_parameters(self, given: Field) -> None:
        checked_parameters(given.data or "", ("name",))

    @staticmethod
    def shown_ends(settings: Mapping[str, Any]) -> dict[str, Any]:
        """What stands in the fields, of a line's settings."""
        template = settings.get("end_template") or {}
        return {
            "end_words": "\n".join(settings.get("end_words") or []),
            "end_listening": settings.get("end_listening"),
            "end_template_name": template.get("name"),
            "end_template_language": template.get("language"),
            "end_template_parameters": "\n".join(template.get("parameters", [])),
        }

    def end_settings(self) -> dict[str, Any]:
        template = {
            "name": self.end_template_name.data,
            "language": self.end_template_language.data,
            "parameters": lines_of(self.end_template_parameters.data or ""),
        }
        return {
            "end_words": lines_of(self.end_words.data or "") or None,
            "end_listening": self.end_listening.data or None,
            "end_thread": self.end_thread.data or None,
            "end_text": (self.end_text.data or "").replace("\r\n", "\n") or None,
            "end_template": template if template["name"] else None,
        }
