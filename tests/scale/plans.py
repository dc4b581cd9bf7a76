"""The plans of the statements that are really executed: every statement is explained right before it runs."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from db.cursor import Cursor
from db.pool import Pool

LARGE = (
    "conversation_mappings",
    "message_tracking",
    "message_attempts",
    "message_events",
    "contact_aliases",
    "line_notices",
    "message_prices",
    "check_runs",
)
SCAN = re.compile(rf"Seq Scan on ({'|'.join(LARGE)})\b")
# An index that is walked without a condition: for a join by order, say.
WHOLE_INDEX = re.compile(
    rf"Index(?: Only)? Scan (?:Backward )?using \w+ on ({'|'.join(LARGE)})\b[^\n]*$(?!\n +Index Cond)", re.M
)
EXPLAINABLE = re.compile(rb"\s*\(?\s*(SELECT|WITH|INSERT|UPDATE|DELETE|EXECUTE)\b", re.IGNORECASE)


class Explaining(Cursor):
    """Executes like any other, and first writes down which large tables the plan goes through from end to end."""

    scans: list[str]

    def execute(self, query: Any, vars: Any = None) -> None:  # noqa: A002
        text = self.mogrify(query, vars)
        if EXPLAINABLE.match(text):
            super().execute(b"EXPLAIN " + text)
            plan = "\n".join(row[0] for row in self.fetchall())
            self.scans += [f"{table}: {_short(text)}" for table in [*SCAN.findall(plan), *WHOLE_INDEX.findall(plan)]]
        super().execute(query, vars)


@contextmanager
def explained() -> Iterator[list[str]]:
    """Large tables that are scanned inside, by whatever pool, with the statement that does it."""
    scans: list[str] = []
    factory = type("Explaining", (Explaining,), {"scans": scans})
    connect = Pool._take

    def take(pool: Pool) -> Any:
        connection = connect(pool)
        connection.cursor_factory = factory
        return connection

    Pool._take = take  # type: ignore[method-assign, assignment]
    try:
        yield scans
    finally:
        Pool._take = connect  # type: ignore[method-assign]
        factory.execute = Cursor.execute  # type: ignore[attr-defined]


def _short(text: bytes) -> str:
    return " ".join(text.decode("utf-8", "replace").split())[:300]
