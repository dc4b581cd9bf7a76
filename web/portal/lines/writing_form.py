"""How what agents and bots write looks on the phone: a part of the form of a line's settings."""

from __future__ import annotations

from typing import Any

from flask_wtf import FlaskForm
from wtforms import BooleanField, SelectField
from wtforms.validators import Optional


class WritingForm(FlaskForm):
    """Empty: as it was written."""

    markdown = SelectField(
        "Markdown",
        [Optional()],
        choices={
            "": "As it was written",
            "bots": "In WhatsApp's marks where a bot wrote it",
            "all": "In WhatsApp's marks, whoever wrote it",
        },
        description="**bold** becomes bold, ~~gone~~ is struck out, [text](address) becomes text: address, and &amp; "
        "becomes &. What is written in WhatsApp's own marks stays.",
    )
    link_previews = BooleanField(
        "Show a preview of the first link in a text",
        description="WhatsApp fetches the page and shows its title and picture.",
    )

    agent_name = SelectField(
        "Agent's name before what an agent writes",
        [Optional()],
        choices={
            "": "None",
            "name": "The name, such as Ana Maria Silva",
            "first_name": "The first name, such as Ana",
            "initials": "The initials, such as AMS",
            "alias": "The preferred name of the profile at Genesys, else the name",
        },
        description="Where the relay knows who writes. It has to hear of agents who come and go: see When a "
        "conversation ends.",
    )

    def writing_settings(self) -> dict[str, Any]:
        return {
            "markdown": self.markdown.data or None,
            "link_previews": self.link_previews.data or None,
            "agent_name": self.agent_name.data or None,
        }
