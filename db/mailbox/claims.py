"""Claims and outcomes of provider calls, many messages in one transaction. Every write can be repeated."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from db.mailbox import events
from db.mailbox.messages import stamp
from db.prepared import Prepared
from relay.core.mailbox import Attempt, Claim, Standing, Verdict

CLAIM = Prepared(
    "claim_messages",
    """
WITH owned AS (
    SELECT n, epoch FROM shards WHERE owner = %(owner)s AND n = ANY(%(shards)s) ORDER BY n FOR SHARE
), wanted AS (
    SELECT * FROM unnest(%(ids)s, %(numbers)s, %(epochs)s, %(attempts)s, %(again)s) AS w (id, shard, epoch, n, again)
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
RETURNING message_id::text
""",
    owner="uuid", shards="smallint[]", ids="uuid[]", numbers="smallint[]", epochs="bigint[]", attempts="integer[]",
    again="boolean[]", seconds="float8",
)  # fmt: skip


def claim(cursor: Any, owner: str, claims: Sequence[Claim], request_seconds: float) -> set[str]:
    """The ids that may be sent now: owner and epoch still hold, and nobody else has the row.

    One statement, run as its own transaction: it locks the shard rows FOR SHARE, so that a
    take-over either comes before it or waits for it.
    """
    CLAIM.run(
        cursor,
        owner=owner,
        shards={one.shard for one in claims},
        ids=[one.message_id for one in claims],
        numbers=[one.shard for one in claims],
        epochs=[one.epoch for one in claims],
        attempts=[one.attempt for one in claims],
        again=[one.again for one in claims],
        seconds=request_seconds,
    )
    return {row[0] for row in cursor.fetchall()}


LOCK = Prepared(
    "lock_messages",
    "SELECT 1 FROM message_tracking WHERE id = ANY(%(ids)s) ORDER BY id FOR UPDATE",
    ids="uuid[]",
)


def lock(cursor: Any, message_ids: Sequence[str]) -> None:
    """Lock the rows in one order for all transactions, or two of them would wait for each other."""
    LOCK.run(cursor, ids=message_ids)


# A provider id that another attempt holds already is not stored twice. A status may have overtaken the answer: what it
# said about the attempt stays.
ATTEMPTS = Prepared(
    "record_attempts",
    """
UPDATE message_attempts a
SET finished_at = v.at, http_status = v.http_status, trace_id = v.trace_id,
    outcome = CASE a.outcome WHEN 'undelivered' THEN a.outcome ELSE v.outcome END,
    code = CASE a.outcome WHEN 'undelivered' THEN a.code ELSE v.code END,
    detail = CASE a.outcome WHEN 'undelivered' THEN a.detail ELSE v.detail END,
    answer = CASE a.outcome WHEN 'undelivered' THEN a.answer ELSE v.answer END,
    provider_id = CASE WHEN EXISTS (SELECT 1 FROM message_attempts o
                                    WHERE o.line_id = a.line_id AND o.provider_id = v.provider_id) THEN a.provider_id
                       ELSE coalesce(v.provider_id, a.provider_id) END
FROM unnest(%(ids)s, %(numbers)s, %(at)s, %(outcomes)s, %(provider_ids)s, %(statuses)s, %(codes)s, %(details)s,
            %(traces)s, %(answers)s)
     AS v (message_id, n, at, outcome, provider_id, http_status, code, detail, trace_id, answer)
WHERE a.message_id = v.message_id AND a.n = v.n
""",
    ids="uuid[]", numbers="integer[]", at="timestamptz[]", outcomes="text[]", provider_ids="text[]",
    statuses="integer[]", codes="text[]", details="text[]", traces="text[]", answers="text[]",
)  # fmt: skip


def record_attempts(cursor: Any, attempts: Sequence[Attempt]) -> None:
    """Finish the attempts' rows."""
    if not attempts:
        return
    holders = {(one.line_id, one.provider_id): one for one in reversed(attempts)}
    ATTEMPTS.run(
        cursor,
        ids=[one.message_id for one in attempts],
        numbers=[one.n for one in attempts],
        at=[stamp(one.at) for one in attempts],
        outcomes=[one.outcome for one in attempts],
        provider_ids=[one.provider_id if holders[one.line_id, one.provider_id] is one else None for one in attempts],
        statuses=[one.http_status for one in attempts],
        codes=[one.code for one in attempts],
        details=[one.detail for one in attempts],
        traces=[one.trace_id for one in attempts],
        answers=[one.answer for one in attempts],
    )


# Not of an attempt that ended undelivered meanwhile: its message goes out again, or has failed.
SENT = Prepared(
    "record_sent",
    """
UPDATE message_tracking m
SET state = CASE WHEN m.state IN ('received', 'sending', 'unknown', 'dead') THEN 'sent' ELSE m.state END,
    provider_id = coalesce(m.provider_id, v.provider_id), sent_at = coalesce(m.sent_at, v.at),
    -- the reason of the message that a template went out instead of may still have to be told
    reason_code = CASE WHEN m.content->'template'->>'instead' = 'true' THEN m.reason_code END,
    reason = CASE WHEN m.content->'template'->>'instead' = 'true' THEN m.reason END,
    failed_at = NULL, next_attempt_at = NULL, unknown_until = NULL, updated_at = now()
FROM unnest(%(ids)s, %(numbers)s, %(provider_ids)s, %(at)s) AS v (id, n, provider_id, at)
WHERE m.id = v.id AND (m.failed_at IS NULL OR m.state = 'dead')
  AND NOT EXISTS (SELECT 1 FROM message_attempts a
                  WHERE a.message_id = v.id AND a.n = v.n AND a.outcome = 'undelivered')
""",
    ids="uuid[]", numbers="integer[]", provider_ids="text[]", at="timestamptz[]",
)  # fmt: skip


def record_sent(cursor: Any, sent: Sequence[Attempt]) -> None:
    """`sent` is accepted from anyone who knows it, and never overwritten by less."""
    if sent:
        SENT.run(
            cursor,
            ids=[one.message_id for one in sent],
            numbers=[one.n for one in sent],
            provider_ids=[one.provider_id for one in sent],
            at=[stamp(one.at) for one in sent],
        )


VERDICTS = Prepared(
    "record_verdicts",
    """
UPDATE message_tracking m
SET state = v.state, reason_code = v.code, reason = v.reason, next_attempt_at = v.next_attempt_at,
    unknown_until = v.unknown_until, updated_at = now(),
    failed_at = CASE WHEN v.state IN ('failed', 'dead') THEN v.at ELSE m.failed_at END,
    report = CASE WHEN v.state IN ('failed', 'dead') AND m.direction = 'outbound' AND m.origin = 'webhook'
                  THEN coalesce(m.report, 'failed') ELSE m.report END
FROM unnest(%(ids)s, %(epochs)s, %(attempts)s, %(states)s, %(at)s, %(codes)s, %(reasons)s, %(next)s, %(until)s)
     AS v (id, epoch, attempt, state, at, code, reason, next_attempt_at, unknown_until)
WHERE m.id = v.id AND m.attempts = v.attempt AND m.state IN ('received', 'sending', 'unknown')
  AND (m.claim_epoch IS NULL OR m.claim_epoch <= v.epoch)
  -- a call without clear end, of which a status has told the end meanwhile
  AND NOT (v.state IN ('received', 'unknown')
           AND EXISTS (SELECT 1 FROM message_attempts a WHERE a.message_id = v.id AND a.n = v.attempt
                       AND a.outcome = 'undelivered'))
""",
    ids="uuid[]", epochs="bigint[]", attempts="integer[]", states="text[]", at="timestamptz[]", codes="text[]",
    reasons="text[]", next="timestamptz[]", until="timestamptz[]",
)  # fmt: skip


def record_verdicts(cursor: Any, verdicts: Sequence[Verdict]) -> None:
    if verdicts:
        VERDICTS.run(
            cursor,
            ids=[one.message_id for one in verdicts],
            epochs=[one.epoch for one in verdicts],
            attempts=[one.attempt for one in verdicts],
            states=[one.state for one in verdicts],
            at=[stamp(one.at) for one in verdicts],
            codes=[one.code for one in verdicts],
            reasons=[one.reason for one in verdicts],
            next=[stamp(one.next_attempt_at) for one in verdicts],
            until=[stamp(one.unknown_until) for one in verdicts],
        )


def note_verdicts(cursor: Any, verdicts: Sequence[Verdict]) -> None:
    """The history of what did not go straight through: tried again, unknown, failed, dead, and why."""
    events.note(
        cursor,
        [
            (one.message_id, "retry" if one.state == "received" else one.state, f"{one.code}: {one.reason}")
            for one in verdicts
        ],
    )


REPORTED = Prepared(
    "record_reports",
    """UPDATE message_tracking m SET reported = v.status, updated_at = now()
       FROM unnest(%(ids)s, %(statuses)s) AS v (id, status)
       -- without a report the message was replayed meanwhile: its agent is told anew
       WHERE m.id = v.id AND m.report IS NOT NULL AND m.reported IS DISTINCT FROM 'delivered'""",
    ids="uuid[]", statuses="text[]",
)  # fmt: skip


def record_reports(cursor: Any, reports: Sequence[tuple[str, str, str | None]]) -> None:
    """(message id, status told, why it was given up or None)."""
    if not reports:
        return
    REPORTED.run(cursor, ids=[one for one, _, _ in reports], statuses=[one for _, one, _ in reports])
    events.note(
        cursor,
        [
            (message_id, "report_given_up" if why else "reported", f"{status}: {why}" if why else status)
            for message_id, status, why in reports
        ],
    )


STANDING = """id::text, conversation_id::text, shard, state, CASE WHEN report IS DISTINCT FROM reported THEN report END,
 source_id, extract(epoch FROM CASE WHEN report = 'delivered' THEN coalesce(delivered_at, read_at) ELSE failed_at END),
 reason_code, reason, coalesce((content->>'part')::int, 1), coalesce((content->>'parts')::int, 1)"""


STANDINGS = Prepared("standings", f"SELECT {STANDING} FROM message_tracking WHERE id = ANY(%(ids)s)", ids="uuid[]")

DUE_REPORTS = Prepared(
    "due_reports",
    f"""SELECT {STANDING} FROM message_tracking
        WHERE conversation_id = %(conversation)s AND report IS DISTINCT FROM reported ORDER BY seq LIMIT %(limit)s""",
    conversation="uuid", limit="integer",
)  # fmt: skip


def standing_of(row: Sequence[Any]) -> Standing:
    message_id, conversation_id, shard, state, report, source_id, at, *rest = row
    own_id = source_id.partition("#")[0]
    return Standing(message_id, conversation_id, shard, state, report, own_id, float(at or 0.0), *rest)


def standings(cursor: Any, message_ids: Sequence[str]) -> list[Standing]:
    if not message_ids:
        return []
    STANDINGS.run(cursor, ids=message_ids)
    return [standing_of(row) for row in cursor.fetchall()]


def due_reports(cursor: Any, conversation_id: str, limit: int) -> list[Standing]:
    """Messages of a conversation of which the agent's side has not been told what it should be."""
    DUE_REPORTS.run(cursor, conversation=conversation_id, limit=limit)
    return [standing_of(row) for row in cursor.fetchall()]
