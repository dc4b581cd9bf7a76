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
        told = [
            # As it stands there: told with dashes and without, it is one end.
            ToldEnd(replace(one, conversation=form, at=min(one.at, now)), mapping, settings)
            for one in found
            for form in ids[one.conversation]
            for mapping, settings in known.get(form, ())
        ]
        kept = _insert(cursor, told)
        _follow(cursor, [one for one in kept if one.followed(now)], now)
    return len(kept)


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


# An end that is told twice, with its time or without, is one; there is another only after the customer has written. So
# of those told together each is compared with the one before it, and all with what is there.
INSERT = """
WITH v AS (
  SELECT * FROM unnest(%(places)s::int[], %(tenants)s::uuid[], %(lines)s::uuid[], %(conversations)s::uuid[],
                       %(genesys)s::text[], %(kinds)s::text[], %(who)s::text[], %(reasons)s::text[],
                       %(at)s::timestamptz[])
           AS v (place, tenant_id, line_id, conversation_id, genesys_conversation_id, kind, participant, reason, at)),
told AS (
  SELECT v.*, lag(at) OVER (PARTITION BY conversation_id, genesys_conversation_id, kind ORDER BY at, place) AS before,
         row_number() OVER (PARTITION BY conversation_id, kind ORDER BY at, place) AS nth FROM v),
kept AS (
  INSERT INTO conversation_ends
    (tenant_id, line_id, conversation_id, genesys_conversation_id, kind, participant, reason, at)
  SELECT tenant_id, line_id, conversation_id, genesys_conversation_id, kind, participant, reason, at FROM told t
  WHERE CASE t.kind
    WHEN 'over' THEN
      (t.before IS NULL OR EXISTS (
        SELECT 1 FROM message_tracking m WHERE m.conversation_id = t.conversation_id AND m.direction = 'inbound'
          AND m.sort_time > t.before AND m.sort_time <= t.at))
      AND NOT EXISTS (
        SELECT 1 FROM conversation_ends e
        WHERE e.conversation_id = t.conversation_id AND e.kind = 'over'
          AND e.genesys_conversation_id = t.genesys_conversation_id
          AND NOT EXISTS (SELECT 1 FROM message_tracking m WHERE m.conversation_id = e.conversation_id
                          AND m.direction = 'inbound' AND m.sort_time > e.at AND m.sort_time <= t.at))
    WHEN 'agent_left' THEN t.at > now() - make_interval(days => %(left_days)s) AND t.nth + (
      SELECT count(*) FROM (
        SELECT 1 FROM conversation_ends e
        WHERE e.conversation_id = t.conversation_id AND e.kind = 'agent_left'
          AND e.at BETWEEN t.at - interval '1 day' AND t.at + interval '1 day' LIMIT %(left)s) found) <= %(left)s
    ELSE true END
  ON CONFLICT DO NOTHING
  RETURNING id, conversation_id, genesys_conversation_id, kind, participant, at)
SELECT DISTINCT ON (k.id) k.id, v.place,
       EXISTS (SELECT 1 FROM message_tracking m WHERE m.conversation_id = k.conversation_id
               AND m.direction = 'inbound' AND m.sort_time > k.at)
FROM kept k JOIN v USING (conversation_id, genesys_conversation_id, kind, participant, at)
ORDER BY k.id, v.place
"""


@dataclass(frozen=True, slots=True)
class ToldEnd:
    """An end with the conversation that it is of."""

    end: ConversationEnd
    mapping: ConversationMapping
    settings: dict[str, Any]


@dataclass(frozen=True, slots=True)
class NewEnd:
    """One that was news, and is written down. `written_since`: the customer has written since it."""

    id: int
    told: ToldEnd
    written_since: bool

    def followed(self, now: float) -> bool:
        """Whoever has written since is in a new talk: no goodbye into it, and its thread is not given away."""
        end = self.told.end
        return end.kind == "over" and now - end.at <= FOLLOWED_SECONDS and not self.written_since


def _insert(cursor: Cursor, told: Sequence[ToldEnd]) -> list[NewEnd]:
    """One statement, however many there are."""
    if not told:
        return []
    mappings_of, ends_of = [one.mapping for one in told], [one.end for one in told]
    cursor.execute(
        INSERT,
        {
            "places": list(range(len(told))), "tenants": [one.tenant_id for one in mappings_of],
            "lines": [one.line_id for one in mappings_of],
            "conversations": [one.conversation_id for one in mappings_of],
            "genesys": [one.conversation for one in ends_of], "kinds": [one.kind for one in ends_of],
            "who": [one.participant for one in ends_of], "reasons": [one.reason for one in ends_of],
            "at": [messages.stamp(one.at) for one in ends_of], "left": LEFT_A_DAY, "left_days": LATEST_LEFT_DAYS,
        },
    )  # fmt: skip
    return [NewEnd(key, told[place], since) for key, place, since in cursor.fetchall()]


def _follow(cursor: Cursor, ended: Sequence[NewEnd], now: float) -> None:
    """Into the lane of what agents wrote, behind it."""
    rows = [(one, row) for one in ended for row in _following(one.told, now)]
    inserted = messages.insert(cursor, [row for _, row in rows])
    fresh = {row.id for row in inserted.fresh}
    sent = [(one, new.row) for one, new in rows if new.row.id in fresh]
    events.note(
        cursor, [(row.id, "after_end", f"Genesys' conversation {one.told.end.conversation}") for one, row in sent]
    )
    first = {one.id: row.id for one, row in reversed(sent)}
    if first:
        cursor.execute(
            """UPDATE conversation_ends e SET message_id = v.message_id
               FROM unnest(%s::bigint[], %s::uuid[]) AS v (id, message_id) WHERE e.id = v.id""",
            (list(first), list(first.values())),
        )
    for shard, conversation_id in sorted({(row.shard, row.conversation_id) for _, row in sent}):
        sweep.notify(cursor, shard, conversation_id)


def _following(told: ToldEnd, now: float) -> list[NewRow]:
    """What its line wants to follow, in order."""
    end, mapping = told.end, told.mapping
    return [
        NewRow(
            Row(
                messages.new_id(), mapping.tenant_id, mapping.line_id, mapping.conversation_id, mapping.shard,
                "outbound", sort_key("genesys", message.provider_time, now, place), message,
            ),
            {"end": end.conversation, "reason": end.reason},
            origin="api",
        )
        for place, message in enumerate(following(end, mapping, told.settings))
    ]  # fmt: skip


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
