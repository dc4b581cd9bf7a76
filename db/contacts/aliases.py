"""contact_aliases: the names of contacts on a line, each with the time it belonged to its conversation.

A name that its owner gave up (`until`) still finds the conversation for what was written before; later it may be
somebody else's, who then takes it over. `created_at` is since when the present owner has it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from psycopg2.extras import execute_values

from db.contacts.mappings import columns, mapping_of
from db.contacts.seen import AliasKey, SeenPerson
from db.cursor import Cursor
from db.mailbox.messages import stamp
from db.prepared import Prepared
from relay.core.contacts.mapping import ConversationMapping
from relay.core.contacts.user_ids import begins_like_one


@dataclass(frozen=True, slots=True)
class AliasHolder:
    """Whose a name is. Unix seconds; `until` is None for a name in use."""

    mapping: ConversationMapping
    since: float
    until: float | None = None

    def former(self, at: float) -> bool:
        """It belonged to its conversation at `at`, and no longer does."""
        return self.until is not None and at <= self.until

    def expired(self, at: float) -> bool:
        return self.until is not None and at > self.until


@dataclass(frozen=True, slots=True)
class AliasBook:
    """What PostgreSQL knows of the names of a group, and what the group changes about it."""

    addresses: dict[AliasKey, ConversationMapping]
    """(line id, Genesys address): the names Genesys uses, which never change hands."""
    held: dict[AliasKey, AliasHolder]
    changed: dict[AliasKey, AliasHolder] = field(default_factory=dict)

    def at(self, line_id: str, name: str) -> AliasHolder | None:
        key = line_id, name
        return self.changed.get(key) or self.held.get(key)

    def put(self, line_id: str, name: str, held: AliasHolder) -> None:
        self.changed[line_id, name] = held


BY_NAME = Prepared(
    "contacts_by_name",
    f"""SELECT v.line_id::text, v.alias, extract(epoch FROM a.created_at)::float8, extract(epoch FROM a.until)::float8,
               {columns("c")}
        FROM unnest(%(lines)s, %(names)s) AS v (line_id, alias)
        JOIN contact_aliases a ON a.line_id = v.line_id AND a.alias = v.alias
        JOIN conversation_mappings c ON c.id = a.conversation_id""",
    lines="uuid[]", names="text[]",
)  # fmt: skip

BY_ADDRESS = Prepared(
    "contacts_by_address",
    f"""SELECT v.line_id::text, v.address, {columns("c")} FROM unnest(%(lines)s, %(addresses)s) AS v (line_id, address)
        JOIN conversation_mappings c ON c.line_id = v.line_id AND c.genesys_address = v.address""",
    lines="uuid[]", addresses="text[]",
)  # fmt: skip


def look_up(cursor: Cursor, seen: Sequence[SeenPerson]) -> AliasBook:
    names = sorted({(one.line_id, name) for one in seen for name in one.every_name})
    addresses = sorted({(one.line_id, name) for one in seen for name in _addresses(one)})
    return AliasBook(_by_address(cursor, addresses), _by_name(cursor, names))


def _addresses(one: SeenPerson) -> tuple[str, ...]:
    """What may be a Genesys address already: the one that Genesys names, those that a new contact might be given.

    All of them: also one that the person is said to have given up.
    """
    person = one.person
    return tuple(dict.fromkeys(name for name in (person.wa_id, person.bsuid, person.address) if name))


def _by_name(cursor: Cursor, names: Sequence[AliasKey]) -> dict[AliasKey, AliasHolder]:
    if not names:
        return {}
    BY_NAME.run(cursor, lines=[line_id for line_id, _ in names], names=[name for _, name in names])
    return {(row[0], row[1]): AliasHolder(mapping_of(row[4:]), row[2], row[3]) for row in cursor.fetchall()}


def _by_address(cursor: Cursor, addresses: Sequence[AliasKey]) -> dict[AliasKey, ConversationMapping]:
    if not addresses:
        return {}
    BY_ADDRESS.run(cursor, lines=[line_id for line_id, _ in addresses], addresses=[name for _, name in addresses])
    return {(row[0], row[1]): mapping_of(row[2:]) for row in cursor.fetchall()}


def candidates(book: AliasBook, one: SeenPerson) -> list[AliasHolder]:
    """Who it may be, the surest first: by the name that a change ended, by a present one, by another spelling.

    Genesys' own address comes before all else: behind a number that changed hands is another person by now.
    """
    own = book.addresses.get((one.line_id, one.person.address)) if one.by == "genesys" else None
    if own is not None:
        return [AliasHolder(own, 0.0)]
    former = [held for held in _usable(book, one, one.former) if held.since <= one.when]
    found = [*former, *_usable(book, one, one.names)]
    return found or list(_usable(book, one, one.spellings))


def _usable(book: AliasBook, one: SeenPerson, names: Iterable[str]) -> Iterable[AliasHolder]:
    """A user id finds its owner even after a change: it is never given to anybody else."""
    for name in names:
        held = book.at(one.line_id, name)
        if held is not None and (begins_like_one(name) or not held.expired(one.when)):
            yield held


def write(cursor: Cursor, book: AliasBook) -> None:
    """What the group changed. A name that somebody else was given meanwhile stays theirs."""
    new = [_row(key, held) for key, held in sorted(book.changed.items()) if key not in book.held]
    if new:
        execute_values(
            cursor,
            """INSERT INTO contact_aliases (line_id, alias, conversation_id, created_at, until) VALUES %s
               ON CONFLICT DO NOTHING""",
            new,
            template="(%s::uuid, %s, %s, least(%s::timestamptz, now()), %s::timestamptz)",
            page_size=len(new),
        )
    moved = [
        (*_row(key, held), UUID(book.held[key].mapping.conversation_id))
        for key, held in sorted(book.changed.items())
        if key in book.held
    ]
    if moved:
        execute_values(
            cursor,
            """UPDATE contact_aliases a
               SET conversation_id = v.owner, created_at = least(v.since, now()), until = v.until
               FROM (VALUES %s) AS v (line_id, alias, owner, since, until, before)
               WHERE a.line_id = v.line_id AND a.alias = v.alias AND a.conversation_id = v.before""",
            moved,
            template="(%s::uuid, %s, %s, %s::timestamptz, %s::timestamptz, %s)",
            page_size=len(moved),
        )


def _row(key: AliasKey, held: AliasHolder) -> tuple[Any, ...]:
    return (*key, UUID(held.mapping.conversation_id), stamp(held.since), stamp(held.until))


def add_aliases(cursor: Cursor, rows: Sequence[tuple[str, str, str]]) -> None:
    """(line id, alias, conversation id): known aliases stay with whom they belong to."""
    if rows:
        execute_values(
            cursor,
            "INSERT INTO contact_aliases (line_id, alias, conversation_id) VALUES %s ON CONFLICT DO NOTHING",
            sorted(rows),
            template="(%s::uuid, %s, %s::uuid)",
            page_size=len(rows),
        )
