"""When conversations were last active, until when the business may write freely, and who answers their contacts."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import UUID

from db.contacts.mappings import columns, mapping_of
from db.contacts.seen import Arrival
from db.cursor import Cursor
from db.mailbox.messages import stamp
from db.prepared import Prepared
from relay.core.contacts.mapping import ConversationMapping
from relay.core.threads import CERTAINTY, ThreadFact, prevailing


@dataclass(frozen=True, slots=True)
class Window:
    """When the business may write freely: for 24 hours after the contact's last word, longer after an ad."""

    until: datetime | None

    @property
    def open(self) -> bool | None:
        """None where nobody knows: nothing of the contact has come."""
        return None if self.until is None else self.until > datetime.now(UTC)


RANKS = f"ARRAY{list(CERTAINTY)}"

# With a clock that runs ahead nobody stays at the top of the list, nor has a window without end.
# Which of two messages is the newer one is decided by the provider's time, for they arrive in any order; so is who
# answers the contact, as `relay.core.threads.prevailing` has it.
TOUCH = Prepared(
    "touch",
    f"""
WITH v AS (SELECT id, least(at, now()) AS at, inbound, stamped,
             CASE WHEN until IS NOT NULL THEN least(until, now() + interval '7 days') END AS until,
             heard, fact, fact_role, fact_at
           FROM unnest(%(ids)s, %(at)s, %(until)s, %(inbound)s, %(stamped)s, %(heard)s, %(facts)s, %(roles)s,
                       %(fact_at)s) AS v (id, at, until, inbound, stamped, heard, fact, fact_role, fact_at)),
mine AS (SELECT c.*, v.at, v.until, v.inbound, v.stamped, v.heard, v.fact, v.fact_role, v.fact_at,
                coalesce(c.last_at < v.at, false) AS active,
                coalesce(v.until > coalesce(c.window_until, '-infinity'), false) AS opens,
                v.inbound IS NOT NULL AND v.stamped >= coalesce(c.last_inbound_at, '-infinity') AS newer,
                coalesce(v.heard > coalesce(c.heard_at, '-infinity'), false) AS hears,
                v.fact IS NOT NULL AND (c.thread_at IS NULL OR v.fact_at > c.thread_at
                  OR v.fact_at = c.thread_at AND array_position({RANKS}, v.fact)
                                                 >= array_position({RANKS}, c.thread_state)) AS moves
         FROM v JOIN conversation_mappings c ON c.id = v.id ORDER BY c.id FOR NO KEY UPDATE OF c),
done AS (UPDATE conversation_mappings c
         SET last_at = greatest(c.last_at, n.at), window_until = greatest(c.window_until, n.until),
             invited_at = CASE WHEN n.opens THEN NULL ELSE c.invited_at END,
             last_inbound_id = CASE WHEN n.newer THEN n.inbound ELSE c.last_inbound_id END,
             last_inbound_at = CASE WHEN n.newer THEN n.stamped ELSE c.last_inbound_at END,
             heard_at = CASE WHEN n.hears THEN n.heard ELSE c.heard_at END,
             thread_state = CASE WHEN n.moves THEN n.fact ELSE c.thread_state END,
             thread_at = CASE WHEN n.moves THEN n.fact_at ELSE c.thread_at END,
             thread_role = CASE WHEN NOT n.moves THEN c.thread_role
                                WHEN n.fact = c.thread_state THEN coalesce(n.fact_role, c.thread_role)
                                ELSE n.fact_role END
         FROM mine n WHERE c.id = n.id AND (n.active OR n.opens OR n.newer OR n.hears OR n.moves)
         RETURNING {columns("c")})
SELECT * FROM done UNION ALL
SELECT {columns("mine")} FROM mine WHERE NOT (active OR opens OR newer OR hears OR moves)
""",
    ids="uuid[]", at="timestamptz[]", until="timestamptz[]", inbound="text[]", stamped="timestamptz[]",
    heard="timestamptz[]", facts="text[]", roles="text[]", fact_at="timestamptz[]",
)  # fmt: skip


def touch(cursor: Cursor, arrivals: Iterable[Arrival]) -> dict[str, ConversationMapping]:
    """Write down when each conversation was last active and how long its window is open. Locks as `lock` does.

    Answers with the mappings as they stand now, by conversation.
    """
    newest: dict[str, Arrival] = {}
    for one in arrivals:
        known = newest.get(one.conversation_id)
        newest[one.conversation_id] = one if known is None else _later(known, one)
    if not newest:
        return {}
    rows = list(newest.values())
    TOUCH.run(
        cursor,
        ids=newest,
        at=[stamp(one.at) for one in rows],
        until=[stamp(one.window_until) for one in rows],
        inbound=[one.last_inbound_id for one in rows],
        stamped=[stamp(one.provider_time) for one in rows],
        heard=[stamp(one.heard_at) for one in rows],
        facts=[one.thread.state if one.thread else None for one in rows],
        roles=[one.thread.role if one.thread else None for one in rows],
        fact_at=[stamp(one.thread.at) if one.thread else None for one in rows],
    )
    found = map(mapping_of, cursor.fetchall())
    return {mapping.conversation_id: mapping for mapping in found}


def _later(first: Arrival, second: Arrival) -> Arrival:
    """Both in one."""
    windows = [one.window_until for one in (first, second) if one.window_until is not None]
    written = [one for one in (first, second) if one.last_inbound_id is not None]
    newest = max(reversed(written), key=lambda one: one.provider_time, default=first)
    heard = [one.heard_at for one in (first, second) if one.heard_at is not None]
    thread = prevailing(second.thread, first.thread) if second.thread else first.thread
    return Arrival(
        first.conversation_id, max(first.at, second.at), max(windows, default=None), newest.last_inbound_id,
        newest.provider_time, max(heard, default=None), thread,
    )  # fmt: skip


EXTEND = Prepared(
    "extend_windows",
    """UPDATE conversation_mappings c SET window_until = v.until
       FROM unnest(%(ids)s, %(until)s) AS v (message_id, until)
       JOIN message_tracking m ON m.id = v.message_id
       WHERE c.id = m.conversation_id AND c.window_until < v.until -- NULL counts as open already""",
    ids="uuid[]", until="timestamptz[]",
)  # fmt: skip


def extend(cursor: Cursor, told: Mapping[str, float]) -> None:
    """The provider says until when (Unix seconds) the contacts of these messages, by id, may be written to freely."""
    if told:
        EXTEND.run(cursor, ids=list(told), until=[stamp(until) for until in told.values()])


CONVERSATIONS = Prepared(
    "conversations_of_messages",
    "SELECT id::text, conversation_id::text FROM message_tracking WHERE id = ANY(%(ids)s)",
    ids="uuid[]",
)


def hear(cursor: Cursor, told: Mapping[str, ThreadFact]) -> None:
    """What the fate of messages, by id, says about who answers their contacts."""
    if told:
        CONVERSATIONS.run(cursor, ids=list(told))
        touch(cursor, [Arrival(of, thread=told[message_id]) for message_id, of in cursor.fetchall()])


def close_window(cursor: Cursor, conversation_id: str, at: float) -> None:
    """The provider refused a message because the window is closed, at `at` (Unix seconds).

    What the contact wrote within a day counts for more: WhatsApp at times refuses inside the window
    as well. Beyond a day, as after an advertisement that nobody answered in time, it knows better.
    """
    cursor.execute(
        """UPDATE conversation_mappings SET window_until = %(at)s
           WHERE id = %(id)s AND (window_until IS NULL OR window_until > %(at)s
                                  AND last_inbound_at <= %(at)s - interval '24 hours')""",
        {"at": stamp(at), "id": UUID(conversation_id)},
    )


def invited(cursor: Cursor, conversation_id: str, at: float) -> None:
    """A template went out at `at` (Unix seconds) in place of a message."""
    cursor.execute("UPDATE conversation_mappings SET invited_at = %s WHERE id = %s", (stamp(at), UUID(conversation_id)))
