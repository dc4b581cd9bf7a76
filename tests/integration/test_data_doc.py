"""docs/data.md names every place where data is: tables as they are now, buckets, queues and Redis keys."""

from __future__ import annotations

import re
from fnmatch import fnmatch
from pathlib import Path

import psycopg2

from relay.core.queues import DEAD_LETTERS, EXCHANGE, WEBHOOK_ARCHIVE
from relay.stores.objects import BUCKETS

DOCS = Path(__file__).parents[2] / "docs"
OF_YOYO = re.compile("^_?yoyo")


def first_cells(path: Path, heading: str = "") -> set[str]:
    """What stands in backticks in the first cell of the tables below a heading."""
    text = path.read_text()
    if heading:
        text = text.partition(f"\n## {heading}\n")[2].partition("\n## ")[0]
    rows = (line.split("|")[1] for line in text.splitlines() if line.startswith("| `"))
    return {name for row in rows for name in re.findall("`([^`]+)`", row)}


def test_every_table_is_described_and_no_other(postgres: str) -> None:
    connection = psycopg2.connect(postgres)
    with connection, connection.cursor() as cursor:
        cursor.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
        tables = {row[0] for row in cursor.fetchall() if not OF_YOYO.match(row[0])}
    connection.close()
    assert first_cells(DOCS / "data.md", "PostgreSQL") == tables


def test_every_bucket_and_queue_is_described_and_no_other() -> None:
    assert first_cells(DOCS / "data.md", "Object store") == set(BUCKETS)
    intake = {f"{exchange}.<n>" for exchange in EXCHANGE.values()}
    assert first_cells(DOCS / "data.md", "RabbitMQ") == {*intake, DEAD_LETTERS, WEBHOOK_ARCHIVE}


def test_every_redis_key_belongs_to_a_family_that_is_described() -> None:
    families = first_cells(DOCS / "data.md", "Redis")
    keys = first_cells(DOCS / "redis-keys.md")
    assert keys, "the page has no table"
    assert [key for key in keys if not any(fnmatch(key, family) for family in families)] == []
    assert [family for family in families if not any(fnmatch(key, family) for key in keys)] == []


def test_every_row_says_what_is_in_it_why_for_how_long_and_what_ends_it() -> None:
    places = (DOCS / "data.md").read_text().partition("\n## Retention\n")[0]
    for line in places.splitlines():
        if line.startswith("| `"):
            name, what, _, whose, why, how_long, *_ = (cell.strip() for cell in line.strip("|").split("|"))
            assert all((what, whose, why, how_long)), name
