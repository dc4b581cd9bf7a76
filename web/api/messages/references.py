"""Messages that a program names: by WhatsApp's id, or by ours, which it had while WhatsApp's was not known."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

from db.mailbox import sends
from db.pool import Pool
from relay.core.content import Native
from web.api.messages.native import ObjectError

OURS = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_HOLDERS = ("context", "reaction")


def resolved(pool: Pool, line_id: str, made: Native) -> Native:
    """With WhatsApp's ids where ours stood. Raises ObjectError."""
    fields = dict(made.fields)
    for name in _HOLDERS:
        holder = fields.get(name)
        if isinstance(holder, dict) and "message_id" in holder:
            fields[name] = holder | {"message_id": known(pool, line_id, holder["message_id"], f"{name}.message_id")}
    return replace(made, fields=fields)


def known(pool: Pool, line_id: str, message_id: Any, field: str) -> Any:
    """WhatsApp's id of one message; what is none of ours stays as it is. Raises ObjectError."""
    if not isinstance(message_id, str) or not OURS.fullmatch(message_id):
        return message_id
    found = sends.provider_id(pool, line_id, message_id)
    if not found:
        raise ObjectError(131009, field, "is no message of this line that WhatsApp knows yet; wait until it is sent")
    return found
