"""How what agents and bots write looks on the phone: a part of the form of a line's settings."""

from __future__ import annotations

from typing import Any

from flask_wtf import FlaskForm
from wtforms import BooleanField, SelectField
from wtforms.validators import Optional

from web.portal.frame.language import _l, offered


class WritingForm(FlaskForm):
    """Empty: as it was written."""

    markdown = SelectField(
        _l("Markdown"),
        [Optional()],
        choices=offered(
            {
                "": _l("As it was written"),
                "bots": _l("In WhatsApp's marks where a bot wrote it"),
                "all": _l("In WhatsApp's marks, whoever wrote it"),
            }
        ),
        description="**bold** becomes bold, ~~gone~~ is struck out, [text](address) becomes text: address, and &amp; "
        "becomes &. What is written in WhatsApp's own marks stays.",
    )
    link_previews = BooleanField(
        _l("Show a preview of the first link in a text"),
        description=_l("WhatsApp fetches the page and shows its title and picture."),
    )

    agent_name = SelectField(
        _l("Agent's name before what an agent writes"),
        [Optional()],
        choices=offered(
            {
                "": _l("None"),
                "name": _l("The name, such as Ana Maria Silva"),
                "first_name": _l("The first name, such as Ana"),
                "initials": _l("The initials, such as AMS"),
                "alias": _l("The preferred name of the profile at Genesys, else the name"),
            }
        ),
        description=_l(
            "Where the relay knows who writes. It has to hear of agents who come and go: see When a conversation ends."
        ),
    )

    def writing_settings(self) -> dict[str, Any]:
        return {
            "markdown": self.markdown.data or None,
            "link_previews": self.link_previews.data or None,
            "agent_name": self.agent_name.data or None,
        }
