"""What is not relayed is kept where an operator finds it: unknown lines, unreadable bodies, refused claims."""

from __future__ import annotations

import json
import zlib
from collections import Counter
from collections.abc import Iterable
from datetime import datetime
from typing import Any

import gevent
import structlog

from db import audit
from db.audit import Author
from db.pool import DatabaseError, Pool
from db.tenants import unknown_lines
from db.tenants.unknown_lines import Signer
from relay.channels.base import ACCOUNT
from relay.channels.raw_update import RawUpdate
from relay.core.brevity import brief, shallow
from web.request.web_context import WebContext
from web.webhooks.budget import LARGE_BYTES, Budget
from web.webhooks.reading import cleaned

log = structlog.get_logger(__name__)

PAYLOAD_LIMIT = 256 * 1024
KEPT_OF_ONE_BODY = 1_000
"""Items without a line, one by one; of a body with more the whole is kept beside them."""
EXCERPT = 16 * 1024
AUDITED_OF_ONE_BODY = 20


def rows(updates: list[RawUpdate], budget: Budget) -> list[unknown_lines.UnknownUpdate]:
    """What is kept of updates that no line takes, KEPT_OF_ONE_BODY at most. Raises OverBudget."""
    kept = budget.in_slices(updates[:KEPT_OF_ONE_BODY])
    return [(_line_ref(one), _short(cleaned(one.address)), one.index, _payload(one)) for one in kept]


def keep_updates(
    pool: Pool,
    channel: str,
    signer: Signer,
    updates: list[unknown_lines.UnknownUpdate],
    arrived_at: datetime,
    reason: str,
) -> None:
    """Raises DatabaseError: then the provider has to repeat them."""
    if not updates:
        return
    unknown_lines.keep(pool, channel, signer, updates, arrived_at, reason)
    refs = len({update[0] for update in updates})
    log.warning("webhook_updates_kept", channel=channel, signed_by=signer.tenant_id, updates=len(updates), refs=refs)


def _line_ref(update: RawUpdate) -> str:
    """News of an account wait for no line, so they stand under no number."""
    return "" if update.line_ref.startswith(ACCOUNT) else _short(cleaned(update.line_ref))


def keep_whole(pool: Pool, channel: str, signer: Signer, raw: bytes, arrived_at: datetime, reason: str) -> None:
    """A body that was not taken apart: its beginning to look at, and all of it. Raises DatabaseError."""
    excerpt = cleaned(raw[:EXCERPT].decode("utf-8", "replace"))
    row = ("", "", 0, {"unreadable": excerpt, "length": len(raw)})
    unknown_lines.keep(pool, channel, signer, [row], arrived_at, f"rightly signed, but {reason}", raw=_deflated(raw))


def audit_foreign(held: WebContext, channel: str, signer: Signer, updates: Iterable[RawUpdate]) -> None:
    """Told to the tenant whose line it is, once a minute per line. Best effort: it carries no message."""
    dropped = Counter(update.line_ref for update in updates)
    due = [ref for ref in dropped if held.drops.due((channel, ref))]
    for ref in due[:AUDITED_OF_ONE_BODY]:
        log.warning(
            "webhook_updates_dropped", channel=channel, line_ref=ref, updates=dropped[ref], signed_by=signer.tenant_id
        )
        try:
            _audit(held, channel, ref, dropped[ref])
        except DatabaseError as error:
            log.warning("webhook_audit_skipped", channel=channel, reason=str(error))


def _audit(held: WebContext, channel: str, ref: str, count: int) -> None:
    route = held.lines.by_ref("whatsapp" if channel == "whatsapp" else "genesys", ref) if ref else None
    detail = {"channel": channel, "updates": count, "reason": "signed with a secret that is not this line's"}
    with held.pool.transaction() as cursor:
        audit.record(
            cursor,
            Author("webhook"),
            "webhook.items_dropped",
            tenant_id=route.tenant_id if route else None,
            subject=_short(cleaned(ref)),
            detail=detail,
        )


def _payload(part: RawUpdate) -> dict[str, Any]:
    payload: dict[str, Any] = cleaned(shallow(part.payload))
    size = len(json.dumps(payload))
    if size > PAYLOAD_LIMIT:
        payload = brief(payload)
        size = len(json.dumps(payload))
    if size > PAYLOAD_LIMIT:
        return {"not_kept": f"{size} bytes; the archive holds the whole webhook"}
    return payload


def _deflated(raw: bytes) -> bytes:
    """In a thread where it takes long: zlib lets others work meanwhile."""
    if len(raw) <= LARGE_BYTES:
        return zlib.compress(raw)
    return bytes(gevent.get_hub().threadpool.apply(zlib.compress, (raw,)))


def _short(text: str) -> str:
    return text[:512]
