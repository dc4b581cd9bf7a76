"""Conversations that read their rows at the same time share the statements.

After a flood's beginning hundreds wait for room in memory, and each begins with its rows: read one by one they would
cost as much as everything else that is done for a message.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence

import gevent
from gevent.event import AsyncResult

from db.errors import meets_everybody
from db.mailbox import unfinished
from db.mailbox.unfinished import UnfinishedRows
from db.pool import Pool
from relay.core.conversation.lane import LANE_LIMIT

READERS = 2
"""Of ten connections the others are left for the intake, the journal and the supervisor."""
GROUP = 32
"""Conversations in one statement, each with up to `LANE_LIMIT` rows of each lane."""


class RowsReader:
    """`read` from as many greenlets as there are: while one group is read the next gathers."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool
        self._asked: deque[tuple[str, AsyncResult]] = deque()
        self._readers = 0

    def read(self, conversation_id: str) -> UnfinishedRows:
        """Waits for its turn. Raises StoreError while PostgreSQL is away, and what else its own rows lead to."""
        answer = AsyncResult()
        self._asked.append((conversation_id, answer))
        if self._readers < READERS:
            self._readers += 1
            gevent.spawn(self._serve)
        found: UnfinishedRows = answer.get()
        return found

    def _serve(self) -> None:
        try:
            while self._asked:
                self._answer([self._asked.popleft() for _ in range(min(GROUP, len(self._asked)))])
        finally:
            self._readers -= 1

    def _answer(self, group: Sequence[tuple[str, AsyncResult]]) -> None:
        """What the rows of one lead to, or are on, is no fault of the others: then each is read by itself."""
        try:
            found = unfinished.read(self._pool, [conversation_id for conversation_id, _ in group], LANE_LIMIT)
        except Exception as error:  # noqa: BLE001 - raised where it was asked for
            if len(group) > 1 and not meets_everybody(error):
                for one in group:
                    self._answer([one])
                return
            for _, answer in group:
                answer.set_exception(error)
            return
        for conversation_id, answer in group:
            answer.set(found[conversation_id])
