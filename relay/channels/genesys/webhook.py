"""Genesys' webhook body: proof of origin, and its update. Never raises, whatever the body is.

Source: Genesys developer centre, "Validate webhook notifications" and "Outbound messages".
"""

from __future__ import annotations

import base64
import hmac
from collections.abc import Callable, Iterator
from typing import Any

from relay.channels.http.reading import record, records
from relay.channels.raw_update import RawUpdate
from relay.channels.text import clean
from relay.core.messages import MediaKind

KINDS: dict[str, MediaKind] = {
    "image": "image",
    "video": "video",
    "audio": "audio",
    "file": "document",
    "link": "link",
}
UNREADABLE = "unreadable"
"""The only member of a payload that holds something else than an object."""


def sign(secret: str, raw: bytes) -> str:
    """X-Hub-Signature-256: "sha256=" and base64 (Meta: hex) HMAC-SHA256 of the raw bytes."""
    return "sha256=" + base64.b64encode(hmac.digest(secret.encode("utf-8", "replace"), raw, "sha256")).decode()


def verify(secret: str, raw: bytes, signature: str | None) -> bool:
    """No secret proves nothing."""
    if not secret or not signature:
        return False
    return hmac.compare_digest(signature.encode("utf-8", "replace"), sign(secret, raw).encode())


def split(body: Any) -> Iterator[RawUpdate]:
    """The objects of the body: one, as a rule. What is no object is kept, so that somebody can see it."""
    updates = body if isinstance(body, list) else [] if body is None else [body]
    return (_raw_update(update, index) for index, update in enumerate(updates))


def keep(body: Any, line_refs: set[str]) -> Any:
    """The body reduced to the given integrations; None when nothing of a single object is left."""
    if isinstance(body, list):
        return [update for update in body if line_ref(record(update)) in line_refs]
    return body if line_ref(record(body)) in line_refs else None


def rewrite(body: Any, line_refs: set[str], change: Callable[[Any], Any]) -> Any:
    """The body with the updates of the given integrations put through `change`; None where nothing is left."""
    if not isinstance(body, list):
        return change(body) if line_ref(record(body)) in line_refs else body
    changed = (change(one) if line_ref(record(one)) in line_refs else one for one in body)
    return [one for one in changed if one is not None] or (None if body else body)


def line_ref(update: dict[str, Any]) -> str:
    """The integration's id."""
    channel = record(update.get("channel"))
    return clean(channel.get("id")) or clean(record(channel.get("from")).get("id")) or ""


def customer_address(update: dict[str, Any]) -> str:
    """The customer as the relay named him: the receiver, or the sender in a receipt seen from there."""
    channel = record(update.get("channel"))
    to, sender = (clean(record(channel.get(side)).get("id")) or "" for side in ("to", "from"))
    return sender if to and to == clean(channel.get("id")) else to


def media_kind(attachment: dict[str, Any]) -> MediaKind:
    """Genesys' mediaType in the relay's words."""
    return KINDS.get((clean(attachment.get("mediaType")) or "").lower(), "document")


def _raw_update(update: Any, index: int) -> RawUpdate:
    if not isinstance(update, dict):
        return RawUpdate("", "", {UNREADABLE: update}, index)
    return RawUpdate(line_ref(update), customer_address(update), update, index, *_media(update))


def _media(update: dict[str, Any]) -> tuple[str | None, str | None]:
    """Of the first file."""
    for content in records(update.get("content")):
        if attachment := record(content.get("attachment")):
            return media_kind(attachment), clean(attachment.get("mime"))
    return None, None
