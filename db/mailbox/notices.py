"""line_notices: what reached a line and is no contact's message, kept for a while with the reason, and listed."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from psycopg2.extras import execute_values

from db.cursor import Cursor
from db.mailbox.messages import stamp
from db.paging import Page, decode, page
from db.pool import Pool
from db.tenants import check_runs
from relay.core.brevity import brief

PAYLOAD_BYTES = 64 * 1024
PER_LINE = 5000
EXPIRED_AT_ONCE = 1000
REASON_LENGTH = 1000
KIND_LENGTH = 100


@dataclass(frozen=True, slots=True)
class NewNotice:
    """One to keep. `at` is Unix seconds. The same payload of the same kind is kept once per line."""

    tenant_id: str
    line_id: str
    channel: str
    kind: str
    reason: str
    payload: Any = field(repr=False)
    at: float


@dataclass(frozen=True, slots=True)
class ListedNotice:
    """As it is listed. A payload that was too large is {"shortened": its beginning, "bytes": its size}."""

    id: int
    tenant_id: str
    line_id: str
    channel: str
    kind: str
    reason: str
    payload: Any = field(repr=False)
    at: datetime


def keep(cursor: Cursor, rows: Iterable[NewNotice]) -> None:
    """A repeated webhook makes no second notice. A line that got a new one keeps so many and no more; news of its
    number or account have it checked soon."""
    values = sorted((_values(one) for one in rows), key=lambda row: (row[1], row[6]))
    if not values:
        return
    inserted = execute_values(
        cursor,
        """INSERT INTO line_notices (tenant_id, line_id, channel, kind, reason, payload, digest, at) VALUES %s
           ON CONFLICT (line_id, digest) DO NOTHING RETURNING line_id, kind""",
        values,
        template="(%s::uuid, %s::uuid, %s, %s, %s, %s::json, %s, coalesce(%s::timestamptz, now()))",
        page_size=len(values),
        fetch=True,
    )
    for line_id in sorted({row[0] for row in inserted}):
        cursor.execute(
            """DELETE FROM line_notices WHERE id IN (
                 SELECT id FROM line_notices WHERE line_id = %s ORDER BY id DESC OFFSET %s LIMIT %s)""",
            (line_id, PER_LINE, EXPIRED_AT_ONCE),
        )
    for line_id in sorted({row[0] for row in inserted if row[1] in check_runs.ASKED_BY_NEWS}):
        check_runs.hasten(cursor, line_id)


def _values(one: NewNotice) -> tuple[Any, ...]:
    whole = json.dumps(one.payload, sort_keys=True, separators=(",", ":"))
    digest = hashlib.sha256("\n".join((one.channel, one.kind, whole)).encode("utf-8", "replace")).digest()
    return (
        one.tenant_id, one.line_id, one.channel, _storable(one.kind)[:KIND_LENGTH],
        _storable(one.reason)[:REASON_LENGTH], _shortened(one.payload, whole), digest, stamp(one.at),
    )  # fmt: skip


def _shortened(payload: Any, whole: str) -> str:
    """JSON in ASCII, so that its length is its size. First the long texts go, then the end."""
    for written in (whole, json.dumps(brief(payload)) if len(whole) > PAYLOAD_BYTES else whole):
        if len(written) <= PAYLOAD_BYTES:
            return written
    # Half, for quotation marks are escaped once more.
    return json.dumps({"shortened": whole[: PAYLOAD_BYTES // 2 - 100], "bytes": len(whole)})


def _storable(text: str) -> str:
    """Without what PostgreSQL refuses in a text."""
    return text.replace("\x00", "").encode("utf-8", "replace").decode()


def listed(
    pool: Pool, tenant_id: str, line_id: str | None = None, before: str | None = None, limit: int = 50
) -> Page[ListedNotice]:
    """The newest first. Raises CursorError when `before` is not the `next` of an earlier page."""
    (last,) = decode(before, int) if before is not None else (None,)
    with pool.transaction() as cursor:
        cursor.execute(
            f"""SELECT id, tenant_id, line_id, channel, kind, reason, payload, at FROM line_notices
                WHERE tenant_id = %(tenant)s {"AND line_id = %(line)s" if line_id else ""}
                 {"AND id < %(last)s" if last is not None else ""}
                ORDER BY id DESC LIMIT %(limit)s""",
            {
                "tenant": UUID(tenant_id),
                "line": UUID(line_id) if line_id else None,
                "last": last,
                "limit": limit + 1,
            },
        )
        rows = [_notice(row) for row in cursor.fetchall()]
    return page(rows, limit, lambda one: (one.id,))


def _notice(row: Sequence[Any]) -> ListedNotice:
    return ListedNotice(row[0], str(row[1]), str(row[2]), *row[3:])


def expire(cursor: Cursor, tenant_id: str, before: datetime) -> int:
    """Delete a bounded number of a tenant's that are older. Returns how many."""
    cursor.execute(
        """DELETE FROM line_notices WHERE id = ANY (ARRAY(SELECT id FROM (
             SELECT id, at FROM line_notices WHERE tenant_id = %s ORDER BY id LIMIT %s) oldest WHERE at < %s))""",
        (UUID(tenant_id), EXPIRED_AT_ONCE, before),
    )
    return int(cursor.rowcount)
