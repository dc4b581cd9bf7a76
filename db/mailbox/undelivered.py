"""What a provider took and did not deliver after all: which attempt it was, and whether the message goes out again.

A failure that passes puts the row back to `received`; its attempt ends as `undelivered` and keeps its provider id,
so that nothing but a word of arrival counts of it any more.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal
from uuid import UUID

from psycopg2.extras import execute_values

from db.cursor import Cursor
from db.mailbox import claims, events, sweep
from db.mailbox.erased import ERASED
from relay.core.conversation.launch import may_take
from relay.core.messages import Message, Receipt, load
from relay.core.retry import PASSING, backoff, send_again
from relay.core.status import UNFINISHED

OPEN = (*UNFINISHED, "sent")
"""States in which the last attempt's end decides what becomes of the message."""
ARRIVED = ("delivered", "read")

ReceiptDecision = Literal["final", "again", "older", "repeated", "later"]
"""final     the message has failed (or has arrived all the same: the ladder tells)
again     it goes out once more
older     a later attempt decides; this one is only written down
repeated  it was written down before
later     nobody can tell yet which attempt it is about"""


@dataclass(frozen=True, slots=True)
class MatchedReceipt:
    """A receipt that was matched. `n`: the attempt it is about, None: not known; `ended`: undelivered before."""

    line_id: str
    message_id: str
    n: int | None
    ended: bool
    receipt: Receipt

    @property
    def attempt(self) -> tuple[str, str]:
        return self.message_id, self.receipt.provider_id


@dataclass(frozen=True, slots=True)
class _FailedReceipt:
    """A failed receipt beside its message's row, which is locked."""

    told: MatchedReceipt
    arrived: bool
    """Some word of arrival is known, from whichever attempt."""
    n: int | None
    ended: bool
    state: str
    attempts: int
    provider_id: str | None
    undelivered: int
    has_file: bool
    """A link to our copy of its file can go in its place, and has not yet."""
    take: bool
    """Another responder has the thread, and the line may take it for this message, and did not for that reason yet."""
    emptied: bool
    """What it said is deleted (retention): there is nothing to send again."""

    @property
    def next(self) -> ReceiptDecision:
        if self.ended:
            return "repeated"
        newest = self.provider_id == self.told.receipt.provider_id
        if self.arrived or self.state not in OPEN:
            return "final"
        if self.n is None and (self.take or self.told.receipt.fate in (*PASSING, "as_link")) and not newest:
            # Several calls ended without word, and it may be about any of them.
            return "later" if self.state in ("sending", "unknown") else "repeated"
        if self.n is not None and self.n < self.attempts:
            return "final" if newest else "older"
        return "final" if self.n is None or self.wait is None else "again"

    @property
    def wait(self) -> float | None:
        """Seconds before it may go out again."""
        if self.emptied:
            return None
        if self.take:
            return backoff(1)
        return send_again(self.told.receipt.fate, self.undelivered + 1, self.has_file)


@dataclass(slots=True)
class SettledReceipts:
    """`told`: what is left for the ladder; `parked`: to be looked at later; `put_back`: ids of messages."""

    told: list[MatchedReceipt] = field(default_factory=list)
    parked: list[MatchedReceipt] = field(default_factory=list)
    put_back: list[str] = field(default_factory=list)


def settle(cursor: Cursor, told: Sequence[MatchedReceipt]) -> SettledReceipts:
    """Deal with the failures among them. Nothing is asked of PostgreSQL when there are none."""
    failures = _failures(cursor, told)
    again = {one.told.message_id: one for one in failures if one.next == "again"}
    _end(cursor, [one for one in failures if one.n is not None and one.next in ("final", "again", "older")])
    _put_back(cursor, again)
    over = {one.attempt for one in told if one.ended} | {one.told.attempt for one in again.values()}
    rest = [one for one in told if one.receipt.status != "failed"]
    return SettledReceipts(
        [one for one in rest if one.receipt.status in ARRIVED or one.attempt not in over]
        + [one.told for one in failures if one.next == "final"],
        [one.told for one in failures if one.next == "later"],
        list(again),
    )


def _failures(cursor: Cursor, told: Sequence[MatchedReceipt]) -> list[_FailedReceipt]:
    """The failed ones, one per attempt, beside their rows, which are locked from now on."""
    failed = {one.attempt: one for one in told if one.receipt.status == "failed"}
    if not failed:
        return []
    arrived = {one.message_id for one in told if one.receipt.status in ARRIVED}
    # All of the group, for the ladder locks them too: one order for all transactions.
    claims.lock(cursor, sorted({one.message_id for one in told}))
    _name_attempts(cursor, [one for one in failed.values() if one.n is None and one.receipt.provider_id])
    return _read(cursor, list(failed.values()), arrived)


def _name_attempts(cursor: Cursor, nameless: Sequence[MatchedReceipt]) -> None:
    """A status that bears our id may know the provider's before its answer did: if one attempt only can be meant."""
    if nameless:
        claims.keep_attempts_under_way(cursor, [one.message_id for one in nameless])
        execute_values(
            cursor,
            """WITH v (line_id, message_id, provider_id) AS (VALUES %s), open AS (
                 SELECT a.message_id, min(a.n) AS n FROM message_attempts a
                 WHERE a.message_id IN (SELECT message_id FROM v) AND a.provider_id IS NULL
                   AND coalesce(a.outcome, 'unknown') IN ('unknown', 'sent')
                 GROUP BY a.message_id HAVING count(*) = 1)
               UPDATE message_attempts a SET provider_id = v.provider_id
               FROM v JOIN open ON open.message_id = v.message_id
               WHERE a.message_id = v.message_id AND a.n = open.n AND a.line_id = v.line_id
                 AND NOT EXISTS (SELECT 1 FROM message_attempts o
                                 WHERE o.line_id = v.line_id AND o.provider_id = v.provider_id)""",
            sorted({one.message_id: (UUID(one.line_id), UUID(one.message_id), one.receipt.provider_id)
                    for one in nameless}.values()),
            template="(%s::uuid, %s::uuid, %s)",
            page_size=len(nameless),
        )  # fmt: skip


def _read(cursor: Cursor, failed: Sequence[MatchedReceipt], arrived: set[str]) -> list[_FailedReceipt]:
    """Read under the lock, which the look that matched them did not have; older attempts first."""
    rows = execute_values(
        cursor,
        """SELECT v.ord, a.n, coalesce(a.outcome = 'undelivered', false), m.state, m.attempts, m.provider_id,
                  (SELECT count(*) FROM message_attempts u WHERE u.message_id = m.id AND u.outcome = 'undelivered'),
                  coalesce(m.content->'media'->>'kind' <> 'link' AND m.content->'media'->>'object_key' IS NOT NULL
                           AND m.content->'template' IS NULL, false),
                  CASE WHEN v.elsewhere AND m.direction = 'outbound' THEN m.content END, l.settings,
                  m.emptied_at IS NOT NULL
           FROM (VALUES %s) AS v (ord, line_id, message_id, provider_id, elsewhere)
           JOIN message_tracking m ON m.id = v.message_id
           JOIN lines l ON l.id = m.line_id
           LEFT JOIN message_attempts a ON a.line_id = v.line_id AND a.provider_id = v.provider_id
                AND a.message_id = v.message_id
           ORDER BY m.id, a.n""",
        [
            (index, one.line_id, one.message_id, one.receipt.provider_id, _is_elsewhere(one.receipt))
            for index, one in enumerate(failed)
        ],
        template="(%s::int, %s::uuid, %s::uuid, %s, %s)",
        page_size=len(failed),
        fetch=True,
    )
    found = ((failed[row[0]], row[3], [*row[1:8], _has_to_take(*row[6:10]), row[10]]) for row in rows)
    return [_FailedReceipt(one, state in ARRIVED or one.message_id in arrived, *rest) for one, state, rest in found]


def _is_elsewhere(receipt: Receipt) -> bool:
    return receipt.thread is not None and receipt.thread.state == "elsewhere"


def _has_to_take(undelivered: int, _: bool, content: Any, settings: Mapping[str, Any]) -> bool:
    """Once, as after an answer that says the same; `content` is that of a message somebody else's thread refused."""
    if content is None or undelivered:
        return False
    try:
        return may_take(settings, load(Message, content))
    except ValueError:
        return False  # nobody can read it: it could not be sent again, and the failure has to be told


def _end(cursor: Cursor, ended: Sequence[_FailedReceipt]) -> None:
    """The attempts' rows: that they came to nothing, and the provider's whole word about it."""
    if ended:
        execute_values(
            cursor,
            """UPDATE message_attempts a
               SET outcome = CASE WHEN v.arrived THEN a.outcome ELSE 'undelivered' END,
                   code = v.code, detail = v.detail, answer = coalesce(v.answer, a.answer)
               FROM (VALUES %s) AS v (message_id, n, arrived, code, detail, answer)
               WHERE a.message_id = v.message_id AND a.n = v.n""",
            [
                (UUID(one.told.message_id), one.n, one.arrived, one.told.receipt.code, one.told.receipt.reason,
                 one.told.receipt.answer)
                for one in ended
            ],
            template="(%s::uuid, %s::int, %s, %s::text, %s::text, %s::text)",
            page_size=len(ended),
        )  # fmt: skip


PUT_BACK = """
UPDATE message_tracking m
SET state = 'received', claimed_at = NULL, next_attempt_at = now() + make_interval(secs => v.wait),
    content = CASE WHEN v.as_link THEN jsonb_set(m.content, '{media,kind}', '"link"')
                   WHEN v.take THEN m.content || '{"take": true}' ELSE m.content END,
    unknown_until = NULL, provider_id = NULL, sent_at = NULL, reason_code = v.code, reason = v.reason,
    late = m.late OR EXISTS (SELECT 1 FROM message_tracking x
                             WHERE x.conversation_id = m.conversation_id AND x.direction = m.direction
                               AND (x.sort_time, x.arrived_at, x.idx) > (m.sort_time, m.arrived_at, m.idx)
                               AND x.attempts > 0),
    updated_at = now()
FROM (VALUES %s) AS v (id, wait, code, reason, as_link, take) WHERE m.id = v.id AND NOT ({erased})
RETURNING m.id::text, m.shard, m.conversation_id::text, m.late
""".replace("{erased}", ERASED)


def _put_back(cursor: Cursor, again: dict[str, _FailedReceipt]) -> None:
    """Back to `received`, told to the owners of their shards, and written down. The rows are locked."""
    if not again:
        return
    rows = execute_values(
        cursor,
        PUT_BACK,
        [
            (UUID(key), one.wait, one.told.receipt.code, one.told.receipt.reason,
             one.told.receipt.fate == "as_link", one.take)
            for key, one in again.items()
        ],
        template="(%s::uuid, %s, %s::text, %s::text, %s, %s)",
        page_size=len(again),
        fetch=True,
    )  # fmt: skip
    events.note(cursor, [(row[0], "undelivered", _why(again[row[0]], late=row[3])) for row in rows])
    for shard, conversation_id in sorted({(row[1], row[2]) for row in rows}):
        sweep.notify(cursor, shard, conversation_id)


def _why(one: _FailedReceipt, *, late: bool) -> str:
    said = one.told.receipt.reason or "no reason was given"
    order = "; later messages have gone ahead of it" if late else ""
    again = f"it goes out again in {one.wait:.0f} seconds"
    if one.told.receipt.fate == "as_link":
        again = "it goes out again with a link to the file"
    elif one.take:
        again = "the conversation is taken over first, and it goes out again"
    return f"{one.told.receipt.code}: {said}; {again}{order}"
