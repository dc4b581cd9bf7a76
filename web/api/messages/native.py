"""A message object as Meta's Cloud API takes it: who it is for, and what of it is passed on as it is.

Only what the relay itself needs is looked at; what is in the message, Meta judges. Source: Meta's send-messages page.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from typing import Any

from relay.core.content import Native
from relay.core.messages import Person
from web.api.messages.state import person_of
from web.request.errors import ApiError

LONGEST = 4096
"""Characters of what is shown of it. What goes out is not cut."""
DEEPEST = 16
MOST = 20_000
"""Values in one object; 257 contacts with ten each are fewer."""
CALLBACK = 512
_INTEGER = 2**53
_OURS = ("messaging_product", "recipient_type", "to", "recipient", "type", "biz_opaque_callback_data")
_OF_MARKS = ("status", "message_id", "typing_indicator")
"""Meta would take an object with these for a read mark, and show nothing to anybody."""
_KNOWN = ("text", "image", "video", "audio", "document", "sticker", "reaction", "template", "location", "contacts")
OTHER = "other"
"""What the relay calls a type that it does not know: no word of a program's may be taken for one of its own."""
_ASKING = ("location_request_message", "request_contact_info", "call_permission_request", "flow")


class ObjectError(ValueError):
    """It cannot be sent like this: which field, why, and the code that Meta has for it."""

    def __init__(self, code: int, field: str, text: str) -> None:
        super().__init__(f"{field} {text}")
        self.code = code
        self.field = field
        self.text = text


def read(given: Mapping[str, Any], to: str | None = None) -> tuple[Native, Person]:
    """The message and who gets it; `to` where the caller has named them already. Raises ObjectError."""
    _check(given)
    if given.get("messaging_product", "whatsapp") != "whatsapp":
        raise ObjectError(100, "messaging_product", "must be whatsapp")
    if given.get("recipient_type", "individual") != "individual":
        raise ObjectError(131009, "recipient_type", "must be individual; the relay does not write into groups")
    for name in _OF_MARKS:
        if given.get(name) is not None:
            raise ObjectError(131009, name, "belongs to a read mark; a message quotes another by context.message_id")
    kind = _kind(given)
    fields = {name: value for name, value in given.items() if name not in (*_OURS, *_OF_MARKS)}
    return Native(kind, fields, _callback(given)), _person(given, to)


def shown(native: Native) -> tuple[str, str | None]:
    """(kind, text) as pages and quotes show it."""
    content = native.fields.get(native.type)
    inner = content if isinstance(content, dict) else {}
    if native.type == "interactive":
        return "ask" if inner.get("type") in _ASKING else "menu", _text(inner.get("body"), "text")
    if native.type == "location":
        place = ", ".join(str(inner[name]) for name in ("latitude", "longitude") if name in inner)
        return native.type, _text(inner, "name") or _text(inner, "address") or place[:LONGEST] or None
    if native.type == "contacts" and isinstance(content, list):
        names = [_text(one.get("name"), "formatted_name") for one in content if isinstance(one, dict)]
        return native.type, ", ".join(filter(None, names))[:LONGEST] or None
    if native.type == "template":
        return native.type, f"template {_text(inner, 'name') or ''}".strip()
    kind = native.type if native.type in _KNOWN else OTHER
    return kind, next(filter(None, (_text(inner, name) for name in ("body", "caption", "emoji"))), None)


def _text(holder: Any, name: str) -> str | None:
    found = holder.get(name) if isinstance(holder, dict) else None
    return found[:LONGEST] if isinstance(found, str) and found else None


def _kind(given: Mapping[str, Any]) -> str:
    kind = given.get("type", "text")
    if not isinstance(kind, str) or not re.fullmatch(r"[a-z_]{1,40}", kind) or kind in (*_OURS, *_OF_MARKS, "context"):
        raise ObjectError(131009, "type", "must be one of WhatsApp's types of message")
    if not given.get(kind) or not isinstance(given[kind], (dict, list)):
        raise ObjectError(131008, kind, f"is missing; type {kind} cannot be without it")
    return kind


def _callback(given: Mapping[str, Any]) -> str | None:
    found = given.get("biz_opaque_callback_data")
    if found is not None and (not isinstance(found, str) or len(found) > CALLBACK):
        raise ObjectError(131009, "biz_opaque_callback_data", f"must be a text of at most {CALLBACK} characters")
    return found


def _person(given: Mapping[str, Any], to: str | None) -> Person:
    """As at Meta, `to` wins where both are given."""
    field = next((name for name in ("to", "recipient") if given.get(name) is not None), None)
    if to is None and field is None:
        raise ObjectError(131008, "to", "is missing")
    address = to if to is not None else given[str(field)]
    if isinstance(address, int) and not isinstance(address, bool):
        address = str(address)
    if not isinstance(address, str) or len(address) > 140:
        raise ObjectError(131009, str(field), "must be a phone number with country code, or a business-scoped user id")
    try:
        return person_of(address, field or "to")
    except ApiError as error:
        raise ObjectError(131009, field or "to", error.message.partition("` ")[2] or error.message) from None


def _check(given: Mapping[str, Any]) -> None:
    """What could not be kept, or never told again as it was: numbers without end, half signs, pits without a bottom."""
    left = MOST
    todo: list[tuple[Any, int]] = [(given, 0)]
    while todo:
        value, depth = todo.pop()
        left -= 1
        if left < 0 or depth > DEEPEST:
            raise ObjectError(100, "the message", f"holds more than {MOST} values, or is nested deeper than {DEEPEST}")
        if isinstance(value, dict):
            todo += [(one, depth + 1) for pair in value.items() for one in pair]
        elif isinstance(value, list):
            todo += [(one, depth + 1) for one in value]
        elif not _storable(value):
            raise ObjectError(100, "the message", "holds a character or a number that no JSON parser could read back")


def _storable(value: Any) -> bool:
    if isinstance(value, str):
        return "\x00" not in value and not any("\ud800" <= sign <= "\udfff" for sign in value)
    if isinstance(value, float):
        return math.isfinite(value)
    return not isinstance(value, int) or abs(value) <= _INTEGER
