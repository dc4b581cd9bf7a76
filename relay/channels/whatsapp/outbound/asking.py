"""What a customer is asked to give by a tap: their number, a place, leave to call, a filled-in form.

Source: Meta's location-request, contact-request, call-permission and flows pages of 2026. The form's token is our
message id: it comes back with what was filled in.
"""

from __future__ import annotations

from typing import Any

from relay.channels.http.reading import without_none
from relay.channels.whatsapp.outbound.titles import cut
from relay.core.content import Ask
from relay.core.languages import Say, phrase
from relay.core.messages import Message

BELOW = "👇"
"""What stands above the button where the text is a message of its own."""
FLOW_BUTTON = 30
"""Characters on the button that opens a form."""
OPEN = phrase("Open")
_NAMES = {
    "contact": ("request_contact_info", "request_contact_info"),
    "location": ("location_request_message", "send_location"),
    "call": ("call_permission_request", "call_permission_request"),
    "flow": ("flow", "flow"),
}


def asking(message: Message, ask: Ask, message_id: str, say: Say) -> dict[str, Any]:
    """The content of the interactive message. Leave to call may be asked for without a word."""
    kind, action = _NAMES[ask.kind]
    text = message.text or (None if ask.kind == "call" else BELOW)
    parameters = _form(ask, message_id, say) if ask.kind == "flow" else None
    content = {
        "type": kind,
        "body": {"text": text} if text else None,
        "action": without_none({"name": action, "parameters": parameters}),
    }
    return without_none(content)


def _form(ask: Ask, message_id: str, say: Say) -> dict[str, Any]:
    name = ask.flow or ""
    named = {"flow_id": name} if name.isascii() and name.isdigit() else {"flow_name": name}
    begin = {"flow_action": "navigate", "flow_action_payload": {"screen": ask.screen}} if ask.screen else {}
    button = cut(ask.button or "", FLOW_BUTTON) or say(OPEN)
    return {"flow_message_version": "3", "flow_token": message_id, "flow_cta": button} | named | begin
