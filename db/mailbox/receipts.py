"""What a provider tells about messages sent earlier: matched, written, or parked until it can be matched."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any
from uuid import UUID

from psycopg2.extras import execute_values

from db.contacts import conversations, windows
from db.cursor import Cursor
from db.mailbox import claims, prices, undelivered
from db.mailbox.claims import BEGUN, row_statuses
from db.mailbox.messages import stamp
from db.mailbox.prices import COUNT_PRICES, NEW_PRICES
from db.mailbox.undelivered import MatchedReceipt
from db.prepared import Prepared
from relay.core.mailbox import RowStatus
from relay.core.messages import Receipt, dump, load
from relay.core.prices import Price
from relay.core.status import Facts, gather

PARKED_SECONDS = 900
PARKED_PER_LINE = 10_000
TOLD_BESIDES = ("aliases", "window_until", "thread")
KEPT_BESIDE = {"provider_id": "", "status": "sent", "time": 0.0}
"""What a parked receipt's own columns say."""


@dataclass(frozen=True, slots=True)
class LineReceipt:
    line_id: str
    receipt: Receipt


def record(cursor: Cursor, receipts: Sequence[LineReceipt], others: Collection[str] = ()) -> list[RowStatus]:
    """Match, write, and park what matches nothing yet, in the caller's transaction.

    `others`: ids of messages that the caller writes to afterwards. They are locked together with those told of.
    """
    if not receipts and not others:
        return []
    matched = _match(cursor, receipts)
    told = list(matched.values())
    _learn_aliases(cursor, told)
    windows.extend(cursor, {one.message_id: until for one in told if (until := one.receipt.window_until) is not None})
    windows.hear(cursor, {one.message_id: fact for one in told if (fact := one.receipt.thread) is not None})
    if others:
        claims.lock(cursor, [*others, *{one.message_id for one in told}])
    settled = undelivered.settle(cursor, told)
    later = [LineReceipt(one.line_id, one.receipt) for one in settled.parked]
    _park(cursor, [one for index, one in enumerate(receipts) if index not in matched] + later)
    facts = gather((one.message_id, one.receipt) for one in settled.told)
    write(cursor, facts)
    return row_statuses(cursor, sorted({*(one.message_id for one in facts), *settled.put_back}))


MATCH = Prepared(
    "match_receipts",
    """SELECT v.place::int - 1, coalesce(m.id, a.message_id)::text, a.n, coalesce(a.outcome = 'undelivered', false)
       FROM unnest(%(lines)s, %(provider_ids)s, %(ids)s) WITH ORDINALITY AS v (line_id, provider_id, message_id, place)
       LEFT JOIN message_tracking m ON m.id = v.message_id AND m.line_id = v.line_id
       LEFT JOIN message_attempts a ON a.line_id = v.line_id AND a.provider_id = v.provider_id
            AND a.message_id = coalesce(m.id, a.message_id)
       WHERE coalesce(m.id, a.message_id) IS NOT NULL""",
    lines="uuid[]", provider_ids="text[]", ids="uuid[]",
)  # fmt: skip


def _match(cursor: Cursor, receipts: Sequence[LineReceipt]) -> dict[int, MatchedReceipt]:
    """By index in `receipts`: by our own id first, then by the provider's within the line."""
    MATCH.run(
        cursor,
        lines=[one.line_id for one in receipts],
        provider_ids=[one.receipt.provider_id for one in receipts],
        ids=[one.receipt.message_id for one in receipts],
    )
    found = sorted(cursor.fetchall(), key=lambda row: int(row[0]))
    return {
        place: MatchedReceipt(receipts[place].line_id, message_id, n, ended, receipts[place].receipt)
        for place, message_id, n, ended in found
    }


UNKNOWN_ALIASES = Prepared(
    "unknown_aliases",
    """SELECT v.line_id::text, v.alias, m.conversation_id::text
       FROM unnest(%(lines)s, %(aliases)s, %(ids)s, %(first)s) AS v (line_id, alias, message_id, first)
       JOIN message_tracking m ON m.id = v.message_id AND (v.first OR m.delivered_at IS NULL)
       WHERE NOT EXISTS (SELECT 1 FROM contact_aliases c WHERE c.line_id = v.line_id AND c.alias = v.alias)""",
    lines="uuid[]", aliases="text[]", ids="uuid[]", first="boolean[]",
)  # fmt: skip


def _learn_aliases(cursor: Cursor, told: Sequence[MatchedReceipt]) -> None:
    """Further addresses of the contact. Three statuses per message name them: the first that do are enough."""
    naming = {
        (one.line_id, alias, one.message_id, one.receipt.status == "sent")
        for one in told
        if one.receipt.status in ("sent", "delivered")
        for alias in one.receipt.aliases
    }
    if not naming:
        return
    lines, aliases, ids, first = zip(*naming, strict=True)
    UNKNOWN_ALIASES.run(cursor, lines=lines, aliases=aliases, ids=ids, first=first)
    conversations.add_aliases(cursor, sorted(set(cursor.fetchall())))


def _park(cursor: Cursor, unmatched: Sequence[LineReceipt]) -> None:
    rows = {
        (one.line_id, one.receipt.provider_id, one.receipt.status): one.receipt
        for one in unmatched
        if one.receipt.provider_id
    }
    if rows:
        execute_values(
            cursor,
            """INSERT INTO parked_receipts (line_id, provider_id, status, message_id, at, code, reason, answer, fate,
                                            price, more)
               VALUES %s ON CONFLICT DO NOTHING""",
            [
                (UUID(line), provider_id, status, receipt.message_id, stamp(receipt.time), receipt.code, receipt.reason,
                 receipt.answer, receipt.fate, None if receipt.price is None else dump(receipt.price).decode(),
                 _more(receipt))
                for (line, provider_id, status), receipt in sorted(rows.items())
            ],
            template="(%s, %s, %s, %s::uuid, coalesce(%s, now()), %s, %s, %s, %s, %s::jsonb, %s::jsonb)",
            page_size=len(rows),
        )  # fmt: skip


APPLY = Prepared(
    "apply_receipts",
    f"""
WITH v AS (
    SELECT * FROM unnest(%(ids)s, %(provider_ids)s, %(sent)s, %(delivered)s, %(read)s, %(failed)s, %(codes)s,
                         %(reasons)s, %(prices)s)
             AS v (id, provider_id, sent_at, delivered_at, read_at, failed_at, code, reason, prices)
),
merged AS (
    SELECT m.id, m.direction, m.origin, m.state, m.reason_code, m.reason, m.report,
           m.line_id, m.attempts, m.claim_epoch, m.claimed_at, m.deadline_at,
           ROW(m.sent_at, m.delivered_at, m.read_at, m.failed_at, m.provider_id,
               m.state, m.reason_code, m.reason, m.report, m.prices) AS before,
           m.tenant_id, m.prices, {NEW_PRICES} AS new_prices,
           coalesce(m.sent_at, v.sent_at, v.delivered_at, v.read_at) AS sent_at,
           -- Meta's whole seconds may lie before our own, finer time of sending: nothing is delivered before it is sent
           coalesce(m.delivered_at, CASE WHEN v.delivered_at IS NOT NULL
                                         THEN greatest(v.delivered_at, m.sent_at) END) AS delivered_at,
           coalesce(m.read_at, CASE WHEN v.read_at IS NOT NULL
                                    THEN greatest(v.read_at, m.delivered_at, v.delivered_at, m.sent_at) END) AS read_at,
           coalesce(m.failed_at, v.failed_at) AS failed_at, coalesce(m.provider_id, v.provider_id) AS provider_id,
           m.failed_at IS NULL AND v.failed_at IS NOT NULL AS newly_failed, v.code AS new_code, v.reason AS new_reason,
           -- a template went out that does not hold what the agent wrote: that has failed, and stays so
           m.content->'template'->>'instead' = 'true' AS instead
    FROM v JOIN message_tracking m ON m.id = v.id
    WHERE m.state NOT IN ('ignored', 'record')
    ORDER BY m.id FOR UPDATE OF m
),
ladder AS (
    SELECT id, before, tenant_id, line_id, new_prices, coalesce(prices || new_prices, prices, new_prices) AS prices,
           sent_at, delivered_at, read_at, failed_at, provider_id,
           CASE WHEN read_at IS NOT NULL THEN 'read'
                WHEN delivered_at IS NOT NULL THEN 'delivered'
                WHEN failed_at IS NOT NULL THEN CASE state WHEN 'dead' THEN 'dead' ELSE 'failed' END
                WHEN sent_at IS NOT NULL THEN 'sent' ELSE state END AS state,
           CASE WHEN instead AND report IS NOT NULL THEN reason_code
                WHEN delivered_at IS NOT NULL OR read_at IS NOT NULL THEN NULL
                WHEN newly_failed THEN new_code ELSE reason_code END AS reason_code,
           CASE WHEN instead AND report IS NOT NULL THEN reason
                WHEN delivered_at IS NOT NULL OR read_at IS NOT NULL THEN NULL
                WHEN newly_failed THEN new_reason ELSE reason END AS reason,
           CASE WHEN direction <> 'outbound' OR origin = 'api' OR instead THEN report
                WHEN delivered_at IS NOT NULL OR read_at IS NOT NULL THEN 'delivered'
                WHEN failed_at IS NOT NULL THEN 'failed' ELSE report END AS report
    FROM merged
), begun AS (
    -- the end of a call may be told before its answer has been read, and that may never be
    {BEGUN.format(messages="merged", which="state = 'sending'")}
), counted AS ({COUNT_PRICES.format(messages="ladder")})
UPDATE message_tracking m
SET sent_at = n.sent_at, delivered_at = n.delivered_at, read_at = n.read_at, failed_at = n.failed_at,
    provider_id = n.provider_id, state = n.state, reason_code = n.reason_code, reason = n.reason, report = n.report,
    prices = n.prices, updated_at = now()
FROM ladder n
WHERE m.id = n.id AND n.before IS DISTINCT FROM ROW(n.sent_at, n.delivered_at, n.read_at, n.failed_at, n.provider_id,
                                                    n.state, n.reason_code, n.reason, n.report, n.prices)
""",
    ids="uuid[]", provider_ids="text[]", sent="timestamptz[]", delivered="timestamptz[]", read="timestamptz[]",
    failed="timestamptz[]", codes="text[]", reasons="text[]", prices="jsonb[]",
)  # fmt: skip


def write(cursor: Cursor, facts: Sequence[Facts]) -> None:
    """The ladder: a fact known before changes nothing, and so writes nothing."""
    if not facts:
        return
    APPLY.run(
        cursor,
        ids=[one.message_id for one in facts],
        provider_ids=[one.provider_id or None for one in facts],
        sent=[stamp(one.sent_at) for one in facts],
        delivered=[stamp(one.delivered_at) for one in facts],
        read=[stamp(one.read_at) for one in facts],
        failed=[stamp(one.failed_at) for one in facts],
        codes=[one.code for one in facts],
        reasons=[one.reason for one in facts],
        prices=[prices.written(one.prices) for one in facts],
    )


UNPARK = Prepared(
    "unpark_receipts",
    """DELETE FROM parked_receipts p USING unnest(%(lines)s, %(provider_ids)s) AS v (line_id, provider_id)
       WHERE p.line_id = v.line_id AND p.provider_id = v.provider_id
       RETURNING p.line_id, p.provider_id, p.status, extract(epoch FROM p.at), p.message_id, p.code, p.reason,
                 p.answer, p.fate, p.price, p.more""",
    lines="uuid[]", provider_ids="text[]",
)  # fmt: skip


def unpark(cursor: Cursor, ids: Sequence[tuple[str, str]]) -> list[RowStatus]:
    """Apply the receipts parked for (line id, provider id) pairs that have just become known."""
    if not ids:
        return []
    pairs = sorted(set(ids))
    UNPARK.run(cursor, lines=[line_id for line_id, _ in pairs], provider_ids=[one for _, one in pairs])
    return record(cursor, [_line_receipt(row) for row in cursor.fetchall()])


def known(cursor: Cursor, limit: int = 500) -> list[tuple[str, str]]:
    """(line id, provider id) of parked receipts whose message became known without anybody looking, now locked."""
    cursor.execute(
        """SELECT p.line_id::text, p.provider_id FROM parked_receipts p
           JOIN message_attempts a ON a.line_id = p.line_id AND a.provider_id = p.provider_id
           ORDER BY p.parked_at LIMIT %s FOR UPDATE OF p SKIP LOCKED""",
        (limit,),
    )
    return [(row[0], row[1]) for row in cursor.fetchall()]


def drop_stale(cursor: Cursor) -> int:
    """Forget what nobody can match: older than 15 minutes, or beyond 10,000 on a line. Returns how many."""
    cursor.execute("DELETE FROM parked_receipts WHERE parked_at < now() - make_interval(secs => %s)", (PARKED_SECONDS,))
    dropped: int = cursor.rowcount
    cursor.execute(
        """DELETE FROM parked_receipts WHERE ctid IN (
             SELECT ctid FROM (SELECT ctid, row_number() OVER (PARTITION BY line_id ORDER BY parked_at DESC) AS place
                               FROM parked_receipts) ranked WHERE place > %s)""",
        (PARKED_PER_LINE,),
    )
    return dropped + int(cursor.rowcount)


def _line_receipt(row: Sequence[Any]) -> LineReceipt:
    message_id = None if row[4] is None else str(row[4])
    price = None if row[9] is None else load(Price, row[9])
    # By the older version nothing more was kept.
    more = load(Receipt, {**KEPT_BESIDE, **(row[10] or {})})
    receipt = replace(
        more, provider_id=row[1], status=row[2], time=float(row[3]), message_id=message_id, code=row[5], reason=row[6],
        answer=row[7], fate=row[8], price=price,
    )  # fmt: skip
    return LineReceipt(str(row[0]), receipt)


def _more(receipt: Receipt) -> str | None:
    """What its columns do not hold."""
    told = {name: value for name, value in asdict(receipt).items() if name in TOLD_BESIDES and value}
    return dump(told).decode() if told else None
