"""What is not relayed is kept where an operator finds it: unknown lines, unreadable bodies, refused claims."""

from __future__ import annotations

import json
from collections import Counter
from datetime import datetime
from typing import Any

import structlog

from db import audit, unknown_lines
from db.audit import By
from db.pool import DatabaseError, Pool
from relay.channels.base import ACCOUNT, Part
from relay.core.brevity import brief
from web.parts import WebParts
from web.webhooks.reading import cleaned

log = structlog.get_logger(__name__)

PAYLOAD_LIMIT = 256 * 1024
EXCERPT = 16 * 1024


def keep_unknown(pool: Pool, channel: str, items: list[Part], arrived_at: datetime) -> None:
    """Raises DatabaseError: then the provider has to repeat them."""
    if not items:
        return
    rows = [(_line_ref(one), _short(cleaned(one.address)), one.index, _payload(one)) for one in items]
    unknown_lines.keep(pool, channel, rows, arrived_at, "no active line has this id")
    log.warning("webhook_items_kept", channel=channel, items=len(items), refs=len({one.line_ref for one in items}))


def _line_ref(item: Part) -> str:
    """News of an account wait for no line, so they stand under no number."""
    return "" if item.line_ref.startswith(ACCOUNT) else _short(cleaned(item.line_ref))


def keep_unreadable(pool: Pool, channel: str, raw: bytes, arrived_at: datetime) -> None:
    """Its beginning; the whole is in the archive. Raises DatabaseError."""
    excerpt = cleaned(raw[:EXCERPT].decode("utf-8", "replace"))
    row = ("", "", 0, {"unreadable": excerpt, "length": len(raw)})
    unknown_lines.keep(pool, channel, [row], arrived_at, "rightly signed, but not readable as JSON")


def audit_foreign(parts: WebParts, channel: str, items: list[Part]) -> None:
    """Told to the tenant whose line it is, once a minute per line. Best effort: it carries no message."""
    for ref, count in Counter(item.line_ref for item in items).items():
        if not parts.drops.due((channel, ref)):
            continue
        log.warning("webhook_items_dropped", channel=channel, line_ref=ref, items=count)
        try:
            _audit(parts, channel, ref, count)
        except DatabaseError as error:
            log.warning("webhook_audit_skipped", channel=channel, reason=str(error))


def nameless(ref: str) -> list[Part]:
    """An item of which only the line is known."""
    return [Part(ref, "", {}, 0)]


def _audit(parts: WebParts, channel: str, ref: str, count: int) -> None:
    route = parts.lines.by_ref("whatsapp" if channel == "whatsapp" else "genesys", ref) if ref else None
    detail = {"channel": channel, "items": count, "reason": "signed with a secret that is not this line's"}
    with parts.pool.transaction() as cursor:
        audit.record(
            cursor,
            By("webhook"),
            "webhook.items_dropped",
            tenant_id=route.tenant_id if route else None,
            subject=_short(cleaned(ref)),
            detail=detail,
        )


def _payload(part: Part) -> dict[str, Any]:
    try:
        payload: dict[str, Any] = cleaned(part.payload)
        size = len(json.dumps(payload))
        if size > PAYLOAD_LIMIT:
            payload = brief(payload)
            size = len(json.dumps(payload))
    except RecursionError:
        return {"not_kept": "nested too deeply; the archive holds the whole webhook"}
    if size > PAYLOAD_LIMIT:
        return {"not_kept": f"{size} bytes; the archive holds the whole webhook"}
    return payload


def _short(text: str) -> str:
    return text[:512]
