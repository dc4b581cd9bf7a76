"""Claims and outcomes of provider calls, many messages in one transaction. Every write can be repeated."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from db.cursor import Cursor
from db.mailbox import erased, events
from db.mailbox.messages import stamp
from db.prepared import Prepared
from relay.core.mailbox import Attempt, Claim, RowStatus, Verdict

CLAIM = Prepared(
    "claim_messages",
    """
WITH owned AS (
    SELECT n, epoch FROM shards WHERE owner = %(owner)s AND n = ANY(%(shards)s) ORDER BY n FOR SHARE
), wanted AS (
    SELECT * FROM unnest(%(ids)s, %(numbers)s, %(epochs)s, %(attempts)s, %(again)s) AS w (id, shard, epoch, n, again)
)
UPDATE message_tracking m
SET state = 'sending', attempts = w.n, claim_epoch = w.epoch, claimed_at = clock_timestamp(),
    deadline_at = clock_timestamp() + make_interval(secs => %(seconds)s),
    next_attempt_at = NULL, unknown_until = NULL, updated_at = now()
FROM wanted w
WHERE m.id = w.id AND m.shard = w.shard
  AND EXISTS (SELECT 1 FROM owned o WHERE o.n = w.shard AND o.epoch = w.epoch)
  AND (m.attempts = w.n - 1 AND m.state IN ('received', 'unknown')
       -- the same claim again, after its answer was lost: its sender is still waiting for it
       OR w.again AND m.attempts = w.n AND m.claim_epoch = w.epoch AND m.state = 'sending')
RETURNING m.id::text
""",
    owner="uuid", shards="smallint[]", ids="uuid[]", numbers="smallint[]", epochs="bigint[]", attempts="integer[]",
    again="boolean[]", seconds="float8",
)  # fmt: skip


def claim(cursor: Cursor, owner: str, claims: Sequence[Claim], request_seconds: float) -> set[str]:
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


def lock(cursor: Cursor, message_ids: Sequence[str]) -> None:
    """Lock the rows in one order for all transactions, or two of them would wait for each other."""
    LOCK.run(cursor, ids=message_ids)


# A provider id that another attempt holds already is not stored twice. Of a call there is a row before its end where
# something was told of it meanwhile: what a status said about it stays.
ATTEMPTS = Prepared(
    "record_attempts",
    """
WITH v AS (
    SELECT c.message_id, c.n, c.at, c.outcome, c.http_status, c.code, c.detail, c.trace_id, c.answer,
           CASE WHEN held.n IS NULL THEN c.provider_id END AS provider_id
    FROM unnest(%(ids)s, %(lines)s, %(numbers)s, %(at)s, %(outcomes)s, %(provider_ids)s, %(statuses)s, %(codes)s,
                %(details)s, %(traces)s, %(answers)s)
         AS c (message_id, line_id, n, at, outcome, provider_id, http_status, code, detail, trace_id, answer)
    -- not as EXISTS, for which a whole table may be hashed
    LEFT JOIN LATERAL (SELECT o.n FROM message_attempts o
                       WHERE o.line_id = c.line_id AND o.provider_id = c.provider_id LIMIT 1) held ON true
), known AS (
    UPDATE message_attempts a
    SET finished_at = v.at, http_status = v.http_status, trace_id = v.trace_id,
        outcome = CASE a.outcome WHEN 'undelivered' THEN a.outcome ELSE v.outcome END,
        code = CASE a.outcome WHEN 'undelivered' THEN a.code ELSE v.code END,
        detail = CASE a.outcome WHEN 'undelivered' THEN a.detail ELSE v.detail END,
        answer = CASE a.outcome WHEN 'undelivered' THEN a.answer ELSE v.answer END,
        provider_id = coalesce(v.provider_id, a.provider_id)
    FROM v WHERE a.message_id = v.message_id AND a.n = v.n
    RETURNING a.message_id, a.n
)
INSERT INTO message_attempts (message_id, n, line_id, epoch, started_at, deadline_at, finished_at, outcome, provider_id,
                              http_status, code, detail, trace_id, answer)
SELECT m.id, v.n, m.line_id, coalesce(m.claim_epoch, 0),
       coalesce(CASE WHEN m.attempts = v.n THEN m.claimed_at END, v.at),
       coalesce(CASE WHEN m.attempts = v.n THEN m.deadline_at END, v.at),
       v.at, v.outcome, v.provider_id, v.http_status, v.code, v.detail, v.trace_id, v.answer
FROM v JOIN message_tracking m ON m.id = v.message_id
WHERE (v.message_id, v.n) NOT IN (SELECT message_id, n FROM known)
""",
    ids="uuid[]", lines="uuid[]", numbers="integer[]", at="timestamptz[]", outcomes="text[]", provider_ids="text[]",
    statuses="integer[]", codes="text[]", details="text[]", traces="text[]", answers="text[]",
)  # fmt: skip


def record_attempts(cursor: Cursor, attempts: Sequence[Attempt]) -> None:
    """Write down the calls, each with when it was claimed. Their messages are locked by the caller."""
    if not attempts:
        return
    holders = {(one.line_id, one.provider_id): one for one in reversed(attempts)}
    ATTEMPTS.run(
        cursor,
        ids=[one.message_id for one in attempts],
        lines=[one.line_id for one in attempts],
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


# For the history, where a call's end is told by somebody else than its sender, or by nobody.
BEGUN = """INSERT INTO message_attempts (message_id, n, line_id, epoch, started_at, deadline_at)
  SELECT id, attempts, line_id, coalesce(claim_epoch, 0), coalesce(claimed_at, now()),
         coalesce(deadline_at, claimed_at, now())
  FROM {messages} WHERE {which} ON CONFLICT (message_id, n) DO NOTHING"""
UNDER_WAY = Prepared(
    "attempts_under_way",
    BEGUN.format(messages="message_tracking", which="id = ANY(%(ids)s) AND state = 'sending'"),
    ids="uuid[]",
)


def keep_attempts_under_way(cursor: Cursor, message_ids: Sequence[str]) -> None:
    """Make the rows of calls that have not ended, before others move their messages. The caller has locked these."""
    if message_ids:
        UNDER_WAY.run(cursor, ids=message_ids)


ROW_STATUS = """m.id::text, m.conversation_id::text, m.shard, m.state,
 CASE WHEN m.report IS DISTINCT FROM m.reported THEN m.report END, m.source_id,
 extract(epoch FROM CASE WHEN m.report = 'delivered' THEN coalesce(m.delivered_at, m.read_at) ELSE m.failed_at END),
 m.reason_code, m.reason, coalesce((m.content->>'part')::int, 1), coalesce((m.content->>'parts')::int, 1)"""


# Not of an attempt that ended undelivered meanwhile: its message goes out again, or has failed.
SENT = Prepared(
    "record_sent",
    f"""
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
RETURNING {ROW_STATUS}
""",
    ids="uuid[]", numbers="integer[]", provider_ids="text[]", at="timestamptz[]",
)  # fmt: skip


def record_sent(cursor: Cursor, sent: Sequence[Attempt]) -> list[RowStatus]:
    """`sent` is accepted from anyone who knows it, and never overwritten by less. How those stand that were changed."""
    if not sent:
        return []
    SENT.run(
        cursor,
        ids=[one.message_id for one in sent],
        numbers=[one.n for one in sent],
        provider_ids=[one.provider_id for one in sent],
        at=[stamp(one.at) for one in sent],
    )
    return [row_status_of(row) for row in cursor.fetchall()]


VERDICTS = Prepared(
    "record_verdicts",
    f"""
WITH v AS (
    SELECT g.id, g.epoch, g.attempt, g.at, g.next_attempt_at, g.unknown_until,
           CASE WHEN e.erased THEN 'dead' ELSE g.state END AS state,
           CASE WHEN e.erased THEN '{erased.CODE}' ELSE g.code END AS code,
           CASE WHEN e.erased THEN '{erased.REASON}' ELSE g.reason END AS reason, coalesce(e.erased, false) AS erased
    FROM unnest(%(ids)s, %(epochs)s, %(attempts)s, %(states)s, %(at)s, %(codes)s, %(reasons)s, %(next)s, %(until)s)
         AS g (id, epoch, attempt, state, at, code, reason, next_attempt_at, unknown_until)
    -- whoever is being erased is not called once more
    LEFT JOIN LATERAL (SELECT {erased.ERASED} AS erased FROM message_tracking m
                       WHERE m.id = g.id AND g.state IN ('received', 'unknown')) e ON true
)
UPDATE message_tracking m
SET state = v.state, reason_code = v.code, reason = v.reason,
    next_attempt_at = CASE WHEN NOT v.erased THEN v.next_attempt_at END,
    unknown_until = CASE WHEN NOT v.erased THEN v.unknown_until END, updated_at = now(),
    failed_at = CASE WHEN v.state IN ('failed', 'dead') THEN v.at ELSE m.failed_at END,
    report = CASE WHEN v.state IN ('failed', 'dead') AND m.direction = 'outbound' AND m.origin <> 'api'
                    AND NOT v.erased
                  THEN coalesce(m.report, 'failed') ELSE m.report END
FROM v
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


def record_verdicts(cursor: Cursor, verdicts: Sequence[Verdict]) -> None:
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


def note_verdicts(cursor: Cursor, verdicts: Sequence[Verdict]) -> None:
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


def record_reports(cursor: Cursor, reports: Sequence[tuple[str, str, str | None]]) -> None:
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


STANDINGS = Prepared(
    "row_statuses", f"SELECT {ROW_STATUS} FROM message_tracking m WHERE m.id = ANY(%(ids)s)", ids="uuid[]"
)

DUE_REPORTS = Prepared(
    "due_reports",
    f"""SELECT {ROW_STATUS} FROM unnest(%(conversations)s) c (id) CROSS JOIN LATERAL (
          SELECT * FROM message_tracking x
          WHERE x.conversation_id = c.id AND x.unfinished AND x.report IS DISTINCT FROM x.reported
          ORDER BY x.seq LIMIT %(limit)s) m""",
    conversations="uuid[]", limit="integer",
)  # fmt: skip


def row_status_of(row: Sequence[Any]) -> RowStatus:
    message_id, conversation_id, shard, state, report, source_id, at, *rest = row
    own_id = source_id.partition("#")[0]
    return RowStatus(message_id, conversation_id, shard, state, report, own_id, float(at or 0.0), *rest)


def row_statuses(cursor: Cursor, message_ids: Sequence[str]) -> list[RowStatus]:
    if not message_ids:
        return []
    STANDINGS.run(cursor, ids=message_ids)
    return [row_status_of(row) for row in cursor.fetchall()]


def due_reports(cursor: Cursor, conversation_ids: Sequence[str], limit: int) -> list[RowStatus]:
    """Messages of which the agent's side has not been told what it should be: `limit` of each conversation."""
    DUE_REPORTS.run(cursor, conversations=conversation_ids, limit=limit)
    return [row_status_of(row) for row in cursor.fetchall()]
