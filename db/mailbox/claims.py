"""Claims and outcomes of provider calls, many messages in one transaction. Every write can be repeated."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from psycopg2.extras import execute_values

from db.mailbox import events
from db.mailbox.messages import stamp
from relay.core.mailbox import Attempt, Claim, Standing, Verdict

CLAIM = """
WITH owned AS (
    SELECT n, epoch FROM shards WHERE owner = %(owner)s AND n = ANY(%(shards)s) ORDER BY n FOR SHARE
), wanted AS (
    SELECT * FROM unnest(%(ids)s::uuid[], %(numbers)s::smallint[], %(epochs)s::bigint[], %(attempts)s::int[],
                         %(again)s::boolean[]) AS w (id, shard, epoch, n, again)
), claimed AS (
    UPDATE message_tracking m
    SET state = 'sending', attempts = w.n, claim_epoch = w.epoch, claimed_at = clock_timestamp(),
        next_attempt_at = NULL, unknown_until = NULL, updated_at = now()
    FROM wanted w JOIN owned o ON o.n = w.shard AND o.epoch = w.epoch
    WHERE m.id = w.id AND m.shard = w.shard
      AND (m.attempts = w.n - 1 AND m.state IN ('received', 'unknown')
           -- the same claim again, after its answer was lost: its sender is still waiting for it
           OR w.again AND m.attempts = w.n AND m.claim_epoch = w.epoch AND m.state = 'sending')
    RETURNING m.id, m.line_id, w.n, w.epoch
)
INSERT INTO message_attempts (message_id, n, line_id, epoch, started_at, deadline_at)
SELECT id, n, line_id, epoch, clock_timestamp(), clock_timestamp() + make_interval(secs => %(seconds)s) FROM claimed
ON CONFLICT (message_id, n) DO UPDATE SET deadline_at = excluded.deadline_at
RETURNING message_id
"""


def claim(cursor: Any, owner: str, claims: Sequence[Claim], request_seconds: float) -> set[str]:
    """The ids that may be sent now: owner and epoch still hold, and nobody else has the row.

    One statement, run as its own transaction: it locks the shard rows FOR SHARE, so that a
    take-over either comes before it or waits for it.
    """
    cursor.execute(
        CLAIM,
        {
            "owner": UUID(owner),
            "shards": sorted({one.shard for one in claims}),
            "ids": [UUID(one.message_id) for one in claims],
            "numbers": [one.shard for one in claims],
            "epochs": [one.epoch for one in claims],
            "attempts": [one.attempt for one in claims],
            "again": [one.again for one in claims],
            "seconds": request_seconds,
        },
    )
    return {str(row[0]) for row in cursor.fetchall()}


def lock(cursor: Any, message_ids: Sequence[str]) -> None:
    """Lock the rows in one order for all transactions, or two of them would wait for each other."""
    cursor.execute(
        "SELECT 1 FROM message_tracking WHERE id = ANY(%s::uuid[]) ORDER BY id FOR UPDATE", (list(message_ids),)
    )


def record_attempts(cursor: Any, attempts: Sequence[Attempt]) -> None:
    """Finish the attempts' rows. A provider id that another attempt holds already is not stored twice.

    A status may have overtaken the answer: what it said about the attempt stays.
    """
    if not attempts:
        return
    seen: set[tuple[str, str]] = set()
    values = []
    for one in attempts:
        provider_id = one.provider_id
        if provider_id is not None and (one.line_id, provider_id) in seen:
            provider_id = None
        elif provider_id is not None:
            seen.add((one.line_id, provider_id))
        values.append(
            (UUID(one.message_id), one.n, stamp(one.at), one.outcome, provider_id, one.http_status, one.code,
             one.detail, one.trace_id, one.answer)
        )  # fmt: skip
    execute_values(
        cursor,
        """UPDATE message_attempts a
           SET finished_at = v.at, http_status = v.http_status, trace_id = v.trace_id,
               outcome = CASE a.outcome WHEN 'undelivered' THEN a.outcome ELSE v.outcome END,
               code = CASE a.outcome WHEN 'undelivered' THEN a.code ELSE v.code END,
               detail = CASE a.outcome WHEN 'undelivered' THEN a.detail ELSE v.detail END,
               answer = CASE a.outcome WHEN 'undelivered' THEN a.answer ELSE v.answer END,
               provider_id = CASE WHEN EXISTS (SELECT 1 FROM message_attempts o WHERE o.line_id = a.line_id
                                               AND o.provider_id = v.provider_id) THEN a.provider_id
                                  ELSE coalesce(v.provider_id, a.provider_id) END
           FROM (VALUES %s) AS v (message_id, n, at, outcome, provider_id, http_status, code, detail, trace_id, answer)
           WHERE a.message_id = v.message_id AND a.n = v.n""",
        values,
        template="(%s::uuid, %s::int, %s::timestamptz, %s, %s::text, %s::int, %s::text, %s::text, %s::text, %s::text)",
        page_size=len(values),
    )


def record_sent(cursor: Any, sent: Sequence[Attempt]) -> None:
    """`sent` is accepted from anyone who knows it, and never overwritten by less.

    Not of an attempt that ended undelivered meanwhile: its message goes out again, or has failed.
    """
    if sent:
        execute_values(
            cursor,
            """UPDATE message_tracking m
               SET state = CASE WHEN m.state IN ('received', 'sending', 'unknown', 'dead') THEN 'sent' ELSE m.state END,
                   provider_id = coalesce(m.provider_id, v.provider_id), sent_at = coalesce(m.sent_at, v.at),
                   -- the reason of the message that a template went out instead of may still have to be told
                   reason_code = CASE WHEN m.content->'template'->>'instead' = 'true' THEN m.reason_code END,
                   reason = CASE WHEN m.content->'template'->>'instead' = 'true' THEN m.reason END,
                   failed_at = NULL, next_attempt_at = NULL, unknown_until = NULL, updated_at = now()
               FROM (VALUES %s) AS v (id, n, provider_id, at)
               WHERE m.id = v.id AND (m.failed_at IS NULL OR m.state = 'dead')
                 AND NOT EXISTS (SELECT 1 FROM message_attempts a
                                 WHERE a.message_id = v.id AND a.n = v.n AND a.outcome = 'undelivered')""",
            [(UUID(one.message_id), one.n, one.provider_id, stamp(one.at)) for one in sent],
            template="(%s::uuid, %s::int, %s, %s::timestamptz)",
            page_size=len(sent),
        )


def record_verdicts(cursor: Any, verdicts: Sequence[Verdict]) -> None:
    if not verdicts:
        return
    execute_values(
        cursor,
        """UPDATE message_tracking m
           SET state = v.state, reason_code = v.code, reason = v.reason, next_attempt_at = v.next_attempt_at,
               unknown_until = v.unknown_until, updated_at = now(),
               failed_at = CASE WHEN v.state IN ('failed', 'dead') THEN v.at ELSE m.failed_at END,
               report = CASE WHEN v.state IN ('failed', 'dead') AND m.direction = 'outbound' AND m.origin = 'webhook'
                             THEN coalesce(m.report, 'failed') ELSE m.report END
           FROM (VALUES %s) AS v (id, epoch, attempt, state, at, code, reason, next_attempt_at, unknown_until)
           WHERE m.id = v.id AND m.attempts = v.attempt AND m.state IN ('received', 'sending', 'unknown')
             AND (m.claim_epoch IS NULL OR m.claim_epoch <= v.epoch)
             -- a call without clear end, of which a status has told the end meanwhile
             AND NOT (v.state IN ('received', 'unknown')
                      AND EXISTS (SELECT 1 FROM message_attempts a WHERE a.message_id = v.id AND a.n = v.attempt
                                  AND a.outcome = 'undelivered'))""",
        [
            (UUID(one.message_id), one.epoch, one.attempt, one.state, stamp(one.at), one.code, one.reason,
             stamp(one.next_attempt_at), stamp(one.unknown_until))
            for one in verdicts
        ],
        template="(%s::uuid, %s::bigint, %s::int, %s, %s::timestamptz, %s::text, %s::text, "
        "%s::timestamptz, %s::timestamptz)",
        page_size=len(verdicts),
    )  # fmt: skip


def note_verdicts(cursor: Any, verdicts: Sequence[Verdict]) -> None:
    """The history of what did not go straight through: tried again, unknown, failed, dead, and why."""
    events.note(
        cursor,
        [
            (one.message_id, "retry" if one.state == "received" else one.state, f"{one.code}: {one.reason}")
            for one in verdicts
        ],
    )


def record_reports(cursor: Any, reports: Sequence[tuple[str, str, str | None]]) -> None:
    """(message id, status told, why it was given up or None)."""
    if not reports:
        return
    execute_values(
        cursor,
        """UPDATE message_tracking m SET reported = v.status, updated_at = now()
           FROM (VALUES %s) AS v (id, status)
           -- without a report the message was replayed meanwhile: its agent is told anew
           WHERE m.id = v.id::uuid AND m.report IS NOT NULL AND m.reported IS DISTINCT FROM 'delivered'""",
        [(message_id, status) for message_id, status, _ in reports],
        page_size=len(reports),
    )
    events.note(
        cursor,
        [
            (message_id, "report_given_up" if why else "reported", f"{status}: {why}" if why else status)
            for message_id, status, why in reports
        ],
    )


STANDING = """id, conversation_id, shard, state, CASE WHEN report IS DISTINCT FROM reported THEN report END, source_id,
 extract(epoch FROM CASE WHEN report = 'delivered' THEN coalesce(delivered_at, read_at) ELSE failed_at END),
 reason_code, reason, coalesce((content->>'part')::int, 1), coalesce((content->>'parts')::int, 1)"""


def standing_of(row: Sequence[Any]) -> Standing:
    return Standing(
        str(row[0]), str(row[1]), row[2], row[3], row[4], row[5].partition("#")[0], float(row[6] or 0.0), *row[7:]
    )


def standings(cursor: Any, message_ids: Sequence[str]) -> list[Standing]:
    if not message_ids:
        return []
    cursor.execute(f"SELECT {STANDING} FROM message_tracking WHERE id = ANY(%s)", ([UUID(one) for one in message_ids],))
    return [standing_of(row) for row in cursor.fetchall()]


def due_reports(cursor: Any, conversation_id: str, limit: int) -> list[Standing]:
    """Messages of a conversation of which the agent's side has not been told what it should be."""
    cursor.execute(
        f"""SELECT {STANDING} FROM message_tracking
            WHERE conversation_id = %s AND report IS DISTINCT FROM reported ORDER BY seq LIMIT %s""",
        (UUID(conversation_id), limit),
    )
    return [standing_of(row) for row in cursor.fetchall()]
