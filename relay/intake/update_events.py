"""What an update of the broker holds, and the row of the mailbox that a message becomes."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from db.contacts.seen import SeenPerson
from db.mailbox import messages
from db.mailbox.notices import NewNotice
from db.mailbox.receipts import LineReceipt
from relay.channels.base import Channel
from relay.core import restored
from relay.core.contacts.mapping import ConversationMapping
from relay.core.errors import ParseError
from relay.core.languages import phrase
from relay.core.mailbox import NewRow, Row
from relay.core.messages import COPY, Event, Ignored, Message, Notice, Receipt, Typing, Update, load
from relay.core.ordering import sort_key
from relay.core.queues import DIRECTION
from relay.core.templates.news import TemplateNews
from relay.core.threads import ThreadFact

WRITTEN_BY_AGENTS = ("text", "structured")
"""Of these Genesys is told Failed when there is nothing in them that could be sent."""
AHEAD = 60.0
"""Seconds by which a provider's clock may run ahead of ours and still tell in which order things were written."""
MOST_ROWS = 100
"""So many messages may come of one: what is longer was written by no agent, and by no phone."""
PAYLOAD_BYTES = 256 * 1024
"""Of one update, kept with all of its rows together: it is kept whole with the first, and further ones name that."""
NOBODY_TALKS = phrase("news about a conversation that was not going on")
SEEN_ONLY = phrase("another responder has the conversation: what is said in it is kept, and not carried")


@dataclass(frozen=True, slots=True)
class UpdateEvent:
    """One event with the update it came in."""

    body: bytes
    update: Update
    event: Event
    trace: str | None = None
    """The traceparent of its webhook."""

    @property
    def seen(self) -> SeenPerson:
        """Who wrote it, or whom it concerns, as its webhook names them."""
        update, event = self.update, self.event
        assert isinstance(event, (Message, Ignored, Typing))
        if update.channel == "genesys":
            return SeenPerson(update.tenant_id, update.line_id, event.person, update.arrived_at, by="genesys")
        assert not isinstance(event, Typing)
        return SeenPerson(
            update.tenant_id,
            update.line_id,
            event.person,
            update.arrived_at,
            provider_time=_time(event, update),
            window_until=event.window_until,
            inbound_id=_to_name(event),
            heard_at=_time(event, update) if _by_contact(event) else None,
            thread=_thread(event, update),
        )

    @property
    def receipt(self) -> LineReceipt:
        assert isinstance(self.event, Receipt)
        return LineReceipt(self.update.line_id, replace(self.event, time=min(self.event.time, self.update.arrived_at)))

    @property
    def trouble(self) -> NewNotice | None:
        """A failed message that tells of its line: no payment method, number locked. People have to see to it."""
        update, event = self.update, self.event
        if not isinstance(event, Receipt) or event.status != "failed" or not event.of_line:
            return None
        reason = f"messages fail: {event.reason or 'no reason given'}"
        payload = {"code": event.code, "reason": event.reason}  # without ids: the same trouble is one notice
        return NewNotice(
            update.tenant_id, update.line_id, update.channel, f"error {event.code}", reason, payload, update.arrived_at
        )

    @property
    def template_news(self) -> tuple[str, TemplateNews] | None:
        """Whose template it is news of, and what."""
        told = self.event.template if isinstance(self.event, Notice) else None
        return (self.update.tenant_id, told) if told is not None else None

    @property
    def kept(self) -> NewNotice:
        assert isinstance(self.event, Notice)
        update, event = self.update, self.event
        return NewNotice(
            update.tenant_id, update.line_id, update.channel, event.kind, event.reason, update.payload,
            update.arrived_at,
        )  # fmt: skip


def read(body: bytes, channels: dict[str, Channel], trace: str | None = None) -> list[UpdateEvent]:
    """The events of an update. Raises ParseError for what this relay did not write, and whatever a parser breaks on."""
    try:
        update = load(Update, body)
    except ValueError as error:
        raise ParseError("not an update of this relay's own format") from error
    events = channels[update.channel].parse(update.payload)
    if len(events) > MOST_ROWS:
        events = [Notice("unreadable", f"it holds {len(events):,} messages; more than {MOST_ROWS} are not relayed")]
    return [UpdateEvent(body, update, event, trace) for event in events]


class Rows:
    """Makes the rows of a group; events of one update are numbered in their order."""

    def __init__(self, targets: dict[str, Channel]) -> None:
        self._targets = targets
        self._places: Counter[int] = Counter()
        self._firsts: dict[int, str] = {}

    def of(self, arrived: UpdateEvent, event: Message | Ignored, mapping: ConversationMapping) -> list[NewRow]:
        """As many as the receiving side needs; one that is not to be sent where there is nothing to send."""
        if isinstance(event, Message) and not _wanted(event, mapping):
            event = Ignored(event.source_id, event.person, event.provider_time, event.type, NOBODY_TALKS)
        if isinstance(event, Ignored):
            return [self._ignored(arrived, event, mapping)]
        if event.source_id.startswith(COPY):
            return [NewRow(self._row(arrived, event, mapping, "ignored"), arrived.update.payload, SEEN_ONLY)]
        parts = self._targets[arrived.update.channel].fit(event)
        if len(parts) > MOST_ROWS:
            reason = f"it would have been {len(parts):,} messages; more than {MOST_ROWS} are not sent"
            ignored = Ignored(event.source_id, event.person, event.provider_time, event.type, reason)
            return [self._ignored(arrived, ignored, mapping, "text_too_long")]
        if arrived.update.before_loss is not None:
            return [self._from_before_loss(arrived, part, mapping) for part in parts]
        origin = arrived.update.origin
        return [
            NewRow(self._row(arrived, part, mapping, "received"), self._payload(arrived, part), origin=origin)
            for part in parts
        ]

    def _from_before_loss(self, arrived: UpdateEvent, part: Message, mapping: ConversationMapping) -> NewRow:
        """Not sent, and there to be seen. Genesys is told nothing of it: it may have been told already."""
        origin = arrived.update.origin
        if arrived.update.before_loss == "carried":
            row = self._row(arrived, part, mapping, "ignored")
            return NewRow(row, self._payload(arrived, part), restored.CARRIED, origin=origin)
        row = self._row(arrived, part, mapping, "dead")
        return NewRow(row, self._payload(arrived, part), restored.UNKNOWN, restored.CODE, origin=origin)

    def _payload(self, arrived: UpdateEvent, part: Message) -> dict[str, Any]:
        """Asked right after the row was made: so the update's place counts it already."""
        update = arrived.update
        first = self._firsts.setdefault(id(update), part.source_id)
        if len(arrived.body) * self._places[id(update)] <= PAYLOAD_BYTES or first == part.source_id:
            return update.payload
        return {"part_of": first}

    def _ignored(
        self, arrived: UpdateEvent, event: Ignored, mapping: ConversationMapping, code: str = "empty"
    ) -> NewRow:
        message = Message(event.source_id, event.person, event.provider_time, event.type)
        by_agent = arrived.update.channel == "genesys" and event.type in WRITTEN_BY_AGENTS
        state, why, report = ("failed", code, "failed") if by_agent else ("ignored", None, None)
        row, update = self._row(arrived, message, mapping, state), arrived.update
        return NewRow(row, update.payload, event.reason, why, report, update.origin)

    def _row(self, arrived: UpdateEvent, message: Message, mapping: ConversationMapping, state: str) -> Row:
        update = arrived.update
        if (written_at := _time(message, update)) != message.provider_time:
            message = replace(message, provider_time=written_at)
        if arrived.trace is not None:
            message = replace(message, trace=arrived.trace)
        place = self._places[id(update)]
        self._places[id(update)] += 1
        key = sort_key(update.channel, message.provider_time, update.arrived_at, update.index, place)
        return Row(
            messages.new_id(), mapping.tenant_id, mapping.line_id, mapping.conversation_id, mapping.shard,
            DIRECTION[update.channel], key, message, state,
        )  # fmt: skip


def _to_name(event: Message | Ignored) -> str | None:
    """The id that read marks and typing name: of what the contact wrote to the business alone, and not in a group."""
    if not isinstance(event, Message) or event.notice or event.window_until is None:
        return None
    return event.own_id


def _by_contact(event: Message | Ignored) -> bool:
    """The contact wrote it, to the business or to whoever answers in its name; and not in a group."""
    return isinstance(event, Message) and not event.notice and event.window_until is not None


def _thread(event: Message | Ignored, update: Update) -> ThreadFact | None:
    """Who answers the contact, as its webhook tells it: copies are of what somebody else answers, messages are ours."""
    if isinstance(event, Ignored):
        return None
    if event.thread is not None:
        return replace(event.thread, at=_sensible(event.thread.at, update))
    if event.source_id.startswith(COPY):
        return ThreadFact("elsewhere", _time(event, update))
    return ThreadFact("owned", _time(event, update)) if _by_contact(event) else None


def _time(event: Message | Ignored, update: Update) -> float:
    return _sensible(event.provider_time, update)


def _sensible(at: float, update: Update) -> float:
    """A provider's clock that makes no sense, or is far ahead of ours, counts as "now"."""
    return at if 0 < at <= update.arrived_at + AHEAD else update.arrived_at


def _wanted(message: Message, mapping: ConversationMapping) -> bool:
    """News begins no conversation: agents would be called for nothing."""
    return not message.notice or (mapping.window_until is not None and mapping.window_until > time.time())


def distinct(rows: Iterable[NewRow]) -> list[NewRow]:
    """Duplicates within one group are removed first: the earliest arrival stays."""
    kept: dict[tuple[str, str, str], NewRow] = {}
    for one in rows:
        kept.setdefault((one.row.line_id, one.row.direction, one.row.message.source_id), one)
    return list(kept.values())


def in_parts(rows: Sequence[NewRow]) -> list[NewRow]:
    """The rows of one message counted through: one that came in parts may have to be parted again to fit."""
    whole = Counter(_message_of(one) for one in rows)
    count, found = Counter[tuple[str, str, str]](), []
    for one in rows:
        key = _message_of(one)
        count[key] += 1
        found.append(one if whole[key] == 1 == one.row.message.parts else _part(one, count[key], whole[key]))
    return found


def _part(one: NewRow, number: int, parts: int) -> NewRow:
    return replace(one, row=replace(one.row, message=replace(one.row.message, part=number, parts=parts)))


def _message_of(one: NewRow) -> tuple[str, str, str]:
    return one.row.line_id, one.row.direction, one.row.message.report_id


def genesys_conversations(
    written: Sequence[UpdateEvent], mappings: Sequence[ConversationMapping]
) -> list[tuple[str, str]]:
    """(conversation id, Genesys conversation id) where it is news."""
    return [
        (mapping.conversation_id, arrived.event.genesys_conversation_id)
        for arrived, mapping in zip(written, mappings, strict=True)
        if isinstance(arrived.event, Message)
        and arrived.event.genesys_conversation_id
        and arrived.event.genesys_conversation_id != mapping.genesys_conversation_id
    ]
