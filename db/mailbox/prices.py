"""What messages cost: written with their delivery reports, once for each copy that went out, and counted.

The statement of `receipts` leaves one row for each group and kind of price in message_prices_new; a daemon adds those
to message_prices. So no group waits for another, and nothing is counted by reading messages.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, fields
from typing import Any

import orjson

from db.cursor import Cursor
from db.pool import Pool
from relay.core.prices import Price, PricedCopy

KEPT_MONTHS = 24
STEP = 5000
"""Rows that are added at a time."""

_BYTES = 4096
"""Of one message's prices: whoever signs webhooks may name as many ids as they like."""

# Of a message `m` and what is told of it, `v`: the prices of copies that have none yet. The row is locked.
NEW_PRICES = f"""CASE WHEN m.direction = 'outbound' AND v.prices IS NOT NULL
                AND coalesce(pg_column_size(m.prices), 0) < {_BYTES}
           THEN nullif(v.prices - ARRAY(SELECT jsonb_object_keys(m.prices)), '{{}}') END"""

# A time that makes no sense counts as now: of messages there are statuses for 30 days.
COUNT_PRICES = """
    INSERT INTO message_prices_new (line_id, tenant_id, month, country, category, type, subtype, total)
    SELECT m.line_id, m.tenant_id,
           date_trunc('month', CASE WHEN extract(epoch FROM now()) - p.at BETWEEN 0 AND 40 * 86400
                                    THEN to_timestamp(p.at) ELSE now() END AT TIME ZONE 'UTC')::date,
           p.country, p.category, p.type, p.subtype, count(*)
    FROM {messages} m CROSS JOIN LATERAL jsonb_each(m.new_prices) AS one (wamid, price)
    CROSS JOIN LATERAL jsonb_to_record(one.price)
        AS p (at double precision, country text, category text, type text, subtype text)
    GROUP BY 1, 2, 3, 4, 5, 6, 7"""

_ADD = """
WITH taken AS (
    DELETE FROM message_prices_new WHERE ctid = ANY (ARRAY(
        SELECT ctid FROM message_prices_new LIMIT %(step)s FOR UPDATE SKIP LOCKED))
    RETURNING *
), added AS (
    INSERT INTO message_prices (line_id, tenant_id, month, country, category, type, subtype, total)
    SELECT t.line_id, l.tenant_id, t.month, t.country, t.category, t.type, t.subtype, sum(t.total)
    FROM taken t JOIN lines l ON l.id = t.line_id
    GROUP BY 1, 2, 3, 4, 5, 6, 7 ORDER BY 1, 3, 4, 5, 6, 7
    ON CONFLICT (line_id, month, country, category, type, subtype)
    DO UPDATE SET total = message_prices.total + excluded.total)
SELECT count(*) FROM taken"""

_EXPIRE = """DELETE FROM message_prices
             WHERE month < date_trunc('month', now() AT TIME ZONE 'UTC') - %s * interval '1 month'"""


def written(copies: Sequence[PricedCopy]) -> str | None:
    """By provider id, as a message's row keeps them; None: nothing was told."""
    if not copies:
        return None
    return orjson.dumps({one.provider_id: {**asdict(one.price), "at": one.at} for one in copies}).decode()


def read(kept: Mapping[str, Any] | None) -> list[PricedCopy]:
    """As `written` kept them, the oldest first."""
    names = [one.name for one in fields(Price)]
    found = [
        PricedCopy(copy, told["at"], Price(*(told[name] for name in names))) for copy, told in (kept or {}).items()
    ]
    return sorted(found, key=lambda one: one.at)


def add(pool: Pool) -> int:
    """Add up to STEP of what groups have left. Returns how many there were."""
    with pool.transaction() as cursor:
        cursor.execute(_ADD, {"step": STEP})
        return int(cursor.fetchone()[0])


def expire(cursor: Cursor) -> int:
    """Forget months older than KEPT_MONTHS. Returns how many rows."""
    cursor.execute(_EXPIRE, (KEPT_MONTHS,))
    return int(cursor.rowcount)
