"""What happened to a message: message_tracking, message_attempts and message_events, read only.

Every query names the tenant; none of them is on a message's path.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from db.pool import Pool

COLUMNS = (
    "m.id, m.seq, m.tenant_id, m.line_id, m.conversation_id, m.direction, m.type, m.state, m.source_id, m.provider_id, "
    "m.reason_code, m.reason, m.late, m.attempts, m.content ->> 'text', m.media_type, m.provider_time, m.arrived_at, "
    "m.next_attempt_at, m.sent_at, m.delivered_at, m.read_at, m.failed_at, m.report, m.reported"
)


@dataclass(frozen=True, slots=True)
class Tracked:
    """One message as it stands. `report` is what the agent's side is to be told, `reported` what it was."""

    id: str
    seq: int
    tenant_id: str
    line_id: str
    conversation_id: str
    direction: str
    type: str
    state: str
    source_id: str
    provider_id: str | None
    reason_code: str | None
    reason: str | None
    late: bool
    attempts: int
    text: str | None = field(repr=False)
    media_type: str | None
    provider_time: datetime
    arrived_at: datetime
    next_attempt_at: datetime | None
    sent_at: datetime | None
    delivered_at: datetime | None
    read_at: datetime | None
    failed_at: datetime | None
    report: str | None
    reported: str | None


@dataclass(frozen=True, slots=True)
class Attempt:
    """One provider call."""

    n: int
    started_at: datetime
    finished_at: datetime | None
    outcome: str | None
    provider_id: str | None
    http_status: int | None
    code: str | None
    detail: str | None
    trace_id: str | None


@dataclass(frozen=True, slots=True)
class Happening:
    """One line of a message's history."""

    at: datetime
    event: str
    detail: str | None


@dataclass(frozen=True, slots=True)
class Filter:
    """What to list. `reference` is our id or either provider's id of a message."""

    tenant_id: str
    conversation_id: str | None = None
    line_id: str | None = None
    direction: str | None = None
    state: str | None = None
    reference: str | None = None
    before: int | None = None


def _tracked(row: Sequence[Any]) -> Tracked:
    return Tracked(str(row[0]), row[1], str(row[2]), str(row[3]), str(row[4]), *row[5:])


def listed(pool: Pool, wanted: Filter, limit: int = 50) -> list[Tracked]:
    """The newest first; `before` is the seq to go on from."""
    conditions = ["m.tenant_id = %(tenant_id)s"]
    values: dict[str, Any] = {"tenant_id": UUID(wanted.tenant_id), "limit": limit}
    for name in ("conversation_id", "line_id", "direction", "state"):
        value = getattr(wanted, name)
        if value is not None:
            conditions.append(f"m.{name} = %({name})s")
            values[name] = UUID(value) if name.endswith("_id") else value
    if wanted.before is not None:
        conditions.append("m.seq < %(before)s")
        values["before"] = wanted.before
    with pool.transaction() as cursor:
        if wanted.reference is not None:
            conditions.append("m.id = ANY(%(ids)s)")
            values["ids"] = _referred(cursor, wanted.tenant_id, wanted.reference)
        cursor.execute(
            f"SELECT {COLUMNS} FROM message_tracking m WHERE {' AND '.join(conditions)} "
            "ORDER BY m.seq DESC LIMIT %(limit)s",
            values,
        )
        return [_tracked(row) for row in cursor.fetchall()]


def _referred(cursor: Any, tenant_id: str, reference: str) -> list[UUID]:
    """Messages that either provider, or we, know by this id; through unique indexes, line by line."""
    cursor.execute(
        """WITH own AS (SELECT id FROM lines WHERE tenant_id = %(tenant)s)
           SELECT m.id FROM own JOIN message_tracking m ON m.line_id = own.id
            AND m.direction IN ('inbound', 'outbound') AND m.source_id = %(reference)s
           UNION SELECT a.message_id FROM own JOIN message_attempts a ON a.line_id = own.id
            AND a.provider_id = %(reference)s""",
        {"tenant": UUID(tenant_id), "reference": reference},
    )
    found = [row[0] for row in cursor.fetchall()]
    try:
        return [*found, UUID(reference)]
    except ValueError:
        return found


def get(pool: Pool, tenant_id: str | None, message_id: str) -> tuple[Tracked, list[Attempt], list[Happening]] | None:
    """The message, its provider calls and its history. `tenant_id` None: whosever it is (operators only)."""
    key = UUID(message_id)
    with pool.transaction() as cursor:
        cursor.execute(
            f"SELECT {COLUMNS} FROM message_tracking m WHERE m.id = %s AND (%s::uuid IS NULL OR m.tenant_id = %s)",
            (key, tenant_id, tenant_id),
        )
        row = cursor.fetchone()
        if row is None:
            return None
        cursor.execute(
            """SELECT n, started_at, finished_at, outcome, provider_id, http_status, code, detail, trace_id
               FROM message_attempts WHERE message_id = %s ORDER BY n""",
            (key,),
        )
        attempts = [Attempt(*one) for one in cursor.fetchall()]
        cursor.execute("SELECT at, event, detail FROM message_events WHERE message_id = %s ORDER BY id", (key,))
        return _tracked(row), attempts, [Happening(*one) for one in cursor.fetchall()]
