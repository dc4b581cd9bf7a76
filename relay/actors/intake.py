"""From what the broker delivered to committed rows: parse, find the conversation, insert, record receipts.

One transaction for a whole batch. A batch that fails for its data is halved until the culprit stands
alone and goes to DEAD_LETTERS; a failure of the connection is not a failure of the data.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace

import psycopg2
import structlog

from db import conversations, messages, receipts
from db.claims import Standing
from db.conversations import Mapping, Seen
from db.messages import NewRow, Row
from db.pool import Pool
from db.receipts import LineReceipt
from relay import metrics
from relay.actors.commands import Arrived
from relay.channels.base import Channel
from relay.core.errors import ParseError
from relay.core.messages import Direction, Ignored, Message, Person, Receipt, Update, load
from relay.core.ordering import sort_key
from relay.core.queues import DIRECTION, TARGET

log = structlog.get_logger(__name__)

KNOWN_ADDRESSES = 10_000
WRITTEN_BY_AGENTS = ("text", "structured")
"""Of these Genesys is told Failed when there is nothing in them that could be sent."""


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """An update that cannot be read, as it came, with the reason."""

    body: bytes
    reason: str


@dataclass(slots=True)
class Taken:
    """What a batch came to."""

    arrived: list[Arrived] = field(default_factory=list)
    standings: list[Standing] = field(default_factory=list)
    dead: list[DeadLetter] = field(default_factory=list)
    arrivals: dict[Direction, list[float]] = field(default_factory=dict)
    """When the readable ones had arrived at web (Unix seconds)."""


@dataclass(frozen=True, slots=True)
class Item:
    """One readable event with the update it came in."""

    body: bytes
    update: Update
    event: Message | Receipt | Ignored
    place: int
    """Of the event among those of its update."""


class Intake:
    """Remembers the last addresses it resolved; everything else is in PostgreSQL."""

    def __init__(self, pool: Pool, channels: dict[str, Channel], shards: int) -> None:
        self._pool = pool
        self._channels = channels
        self._shards = shards
        self._known: OrderedDict[tuple[str, str], Mapping] = OrderedDict()

    def take(self, bodies: Sequence[bytes]) -> Taken:
        """Commit the batch. Raises StoreError when PostgreSQL is away: nothing was written, try again."""
        taken = Taken()
        readable: list[list[Item]] = []
        for body in bodies:
            try:
                readable.append(self._read(body))
            # Whatever a provider's oddity breaks, it must not stop the others.
            except Exception as error:  # noqa: BLE001
                taken.dead.append(_dead(body, error))
        self._store([items for items in readable if items], taken)
        for item in (item for items in readable for item in items):
            taken.arrivals.setdefault(DIRECTION[item.update.channel], []).append(item.update.arrived_at)
        return taken

    def _read(self, body: bytes) -> list[Item]:
        try:
            update = load(Update, body)
        except ValueError as error:
            raise ParseError("not an update of this relay's own format") from error
        source, target = self._channels[update.channel], self._channels[TARGET[DIRECTION[update.channel]]]
        events: list[Message | Receipt | Ignored] = []
        for event in source.parse(update.payload):
            if isinstance(event, Message):
                events += target.fit(event)
            elif isinstance(event, Receipt) or (isinstance(event, Ignored) and event.person.address):
                events.append(event)  # what nobody wrote (account notices) stays in the archive alone
        return [Item(body, update, event, place) for place, event in enumerate(events)]

    def _store(self, updates: Sequence[list[Item]], taken: Taken) -> None:
        """Each update's events stay together; the batch is halved until the culprit stands alone."""
        if not updates:
            return
        try:
            arrived, standings = self._commit([item for items in updates for item in items])
        except (psycopg2.Error, ValueError, TypeError, LookupError) as error:
            if len(updates) == 1:
                taken.dead.append(_dead(updates[0][0].body, error))
                return
            middle = len(updates) // 2
            self._store(updates[:middle], taken)
            self._store(updates[middle:], taken)
        else:
            taken.arrived += arrived
            taken.standings += standings

    def _commit(self, items: Sequence[Item]) -> tuple[list[Arrived], list[Standing]]:
        written = [item for item in items if not isinstance(item.event, Receipt)]
        told = [LineReceipt(item.update.line_id, item.event) for item in items if isinstance(item.event, Receipt)]
        with self._pool.transaction() as cursor:
            mappings = self._resolve(cursor, written)
            conversations.see_genesys_conversations(cursor, _genesys_conversations(written, mappings))
            new = _distinct(_new_row(item, mapping) for item, mapping in zip(written, mappings, strict=True))
            inserted = messages.insert(cursor, new)
            standings = receipts.record(cursor, told)
        self._remember(written, mappings)
        by_id = {mapping.conversation_id: mapping for mapping in mappings}
        live = [row for row in [*inserted.fresh, *inserted.unfinished] if row.state in ("received", "unknown")]
        metrics.intake.labels("message").inc(len(inserted.fresh))
        metrics.intake.labels("duplicate").inc(len(written) - len(inserted.fresh))
        metrics.intake.labels("late").inc(inserted.late)
        metrics.intake.labels("receipt").inc(len(told))
        return _grouped(live, by_id), standings

    def _resolve(self, cursor: object, written: Sequence[Item]) -> list[Mapping]:
        """The mapping of each; asks PostgreSQL only for people who are new, or of whom something is."""
        seen = [_seen(item) for item in written]
        found = [self._recall(one) for one in seen]
        missing = [one for one, mapping in zip(seen, found, strict=True) if mapping is None]
        known = [(one.conversation_id, who.at) for who, one in zip(seen, found, strict=True) if one is not None]
        resolved = iter(conversations.resolve(cursor, missing, self._shards, known))
        return [mapping or next(resolved) for mapping in found]

    def _recall(self, seen: Seen) -> Mapping | None:
        known = [self._known.get((seen.line_id, alias)) for alias in seen.aliases]
        first = known[0] if known else None
        if first is None or any(one is None or one.conversation_id != first.conversation_id for one in known):
            return None
        return first if conversations.updated(first, seen.person) == first else None

    def _remember(self, written: Sequence[Item], mappings: Sequence[Mapping]) -> None:
        for item, mapping in zip(written, mappings, strict=True):
            genesys = item.event.genesys_conversation_id if isinstance(item.event, Message) else None
            if genesys and genesys != mapping.genesys_conversation_id:
                mapping = replace(mapping, genesys_conversation_id=genesys)
            for alias in Seen(mapping.tenant_id, mapping.line_id, _person(item)).aliases:
                self._known[mapping.line_id, alias] = mapping
                self._known.move_to_end((mapping.line_id, alias))
        while len(self._known) > KNOWN_ADDRESSES:
            self._known.popitem(last=False)


def _seen(item: Item) -> Seen:
    update = item.update
    return Seen(update.tenant_id, update.line_id, _person(item), update.arrived_at)


def _person(item: Item) -> Person:
    assert not isinstance(item.event, Receipt)
    return item.event.person


def _new_row(item: Item, mapping: Mapping) -> NewRow:
    update, event, report = item.update, item.event, None
    assert not isinstance(event, Receipt)
    if isinstance(event, Ignored):
        message = Message(event.source_id, event.person, event.provider_time, event.type)
        state, reason = "ignored", event.reason
        if update.channel == "genesys" and event.type in WRITTEN_BY_AGENTS:
            state, report = "failed", "failed"
    else:
        message, state, reason = event, "received", None
    # A provider's clock that makes no sense counts as "now".
    provider_time = message.provider_time if message.provider_time > 0 else update.arrived_at
    message = replace(message, provider_time=provider_time)
    key = sort_key(update.channel, provider_time, update.arrived_at, update.index, item.place)
    row = Row(
        messages.new_id(), mapping.tenant_id, mapping.line_id, mapping.conversation_id, mapping.shard,
        DIRECTION[update.channel], key, message, state,
    )  # fmt: skip
    return NewRow(row, update.payload, reason, report)


def _distinct(rows: Iterable[NewRow]) -> list[NewRow]:
    """Duplicates within one batch are removed first: the earliest arrival stays."""
    kept: dict[tuple[str, str, str], NewRow] = {}
    for one in rows:
        kept.setdefault((one.row.line_id, one.row.direction, one.row.message.source_id), one)
    return list(kept.values())


def _genesys_conversations(written: Sequence[Item], mappings: Sequence[Mapping]) -> list[tuple[str, str]]:
    return [
        (mapping.conversation_id, item.event.genesys_conversation_id)
        for item, mapping in zip(written, mappings, strict=True)
        if isinstance(item.event, Message)
        and item.event.genesys_conversation_id
        and item.event.genesys_conversation_id != mapping.genesys_conversation_id
    ]


def _grouped(rows: Sequence[Row], mappings: dict[str, Mapping]) -> list[Arrived]:
    groups: dict[str, list[Row]] = {}
    for row in rows:
        groups.setdefault(row.conversation_id, []).append(row)
    return [
        Arrived(mappings[conversation_id], group)
        for conversation_id, group in groups.items()
        if conversation_id in mappings
    ]


def _dead(body: bytes, error: Exception) -> DeadLetter:
    metrics.dead_letters.inc()
    reason = f"{type(error).__name__}: {error}".strip()[:500]
    log.warning("update_cannot_be_read", error=type(error).__name__)
    return DeadLetter(body, reason)
