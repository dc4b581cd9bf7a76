"""What is deleted of a person in PostgreSQL, a bounded number of rows at a time."""

from __future__ import annotations

import base64
import binascii
import zlib
from collections.abc import Sequence
from typing import Any
from uuid import UUID

from psycopg2.extras import Json

from db.contacts import erasures, expiry
from db.mailbox import expiry as messages_expiry
from db.pool import Pool
from db.tenants import unknown_lines
from relay.core.erasure import GONE, Named, mentions, without, without_in_text

ROWS = 250
SCANNED = 500
UNREAD = ("unreadable", "shortened")
"""Members of payloads that hold the beginning of a text."""

Stored = tuple[str, str]
"""Bucket and key of an object."""


def files(pool: Pool, conversations: Sequence[str]) -> tuple[list[str], list[Stored], int]:
    """The next messages of these conversations, where their files are, and how many calls are still under way."""
    with pool.autocommit() as cursor:
        cursor.execute(
            """SELECT m.id::text, m.content->'media'->>'bucket', m.content->'media'->>'object_key', m.media_url,
                      m.state = 'sending' FROM unnest(%s::uuid[]) c (id) CROSS JOIN LATERAL (
                 SELECT * FROM message_tracking x WHERE x.conversation_id = c.id LIMIT %s) m LIMIT %s""",
            (list(conversations), ROWS, ROWS),
        )
        rows = cursor.fetchall()
    stored = {(row[1], row[2]) for row in rows if row[1] and row[2]}
    stored |= {(bucket, key) for row in rows if row[3] for bucket, _, key in [row[3].partition("/")]}
    return [row[0] for row in rows if not row[4]], sorted(stored), sum(row[4] for row in rows)


def messages(pool: Pool, message_ids: Sequence[str]) -> dict[str, int]:
    """Rows with attempts and history, and delivery reports that wait for them. Counts by table."""
    with pool.transaction() as cursor:
        cursor.execute(
            """DELETE FROM parked_receipts p
               WHERE p.message_id = ANY(%(ids)s::uuid[]) OR (p.line_id, p.provider_id) IN (
                 SELECT a.line_id, a.provider_id FROM message_attempts a
                 WHERE a.message_id = ANY(%(ids)s::uuid[]) AND a.provider_id IS NOT NULL)""",
            {"ids": list(message_ids)},
        )
        parked = int(cursor.rowcount)
        cursor.execute("DELETE FROM replays_under_way WHERE message_id = ANY(%s::uuid[])", (list(message_ids),))
        count = messages_expiry.delete(cursor, message_ids, unfinished=True)
    return {"message_tracking": count, "parked_receipts": parked}


def told(pool: Pool, conversations: Sequence[str]) -> int:
    """Events of these conversations that endpoints were told, or were to be, with the tries and what was answered.

    A bounded number; returns how many.
    """
    with pool.transaction() as cursor:
        cursor.execute(
            """DELETE FROM endpoint_events WHERE id IN (
                 SELECT e.id FROM unnest(%s::uuid[]) c (id) CROSS JOIN LATERAL (
                   SELECT x.id FROM endpoint_events x WHERE x.lane = c.id LIMIT %s) e LIMIT %s)""",
            (list(conversations), ROWS, ROWS),
        )
        return int(cursor.rowcount)


def contact(pool: Pool, conversations: Sequence[str]) -> dict[str, int]:
    """Those without messages. Who writes just now is waited for, and keeps the contact until that message is gone."""
    with pool.transaction() as cursor:
        ids = {"ids": list(conversations)}
        cursor.execute(
            "SELECT 1 FROM conversation_mappings WHERE id = ANY(%(ids)s::uuid[]) ORDER BY id FOR UPDATE", ids
        )
        # Only a statement after the lock sees what they wrote whom it waited for.
        cursor.execute(
            """SELECT id::text FROM conversation_mappings c WHERE id = ANY(%(ids)s::uuid[])
               AND NOT EXISTS (SELECT 1 FROM message_tracking m WHERE m.conversation_id = c.id)""",
            ids,
        )
        return expiry.delete(cursor, [row[0] for row in cursor.fetchall()])


def any_left(pool: Pool, conversations: Sequence[str]) -> bool:
    """Whether one of these contacts is still known."""
    with pool.autocommit() as cursor:
        cursor.execute("SELECT 1 FROM conversation_mappings WHERE id = ANY(%s::uuid[]) LIMIT 1", (list(conversations),))
        return cursor.fetchone() is not None


def parked(pool: Pool, tenant_id: str, named: Named) -> int:
    """Delivery reports that match no message, where the provider's id or words name the person."""
    with pool.transaction() as cursor:
        cursor.execute(
            """SELECT p.line_id, p.provider_id, p.status, p.provider_id || ' ' || coalesce(p.reason, '') || ' '
                 || coalesce(p.answer, '') FROM lines l JOIN parked_receipts p ON p.line_id = l.id
               WHERE l.tenant_id = %s""",
            (UUID(tenant_id),),
        )
        found = [row[:3] for row in cursor.fetchall() if mentions(f"{row[3]} {_inside(row[1])}", named)]
        for row in found:
            cursor.execute("DELETE FROM parked_receipts WHERE line_id = %s AND provider_id = %s AND status = %s", row)
    return len(found)


def _inside(provider_id: str) -> str:
    """WhatsApp's message ids hold the contact's number, in base64, between bytes that are no part of a word."""
    text = provider_id.removeprefix("wamid.")
    try:
        return base64.b64decode(text[: len(text) // 4 * 4]).decode("latin-1")
    except (binascii.Error, ValueError):
        return ""


def notices(pool: Pool, tenant_id: str, after: int, named: Named) -> tuple[int, int | None]:
    """Of the next notices those that name the person: what is theirs goes, what others are named by stays.

    How many that was, and where to go on; None: there are no more.
    """
    with pool.transaction() as cursor:
        cursor.execute(
            "SELECT id, payload, reason FROM line_notices WHERE tenant_id = %s AND id > %s ORDER BY id LIMIT %s",
            (UUID(tenant_id), after, SCANNED),
        )
        rows = cursor.fetchall()
        gone, kept = [], []
        for notice_id, payload, reason in rows:
            left = _left_of(payload, named)
            if left is GONE or mentions(reason, named):
                gone.append(notice_id)
            elif left != payload:
                kept.append((Json(left), notice_id))
        cursor.execute("DELETE FROM line_notices WHERE id = ANY(%s)", (gone,))
        for row in kept:
            cursor.execute("UPDATE line_notices SET payload = %s WHERE id = %s", row)
    return len(gone) + len(kept), rows[-1][0] if len(rows) == SCANNED else None


def _left_of(payload: Any, named: Named) -> Any:
    """The payload without the person. One that could not be read, or was too large, holds a text: all of it or none."""
    if isinstance(payload, dict):
        texts = [payload[key] for key in UNREAD if isinstance(payload.get(key), str)]
        if any(mentions(one, named) for one in texts):
            return GONE
    return without(payload, named)


def unknown(pool: Pool, tenant_id: str, after: int, named: Named) -> tuple[int, int | None]:
    """The same of what waits for lines: the tenant's own by signature, and what the operator's app signed for numbers
    that are proved to be its.

    Anybody may name another tenant's number in a line that nothing has proved.
    """
    with pool.transaction() as cursor:
        cursor.execute(
            """SELECT id, address, payload, raw FROM unknown_lines u
               WHERE id > %(after)s AND (owner = %(tenant)s OR owner = '' AND EXISTS (SELECT 1 FROM lines l
                 WHERE l.tenant_id = %(tenant)s::uuid AND l.proven_at IS NOT NULL
                   AND u.line_ref IN (l.phone_number_id, l.integration_id)))
               ORDER BY id LIMIT %(limit)s""",
            {"after": after, "tenant": tenant_id, "limit": SCANNED},
        )
        rows = cursor.fetchall()
        gone, changed = [], 0
        for update_id, address, payload, packed in rows:
            raw = None if packed is None else _inflated(packed)
            left = _left_of(payload, named)
            kept = raw and without_in_text(raw, named, lambda _: True)
            if named(address) or left is GONE or (raw and kept is None):
                gone.append(update_id)
            elif left != payload or kept != raw:
                unknown_lines.rewrite(cursor, update_id, left, kept and zlib.compress(kept))
                changed += 1
        unknown_lines.drop_relayed(cursor, gone)
    return len(gone) + changed, rows[-1][0] if len(rows) == SCANNED else None


def _inflated(raw: Any) -> bytes:
    if raw is None:
        return b""
    try:
        return zlib.decompress(bytes(raw))
    except zlib.error:
        return bytes(raw)


def came_back(pool: Pool, tenant_id: str, names: Sequence[str], asked_at: Any) -> list[str]:
    """Conversations that began with what was on its way, and with nothing since: to be erased like the others."""
    with pool.transaction() as cursor:
        found = erasures.having(cursor, tenant_id, names)
        cursor.execute(
            """SELECT c::text FROM unnest(%s::uuid[]) c WHERE NOT EXISTS (
                 SELECT 1 FROM message_tracking m WHERE m.conversation_id = c AND m.arrived_at > %s)""",
            (found, asked_at),
        )
        return [row[0] for row in cursor.fetchall()]
