"""event_listeners: tenants whose Genesys is listened to, and which daemon does it at the moment."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from db.contacts.mappings import slot
from db.pool import Pool
from db.sealing import Cipher

ACTIVE_HOURS = 72
"""Who has been silent for longer is in no conversation at Genesys any more: its longest threading window."""
WANTED = """FROM lines l WHERE l.tenant_id = e.tenant_id AND l.status = 'active'
            AND l.settings @> '{"end_listening": true}'"""
"""SQL behind `event_listeners e`: the lines that want it."""


@dataclass(frozen=True, slots=True)
class ListenedTenant:
    """A tenant to listen to, for whoever holds `claim`. `line_id`: by whose credentials. `tries`: failures in a row."""

    tenant_id: str
    line_id: str
    claim: str
    tries: int
    channel: Mapping[str, Any] | None = field(repr=False)


@dataclass(frozen=True, slots=True)
class ListenerStanding:
    """How it goes. `since` None: nothing is heard now; `trouble` says why."""

    since: datetime | None
    trouble: str | None
    conversations: int
    left_out: int


def tidy(pool: Pool) -> None:
    """A row for each tenant that wants it, none for those who do not any more."""
    with pool.transaction() as cursor:
        cursor.execute(
            """INSERT INTO event_listeners (tenant_id)
               SELECT DISTINCT tenant_id FROM lines WHERE status = 'active' AND settings @> '{"end_listening": true}'
               ON CONFLICT DO NOTHING"""
        )
        cursor.execute(
            f"""DELETE FROM event_listeners e
                WHERE (taken_until IS NULL OR taken_until < now()) AND NOT EXISTS (SELECT 1 {WANTED})"""
        )


def take_due(pool: Pool, cipher: Cipher, claim: str, seconds: float, most: int) -> list[ListenedTenant]:
    """Up to `most` that nobody listens to; nobody else gets them for `seconds`, which `keep` makes longer."""
    with pool.transaction() as cursor:
        cursor.execute(
            f"""WITH due AS (
                  SELECT e.tenant_id, (SELECT min(l.id::text) {WANTED}) AS line_id
                  FROM event_listeners e
                  WHERE e.due_at <= now() AND (e.taken_until IS NULL OR e.taken_until < now())
                    AND EXISTS (SELECT 1 {WANTED})
                  ORDER BY e.due_at LIMIT %s FOR UPDATE SKIP LOCKED)
                UPDATE event_listeners e SET taken_by = %s, taken_until = now() + make_interval(secs => %s)
                FROM due WHERE e.tenant_id = due.tenant_id
                RETURNING e.tenant_id::text, due.line_id, e.tries, e.sealed_channel""",
            (most, UUID(claim), seconds),
        )
        rows = cursor.fetchall()
    return [
        ListenedTenant(tenant, line, claim, tries, cipher.open(sealed) if sealed else None)
        for tenant, line, tries, sealed in rows
    ]


def keep(pool: Pool, one: ListenedTenant, seconds: float) -> bool:
    """Still at it. False: it is somebody else's by now, or no line wants it any more."""
    with pool.autocommit() as cursor:
        cursor.execute(
            f"""UPDATE event_listeners e SET taken_until = now() + make_interval(secs => %s)
                WHERE tenant_id = %s AND taken_by = %s AND EXISTS (SELECT 1 {WANTED}) RETURNING 1""",
            (seconds, one.tenant_id, UUID(one.claim)),
        )
        return cursor.fetchone() is not None


def conversations(pool: Pool, tenant_id: str, most: int) -> list[str]:
    """Genesys' ids of those whose end is still to come, the ones active last first: up to `most` of the tenant's lines
    that want to hear of it."""
    with pool.autocommit() as cursor:
        cursor.execute(
            f"""SELECT c.genesys_conversation_id
                FROM lines l CROSS JOIN LATERAL (
                  SELECT id, genesys_conversation_id, heard_at, last_slot FROM conversation_mappings c
                  WHERE c.line_id = l.id AND c.last_slot >= {slot("now() - make_interval(hours => %(hours)s)")}
                    AND c.genesys_conversation_id IS NOT NULL
                  ORDER BY c.last_slot DESC LIMIT 2 * %(most)s) c
                WHERE l.tenant_id = %(tenant)s AND l.status = 'active' AND l.settings @> '{{"end_listening": true}}'
                  AND NOT EXISTS (
                    SELECT 1 FROM conversation_ends n WHERE n.conversation_id = c.id AND n.kind = 'over'
                      AND n.genesys_conversation_id = c.genesys_conversation_id
                      AND n.at >= coalesce(c.heard_at, '-infinity'))
                ORDER BY c.last_slot DESC, c.id LIMIT %(most)s""",
            {"tenant": tenant_id, "most": most, "hours": ACTIVE_HOURS},
        )
        return [row[0] for row in cursor.fetchall()]


def begin(pool: Pool, cipher: Cipher, one: ListenedTenant, channel: Mapping[str, Any]) -> None:
    """Heard from now on, on this channel."""
    with pool.autocommit() as cursor:
        cursor.execute(
            """UPDATE event_listeners SET sealed_channel = %s, since = now(), trouble = NULL
               WHERE tenant_id = %s AND taken_by = %s""",
            (cipher.seal(channel), one.tenant_id, UUID(one.claim)),
        )


def note(pool: Pool, one: ListenedTenant, told: int, left_out: int) -> None:
    """Of how many conversations it is told now. Whoever has come so far has failed no more."""
    with pool.autocommit() as cursor:
        cursor.execute(
            """UPDATE event_listeners SET conversations = %s, left_out = %s, tries = 0
               WHERE tenant_id = %s AND taken_by = %s""",
            (told, left_out, one.tenant_id, UUID(one.claim)),
        )


def release(
    pool: Pool, one: ListenedTenant, trouble: str | None = None, seconds: float = 0.0, *, forget: bool = False
) -> None:
    """Anybody's again, after `seconds`; with `trouble` it has failed. `forget`: the channel is good for nothing."""
    with pool.autocommit() as cursor:
        cursor.execute(
            """UPDATE event_listeners SET taken_by = NULL, taken_until = NULL, trouble = coalesce(%s, trouble),
                 due_at = now() + make_interval(secs => %s), tries = tries + %s::int,
                 since = CASE WHEN %s::text IS NULL THEN since END,
                 sealed_channel = CASE WHEN NOT %s THEN sealed_channel END
               WHERE tenant_id = %s AND taken_by = %s""",
            (trouble, seconds, trouble is not None, trouble, forget, one.tenant_id, UUID(one.claim)),
        )


def standing(pool: Pool, tenant_id: str) -> ListenerStanding | None:
    """None: no line wants it, or no daemon has seen that yet."""
    with pool.autocommit() as cursor:
        cursor.execute(
            "SELECT since, trouble, conversations, left_out FROM event_listeners WHERE tenant_id = %s",
            (UUID(tenant_id),),
        )
        return cursor.one(ListenerStanding)
