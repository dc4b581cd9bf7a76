"""A database that is in use is brought to the newest schema with what it holds."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from db import migrate
from db.contacts import conversations
from db.daemons import shards
from db.mailbox import sweep
from db.pool import Pool
from db.views import history
from tests.services.databases import SHARDS, Databases

BEFORE = "0011"
ID = "01900000-0000-7000-8000-00000000000{}"
FILL = """
INSERT INTO tenants (id, name, webhook_key) VALUES (%(tenant)s, 'T', 'k');
INSERT INTO lines (id, tenant_id, phone_number_id, integration_id, webhook_key, status)
VALUES (%(line)s, %(tenant)s, '1', 'i', 'l', 'active');
INSERT INTO conversation_mappings (id, tenant_id, line_id, genesys_address, shard, window_until, last_inbound_id,
                                   last_at)
VALUES (%(conversation)s, %(tenant)s, %(line)s, '491', 3, now() + interval '1 hour', 'received', now());
INSERT INTO message_tracking (id, tenant_id, line_id, conversation_id, shard, direction, source_id, type, content,
  sort_time, arrived_at, idx, provider_time, state, attempts, claim_epoch, claimed_at, report, reported)
SELECT ('01900000-0000-7000-8000-0000000001' || lpad(n::text, 2, '0'))::uuid, %(tenant)s, %(line)s, %(conversation)s, 3,
       'inbound', state, 'text', '{}', now(), now(), n, '2026-03-04 12:00Z', state,
       CASE state WHEN 'sending' THEN 1 ELSE 0 END, CASE state WHEN 'sending' THEN 1 END,
       CASE state WHEN 'sending' THEN now() END, CASE state WHEN 'delivered' THEN 'delivered' END, NULL
FROM unnest(ARRAY['received', 'sending', 'unknown', 'sent', 'delivered', 'read', 'failed', 'dead']) WITH ORDINALITY
     AS s (state, n);
INSERT INTO message_attempts (message_id, n, line_id, epoch, started_at, deadline_at)
SELECT id, 1, line_id, 1, claimed_at, claimed_at + interval '10 s' FROM message_tracking WHERE state = 'sending';
"""


@pytest.fixture
def older(databases: Databases, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """The URL of a database in use, as the version before left it; what is missing is applied by `migrate`."""
    for path in migrate.MIGRATIONS.glob("*.sql"):
        if path.name < BEFORE:
            shutil.copy(path, tmp_path)
    url = databases.create_empty()
    with monkeypatch.context() as patched:
        patched.setattr(migrate, "MIGRATIONS", tmp_path)
        migrate.migrate(url, SHARDS)
    with Pool(url) as pool, pool.transaction() as cursor:
        cursor.execute(FILL, {"tenant": ID.format(1), "line": ID.format(2), "conversation": ID.format(3)})
    yield url
    databases.drop(url)


def told(cursor: Any, statement: str) -> list[Any]:
    cursor.execute(statement)
    return [row[0] for row in cursor.fetchall()]


def test_messages_and_conversations_go_on_where_they_stood(older: str) -> None:
    assert migrate.migrate(older, SHARDS) != []
    with Pool(older, steady=True) as pool:
        with pool.transaction() as cursor:
            found = [(one.state, one.lane) for one in sweep.page(cursor, [3])]
            assert found == [
                ("received", "inbound"), ("sending", "inbound"), ("unknown", "inbound"), ("delivered", "report"),
            ]  # fmt: skip
            assert told(cursor, "SELECT deadline_at = claimed_at + interval '10 s' FROM message_tracking "
                                "WHERE state = 'sending'") == [True]  # fmt: skip
            assert told(cursor, "SELECT last_inbound_at = '2026-03-04 12:00Z' FROM conversation_mappings") == [True]
            assert shards.adopt_claims(cursor, 3, 2) == 2
            assert told(cursor, "SELECT count(*) FROM message_attempts") == [1], "it was there already"
        assert conversations.by_id(pool, ID.format(3)) is not None
        listed = history.listed(pool, history.MessageSelection(str(UUID(ID.format(1))))).items
    assert len(listed) == 8


def test_who_migrates_beside_somebody_else_is_told_so(older: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(migrate, "WAIT_SECONDS", 0.2)
    refused = pytest.raises(migrate.MigrationUnderWayError, match="another `relay migrate` is at work")
    with migrate._backend(older) as backend, backend.lock(), refused:
        migrate.migrate(older, SHARDS)
    assert migrate.migrate(older, SHARDS)
