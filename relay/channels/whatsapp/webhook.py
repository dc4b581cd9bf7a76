"""Meta's webhook body: proof of origin, and its items. Never raises, whatever the body is.

Source: Meta's webhook pages. Several entries, changes and items per POST are normal, and
everything unknown has to be lived with: what is refused is repeated for days.
"""

from __future__ import annotations

import hmac
from collections.abc import Iterator
from typing import Any

from relay.channels.base import Part
from relay.channels.reading import record, records
from relay.channels.text import clean
from relay.channels.whatsapp.identity import matching_contact, recipient_address, sender_address

MEDIA = ("image", "video", "audio", "voice", "document", "sticker")


def sign(secret: str, raw: bytes) -> str:
    """X-Hub-Signature-256: "sha256=" and hex HMAC-SHA256 of the raw bytes."""
    return "sha256=" + hmac.digest(secret.encode("utf-8", "replace"), raw, "sha256").hex()


def verify(secret: str, raw: bytes, signature: str | None) -> bool:
    """No secret proves nothing."""
    if not secret or not signature:
        return False
    return hmac.compare_digest(signature.encode("utf-8", "replace"), sign(secret, raw).encode())


def split(body: Any) -> list[Part]:
    """Every message, status, error and unknown change of the body, in order."""
    found: list[Part] = []
    for entry in records(record(body).get("entry")):
        for change in records(entry.get("changes")):
            for line_ref, address, payload in _items(entry, change):
                kind, mime = _media(payload)
                found.append(Part(line_ref, address, payload, len(found), kind, mime))
    return found


def keep(body: Any, line_refs: set[str]) -> Any:
    """The body reduced to the changes of the given phone numbers."""
    entries = []
    for entry in records(record(body).get("entry")):
        changes = [c for c in records(entry.get("changes")) if _line_ref(record(c.get("value"))) in line_refs]
        if changes:
            entries.append({**entry, "changes": changes})
    return {**record(body), "entry": entries}


def _items(entry: dict[str, Any], change: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Line, address and payload of each item of a change."""
    value = record(change.get("value"))
    common = {
        "field": clean(change.get("field")) or "messages",
        "waba_id": clean(entry.get("id")),
        "metadata": record(value.get("metadata")),
    }
    line_ref = _line_ref(value)
    items = list(_known(value)) if common["field"] == "messages" else []
    for address, item in items or [("", {"kind": "other", "value": change.get("value")})]:
        yield line_ref, address, {**common, **item}


def _known(value: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    for message in records(value.get("messages")):
        contact = matching_contact(value, (message.get("from"), message.get("from_user_id")))
        yield sender_address(message, contact or {}), {"kind": "message", "message": message, "contact": contact}
    for status in records(value.get("statuses")):
        contact = matching_contact(value, (status.get("recipient_id"), status.get("recipient_user_id")))
        yield recipient_address(status), {"kind": "status", "status": status, "contact": contact}
    for error in records(value.get("errors")):
        yield "", {"kind": "error", "error": error}


def _line_ref(value: dict[str, Any]) -> str:
    return clean(record(value.get("metadata")).get("phone_number_id")) or ""


def _media(payload: dict[str, Any]) -> tuple[str | None, str | None]:
    message = record(payload.get("message"))
    kind = message.get("type")
    if not isinstance(kind, str) or kind not in MEDIA:
        return None, None
    return kind, clean(record(message.get(kind)).get("mime_type"))
