"""Read marks and typing. Source: Meta's mark-message-as-read and typing-indicators pages.

Both name one of the contact's messages; typing marks it read too, and shows for at most 25 seconds.
"""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

from relay.channels.base import Account, Request
from relay.channels.whatsapp.outbound.render import phone_number_id
from relay.core.messages import Signal


def render_signal(signal: Signal, account: Account) -> Request:
    """The call that shows it on the phone."""
    body: dict[str, Any] = {"messaging_product": "whatsapp", "status": "read", "message_id": signal.provider_id}
    if signal.kind == "typing":
        body["typing_indicator"] = {"type": "text"}
    return Request("POST", f"/{quote(phone_number_id(account), safe='')}/messages", body)
