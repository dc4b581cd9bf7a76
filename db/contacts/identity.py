"""Who the people of a group are: which conversation each belongs to, and what is learnt of their names.

Decisions only: nothing is read or written here. One person keeps one conversation. Nothing is merged by guess: where
a number and a user id point to two conversations, the number decides, and the conflict is told. Only the provider's
word that number or user id changed moves names from one conversation to another.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from uuid import uuid4

import structlog

from db.contacts.aliases import AliasBook, AliasHolder, candidates
from db.contacts.seen import Arrival, SeenPerson
from db.mailbox.notices import NewNotice
from relay.core.contacts.mapping import ConversationMapping
from relay.core.contacts.phones import normalised
from relay.core.contacts.user_ids import begins_like_one
from relay.core.queues import queue_number

log = structlog.get_logger(__name__)

CONFLICT = "identity_conflict"
TWO_CONVERSATIONS = (
    "number and user id of one message belong to two conversations: it went to that of the number, nothing was merged"
)
OTHER_USER_ID = (
    "a number came with another user id and without word of a change: the conversation stays that of the number; "
    "look into it if the number may have been given to somebody else"
)
JOINED = (
    "a change of number or user id names two conversations: what follows goes to the one with the former names, "
    "the messages of the other one stay where they are"
)


@dataclass(frozen=True, slots=True)
class ConversationChoice:
    """`learns`: the names of this person are news of the mapping."""

    seen: SeenPerson
    mapping: ConversationMapping
    learns: bool


@dataclass(frozen=True, slots=True)
class AliasLoss:
    """A name that goes over to the conversation of `choice`, as it was held until then."""

    choice: ConversationChoice
    held: AliasHolder

    @property
    def same_person(self) -> bool:
        """The loser began with the first message under the new names, which came before the word of the change.

        User ids tell. Where one is missing, whoever had the name before the change is somebody else.
        """
        one, loser = self.choice.seen, self.held.mapping
        if loser.bsuid is not None and one.person.bsuid is not None:
            return loser.bsuid == one.person.bsuid
        return self.held.since >= one.when


@dataclass(slots=True)
class IdentityPlan:
    """What a group comes to, in its order: `take` decides about one person after the other."""

    book: AliasBook
    shards: int
    choices: list[ConversationChoice] = field(default_factory=list)
    new: list[ConversationChoice] = field(default_factory=list)
    lost: list[AliasLoss] = field(default_factory=list)
    renamed: set[str] = field(default_factory=set)
    """Conversations that gave up or lost a name."""
    notices: list[NewNotice] = field(default_factory=list)
    user_ids: dict[str, str] = field(default_factory=dict)
    """By conversation, as learnt from the group."""

    def take(self, one: SeenPerson) -> None:
        found = [held.mapping for held in candidates(self.book, one)]
        choice = ConversationChoice(one, found[0], self._learns(one, found)) if found else self._begin(one)
        self.choices.append(choice)
        if one.by == "genesys" and found:
            return
        if choice.learns:
            self._claim(choice)
        if not one.settled:
            self._retire(choice)

    def _learns(self, one: SeenPerson, found: Sequence[ConversationMapping]) -> bool:
        """Not from Genesys, nor where it is doubtful whose the names are, nor from what is older than a change."""
        mapping = found[0]
        ids = sorted({other.conversation_id for other in found})
        if len(ids) > 1:
            log.warning(CONFLICT, conversations=ids)
            self._notify(one, TWO_CONVERSATIONS if one.settled else JOINED, {"ids": ids})
            if one.settled:
                return False
        if one.by == "genesys" or self._outdated(one):
            return False
        bsuid = one.person.bsuid
        if bsuid and one.by == "whatsapp":
            before = self.user_ids.get(mapping.conversation_id, mapping.bsuid)
            if one.settled and before not in (None, bsuid):
                # All user ids change when a number moves to another portfolio at Meta.
                log.warning(CONFLICT, conversations=ids)
                self._notify(one, OTHER_USER_ID, {"ids": ids, "user_ids": sorted((before, bsuid))})
            self.user_ids[mapping.conversation_id] = bsuid
        return True

    def _notify(self, one: SeenPerson, reason: str, payload: dict[str, list[str]]) -> None:
        self.notices.append(NewNotice(one.tenant_id, one.line_id, "whatsapp", CONFLICT, reason, payload, one.when))

    def _outdated(self, one: SeenPerson) -> bool:
        """Said under a name that has been given up since."""
        held = (self.book.at(one.line_id, name) for name in one.names)
        return any(of is not None and of.former(one.when) for of in held)

    def _begin(self, one: SeenPerson) -> ConversationChoice:
        """A conversation of a contact whom nobody knew."""
        person, address = one.person, self._address(one)
        mapping = ConversationMapping(
            str(uuid4()), one.tenant_id, one.line_id, address, queue_number(one.line_id, person.address, self.shards),
            person.wa_id, person.bsuid, person.parent_bsuid, person.name, None, person.username,
        )  # fmt: skip
        self.book.addresses[one.line_id, address] = mapping
        self.new.append(ConversationChoice(one, mapping, True))
        return self.new[-1]

    def _address(self, one: SeenPerson) -> str:
        """What Genesys will call the contact, for good: another one than that of whoever had the number before."""
        person = one.person
        first = person.wa_id or person.bsuid or person.address
        for address in (first, person.bsuid):
            if address and (one.line_id, address) not in self.book.addresses:
                return address
        return f"{first}-{uuid4().hex[:8]}"

    def _claim(self, choice: ConversationChoice) -> None:
        """The names are the mapping's: new ones, those given up by others, and after a change those of others too."""
        one, mapping = choice.seen, choice.mapping
        for name in (*one.names, *one.spellings):
            held = self.book.at(one.line_id, name)
            own = held is not None and held.mapping.conversation_id == mapping.conversation_id
            given_up = held is not None and held.expired(one.when) and (own or not begins_like_one(name))
            if held is not None and not own and not given_up and not one.settled:
                self.lost.append(AliasLoss(choice, held))
            elif held is not None and not given_up:
                continue
            if held is not None and not own:
                self.renamed.add(held.mapping.conversation_id)
            self.book.put(one.line_id, name, AliasHolder(mapping, one.when))

    def _retire(self, choice: ConversationChoice) -> None:
        """The names that the change ended: still the mapping's for what was written before."""
        one, mapping = choice.seen, choice.mapping
        for name in one.former:
            held = self.book.at(one.line_id, name)
            if held is None:
                self.book.put(one.line_id, name, AliasHolder(mapping, 0.0, one.when))
                continue
            own = held.mapping.conversation_id == mapping.conversation_id and held.since <= one.when
            if own and (held.until is None or held.until < one.when):
                self.book.put(one.line_id, name, replace(held, until=one.when))
                self.renamed.add(mapping.conversation_id)

    @property
    def arrivals(self) -> list[Arrival]:
        """With those of the conversations that lost a name: to be locked, and their windows are the person's own."""
        found = [choice.seen.arrival(choice.mapping.conversation_id) for choice in self.choices]
        for loss in self.lost:
            loser, winner = loss.held.mapping, loss.choice.mapping
            arrived = [one.window_until for one in found if one.conversation_id == loser.conversation_id]
            until = max((one for one in (loser.window_until, *arrived) if one is not None), default=None)
            found.append(Arrival(winner.conversation_id, window_until=until if loss.same_person else None))
        return found + [Arrival(one) for one in sorted(self.renamed)]


def learnt(mapping: ConversationMapping, one: SeenPerson) -> ConversationMapping:
    """The mapping with the newest names of its person. An absent name never erases a known one.

    WhatsApp knows best how a customer's number is written; others only fill in what is missing.
    """
    person = one.person
    if one.by != "whatsapp":
        return replace(
            mapping,
            wa_id=mapping.wa_id or person.wa_id,
            bsuid=mapping.bsuid or person.bsuid,
            name=mapping.name or person.name,
        )
    return replace(
        mapping,
        wa_id=person.wa_id or mapping.wa_id,
        bsuid=person.bsuid or mapping.bsuid,
        parent_bsuid=person.parent_bsuid or mapping.parent_bsuid,
        name=person.name or mapping.name,
        username=person.username or mapping.username,
    )


def without(loser: ConversationMapping, one: SeenPerson) -> ConversationMapping:
    """A number that is another person's now must not be written to any more."""
    gone = {*one.names, *one.spellings}
    lost = loser.wa_id is not None and not gone.isdisjoint((loser.wa_id, normalised(loser.wa_id)))
    return replace(loser, wa_id=None) if lost else loser
