"""conversation_mappings, contact_aliases and genesys_conversations: who a contact is on a line.

A person comes under several addresses (phone, business-scoped user id, number changed), so an
address is looked up among the aliases; nothing is ever merged: where phone and user id point to two
conversations, the phone decides and the conflict is logged.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID, uuid4

import structlog
from psycopg2.extras import execute_values

from db.messages import stamp
from db.pool import Pool
from relay.core.messages import Person, Recipient
from relay.core.queues import queue_number

log = structlog.get_logger(__name__)

COLUMNS = "id, tenant_id, line_id, genesys_address, shard, wa_id, bsuid, parent_bsuid, name, genesys_conversation_id"


@dataclass(frozen=True, slots=True)
class Mapping:
    """One contact on one line. `shard` is its home, stored at creation and never recomputed."""

    conversation_id: str
    tenant_id: str
    line_id: str
    genesys_address: str
    shard: int
    wa_id: str | None
    bsuid: str | None
    parent_bsuid: str | None
    name: str | None
    genesys_conversation_id: str | None

    @property
    def recipient(self) -> Recipient:
        return Recipient(
            self.genesys_address, self.wa_id, self.bsuid, self.name, self.genesys_conversation_id is not None
        )


@dataclass(frozen=True, slots=True)
class Seen:
    """A person who turned up in a webhook of a line, or whom an agent addressed."""

    tenant_id: str
    line_id: str
    person: Person
    at: float = 0.0
    """When (Unix seconds), if it makes the conversation active."""

    @property
    def aliases(self) -> list[str]:
        """Every name to look under, the most telling first."""
        person = self.person
        dialled = person.address.removeprefix("+")
        names = [person.wa_id, person.bsuid, person.parent_bsuid, person.address, dialled, *person.previous]
        return list(dict.fromkeys(name for name in names if name))


def _mapping(row: Sequence[Any]) -> Mapping:
    return Mapping(str(row[0]), str(row[1]), str(row[2]), *row[3:])


def by_id(pool: Pool, conversation_id: str) -> Mapping | None:
    """The mapping, or None when there is no such conversation (or the id is not a UUID)."""
    try:
        UUID(conversation_id)
    except ValueError:
        return None
    with pool.autocommit() as cursor:
        return read(cursor, conversation_id)


def read(cursor: Any, conversation_id: str) -> Mapping | None:
    cursor.execute(f"SELECT {COLUMNS} FROM conversation_mappings WHERE id = %s", (UUID(conversation_id),))
    row = cursor.fetchone()
    return _mapping(row) if row else None


def find_or_create(pool: Pool, tenant_id: str, line_id: str, person: Person, shards: int) -> Mapping:
    """The conversation of one person on one line."""
    with pool.transaction() as cursor:
        return resolve(cursor, [Seen(tenant_id, line_id, person)], shards)[0]


def resolve(cursor: Any, seen: Sequence[Seen], shards: int, others: Iterable[tuple[str, float]] = ()) -> list[Mapping]:
    """The mapping of each, created where missing and brought up to date with new names.

    Safe side by side: whoever comes second waits for the first one's unique key and takes its row.
    All are touched, and so locked; `others`, known to the caller already, with them: (conversation id, arrival).
    """
    found = _look_up(cursor, seen) if seen else []
    missing = [one for one, mapping in zip(seen, found, strict=True) if mapping is None]
    if missing:
        _create(cursor, missing, shards)
        found = _look_up(cursor, seen)
    pairs = [(one, mapping) for one, mapping in zip(seen, found, strict=True) if mapping is not None]
    if len(pairs) != len(seen):
        raise LookupError("a conversation vanished while it was created")
    touch(cursor, [*((mapping.conversation_id, one.at) for one, mapping in pairs), *others])
    return _learn(cursor, pairs)


def lock(cursor: Any, conversation_ids: Iterable[str]) -> None:
    """Lock the mappings in one order for all transactions, or two of them would wait for each other.

    Once per transaction, before anything is written about a conversation that exists.
    """
    ids = sorted(set(conversation_ids))
    if ids:
        cursor.execute(
            "SELECT 1 FROM conversation_mappings WHERE id = ANY(%s::uuid[]) ORDER BY id FOR NO KEY UPDATE", (ids,)
        )


def touch(cursor: Any, arrivals: Iterable[tuple[str, float]]) -> None:
    """(conversation id, Unix seconds of an arrival): when each was last active. Locks as `lock` does."""
    newest: dict[str, float] = {}
    for conversation_id, at in arrivals:
        newest[conversation_id] = max(at, newest.get(conversation_id, at))
    if newest:
        # With a web server's clock that runs ahead nobody stays at the top of the list.
        cursor.execute(
            """WITH v AS (SELECT * FROM unnest(%(ids)s::uuid[], %(times)s::timestamptz[]) AS v (id, at)),
               mine AS (SELECT c.id FROM conversation_mappings c WHERE c.id = ANY(%(ids)s::uuid[])
                        ORDER BY c.id FOR NO KEY UPDATE)
               UPDATE conversation_mappings c SET last_at = least(v.at, now())
               FROM v JOIN mine USING (id) WHERE c.id = v.id AND c.last_at < v.at""",
            {"ids": list(newest), "times": [stamp(at) for at in newest.values()]},
        )


def _look_up(cursor: Any, seen: Sequence[Seen]) -> list[Mapping | None]:
    keys = sorted({(one.line_id, alias) for one in seen for alias in one.aliases})
    rows = execute_values(
        cursor,
        f"""SELECT v.line_id, v.alias, {", ".join("c." + name for name in COLUMNS.split(", "))}
            FROM (VALUES %s) AS v (line_id, alias)
            JOIN contact_aliases a ON a.line_id = v.line_id::uuid AND a.alias = v.alias
            JOIN conversation_mappings c ON c.id = a.conversation_id""",
        keys,
        page_size=len(keys),
        fetch=True,
    )
    known = {(row[0], row[1]): _mapping(row[2:]) for row in rows}
    return [_choose(one, known) for one in seen]


def _choose(one: Seen, known: dict[tuple[str, str], Mapping]) -> Mapping | None:
    candidates = [known[one.line_id, alias] for alias in one.aliases if (one.line_id, alias) in known]
    if len({mapping.conversation_id for mapping in candidates}) > 1:
        log.warning("identity_conflict", conversations=sorted({one.conversation_id for one in candidates}))
    return candidates[0] if candidates else None


def _create(cursor: Any, missing: Iterable[Seen], shards: int) -> None:
    # One order for all transactions, or two of them would wait for each other.
    for one in sorted(missing, key=lambda one: (one.line_id, one.person.address)):
        address = one.person.wa_id or one.person.bsuid or one.person.address
        mapping_id = _insert(cursor, one, address, shards)
        aliases = sorted({*one.aliases, address})
        execute_values(
            cursor,
            "INSERT INTO contact_aliases (line_id, alias, conversation_id) VALUES %s ON CONFLICT DO NOTHING",
            [(one.line_id, alias, mapping_id) for alias in aliases],
            template="(%s::uuid, %s, %s)",
        )


def _insert(cursor: Any, one: Seen, address: str, shards: int) -> UUID:
    person = one.person
    cursor.execute(
        """INSERT INTO conversation_mappings
             (id, tenant_id, line_id, genesys_address, shard, wa_id, bsuid, parent_bsuid, name)
           VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s)
           ON CONFLICT (line_id, genesys_address) DO NOTHING RETURNING id""",
        (
            uuid4(), one.tenant_id, one.line_id, address, queue_number(one.line_id, person.address, shards),
            person.wa_id, person.bsuid, person.parent_bsuid, person.name,
        ),
    )  # fmt: skip
    row = cursor.fetchone()
    if row is None:
        # Somebody else's row is not locked here: that has its own order, in `touch`.
        cursor.execute(
            "SELECT id FROM conversation_mappings WHERE line_id = %s AND genesys_address = %s", (one.line_id, address)
        )
        row = cursor.fetchone()
    found: UUID = row[0]
    return found


def _learn(cursor: Any, pairs: Sequence[tuple[Seen, Mapping]]) -> list[Mapping]:
    """Write down what is new about people already known; most batches bring nothing new."""
    current: dict[str, Mapping] = {}
    for one, mapping in pairs:
        before = current.get(mapping.conversation_id, mapping)
        after = updated(before, one.person)
        if after != before:
            _update(cursor, one, after)
        current[mapping.conversation_id] = after
    return [current[mapping.conversation_id] for _, mapping in pairs]


def updated(mapping: Mapping, person: Person) -> Mapping:
    """The mapping with the newest names of its person. An absent name never erases a known one."""
    return replace(
        mapping,
        wa_id=person.wa_id or mapping.wa_id,
        bsuid=person.bsuid or mapping.bsuid,
        parent_bsuid=person.parent_bsuid or mapping.parent_bsuid,
        name=person.name or mapping.name,
    )


def _update(cursor: Any, one: Seen, mapping: Mapping) -> None:
    cursor.execute(
        """UPDATE conversation_mappings SET wa_id = %s, bsuid = %s, parent_bsuid = %s, name = %s, updated_at = now()
           WHERE id = %s""",
        (mapping.wa_id, mapping.bsuid, mapping.parent_bsuid, mapping.name, UUID(mapping.conversation_id)),
    )
    add_aliases(cursor, [(one.line_id, alias, mapping.conversation_id) for alias in sorted(one.aliases)])


def add_aliases(cursor: Any, rows: Sequence[tuple[str, str, str]]) -> None:
    """(line id, alias, conversation id): known aliases stay with whom they belong to."""
    if rows:
        execute_values(
            cursor,
            "INSERT INTO contact_aliases (line_id, alias, conversation_id) VALUES %s ON CONFLICT DO NOTHING",
            sorted(rows),
            template="(%s::uuid, %s, %s::uuid)",
        )


def see_genesys_conversations(cursor: Any, rows: Iterable[tuple[str, str]]) -> None:
    """(conversation id, Genesys conversation id): the newest is the current one, all are kept. Locked by the caller."""
    pairs = sorted(set(rows))
    if not pairs:
        return
    execute_values(
        cursor,
        """INSERT INTO genesys_conversations (conversation_id, genesys_conversation_id) VALUES %s
           ON CONFLICT (genesys_conversation_id, conversation_id) DO UPDATE SET last_seen = now()""",
        pairs,
        template="(%s::uuid, %s)",
    )
    execute_values(
        cursor,
        """UPDATE conversation_mappings c SET genesys_conversation_id = v.genesys_id, updated_at = now()
           FROM (VALUES %s) AS v (id, genesys_id)
           WHERE c.id = v.id::uuid AND c.genesys_conversation_id IS DISTINCT FROM v.genesys_id""",
        pairs,
    )
