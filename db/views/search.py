"""Conversations: lists, search, and one of them as a timeline. Read only.

Like the lists of messages they go through the tenant's lines one by one; whatever is looked for, its rows lie
next to each other in an index of the line.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from db.contacts.mappings import slot
from db.contacts.windows import Window
from db.cursor import Cursor, taken
from db.paging import Page, decode, page
from db.pool import Pool
from db.views import history
from db.views.history import LAST, digits, referred, storable, tracked
from relay.core.explain.steps import Tracked
from relay.core.threads import ThreadFact, ThreadState, as_of, told_before

SEEN_SHOWN = 20
TROUBLED = 500
TEXT_SHOWN = 160

COLUMNS = """c.id::text, c.tenant_id::text, c.line_id::text, c.wa_id, c.bsuid, c.name, c.username,
 c.genesys_conversation_id, c.window_until, c.thread_state, c.thread_role,
 extract(epoch FROM c.thread_at)::float8 AS thread_at, extract(epoch FROM c.heard_at)::float8 AS heard_at,
 c.created_at, c.last_at, coalesce(w.waiting, false) AS waiting,
 last.id::text AS message_id, last.direction, last.type, last.state, last.text, last.media_type, last.arrived_at"""

# The newest message of a conversation, and whether anything of it is unfinished.
BESIDE = f"""LEFT JOIN LATERAL (
  SELECT m.id, m.direction, m.type, m.state, left(m.content ->> 'text', {TEXT_SHOWN}) AS text, m.media_type,
   m.arrived_at
  FROM message_tracking m WHERE m.conversation_id = c.id
  ORDER BY m.sort_time DESC, m.arrived_at DESC, m.idx DESC, m.seq DESC LIMIT 1) last ON true
LEFT JOIN LATERAL (
  SELECT true AS waiting FROM message_tracking m
  WHERE m.conversation_id = c.id AND m.unfinished AND m.listed_as IN ('received', 'unknown') LIMIT 1) w ON true"""

# By the ten minutes in which they were last active, which an index holds; within them by the moment.
ORDER = "ORDER BY c.last_slot DESC, c.last_at DESC, c.id DESC LIMIT %(limit)s"

# Of each line and state the newest messages that did not go through in the last week.
IN_TROUBLE = f"""c.id IN (SELECT t.conversation_id FROM (VALUES ('failed'), ('dead'), ('unknown')) s (state)
  CROSS JOIN (VALUES ('inbound'), ('outbound')) d (direction) CROSS JOIN LATERAL (
  SELECT m.conversation_id FROM message_tracking m WHERE m.line_id = l.id AND m.listed_as = s.state
   AND m.direction = d.direction AND m.arrived_at > now() - interval '7 days'
  ORDER BY m.arrived_at DESC LIMIT {TROUBLED}) t)"""


@dataclass(frozen=True, slots=True)
class ConversationSearch:
    """What to list. `q` is the beginning of the number, of the name or its last word, or of the user id; or
    exactly the id of the conversation, of one at Genesys, or of a message, ours or a provider's.

    `trouble`: only with a message that failed or was given up in the last week, or whose outcome is unknown.
    """

    tenant_id: str
    q: str | None = None
    line_id: str | None = None
    active_since: datetime | None = None
    trouble: bool = False
    before: str | None = None


@dataclass(frozen=True, slots=True)
class NewestMessage:
    """The newest message of a conversation, its text cut."""

    message_id: str
    direction: str
    type: str
    state: str
    text: str | None = field(repr=False)
    media_type: str | None
    arrived_at: datetime


@dataclass(frozen=True, slots=True)
class ConversationSummary:
    """One contact on one line. `waiting`: at least one of its messages is not finished."""

    id: str
    tenant_id: str
    line_id: str
    wa_id: str | None
    bsuid: str | None
    name: str | None
    username: str | None
    genesys_conversation_id: str | None
    window_until: datetime | None
    thread_state: ThreadState | None
    thread_role: str | None
    thread_at: float | None
    heard_at: float | None
    created_at: datetime
    last_at: datetime
    waiting: bool
    last: NewestMessage | None

    @property
    def thread(self) -> ThreadFact:
        """Who answers the contact now."""
        return as_of(told_before(self.thread_state, self.thread_at, self.thread_role), self.heard_at, time.time())

    @property
    def window(self) -> Window:
        return Window(self.window_until)


@dataclass(frozen=True, slots=True)
class GenesysSeen:
    """A conversation at Genesys that this one was carried on in."""

    id: str
    first_seen: datetime
    last_seen: datetime


@dataclass(frozen=True, slots=True)
class ConversationDetail:
    """The newest of Genesys' conversations and of the contact's other addresses."""

    conversation: ConversationSummary
    genesys: list[GenesysSeen]
    aliases: list[str]


def _conversation(row: dict[str, Any]) -> ConversationSummary:
    newest = taken(NewestMessage, row)
    return ConversationSummary(**row, last=newest if newest.message_id else None)


def listed(pool: Pool, wanted: ConversationSearch, limit: int = 50) -> Page[ConversationSummary]:
    """The last active first. Raises CursorError when `before` is not the `next` of an earlier page."""
    conditions, values = _conditions(wanted, limit)
    with pool.transaction() as cursor:
        matches = ["true"] if wanted.q is None else _matches(cursor, wanted, values)
        one = "SELECT c.id, c.last_slot, c.last_at FROM conversation_mappings c WHERE "
        branches = [f"({one}{' AND '.join([*conditions, match])} {ORDER})" for match in matches]
        cursor.execute(
            f"""WITH found AS (
                  SELECT c.id, c.last_slot, c.last_at FROM lines l CROSS JOIN LATERAL ({" UNION ".join(branches)}) c
                  WHERE l.tenant_id = %(tenant)s {"AND l.id = %(line)s" if wanted.line_id else ""} {ORDER})
                SELECT {COLUMNS} FROM found JOIN conversation_mappings c ON c.id = found.id {BESIDE} {ORDER}""",
            values,
        )
        rows = [_conversation(row) for row in cursor.dicts()]
    return page(rows, limit, lambda one: (one.last_at, one.id))


def _conditions(wanted: ConversationSearch, limit: int) -> tuple[list[str], dict[str, Any]]:
    values: dict[str, Any] = {
        "tenant": UUID(wanted.tenant_id),
        "line": UUID(wanted.line_id) if wanted.line_id else None,
        "limit": limit + 1,
    }
    conditions = ["c.line_id = l.id"]
    if wanted.active_since is not None:
        conditions.append(f"c.last_at >= %(since)s AND c.last_slot >= {slot('%(since)s')}")
        values["since"] = wanted.active_since
    if wanted.before is not None:
        earlier = f"c.last_slot <= {slot('%(before_at)s')}"
        conditions.append(f"(c.last_at, c.id) < (%(before_at)s, %(before_id)s) AND {earlier}")
        values["before_at"], values["before_id"] = decode(wanted.before, datetime, UUID)
    if wanted.trouble:
        conditions.append(IN_TROUBLE)
    return conditions, values


def _matches(cursor: Cursor, wanted: ConversationSearch, values: dict[str, Any]) -> list[str]:
    """One condition per way to understand what is looked for, each with an index of its own."""
    q = storable(wanted.q or "").strip()
    number = digits(q)
    values |= {"ids": _exactly(cursor, wanted.tenant_id, q), "q": q, "last": LAST}
    values |= {"number": number}
    matches = [
        "c.id = ANY(%(ids)s)",
        # In lower case by PostgreSQL's own rules, which made the key.
        "c.name_key >= lower(%(q)s) AND c.name_key < lower(%(q)s) || %(last)s",
        "c.family_key >= lower(%(q)s) AND c.family_key < lower(%(q)s) || %(last)s",
        """c.bsuid COLLATE "C" >= %(q)s AND c.bsuid COLLATE "C" < %(q)s || %(last)s""",
    ]
    if number:
        matches.append("""c.wa_id COLLATE "C" >= %(number)s AND c.wa_id COLLATE "C" < %(number)s || %(last)s""")
    return matches


def _exactly(cursor: Cursor, tenant_id: str, q: str) -> list[UUID]:
    """Conversations that have this very id, of whatever kind it is."""
    messages = referred(cursor, tenant_id, q)
    cursor.execute(
        """SELECT conversation_id FROM genesys_conversations WHERE genesys_conversation_id = %s
           UNION SELECT conversation_id FROM message_tracking WHERE id = ANY(%s)""",
        (q, messages),
    )
    # `referred` ends with the text itself where it is a UUID: it may be a conversation's too.
    return [*(row[0] for row in cursor.fetchall()), *messages[-1:]]


def get(pool: Pool, tenant_id: str | None, conversation_id: str) -> ConversationDetail | None:
    """The conversation and all its names. `tenant_id` None: whosever it is (operators only)."""
    key = UUID(conversation_id)
    with pool.transaction() as cursor:
        cursor.execute(
            f"""SELECT {COLUMNS} FROM conversation_mappings c {BESIDE}
                WHERE c.id = %s AND (%s::uuid IS NULL OR c.tenant_id = %s)""",
            (key, tenant_id, tenant_id),
        )
        rows = cursor.dicts()
        if not rows:
            return None
        cursor.execute(
            # The present one was seen whenever the conversation was active.
            """SELECT * FROM (
                 SELECT g.genesys_conversation_id AS id, g.first_seen,
                        CASE WHEN g.genesys_conversation_id = c.genesys_conversation_id
                             THEN greatest(g.last_seen, c.last_at) ELSE g.last_seen END AS last_seen
                 FROM genesys_conversations g JOIN conversation_mappings c ON c.id = g.conversation_id
                 WHERE g.conversation_id = %s ORDER BY g.last_seen DESC LIMIT %s) seen
               ORDER BY last_seen DESC""",
            (key, SEEN_SHOWN),
        )
        seen = cursor.all(GenesysSeen)
        cursor.execute(
            "SELECT alias FROM contact_aliases WHERE conversation_id = %s ORDER BY created_at DESC, alias LIMIT %s",
            (key, SEEN_SHOWN),
        )
        return ConversationDetail(_conversation(rows[0]), seen, [one[0] for one in cursor.fetchall()])


_PLACE = (datetime, datetime, int, int)


def begin_of(before: str) -> datetime:
    """When the first message of the page was sorted whose `next` this is. Raises CursorError."""
    begin: datetime = decode(before, *_PLACE)[0]
    return begin


def timeline(
    pool: Pool, tenant_id: str, conversation_id: str, before: str | None = None, limit: int = 50
) -> Page[Tracked]:
    """The newest messages of both directions, the oldest of them first; `next` leads to older ones."""
    values: dict[str, Any] = {"tenant": UUID(tenant_id), "id": UUID(conversation_id), "limit": limit + 1}
    earlier = ""
    if before is not None:
        earlier = "AND (m.sort_time, m.arrived_at, m.idx, m.seq) < (%(time)s, %(at)s, %(idx)s, %(seq)s)"
        parts = decode(before, *_PLACE)
        values |= dict(zip(("time", "at", "idx", "seq"), parts, strict=True))
    with pool.transaction() as cursor:
        cursor.execute(
            f"""SELECT {history.COLUMNS} FROM message_tracking m
                WHERE m.conversation_id = %(id)s AND m.tenant_id = %(tenant)s {earlier}
                ORDER BY m.sort_time DESC, m.arrived_at DESC, m.idx DESC, m.seq DESC LIMIT %(limit)s""",
            values,
        )
        rows = [tracked(row) for row in cursor.dicts()]
    found = page(rows, limit, lambda one: (one.sort_time, one.arrived_at, one.idx, one.seq))
    return Page(found.items[::-1], found.next)
