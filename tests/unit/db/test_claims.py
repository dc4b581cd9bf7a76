"""Rows that somebody takes are chosen once, whatever PostgreSQL's planner thinks of it."""

import re
from pathlib import Path

import db

CHOSEN_AGAIN = re.compile(r'\bIN \(\s*SELECT\b(?:(?!""").)*?SKIP LOCKED', re.DOTALL)


def test_no_statement_chooses_its_rows_in_a_subquery_that_may_run_again() -> None:
    """`x IN (SELECT ... LIMIT n FOR UPDATE SKIP LOCKED)` is a join to the planner, which may run its other side for
    each row: each run passes by what is taken already, and takes n more. `x = ANY(ARRAY(SELECT ...))` runs once.
    """
    sources = Path(db.__file__).parent.rglob("*.py")
    assert [path.name for path in sources if CHOSEN_AGAIN.search(path.read_text())] == []
