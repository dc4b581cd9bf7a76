"""People as a webhook, an agent or an API client names them, before it is known who they are."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from relay.core.contacts.phones import dialled, normalised
from relay.core.messages import Person

if TYPE_CHECKING:
    from relay.core.contacts.mapping import ConversationMapping
    from relay.core.threads import ThreadFact

SeenBy = Literal["whatsapp", "genesys", "api"]
AliasKey = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Arrival:
    """Something that arrived in a conversation. Times are Unix seconds.

    `at` 0 leaves it as active as it was; `window_until` and `last_inbound_id` come with what its contact wrote,
    which the provider stamped with `provider_time`. `heard_at`: the contact wrote then, to us or to somebody else;
    `thread`: who answers the contact, as this tells it.
    """

    conversation_id: str
    at: float = 0.0
    window_until: float | None = None
    last_inbound_id: str | None = None
    provider_time: float = 0.0
    heard_at: float | None = None
    thread: ThreadFact | None = None


@dataclass(frozen=True, slots=True)
class SeenPerson:
    """A person who turned up on a line. `by`: whose names these are; Genesys knows people by names of our own.

    `provider_time` (Unix seconds, 0: now) decides whose a number was that has changed hands.
    """

    tenant_id: str
    line_id: str
    person: Person
    at: float = 0.0
    """When it arrived (Unix seconds), if it makes the conversation active."""
    by: SeenBy = "whatsapp"
    provider_time: float = 0.0
    window_until: float | None = None
    inbound_id: str | None = None
    """The provider's id of what the person wrote."""
    heard_at: float | None = None
    thread: ThreadFact | None = None
    """As in an Arrival."""

    @property
    def when(self) -> float:
        return self.provider_time or time.time()

    @property
    def names(self) -> tuple[str, ...]:
        """Every present name, the most telling first. A username is none: it changes at will."""
        person = self.person
        named = (person.wa_id, person.bsuid, person.parent_bsuid, person.address, dialled(person.address))
        return tuple(dict.fromkeys(name for name in named if name and name not in person.previous))

    @property
    def spellings(self) -> tuple[str, ...]:
        """The present numbers as Meta may write them elsewhere: looked for when nothing else is found."""
        return _spellings(self.names)

    @property
    def former(self) -> tuple[str, ...]:
        """Names that were the person's until `when`, with their other spellings."""
        previous = self.person.previous
        if not previous:
            return ()
        present = {*self.names, *self.spellings}
        return tuple(name for name in dict.fromkeys((*previous, *_spellings(previous))) if name not in present)

    @property
    def every_name(self) -> tuple[str, ...]:
        return (*self.names, *self.spellings, *self.former)

    @property
    def settled(self) -> bool:
        """It tells of no change of names: who it is may be remembered."""
        return not self.person.previous

    @property
    def keys(self) -> tuple[AliasKey, ...]:
        """What to remember the person by; Genesys' names are kept apart from WhatsApp's."""
        return self._keys((self.person.address,) if self.by == "genesys" else self.names)

    @property
    def former_keys(self) -> tuple[AliasKey, ...]:
        return self._keys(self.former)

    def keys_of(self, mapping: ConversationMapping) -> tuple[AliasKey, ...]:
        """Of `keys` those that are the mapping's own at present: a former one must not be remembered."""
        if self.by == "genesys":
            return self.keys if self.person.address == mapping.genesys_address else ()
        own = (mapping.wa_id, mapping.bsuid, mapping.parent_bsuid)
        return self._keys(tuple(name for name in self.names if name in own))

    def arrival(self, conversation_id: str) -> Arrival:
        return Arrival(
            conversation_id, self.at, self.window_until, self.inbound_id, self.when, self.heard_at, self.thread
        )

    def _keys(self, names: tuple[str, ...]) -> tuple[AliasKey, ...]:
        side = "g" if self.by == "genesys" else "w"
        return tuple((self.line_id, f"{side}:{name}") for name in names)


def _spellings(names: tuple[str, ...]) -> tuple[str, ...]:
    found = (normalised(name) for name in names)
    return tuple(dict.fromkeys(name for name in found if name and name not in names))
