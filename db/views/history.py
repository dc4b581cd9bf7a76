"""What happened to messages: message_tracking, message_attempts and message_events, read only.

Every query names the tenant; none of them is on a message's path. Lists go through the tenant's lines, one
by one, so that the rows of a page lie next to each other in an index, however many there are.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from db.cursor import Cursor
from db.mailbox import prices
from db.mailbox.raw_payloads import unpacked
from db.paging import Page, decode, page
from db.pool import Pool
from relay.core.explain.steps import AttemptRecord, File, MessageEvent, TimelineStep, Tracked, steps
from relay.core.prices import PricedCopy
from relay.core.redaction import redacted
from relay.core.status import LISTED

DIRECTIONS = ("inbound", "outbound")
ATTEMPTS_SHOWN = 100
EVENTS_SHOWN = 200
CONTACTS = 50
"""So many contacts the beginning of a number may stand for in a list of messages."""
LAST = "\U0010ffff"
"""Sorts behind everything that a text can hold."""

LISTED_AS = "CASE s WHEN 'sending' THEN 'received' ELSE s END"
"""Of a state s, as the index of states has it."""
ORDER = "ORDER BY m.arrived_at DESC, m.seq DESC LIMIT %(limit)s"
COLUMNS = """m.id::text, m.seq, m.tenant_id::text, m.line_id::text, m.conversation_id::text, m.direction, m.type,
 m.state, m.source_id, m.provider_id, m.reason_code, m.reason, m.late, m.attempts, m.origin,
 m.content ->> 'text' AS text, m.media_type, m.content -> 'media' AS media, m.provider_time,
 m.arrived_at, m.sort_time, m.idx, m.created_at, m.claimed_at,
 m.next_attempt_at, m.unknown_until, m.sent_at, m.delivered_at, m.read_at, m.failed_at, m.report, m.reported,
 m.content -> 'native' ->> 'callback_data' AS callback_data"""


@dataclass(frozen=True, slots=True)
class Detail:
    """A message with its newest provider calls and the newest lines of its history, the oldest of them first."""

    message: Tracked
    attempts: list[AttemptRecord]
    history: list[MessageEvent]
    steps: list[TimelineStep]
    prices: list[PricedCopy]
    """What the provider says that each copy of it costs; nothing until it is delivered."""


@dataclass(frozen=True, slots=True)
class MessageSelection:
    """What to list; `since` <= arrival < `until`.

    `reference` is our id or either provider's id of a message, `q` the beginning of the contact's number.
    """

    tenant_id: str
    conversation_id: str | None = None
    line_id: str | None = None
    direction: str | None = None
    states: Sequence[str] = ()
    since: datetime | None = None
    until: datetime | None = None
    reference: str | None = None
    q: str | None = None
    before: str | None = None


def tracked(row: dict[str, Any]) -> Tracked:
    """From the columns of COLUMNS, by their names."""
    return Tracked(**row | {"media": _file(row["media"]) if row["media"] else None})


def _file(media: dict[str, Any]) -> File:
    return File(
        media["kind"], media.get("mime_type") or "", media.get("filename"), media.get("size"), media.get("caption"),
        bool(media.get("voice")), media.get("bucket"), media.get("object_key"),
    )  # fmt: skip


def listed(pool: Pool, wanted: MessageSelection, limit: int = 50) -> Page[Tracked]:
    """The newest first. Raises CursorError when `before` is not the `next` of an earlier page."""
    conditions, values = _conditions(wanted)
    values["limit"] = limit + 1
    with pool.transaction() as cursor:
        named = _named(cursor, wanted, values)
        statement = _named_ones(conditions + named, wanted) if named else _newest(conditions, wanted)
        cursor.execute(statement, values)
        rows = [tracked(row) for row in cursor.dicts()]
    return page(rows, limit, lambda one: (one.arrived_at, one.seq))


def _conditions(wanted: MessageSelection) -> tuple[list[str], dict[str, Any]]:
    """What holds for every message of the list, apart from whose and which it is."""
    values: dict[str, Any] = {
        "tenant": UUID(wanted.tenant_id),
        "line": UUID(wanted.line_id) if wanted.line_id else None,
        "directions": [wanted.direction] if wanted.direction else list(DIRECTIONS),
        "states": sorted(set(wanted.states)) or list(LISTED),
    }
    conditions = []
    if wanted.since is not None:
        conditions.append("m.arrived_at >= %(since)s")
        values["since"] = wanted.since
    if wanted.until is not None:
        conditions.append("m.arrived_at < %(until)s")
        values["until"] = wanted.until
    if wanted.before is not None:
        conditions.append("(m.arrived_at, m.seq) < (%(before_at)s, %(before_seq)s)")
        values["before_at"], values["before_seq"] = decode(wanted.before, datetime, int)
    return conditions, values


def _named(cursor: Cursor, wanted: MessageSelection, values: dict[str, Any]) -> list[str]:
    """Conditions that leave only few messages: those that are named, or whose conversation is."""
    conditions = []
    if wanted.reference is not None:
        conditions.append("m.id = ANY(%(ids)s)")
        values["ids"] = referred(cursor, wanted.tenant_id, wanted.reference)
    if wanted.q is not None:
        conditions.append("m.conversation_id = ANY(%(contacts)s)")
        values["contacts"] = _contacts(cursor, wanted.tenant_id, wanted.q)
    if wanted.conversation_id is not None:
        conditions.append("m.conversation_id = %(conversation)s")
        values["conversation"] = UUID(wanted.conversation_id)
    return conditions


def _named_ones(conditions: Sequence[str], wanted: MessageSelection) -> str:
    """Found first, then sorted."""
    own = ["m.tenant_id = %(tenant)s", "m.direction = ANY(%(directions)s)", *conditions]
    own += ["m.line_id = %(line)s"] if wanted.line_id else []
    own += ["m.state = ANY(%(states)s)"] if wanted.states else []
    return f"SELECT {COLUMNS} FROM message_tracking m WHERE {' AND '.join(own)} {ORDER}"


def _newest(conditions: Sequence[str], wanted: MessageSelection) -> str:
    """The newest of every line, direction and state, and the newest of these."""
    own = ["m.line_id = l.id", "m.direction = d", "m.listed_as = " + LISTED_AS, *conditions]
    own += ["m.state = s"] if wanted.states else []
    return f"""SELECT {COLUMNS} FROM lines l CROSS JOIN unnest(%(directions)s) d CROSS JOIN unnest(%(states)s) s
        CROSS JOIN LATERAL (SELECT * FROM message_tracking m WHERE {" AND ".join(own)} {ORDER}) m
        WHERE l.tenant_id = %(tenant)s {"AND l.id = %(line)s" if wanted.line_id else ""} {ORDER}"""


def referred(cursor: Cursor, tenant_id: str, reference: str) -> list[UUID]:
    """Messages that either provider, or we, know by this id; through unique indexes, line by line."""
    cursor.execute(
        """WITH own AS (SELECT id FROM lines WHERE tenant_id = %(tenant)s)
           SELECT m.id FROM own JOIN message_tracking m ON m.line_id = own.id
            AND m.direction IN ('inbound', 'outbound') AND m.source_id = %(reference)s
           UNION SELECT a.message_id FROM own JOIN message_attempts a ON a.line_id = own.id
            AND a.provider_id = %(reference)s""",
        {"tenant": UUID(tenant_id), "reference": storable(reference)},
    )
    found = [row[0] for row in cursor.fetchall()]
    try:
        return [*found, UUID(reference)]
    except ValueError:
        return found


def _contacts(cursor: Cursor, tenant_id: str, q: str) -> list[UUID]:
    """Conversations by the beginning of the number, or by the whole business-scoped user id."""
    q = storable(q).strip()
    number = digits(q)
    prefix, whole = """wa_id COLLATE "C" >= %(q)s AND wa_id COLLATE "C" < %(end)s""", """bsuid COLLATE "C" = %(q)s"""
    cursor.execute(
        f"""SELECT c.id FROM lines l CROSS JOIN LATERAL (
              SELECT id, wa_id FROM conversation_mappings WHERE line_id = l.id AND {prefix if number else whole}
              ORDER BY wa_id COLLATE "C" LIMIT %(limit)s) c
            WHERE l.tenant_id = %(tenant)s ORDER BY c.wa_id COLLATE "C", c.id LIMIT %(limit)s""",
        {"tenant": UUID(tenant_id), "q": number or q, "end": f"{number}{LAST}", "limit": CONTACTS},
    )
    return [row[0] for row in cursor.fetchall()]


def storable(text: str) -> str:
    """Without what PostgreSQL takes in no text, and no text that it holds can match: NUL and lone surrogates."""
    return text.replace("\x00", "\ufffd").encode("utf-8", "replace").decode()


def digits(text: str) -> str | None:
    """A phone number, or its beginning, as it is stored: without plus, spaces and brackets. None: not a number."""
    bare = re.sub(r"[\s().+/-]", "", text)
    return bare.removeprefix("00") if bare.isascii() and bare.isdigit() else None


def get(pool: Pool, tenant_id: str | None, message_id: str) -> Detail | None:
    """The message and all about it. `tenant_id` None: whosever it is (operators only)."""
    key = UUID(message_id)
    with pool.transaction() as cursor:
        cursor.execute(
            f"""SELECT {COLUMNS}, m.prices FROM message_tracking m
                WHERE m.id = %s AND (%s::uuid IS NULL OR m.tenant_id = %s)""",
            (key, tenant_id, tenant_id),
        )
        rows = cursor.dicts()
        if not rows:
            return None
        told = prices.read(rows[0].pop("prices"))
        message, attempts, history = tracked(rows[0]), _attempts(cursor, key), _history(cursor, key)
    return Detail(message, attempts[-ATTEMPTS_SHOWN:], history, steps(message, attempts, history), told)


def _attempts(cursor: Cursor, key: UUID) -> list[AttemptRecord]:
    """The newest, and the first of all; the call under way has no row of its own yet."""
    columns = "n, started_at, finished_at, outcome, provider_id, http_status, code, detail, trace_id, answer"
    cursor.execute(
        f"""(SELECT {columns} FROM message_attempts WHERE message_id = %(id)s ORDER BY n DESC LIMIT %(limit)s)
            UNION (SELECT {columns} FROM message_attempts WHERE message_id = %(id)s AND n = 1)
            UNION (SELECT attempts, claimed_at, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL FROM message_tracking m
                   WHERE id = %(id)s AND state = 'sending' AND claimed_at IS NOT NULL
                     AND NOT EXISTS (SELECT 1 FROM message_attempts a WHERE a.message_id = m.id AND a.n = m.attempts))
            ORDER BY n""",
        {"id": key, "limit": ATTEMPTS_SHOWN},
    )
    return cursor.all(AttemptRecord)


def _history(cursor: Cursor, key: UUID) -> list[MessageEvent]:
    cursor.execute(
        "SELECT at, event, detail FROM message_events WHERE message_id = %s ORDER BY id DESC LIMIT %s",
        (key, EVENTS_SHOWN),
    )
    return cursor.all(MessageEvent)[::-1]


def payload(pool: Pool, tenant_id: str | None, message_id: str) -> Any | None:
    """The provider's item as it came, without secrets; None where there is none. Personal data: audit the look."""
    with pool.transaction() as cursor:
        cursor.execute(
            """SELECT raw_payload, payload AS plain FROM message_tracking
               WHERE id = %s AND (%s::uuid IS NULL OR tenant_id = %s)""",
            (UUID(message_id), tenant_id, tenant_id),
        )
        rows = cursor.dicts()
    if not rows:
        return None
    [row] = rows
    return redacted(row["plain"] if row["raw_payload"] is None else unpacked(row["raw_payload"]))
