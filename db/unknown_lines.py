"""unknown_lines: what came for numbers and integrations that no active line owns. Operators only."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from psycopg2.extras import Json, execute_values

from db.pool import Pool


@dataclass(frozen=True, slots=True)
class Unknown:
    """One provider's id that nobody owns yet, and how much waits for it."""

    channel: str
    line_ref: str
    waiting: int
    first_at: datetime
    last_at: datetime
    reason: str


@dataclass(frozen=True, slots=True)
class Kept:
    """One item of a webhook, unchanged."""

    id: int
    address: str
    idx: int
    payload: dict[str, Any] = field(repr=False)
    arrived_at: datetime


def listed(pool: Pool, limit: int = 100) -> list[Unknown]:
    """The most recent first; what was replayed is no longer unknown."""
    with pool.autocommit() as cursor:
        cursor.execute(
            """SELECT channel, line_ref, count(*), min(arrived_at), max(arrived_at),
                      (array_agg(reason ORDER BY id DESC))[1]
               FROM unknown_lines WHERE replayed_at IS NULL
               GROUP BY channel, line_ref ORDER BY max(arrived_at) DESC LIMIT %s""",
            (limit,),
        )
        return [Unknown(*row) for row in cursor.fetchall()]


def waiting(pool: Pool, channel: str, line_ref: str, limit: int) -> list[Kept]:
    """What is to be replayed, in the order of its arrival."""
    with pool.autocommit() as cursor:
        cursor.execute(
            """SELECT id, address, idx, payload, arrived_at FROM unknown_lines
               WHERE channel = %s AND line_ref = %s AND replayed_at IS NULL ORDER BY id LIMIT %s""",
            (channel, line_ref, limit),
        )
        return [Kept(*row) for row in cursor.fetchall()]


def count(pool: Pool, channel: str, line_ref: str) -> int:
    """How much still waits for this id."""
    with pool.autocommit() as cursor:
        cursor.execute(
            "SELECT count(*) FROM unknown_lines WHERE channel = %s AND line_ref = %s AND replayed_at IS NULL",
            (channel, line_ref),
        )
        return int(cursor.fetchone()[0])


def mark_replayed(cursor: Any, ids: list[int]) -> None:
    cursor.execute("UPDATE unknown_lines SET replayed_at = now() WHERE id = ANY(%s)", (ids,))


PER_REF = 5_000
IN_TOTAL = 100_000


def keep(
    pool: Pool,
    channel: str,
    items: Sequence[tuple[str, str, int, Mapping[str, Any]]],
    arrived_at: datetime,
    reason: str,
) -> None:
    """Keep items: (line_ref, address, index, payload). The oldest go when there are too many."""
    with pool.transaction() as cursor:
        execute_values(
            cursor,
            "INSERT INTO unknown_lines (channel, line_ref, address, idx, payload, arrived_at, reason) VALUES %s",
            [(channel, ref, address, idx, Json(dict(payload)), arrived_at, reason)
             for ref, address, idx, payload in items],
        )  # fmt: skip
        for ref in {item[0] for item in items}:
            cursor.execute(
                """DELETE FROM unknown_lines WHERE channel = %(channel)s AND line_ref = %(ref)s AND replayed_at IS NULL
                   AND id <= (SELECT id FROM unknown_lines WHERE channel = %(channel)s AND line_ref = %(ref)s
                              AND replayed_at IS NULL ORDER BY id DESC OFFSET %(limit)s LIMIT 1)""",
                {"channel": channel, "ref": ref, "limit": PER_REF},
            )
        cursor.execute("DELETE FROM unknown_lines WHERE id <= (SELECT max(id) FROM unknown_lines) - %s", (IN_TOTAL,))
