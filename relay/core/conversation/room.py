"""How many conversations of a shard are in memory, and whose turn is next when there is no room for more. Pure.

Their messages are in PostgreSQL. Who waits here waits in turns by line, so that a line with a backlog takes no room
from one without; of one line the first that came is the first that gets in.
"""

from __future__ import annotations

from collections import Counter, OrderedDict


class MemoryRoom:
    """`per_line` and `in_all` bound those in memory, `most_waiting` those remembered as waiting for room."""

    def __init__(self, per_line: int, in_all: int, most_waiting: int) -> None:
        self._per_line = per_line
        self._in_all = in_all
        self._most_waiting = most_waiting
        self._inside: Counter[str] = Counter()
        self._all = 0
        self._waiting: OrderedDict[str, OrderedDict[str, None]] = OrderedDict()
        self._waits = 0

    def enter(self, conversation_id: str, line_id: str) -> bool:
        """False: it waits for its turn. Beyond `most_waiting` it is forgotten, and found again in PostgreSQL.

        It is asked for once: whoever is inside is known to the caller.
        """
        its = self._waiting.get(line_id)
        if its is None and self._has_room(line_id):
            self._let_in(line_id)
            return True
        if (its is None or conversation_id not in its) and self._waits < self._most_waiting:
            self._waiting.setdefault(line_id, OrderedDict())[conversation_id] = None
            self._waits += 1
        return False

    def leave(self, line_id: str) -> None:
        """One of the line's is no longer in memory."""
        self._all -= 1
        self._inside[line_id] -= 1
        if not self._inside[line_id]:
            del self._inside[line_id]

    def following(self) -> tuple[str, str] | None:
        """Who gets in now, conversation and line, counted as inside already; None where nobody waits or fits."""
        # No more lines are passed over than can be full, which are `in_all` by `per_line`.
        line_id = next((one for one in self._waiting if self._has_room(one)), None)
        if line_id is None:
            return None
        its = self._waiting[line_id]
        conversation_id, _ = its.popitem(last=False)
        self._waits -= 1
        self._let_in(line_id)
        if its:
            self._waiting.move_to_end(line_id)
        else:
            del self._waiting[line_id]
        return conversation_id, line_id

    @property
    def full(self) -> bool:
        return self._all >= self._in_all

    def wanted(self, line_id: str | None) -> bool:
        """Whether somebody waits whom a conversation of the line keeps out; None: whether anybody waits at all."""
        return line_id in self._waiting or (bool(self._waiting) and (line_id is None or self.full))

    def _let_in(self, line_id: str) -> None:
        self._inside[line_id] += 1
        self._all += 1

    def _has_room(self, line_id: str) -> bool:
        return self._inside[line_id] < self._per_line and not self.full
