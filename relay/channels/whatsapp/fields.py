"""Meta's webhook fields: what a field means decides what its changes hold, before anything in them is looked at.

Source: Meta's webhook reference and its changelogs up to November 2026; for `history` and `smb_app_state_sync` its
pages on numbers that are used in the WhatsApp Business app as well.
"""

from __future__ import annotations

from typing import Literal, NamedTuple

ListName = Literal["messages", "message_echoes", "echoes", "calls", "statuses", "errors"]

STANDBY = "standby"
"""Copies of what happens while another responder, such as Meta's own assistant, has the conversation (August 2026)."""
HANDOVERS = "messaging_handovers"
"""A conversation was passed to us, or taken from us: the whole value is one such event."""
_ALL: tuple[ListName, ...] = ("messages", "message_echoes", "echoes", "calls", "statuses", "errors")
_ECHOES: tuple[ListName, ...] = ("message_echoes", "echoes", "statuses", "errors")


class Field(NamedTuple):
    """One field of Meta's webhooks."""

    news: str
    """What a change says that holds nothing to relay."""
    lists: tuple[ListName, ...] = ()
    """The lists in a change whose members are relayed or recorded; without any the whole change is news."""


FIELDS = {
    "messages": Field("a webhook of the field messages in which there is none", _ALL),
    STANDBY: Field("something seen while another responder has the conversation, in which there is no message", _ALL),
    "message_echoes": Field("news of what the business wrote elsewhere, in which there is no message", _ECHOES),
    "smb_message_echoes": Field("news of the business's app in which there is no message", _ECHOES),
    "calls": Field("news of calls", ("calls", "statuses", "errors")),
    "account_alerts": Field("an alert about the WhatsApp account"),
    "account_review_update": Field("the review of the WhatsApp account"),
    "account_settings_update": Field("the settings of the WhatsApp account have changed"),
    "account_update": Field("news of the WhatsApp account"),
    "automatic_events": Field("an event that Meta found in a conversation"),
    "business_capability_update": Field("the limits of the business have changed"),
    "business_username_update": Field("the username of the business"),
    "business_username_updates": Field("the username of the business"),
    "consumer_profile": Field("news of a customer's profile"),
    "flows": Field("news of a flow"),
    "group_lifecycle_update": Field("a group was made or dissolved"),
    "group_participants_update": Field("the members of a group have changed"),
    "group_settings_update": Field("the settings of a group have changed"),
    "group_status_update": Field("the state of a group has changed"),
    "history": Field("messages from before the number was connected, which are not relayed"),
    "message_template_components_update": Field("a template was changed"),
    "message_template_quality_update": Field("the quality of a template has changed"),
    "message_template_status_update": Field("the approval of a template"),
    HANDOVERS: Field("a conversation went over to another responder, or came from one"),
    "partner_solutions": Field("news of a partner's solution"),
    "payment_configuration_update": Field("the settings for payments have changed"),
    "phone_number_name_update": Field("the review of the number's name"),
    "phone_number_quality_update": Field("the quality or the limits of the number have changed"),
    "security": Field("the security settings of the number have changed"),
    "smb_app_state_sync": Field("the address book of the business's app"),
    "template_category_update": Field("the category of a template has changed"),
    "template_correct_category_detection": Field("Meta thinks that a template belongs to another category"),
    "user_preferences": Field("what customers wish to receive"),
}


def known_as(name: str) -> Field:
    """Of a field that nobody has described yet everything is carried that looks like a message, a call or a status."""
    return FIELDS.get(name) or Field(f"a webhook of the field {name}, which the relay does not know", _ALL)
