"""What a line does when a conversation ends: a part of the form of its settings."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask_wtf import FlaskForm
from wtforms import BooleanField, Field, SelectField, TextAreaField, ValidationError
from wtforms.validators import Length, Optional

from relay.core.conversation.ends import MOST_WORD, bare
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
        "Words by which the customer ends it, one a line",
        [Optional(), Length(max=2000)],
        [stripped],
        "Such as STOP CHAT. A customer who writes one of them, and nothing else, ends the conversation at Genesys; the "
        "agent sees the message. Capitals, blanks and full stops do not count.",
    )
    end_text = TextAreaField(
        "Text",
        [Optional(), Length(max=1024)],
        [stripped],
        "Sent to the customer when the conversation is over. {name} stands for their name. Empty: nothing is sent.",
    )
    end_template_name = name_field(
        "end_", "Template", "Sent where there is no text, or the customer wrote more than 24 hours ago."
    )
    end_template_language = language_field("end_")
    end_template_parameters = parameters_field(
        "As many lines as its body has variables. {name} stands for the customer's name."
    )

    end_thread = SelectField(
        "Who answers the customer then",
        [Optional()],
        choices={
            "": "This line, until the customer has been silent for a day",
            "release": "Whoever Meta's routing chooses: the conversation is released",
            "ai_agent": "Meta's agent: the conversation is passed to it",
        },
        description="Only where several responders answer this number (Conversation Routing).",
    )

    end_listening = BooleanField(
        "Listen to Genesys for the ends of conversations",
        description="Needs nothing to be set up at Genesys. For many conversations at once, or where none may be "
        "missed, set up a trigger or EventBridge instead.",
    )

    def validate_end_words(self, given: Field) -> None:
        words = lines_of(given.data or "")
        if len(words) > MOST_WORDS or any(len(word) > MOST_WORD or not bare(word) for word in words):
            raise ValidationError(f"At most {MOST_WORDS} lines, each with {MOST_WORD} characters that can be seen.")

    def validate_end_text(self, given: Field) -> None:
        if set(BRACES.findall(given.data or "")) - {"name"}:
            raise ValidationError("Only {name} is filled in; take other words out of their braces.")

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
