"""The contacts that an intake resolved lately, so that most messages need no look-up."""

from __future__ import annotations

import time
from collections import OrderedDict

from db.contacts import conversations
from db.contacts.seen import SeenPerson
from relay.core.contacts.mapping import OUT_OF_DATE, ConversationMapping

LIMIT = 50_000
"""Names in one daemon; each takes about 700 bytes."""
SECONDS = 300.0
"""Another daemon may have heard meanwhile that a number changed hands."""


class KnownContacts:
    """By every name that is theirs at present; the two sides' names are kept apart."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._found: OrderedDict[tuple[str, str], tuple[ConversationMapping, float]] = OrderedDict()

    def recall(self, seen: SeenPerson) -> ConversationMapping | None:
        """None where PostgreSQL has to be asked: unknown, contradictory, or with something new about them."""
        if not seen.settled:
            return None
        mappings = [self._get(key) for key in seen.keys]
        first = mappings[0] if mappings else None
        if first is None or any(one is None or _state(one) != _state(first) for one in mappings):
            return None
        return first if conversations.learnt(first, seen) == first else None

    def _get(self, key: tuple[str, str]) -> ConversationMapping | None:
        mapping, until = self._found.get(key, (None, 0.0))
        return mapping if until > time.monotonic() else None

    def remember(self, seen: SeenPerson, mapping: ConversationMapping) -> None:
        for key in seen.former_keys:
            self._found.pop(key, None)
        if mapping.names_version == OUT_OF_DATE:
            for key in seen.keys:
                self._found.pop(key, None)
            return
        for key in seen.keys_of(mapping):
            before = self._get(key)
            # What is in use all the time has to be asked for again as well.
            fresh = before is None or _state(before) != _state(mapping)
            until = time.monotonic() + SECONDS if fresh else self._found[key][1]
            self._found[key] = mapping, until
            self._found.move_to_end(key)
        while len(self._found) > self._limit:
            self._found.popitem(last=False)


def _state(mapping: ConversationMapping) -> tuple[str, int]:
    """Whose entry it is, and as of which of its names."""
    return mapping.conversation_id, mapping.names_version
