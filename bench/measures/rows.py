"""The rate with millions of finished rows in message_tracking against the rate without them.

The rows are copies of the contender's own finished ones, so they are of the same lines and conversations that are then
measured: whatever looks at history instead of a conversation's row gets slower with them.
"""

from __future__ import annotations

from typing import Any

import psycopg2

from bench.measures import full_load
from bench.product import Relay
from bench.stage import Stage
from tests.scale.generate import indexes_afterwards

PORTION = 500_000
OTHERWISE = {
    "id": "(lpad(to_hex((extract(epoch FROM created_at) * 1000)::bigint - copy), 12, '0') || '70008000'"
          " || lpad(to_hex(copy), 12, '0'))::uuid",
    "source_id": "source_id || '.' || copy",
    "provider_id": "provider_id || '.' || copy",
}  # fmt: skip
FROM_SAMPLE = """
FROM generate_series(%s, %s) AS copy JOIN sample ON place = 1 + copy %% (SELECT count(*) FROM sample)
"""
COLUMNS = """
SELECT column_name, data_type FROM information_schema.columns
WHERE table_schema = 'public' AND table_name = 'message_tracking' AND is_identity = 'NO' AND is_generated = 'NEVER'
ORDER BY ordinal_position
"""


def fill(stage: Stage, filled: Relay, count: int, age_days: int = 0) -> None:
    """Once, before the first round. `age_days`: of the youngest copy."""
    with filled.running():
        stage.warm(filled, "inbound")
    connection = psycopg2.connect(filled.database)
    connection.autocommit = True
    try:
        with connection.cursor() as cursor:
            cursor.execute("SET session_replication_role = replica; SET maintenance_work_mem = '256MB'")
            cursor.execute("CREATE TEMP TABLE sample AS SELECT *, row_number() OVER () AS place FROM message_tracking")
            cursor.execute("ANALYZE sample")
            with indexes_afterwards(cursor):
                for begin in range(0, count, PORTION):
                    _copy(cursor, begin, min(begin + PORTION, count), age_days)
                    stage.say(f"{min(begin + PORTION, count):,} rows copied")
            cursor.execute("VACUUM ANALYZE")
    finally:
        connection.close()


def _copy(cursor: Any, begin: int, end: int, age_days: int) -> None:
    cursor.execute(COLUMNS)
    names = dict(cursor.fetchall())
    shifted = {name for name, kind in names.items() if kind == "timestamp with time zone"}
    values = [
        OTHERWISE.get(name)
        or (f"{name} - interval '{age_days} d' - copy * interval '0.25 s'" if name in shifted else name)
        for name in names
    ]
    insert = f"INSERT INTO message_tracking ({', '.join(names)}) SELECT {', '.join(values)} "
    cursor.execute(insert + FROM_SAMPLE, (begin + 1, end))


def measure(stage: Stage, filled: Relay) -> None:
    full_load.measure(stage, filled, "inbound")
