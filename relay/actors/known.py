"""The contacts that an intake resolved lately, so that most messages need no look-up."""

from __future__ import annotations

import time
from collections import OrderedDict

from db import conversations
from db.contacts_seen import Seen
from db.conversations import Mapping

LIMIT = 10_000
SECONDS = 300.0
"""Another daemon may have heard meanwhile that a number changed hands."""


class KnownContacts:
    """By every name that is theirs at present; the two sides' names are kept apart."""

    def __init__(self) -> None:
        self._found: OrderedDict[tuple[str, str], tuple[Mapping, float]] = OrderedDict()

    def recall(self, seen: Seen) -> Mapping | None:
        """None where PostgreSQL has to be asked: unknown, contradictory, or with something new about them."""
        if not seen.settled:
            return None
        mappings = [self._get(key) for key in seen.keys]
        first = mappings[0] if mappings else None
        if first is None or any(one is None or one.conversation_id != first.conversation_id for one in mappings):
            return None
        return first if conversations.learnt(first, seen) == first else None

    def _get(self, key: tuple[str, str]) -> Mapping | None:
        found = self._found.get(key)
        return found[0] if found is not None and found[1] > time.monotonic() else None

    def remember(self, seen: Seen, mapping: Mapping) -> None:
        for key in seen.former_keys:
            self._found.pop(key, None)
        for key in seen.keys_of(mapping):
            self._found[key] = mapping, time.monotonic() + SECONDS
            self._found.move_to_end(key)
        while len(self._found) > LIMIT:
            self._found.popitem(last=False)
