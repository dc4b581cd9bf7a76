"""Which of Meta's webhook fields the relay wants an app to be subscribed to, and what for.

What a field's changes hold stands in fields.py. The choice is ours; the fields are those of Meta's webhook reference,
November 2026. A field that is missing is missed in silence.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Literal, NamedTuple, get_args

Use = Literal["traffic", "health", "portal", "optional"]
"""Without `traffic` messages are lost; without `health` trouble is not told; `portal` keeps its pages fresh."""
USES: tuple[Use, ...] = get_args(Use)


class WantedField(NamedTuple):
    """Why a field is wanted, to be read after its name."""

    use: Use
    purpose: str


WANTED = {
    "messages": WantedField("traffic", "customers' messages, and what became of ours"),
    "standby": WantedField("traffic", "copies of conversations that another responder has"),
    "messaging_handovers": WantedField("traffic", "conversations that are passed to us or taken from us"),
    "smb_message_echoes": WantedField("traffic", "answers from the WhatsApp Business app on the business's phone"),
    "account_update": WantedField("health", "restrictions, bans and the end of a connection"),
    "account_alerts": WantedField("health", "alerts about the account"),
    "account_review_update": WantedField("health", "the review of the account"),
    "phone_number_quality_update": WantedField("health", "the number's quality and limits"),
    "phone_number_name_update": WantedField("health", "the review of the number's name"),
    "business_capability_update": WantedField("health", "the limits of the business"),
    "security": WantedField("health", "changes of the number's security settings"),
    "message_template_status_update": WantedField("portal", "templates approved, refused or paused"),
    "message_template_quality_update": WantedField("portal", "the quality of templates"),
    "message_template_components_update": WantedField("portal", "templates that were changed"),
    "template_category_update": WantedField("portal", "templates in a new category"),
    "template_correct_category_detection": WantedField("portal", "templates that Meta finds in the wrong category"),
    "user_preferences": WantedField("optional", "customers who want no more marketing messages"),
    "business_username_updates": WantedField("optional", "the username of the business"),
    "calls": WantedField("optional", "calls that nobody answers"),
    "history": WantedField("optional", "messages from before the number was connected, which are not relayed"),
    "smb_app_state_sync": WantedField("optional", "the address book of the WhatsApp Business app"),
    "account_settings_update": WantedField("optional", "changes of the account's settings"),
}


def missing(subscribed: Collection[str], use: Use) -> list[str]:
    """The wanted fields of one use that are not among `subscribed`, in the order of WANTED."""
    return [name for name, wanted in WANTED.items() if wanted.use == use and name not in subscribed]


def in_words(names: Collection[str]) -> str:
    """`standby (copies of ...) and calls (...)`."""
    told = [f"{name} ({WANTED[name].purpose})" for name in names]
    return " and ".join(filter(None, (", ".join(told[:-1]), *told[-1:])))
