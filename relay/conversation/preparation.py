"""The files of a conversation's messages: made ready a few ahead, so that none waits for its file in its turn."""

from __future__ import annotations

import time
from collections.abc import Callable

from db.mailbox import messages
from relay.core.contacts.mapping import ConversationMapping
from relay.core.conversation.fallback import without_media
from relay.core.conversation.lane import Entry, Lane
from relay.core.messages import Direction
from relay.core.retry import before_next_preparation
from relay.runtime.actor import tell
from relay.runtime.commands import Prepare, Prepared, Ref
from relay.runtime.context import Parts

PREPARE_AHEAD = 3
LOST_SECONDS = 600.0
"""A file that nobody has spoken of for so long is prepared again: its actor is gone."""


class Preparation:
    """`give_up(entry, code, text)` is told what cannot be sent without its file."""

    def __init__(
        self,
        parts: Parts,
        conversation: Ref,
        wake_at: Callable[[float], None],
        give_up: Callable[[Entry, str, str], None],
    ) -> None:
        self._parts = parts
        self._conversation = conversation
        self._wake_at = wake_at
        self._give_up = give_up

    def ahead(self, direction: Direction, lane: Lane, mapping: ConversationMapping) -> None:
        """Have the files of the lane's first messages made ready."""
        for entry in lane.waiting[:PREPARE_AHEAD]:
            lost = entry.preparing and time.monotonic() - entry.preparing_at > LOST_SECONDS
            if entry.prepared or (entry.preparing and not lost):
                continue
            if entry.not_before > time.time():
                self._wake_at(entry.not_before)
                continue
            entry.preparing, entry.preparing_at = True, time.monotonic()
            entry.preparations += 1
            tell(
                self._parts.tenant(mapping.tenant_id),
                Prepare(mapping.line_id, self._conversation, entry.id, direction, entry.message),
            )

    def done(self, entry: Entry, prepared: Prepared) -> None:
        """The media actor's word."""
        entry.preparing = False
        if prepared.error is None:
            entry.message, entry.prepared, entry.not_before = prepared.message, True, 0.0
            return
        others_work = entry.first_trouble is not None and prepared.others_worked_at > entry.first_trouble
        entry.first_trouble = entry.first_trouble or time.monotonic()
        self._failed(entry, prepared.direction, prepared.error, others_work)

    def _failed(self, entry: Entry, direction: Direction, error: Exception, others_work: bool) -> None:
        media = entry.message.media
        age = time.time() - entry.key.arrived_at
        wait = before_next_preparation(error, entry.preparations, age, others_work)
        code, text = getattr(error, "code", "media_failed"), getattr(error, "text", str(error))
        if wait is not None:
            entry.not_before = time.time() + wait
        elif media is not None and (media.optional or (direction == "inbound" and not media.public)):
            entry.message, entry.prepared = without_media(entry.message, text), True
            messages.save_content(self._parts.pool, entry.id, entry.message, ("file_missing", f"{code}: {text}"))
        else:
            self._give_up(entry, code, text)
