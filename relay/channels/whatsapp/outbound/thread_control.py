"""Handing a thread over: pass, release, take. Source: Meta's thread-control page, September and October 2026."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

from relay.channels.base import Request
from relay.channels.http.reading import without_none
from relay.core.errors import CannotCarry
from relay.core.languages import phrase
from relay.core.messages import Message
from relay.core.threads import LONGEST_NOTE

ENDPOINT = "/thread_control"


def thread_control(message: Message, named: dict[str, str], phone_number_id: str) -> Request:
    """The call that hands over the thread of the contact in `named`, who is told nothing.

    `to` stands here as Meta's pages have it: digits alone.
    """
    control = message.control
    if control is None:
        raise CannotCarry("command_unreadable", phrase("nothing is asked of the conversation"))
    contact = {name: address.removeprefix("+") for name, address in named.items()}
    body: dict[str, Any] = {
        "messaging_product": "whatsapp",
        **contact,
        "action": control.action,
        "metadata": (control.note or "")[:LONGEST_NOTE] or None,
        "control_pass": {"target_role": control.role} if control.action == "pass" and control.role else None,
    }
    return Request("POST", f"/{quote(phone_number_id, safe='')}{ENDPOINT}", without_none(body))


def hands_over(request: Request) -> bool:
    """Whether the call is one of these."""
    return request.path.endswith(ENDPOINT)
