"""Conversations of contacts on lines: found or made for whoever turns up.

The rows are in `db.contacts.mappings`, the names in `db.contacts.aliases`, the rules in `db.contacts.identity`.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from uuid import UUID
from zlib import crc32

from psycopg2.extras import execute_values

from db.contacts import aliases
from db.contacts.aliases import add_aliases
from db.contacts.identity import ConversationChoice, IdentityPlan, learnt, without
from db.contacts.mappings import by_id, lock, news_of_genesys, read, see_genesys_conversations
from db.contacts.seen import Arrival, SeenPerson
from db.contacts.windows import close_window, invited, touch
from db.cursor import Cursor
from db.mailbox import notices
from db.pool import DatabaseError, Pool
from relay.core.contacts.mapping import OUT_OF_DATE, ConversationMapping
from relay.core.messages import Person

__all__ = [
    "add_aliases", "by_id", "close_window", "find_or_create", "invited", "known", "learnt", "lock", "news_of_genesys",
    "read", "resolve", "see_genesys_conversations", "touch",
]  # fmt: skip

NEWCOMERS = 0x5EE4
"""The class of the advisory locks below."""
BUCKETS = 256
"""Many names share a lock, for PostgreSQL has room for a limited number of them."""


class NamesakeError(DatabaseError):
    """A Genesys address is another contact's already. Trying once more finds who that is, or it is the data's fault."""


class GoneError(DatabaseError):
    """A contact was deleted a moment after it was found. Trying once more makes it anew."""


def find_or_create(pool: Pool, tenant_id: str, line_id: str, person: Person, shards: int) -> ConversationMapping:
    """The conversation of one person on one line, as an API client names them."""
    with pool.transaction() as cursor:
        return resolve(cursor, [SeenPerson(tenant_id, line_id, person, by="api")], shards)[0]


def known(cursor: Cursor, seen: Sequence[SeenPerson]) -> list[ConversationMapping | None]:
    """The mapping of each, if there is one. Nothing is written."""
    if not seen:
        return []
    book = aliases.look_up(cursor, seen)
    found = (aliases.candidates(book, one) for one in seen)
    return [held[0].mapping if held else None for held in found]


def resolve(
    cursor: Cursor, seen: Sequence[SeenPerson], shards: int, others: Sequence[Arrival] = ()
) -> list[ConversationMapping]:
    """The mapping of each of `seen`, made where missing and brought up to date; then those of `others`.

    All of them are locked and touched, and what comes back is how they stand. `others` are conversations that the
    caller knows already.
    """
    plan = _planned(cursor, seen, shards)
    fresh = touch(cursor, [*plan.arrivals, *others])
    current = _learn(cursor, plan, fresh)
    aliases.write(cursor, plan.book)
    notices.keep(cursor, plan.notices)
    ids = [*(choice.mapping.conversation_id for choice in plan.choices), *(one.conversation_id for one in others)]
    if not current.keys() >= set(ids):
        raise GoneError("a contact was deleted at the same moment")
    chosen = [_as_found(current[choice.mapping.conversation_id], choice) for choice in plan.choices]
    return [*chosen, *(current[one.conversation_id] for one in others)]


def _as_found(current: ConversationMapping, choice: ConversationChoice) -> ConversationMapping:
    """Found by names that changed hands meanwhile: it must not be remembered by them."""
    same = current.names_version == choice.mapping.names_version
    return current if same else replace(current, names_version=OUT_OF_DATE)


def _planned(cursor: Cursor, seen: Sequence[SeenPerson], shards: int) -> IdentityPlan:
    plan = _plan(cursor, seen, shards)
    if plan.new:
        # Whoever makes a contact of the same name at the same moment has finished after this, and is found.
        _wait_for_namesakes(cursor, plan.new)
        plan = _plan(cursor, seen, shards)
        _create(cursor, plan.new)
    return plan


def _plan(cursor: Cursor, seen: Sequence[SeenPerson], shards: int) -> IdentityPlan:
    plan = IdentityPlan(aliases.look_up(cursor, seen), shards)
    for one in seen:
        plan.take(one)
    return plan


def _wait_for_namesakes(cursor: Cursor, new: Iterable[ConversationChoice]) -> None:
    names = {(choice.seen.line_id, name) for choice in new for name in choice.seen.every_name}
    buckets = sorted({crc32(f"{line_id}:{name}".encode("utf-8", "replace")) % BUCKETS for line_id, name in names})
    cursor.execute("SELECT pg_advisory_xact_lock(%s, n) FROM unnest(%s::int[]) AS n", (NEWCOMERS, buckets))


def _create(cursor: Cursor, new: Sequence[ConversationChoice]) -> None:
    rows = [
        (
            UUID(made.conversation_id), made.tenant_id, made.line_id, made.genesys_address, made.shard, made.wa_id,
            made.bsuid, made.parent_bsuid, made.name, made.username,
        )
        for made in sorted((one.mapping for one in new), key=lambda made: (made.line_id, made.genesys_address))
    ]  # fmt: skip
    if not rows:
        return
    made = execute_values(
        cursor,
        """INSERT INTO conversation_mappings
             (id, tenant_id, line_id, genesys_address, shard, wa_id, bsuid, parent_bsuid, name, username)
           VALUES %s ON CONFLICT (line_id, genesys_address) DO NOTHING RETURNING id""",
        rows,
        page_size=len(rows),
        fetch=True,
    )
    if len(made) < len(rows):  # by a process of an older version, which takes no lock
        raise NamesakeError("a contact was made by somebody else at the same moment")


def _learn(cursor: Cursor, plan: IdentityPlan, fresh: dict[str, ConversationMapping]) -> dict[str, ConversationMapping]:
    """Write down what is new about people already known; most groups bring nothing new."""
    current = dict(fresh)
    for choice in plan.choices:
        key = choice.mapping.conversation_id
        if choice.learns and key in current:
            current[key] = learnt(current[key], choice.seen)
    for loss in plan.lost:
        key = loss.held.mapping.conversation_id
        if key in current and not loss.same_person:
            current[key] = without(current[key], loss.choice.seen)
    for key in plan.renamed & current.keys():
        current[key] = replace(current[key], names_version=current[key].names_version + 1)
    changed = [one for key, one in sorted(current.items()) if one != fresh[key]]
    if changed:
        execute_values(
            cursor,
            """UPDATE conversation_mappings c
               SET wa_id = v.wa_id, bsuid = v.bsuid, parent_bsuid = v.parent_bsuid, name = v.name,
                   username = v.username, names_version = v.names_version, updated_at = now()
               FROM (VALUES %s) AS v (id, wa_id, bsuid, parent_bsuid, name, username, names_version)
               WHERE c.id = v.id""",
            [
                (
                    UUID(one.conversation_id),
                    one.wa_id,
                    one.bsuid,
                    one.parent_bsuid,
                    one.name,
                    one.username,
                    one.names_version,
                )
                for one in changed
            ],
            template="(%s, %s::text, %s::text, %s::text, %s::text, %s::text, %s)",
            page_size=len(changed),
        )
    return current
