"""The sweep's walk round all unfinished rows, past those that PostgreSQL cannot read: a broken page, a broken value.

A statement that reads such a row fails with the hundreds that it reads beside it, and what is behind it would be found
by nobody.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from uuid import UUID

import structlog

from db.errors import DatabaseError
from db.mailbox import sweep
from db.mailbox.sweep import Bookmark, UnfinishedMessage
from db.pool import Pool

log = structlog.get_logger(__name__)

AGAIN_SECONDS = 600.0
"""A conversation whose rows could not be read is left out for so long."""
MOST_BROKEN = 100
"""Conversations left out at once: more is no matter of single pages."""
END = 2**128 - 1


class SweepWalk:
    """A page each `step`, round and round. Conversations are numbers here, in the order of their ids."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool
        self._after: Bookmark = sweep.START
        self._broken: dict[int, float] = {}
        """Until when each is left out (time.monotonic)."""

    def step(self, shards: Sequence[int]) -> list[UnfinishedMessage]:
        """The next unfinished rows of these shards. Raises DatabaseError where it is not about single rows."""
        found: list[UnfinishedMessage] = []
        while len(found) < sweep.PAGE:
            broken = self._next_broken()
            last = END if broken is None else broken - 1
            if last >= _number(self._after):
                try:
                    page = self._read(shards, self._after, last)
                except DatabaseError as error:
                    self._leave_out(self._find_broken(shards, last, error), error)
                    break  # the rest in its turn: this took many statements
                found += page
                if len(page) >= sweep.PAGE:
                    self._after = page[-1].bookmark
                    break
            if broken is None:
                self._after = sweep.START
                break
            self._after = sweep.behind(_text(broken))
        return found

    def _read(self, shards: Sequence[int], after: Bookmark, last: int) -> list[UnfinishedMessage]:
        with self._pool.autocommit() as cursor:
            return sweep.page(cursor, shards, after, _text(last))

    def _find_broken(self, shards: Sequence[int], high: int, error: DatabaseError) -> int:
        """By halves: 128 statements. Raises DatabaseError where it is none of single rows, or of too many."""
        low, after = _number(self._after), self._after
        while low < high:
            if error.kind != "internal" or len(self._broken) >= MOST_BROKEN:
                raise error
            middle = (low + high) // 2
            try:
                self._read(shards, after, middle)
            except DatabaseError as another:
                high, error = middle, another
            else:
                low, after = middle + 1, sweep.behind(_text(middle))
        return low

    def _leave_out(self, conversation: int, error: DatabaseError) -> None:
        self._broken[conversation] = time.monotonic() + AGAIN_SECONDS
        log.error("rows_not_readable", conversation_id=_text(conversation), error=str(error))

    def _next_broken(self) -> int | None:
        """The first that is left out and not passed yet."""
        now, at = time.monotonic(), _number(self._after)
        self._broken = {one: until for one, until in self._broken.items() if until > now}
        passed = self._after == sweep.behind(_text(at))
        return min((one for one in self._broken if one > at or (one == at and not passed)), default=None)


def _number(bookmark: Bookmark) -> int:
    return UUID(bookmark[0]).int


def _text(conversation: int) -> str:
    return str(UUID(int=conversation))
