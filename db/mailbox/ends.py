"""conversation_ends: how conversations ended at the agents' side, each end once, and what was sent for it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from uuid import UUID

from db.contacts import mappings
from db.cursor import Cursor
from db.mailbox import events, messages, sweep
from db.pool import Pool
from relay.core.contacts.mapping import ConversationMapping
from relay.core.conversation.ends import ConversationEnd, EndKind, following
from relay.core.genesys_ids import forms
from relay.core.mailbox import NewRow, Row
from relay.core.ordering import sort_key

FOLLOWED_SECONDS = 900.0
"""What is told of later is kept, and nothing is sent for it: the customer has gone long since."""
LEFT_A_DAY = 50
"""More agents do not leave one conversation within a day: what else is told of them is not kept."""
LATEST_LEFT_DAYS = 7
"""Of an agent who left before that nothing is kept; both ways by which Genesys tells repeat for a day at most."""
DAYS = 365
EXPIRED_AT_ONCE = 1000
SHOWN = 200


@dataclass(frozen=True, slots=True)
class ListedEnd:
    """As a timeline shows it. `reason` is Genesys' word; `message_id` of what was sent to the customer for it."""

    id: int
    kind: EndKind
    at: datetime
    genesys_conversation_id: str
    reason: str
    message_id: str | None


def keep(pool: Pool, tenant_id: str | None, found: Sequence[ConversationEnd], now: float) -> int:
    """Write down those of this tenant's conversations (None: of whosever) that are news; what their lines want to
    follow is put into the conversations' mailboxes, in the same transaction. Returns how many were news.

    `now` is Unix seconds. Raises DatabaseError: nothing was written.
    """
    if not found:
        return 0
    ids = {one.conversation: sorted(forms(one.conversation)) for one in found}
    with pool.transaction() as cursor:
        known = _conversations(cursor, tenant_id, sorted({form for every in ids.values() for form in every}))
        mappings.lock(cursor, [mapping.conversation_id for of in known.values() for mapping, _ in of])
        news = 0
        for one in found:
            for form in ids[one.conversation]:
                for mapping, settings in known.get(form, ()):
                    # As it stands there: told with dashes and without, it is one end.
                    news += _one(cursor, replace(one, conversation=form), mapping, settings, now)
    return news


def _conversations(
    cursor: Cursor, tenant_id: str | None, ids: list[str]
) -> dict[str, list[tuple[ConversationMapping, dict[str, Any]]]]:
    """By Genesys' ids those that were carried on there, with the settings of their lines."""
    cursor.execute(
        f"""SELECT {mappings.columns("c")}, g.genesys_conversation_id,
                   CASE WHEN l.status = 'active' THEN l.settings ELSE '{{}}' END
            FROM genesys_conversations g JOIN conversation_mappings c ON c.id = g.conversation_id
            JOIN lines l ON l.id = c.line_id
            WHERE g.genesys_conversation_id = ANY(%s) AND (%s::uuid IS NULL OR c.tenant_id = %s)""",
        (ids, tenant_id, tenant_id),
    )
    found: dict[str, list[tuple[ConversationMapping, dict[str, Any]]]] = {}
    for *mapping, genesys_id, settings in cursor.fetchall():
        found.setdefault(genesys_id, []).append((mappings.mapping_of(mapping), settings))
    return found


# An end that is told twice, with its time or without, is one; there is another only after the customer has written.
INSERT = """
INSERT INTO conversation_ends
  (tenant_id, line_id, conversation_id, genesys_conversation_id, kind, participant, reason, at)
SELECT %(tenant)s::uuid, %(line)s::uuid, %(conversation)s::uuid, %(genesys)s, %(kind)s, %(who)s, %(reason)s, %(at)s
WHERE NOT EXISTS (
  SELECT 1 FROM conversation_ends e
  WHERE %(kind)s = 'over' AND e.conversation_id = %(conversation)s::uuid AND e.kind = 'over'
    AND e.genesys_conversation_id = %(genesys)s
    AND NOT EXISTS (SELECT 1 FROM message_tracking m WHERE m.conversation_id = e.conversation_id
                    AND m.direction = 'inbound' AND m.sort_time > e.at AND m.sort_time <= %(at)s))
  AND (%(kind)s <> 'agent_left' OR %(at)s > now() - make_interval(days => %(left_days)s) AND %(left)s > (
    SELECT count(*) FROM (
      SELECT 1 FROM conversation_ends e
      WHERE e.conversation_id = %(conversation)s::uuid AND e.kind = 'agent_left'
        AND e.at BETWEEN %(at)s - interval '1 day' AND %(at)s + interval '1 day' LIMIT %(left)s) found))
ON CONFLICT DO NOTHING
RETURNING id, EXISTS (SELECT 1 FROM message_tracking m WHERE m.conversation_id = %(conversation)s::uuid
                      AND m.direction = 'inbound' AND m.sort_time > %(at)s)
"""


def _one(
    cursor: Cursor, end: ConversationEnd, mapping: ConversationMapping, settings: dict[str, Any], now: float
) -> bool:
    cursor.execute(
        INSERT,
        {
            "tenant": mapping.tenant_id, "line": mapping.line_id, "conversation": mapping.conversation_id,
            "genesys": end.conversation, "kind": end.kind, "who": end.participant, "reason": end.reason,
            "at": messages.stamp(min(end.at, now)), "left": LEFT_A_DAY, "left_days": LATEST_LEFT_DAYS,
        },
    )  # fmt: skip
    row = cursor.fetchone()
    if row is None:
        return False
    key, written_since = row
    # Whoever has written since is in a new talk: no goodbye into it, and its thread is not given away.
    if end.kind == "over" and now - end.at <= FOLLOWED_SECONDS and not written_since:
        _follow(cursor, key, end, mapping, settings, now)
    return True


def _follow(
    cursor: Cursor, key: int, end: ConversationEnd, mapping: ConversationMapping, settings: dict[str, Any], now: float
) -> None:
    """Into the lane of what agents wrote, behind it."""
    wanted = following(end, mapping, settings)
    rows = [
        Row(
            messages.new_id(), mapping.tenant_id, mapping.line_id, mapping.conversation_id, mapping.shard, "outbound",
            sort_key("genesys", message.provider_time, now, place), message,
        )
        for place, message in enumerate(wanted)
    ]  # fmt: skip
    about = {"end": end.conversation, "reason": end.reason}
    fresh = messages.insert(cursor, [NewRow(row, about, origin="api") for row in rows]).fresh
    if not fresh:
        return
    events.note(cursor, [(row.id, "after_end", f"Genesys' conversation {end.conversation}") for row in fresh])
    cursor.execute("UPDATE conversation_ends SET message_id = %s WHERE id = %s", (fresh[0].id, key))
    sweep.notify(cursor, mapping.shard, mapping.conversation_id)


def listed(
    pool: Pool,
    tenant_id: str,
    conversation_id: str,
    since: datetime | None = None,
    until: datetime | None = None,
    limit: int = SHOWN,
) -> list[ListedEnd]:
    """Those of a conversation from `since` to `until`, the newest `limit` of them, the oldest first."""
    with pool.transaction() as cursor:
        cursor.execute(
            """SELECT id, kind, at, genesys_conversation_id, reason, message_id::text FROM conversation_ends
               WHERE conversation_id = %s AND tenant_id = %s AND (%s::timestamptz IS NULL OR at >= %s)
                 AND (%s::timestamptz IS NULL OR at < %s) ORDER BY at DESC, id DESC LIMIT %s""",
            (UUID(conversation_id), UUID(tenant_id), since, since, until, until, limit),
        )
        return cursor.all(ListedEnd)[::-1]


def expire(cursor: Cursor) -> int:
    """Delete a bounded number of those that are too old. Returns how many."""
    cursor.execute(
        """DELETE FROM conversation_ends WHERE id IN (SELECT id FROM conversation_ends
             WHERE told_at < now() - make_interval(days => %s) ORDER BY told_at LIMIT %s)""",
        (DAYS, EXPIRED_AT_ONCE),
    )
    return int(cursor.rowcount)
