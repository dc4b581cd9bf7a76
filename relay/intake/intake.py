"""From what the broker delivered to committed rows: parse, find the conversation, insert, record receipts.

One transaction for a whole group. A group that fails for its data is halved until the culprit stands
alone and goes to DEAD_LETTERS. What is the matter with PostgreSQL, or with this machine, is no failure of the data.
"""

from __future__ import annotations

from collections.abc import Callable, Container, Sequence
from dataclasses import dataclass, field, replace

import structlog

from db.contacts import conversations
from db.contacts.conversations import GoneError, NamesakeError
from db.contacts.seen import SeenPerson
from db.contacts.tombstones import Tombstones
from db.cursor import Cursor
from db.mailbox import messages, notices, receipts, references, unfinished
from db.pool import Pool
from db.tenants import templates
from relay import metrics
from relay.broker.updates import unpacked
from relay.channels.base import Channel
from relay.core.contacts.mapping import ConversationMapping
from relay.core.conversation.events import AgentTyped, Arrived
from relay.core.errors import StoreError
from relay.core.languages import Say
from relay.core.mailbox import NewRow, Row, RowStatus
from relay.core.messages import Ignored, Message, Notice, Receipt, Typing, Update
from relay.core.queues import DIRECTION, TARGET
from relay.intake import update_events
from relay.intake.known import LIMIT, KnownContacts
from relay.intake.references import Referring, complete
from relay.intake.update_events import Rows, UpdateEvent

log = structlog.get_logger(__name__)

OUR_MACHINE = (MemoryError, OSError)
"""Errors that say nothing of what was being taken in."""


class OutOfDate(Exception):
    """What is remembered of a contact does not hold any more."""


@dataclass(frozen=True, slots=True)
class UnusableUpdate:
    """An update that cannot be read, as it came, with the reason."""

    body: bytes
    reason: str


@dataclass(slots=True)
class Taken:
    """What a group came to."""

    arrived: list[Arrived] = field(default_factory=list)
    row_statuses: list[RowStatus] = field(default_factory=list)
    typed: list[AgentTyped] = field(default_factory=list)
    dead: list[UnusableUpdate] = field(default_factory=list)


class Intake:
    """Remembers the last contacts it resolved; everything else is in PostgreSQL."""

    def __init__(
        self,
        pool: Pool,
        channels: dict[str, Channel],
        shards: int,
        say: Callable[[str, str], str],
        tombstones: Tombstones | None = None,
    ) -> None:
        """`say`: a phrase in the language of a code."""
        self._pool = pool
        self._channels = channels
        self._targets = {name: channels[TARGET[DIRECTION[name]]] for name in channels}
        self._shards = shards
        self._say = say
        self._tombstones = tombstones
        self._known = KnownContacts(LIMIT)

    def take(self, bodies: Sequence[bytes], traces: Sequence[str | None] = ()) -> Taken:
        """Commit the group. Raises StoreError when PostgreSQL is in trouble: not all of it was written, try again.

        `traces`: of each body the traceparent of its webhook; left out, none is traced.
        """
        taken = Taken()
        readable: list[list[UpdateEvent]] = []
        traced = zip(bodies, traces or [None] * len(bodies), strict=True)
        for one, trace in ((one, trace) for body, trace in traced for one in unpacked(body)):
            try:
                readable.append(update_events.read(one, self._channels, trace))
            except OUR_MACHINE as error:
                raise StoreError(f"this machine is in trouble: {type(error).__name__}") from error
            # Whatever a provider's oddity breaks, it must not stop the others.
            except Exception as error:  # noqa: BLE001
                taken.dead.append(_dead(one, error))
        self._store([found for found in self._of_the_living(readable) if found], taken)
        return taken

    def _of_the_living(self, readable: Sequence[list[UpdateEvent]]) -> Sequence[list[UpdateEvent]]:
        """Without what came or was written before its person was erased."""
        stones = self._tombstones
        if stones is None:
            return readable
        stones.refresh()
        return [[one for one in found if not stones.cover(one.update, one.event)] for found in readable]

    def _store(self, updates: Sequence[list[UpdateEvent]], taken: Taken) -> None:
        """Each update's events stay together; the group is halved until the culprit stands alone."""
        if not updates:
            return
        try:
            self._settle([arrived for found in updates for arrived in found], taken)
        except StoreError as error:
            if not isinstance(error, NamesakeError):
                raise
            self._halve(updates, taken, error)
        except OUR_MACHINE as error:
            raise StoreError(f"this machine is in trouble: {type(error).__name__}") from error
        except Exception as error:  # noqa: BLE001 - as above: PostgreSQL or a renderer does not take the data
            self._halve(updates, taken, error)

    def _halve(self, updates: Sequence[list[UpdateEvent]], taken: Taken, error: Exception) -> None:
        if len(updates) == 1:
            taken.dead.append(_dead(updates[0][0].body, error))
            return
        middle = len(updates) // 2
        self._store(updates[:middle], taken)
        self._store(updates[middle:], taken)

    def _settle(self, group: Sequence[UpdateEvent], taken: Taken) -> None:
        try:
            self._commit(group, taken)
        except (OutOfDate, NamesakeError, GoneError):  # nothing was written
            self._commit(group, taken, recalling=False)

    def _commit(self, group: Sequence[UpdateEvent], taken: Taken, recalling: bool = True) -> None:
        written = [arrived for arrived in group if isinstance(arrived.event, (Message, Ignored))]
        told = [arrived.receipt for arrived in group if isinstance(arrived.event, Receipt)]
        with self._pool.transaction() as cursor:
            mappings = self._resolve(cursor, [arrived.seen for arrived in written], recalling)
            conversations.see_genesys_conversations(cursor, update_events.genesys_conversations(written, mappings))
            new, edits = self._rows(cursor, written, mappings)
            inserted = messages.insert(cursor, new)
            row_statuses = receipts.record(cursor, told, edits)
            references.keep_edits(cursor, edits)
            told_of = [arrived.kept for arrived in group if isinstance(arrived.event, Notice)]
            templates.tell(cursor, (news for arrived in group if (news := arrived.template_news)))
            notices.keep(cursor, [*told_of, *(trouble for arrived in group if (trouble := arrived.trouble))])
            typed = self._typed(cursor, [arrived for arrived in group if isinstance(arrived.event, Typing)])
            rows = [row for row in [*inserted.fresh, *inserted.unfinished] if row.state in ("received", "unknown")]
            # Last, since receipts may have put rows back.
            others = unfinished.others(cursor, {row.conversation_id for row in rows}, [row.id for row in rows])
        self._remember(written, mappings)
        taken.arrived += _by_conversation(rows, {mapping.conversation_id: mapping for mapping in mappings}, others)
        taken.row_statuses += row_statuses
        taken.typed += typed
        metrics.intake.labels("message").inc(len(inserted.fresh))
        metrics.intake.labels("duplicate").inc(len(new) - len(inserted.fresh))
        metrics.intake.labels("late").inc(inserted.late)
        metrics.intake.labels("receipt").inc(len(told))

    def _resolve(self, cursor: Cursor, seen: Sequence[SeenPerson], recalling: bool) -> list[ConversationMapping]:
        """The mapping of each; asks PostgreSQL only for people who are new, or of whom something is.

        Raises OutOfDate when names of somebody recalled changed hands, of which another daemon has heard.
        """
        found = [self._known.recall(one) if recalling else None for one in seen]
        missing = [one for one, mapping in zip(seen, found, strict=True) if mapping is None]
        known = [one.arrival(of.conversation_id) for one, of in zip(seen, found, strict=True) if of is not None]
        resolved = conversations.resolve(cursor, missing, self._shards, known)
        before = [mapping.names_version for mapping in found if mapping is not None]
        if before != [mapping.names_version for mapping in resolved[len(missing) :]]:
            raise OutOfDate
        fresh, brought_up = iter(resolved[: len(missing)]), iter(resolved[len(missing) :])
        return [next(fresh) if mapping is None else next(brought_up) for mapping in found]

    def _rows(
        self, cursor: Cursor, written: Sequence[UpdateEvent], mappings: Sequence[ConversationMapping]
    ) -> tuple[list[NewRow], dict[str, str]]:
        """And what messages that were there before are edited to, by their ids."""
        referring = [
            Referring(arrived.update.line_id, mapping.conversation_id, arrived.event, self._say_in(arrived.update))
            for arrived, mapping in zip(written, mappings, strict=True)
            if isinstance(arrived.event, Message) and arrived.update.channel == "whatsapp"
        ]
        completion = complete(cursor, referring)
        completed = iter(completion.messages)
        rows, made = Rows(self._targets), []
        for arrived, mapping in zip(written, mappings, strict=True):
            event = arrived.event
            assert isinstance(event, (Message, Ignored))
            refers = isinstance(event, Message) and arrived.update.channel == "whatsapp"
            made += rows.of(arrived, next(completed) if refers else event, mapping)
        return update_events.in_parts(update_events.distinct(made)), completion.edits

    def _say_in(self, update: Update) -> Say:
        return lambda text: self._say(text, update.language)

    def _typed(self, cursor: Cursor, typing: Sequence[UpdateEvent]) -> list[AgentTyped]:
        """Of those whom we know; nobody gets a conversation because somebody types.

        Told every few seconds, so mostly of those remembered: Genesys' address of a conversation never changes hands.
        """
        seen = [arrived.seen for arrived in typing]
        found = [self._known.recall(one) for one in seen]
        missing = [one for one, mapping in zip(seen, found, strict=True) if mapping is None]
        asked = dict(zip(missing, conversations.known(cursor, missing), strict=True))
        for one, mapping in asked.items():
            if mapping is not None:
                self._known.remember(one, mapping)
        mappings = (mapping or asked.get(one) for one, mapping in zip(seen, found, strict=True))
        return [
            AgentTyped(mapping.conversation_id, mapping.shard, arrived.update.arrived_at)
            for arrived, mapping in zip(typing, mappings, strict=True)
            if mapping is not None
        ]

    def _remember(self, written: Sequence[UpdateEvent], mappings: Sequence[ConversationMapping]) -> None:
        for arrived, mapping in zip(written, mappings, strict=True):
            genesys = arrived.event.genesys_conversation_id if isinstance(arrived.event, Message) else None
            self._known.remember(
                arrived.seen, replace(mapping, genesys_conversation_id=genesys) if genesys else mapping
            )


def _by_conversation(
    rows: Sequence[Row], mappings: dict[str, ConversationMapping], others: Container[str]
) -> list[Arrived]:
    by_conversation: dict[str, list[Row]] = {}
    for row in rows:
        by_conversation.setdefault(row.conversation_id, []).append(row)
    return [
        Arrived(mappings[conversation_id], its_rows, nothing_else=conversation_id not in others)
        for conversation_id, its_rows in by_conversation.items()
        if conversation_id in mappings
    ]


def _dead(body: bytes, error: Exception) -> UnusableUpdate:
    metrics.dead_letters.inc()
    reason = f"{type(error).__name__}: {error}".strip()[:500]
    log.warning("update_cannot_be_read", error=type(error).__name__)
    return UnusableUpdate(body, reason)
