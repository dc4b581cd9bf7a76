"""What the relay itself knows of the messages with which a promise was broken, and the logs of all processes."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tests.chaos.ledger import Entry
from tests.flow.installation import Installation

ROW = """SELECT id, state, reason_code, reason, late, attempts, provider_time, arrived_at, created_at, claimed_at,
                report, reported, shard, idx FROM message_tracking WHERE source_id = %s"""
ATTEMPTS = """SELECT n, epoch, started_at, deadline_at, finished_at, outcome, http_status, code, detail
              FROM message_attempts WHERE message_id = %s ORDER BY n"""
EVENTS = "SELECT at, event, detail FROM message_events WHERE message_id = %s ORDER BY id"


def of(installation: Installation, entry: Entry) -> Iterator[str]:
    rows = installation.rows(ROW, entry.id)
    if not rows:
        yield "the relay has no row of it"
    for row in rows:
        yield _told(row)
        yield from (f"attempt {_told(one)}" for one in installation.rows(ATTEMPTS, row["id"]))
        yield from (f"event {_told(one)}" for one in installation.rows(EVENTS, row["id"]))


def keep_logs(logs: Path, folder: Path) -> None:
    """In place of those of an earlier run."""
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(logs, folder, ignore=shutil.ignore_patterns("tmp"))


def _told(row: dict[str, Any]) -> str:
    return ", ".join(f"{name} {value}" for name, value in row.items() if value is not None)
