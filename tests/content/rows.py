"""The rows of docs/message-types.md: what each does is written down as a function that talks through a chat.

All rows of a table run side by side, each with a customer of its own; a test per row says how it ended.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import count

from tests.flow.chat import Chat
from tests.flow.installation import Installation, Line

Row = Callable[[Chat], None]
AT_ONCE = 8


class Table:
    """Rows by name, in the order in which they were written."""

    def __init__(self, first_number: int) -> None:
        self.rows: dict[str, Row] = {}
        self._numbers = count(first_number)

    def row(self, name: str) -> Callable[[Row], Row]:
        def add(row: Row) -> Row:
            assert name not in self.rows, f"{name} stands there twice"
            self.rows[name] = row
            return row

        return add

    def begin(self, installation: Installation, line: Line, pool: ThreadPoolExecutor) -> dict[str, Future[None]]:
        """All rows, on their way. The result of each raises what went wrong."""
        return {
            name: pool.submit(row, Chat(installation, line, str(next(self._numbers))))
            for name, row in self.rows.items()
        }
