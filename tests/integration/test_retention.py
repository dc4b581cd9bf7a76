"""What has been kept for long enough goes, in steps; what is not finished, or young, stays."""

from __future__ import annotations

import io
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import cast
from uuid import uuid4

import pytest

from conf.loading import load_settings
from db.access import audit_chain
from db.audit import Author, record
from db.mailbox import dead_letters, events, expiry
from db.pool import Pool
from db.tenants import retention
from db.tenants.changes import Changes
from relay.actors.retention import RetentionActor
from relay.cli import auditing
from relay.clients import build_objects
from relay.core.retention import RetentionTerms
from relay.runtime.context import Parts
from relay.stores.objects import MEDIA_INBOUND, WEBHOOKS_INBOUND, ObjectStore
from tests.integration.rows import new_line, new_message, sent_message

BY = Author("test")


class Steps:
    """A retention actor that is asked for one step after the other."""

    def __init__(self, pool: Pool, objects: ObjectStore) -> None:
        self.pool, self.objects = pool, objects
        self.tenant_id = ""

    def new_line(self) -> str:
        line_id = new_line(self.pool)
        with self.pool.autocommit() as cursor:
            cursor.execute("SELECT tenant_id::text FROM lines WHERE id = %s", (line_id,))
            self.tenant_id = cursor.fetchone()[0]
        return line_id

    def choose(self, **days: int) -> None:
        RetentionTerms().checked(days)
        retention.choose(Changes(self.pool, lambda _: None), BY, self.tenant_id, days)

    def run(self) -> None:
        """Until nothing is due."""
        actor = RetentionActor(self.parts)  # its own code, without a greenlet
        retention.enlist(self.pool)
        while actor.work():
            pass

    @property
    def parts(self) -> Parts:
        return cast(Parts, _Parts(self.pool, self.objects))

    def value(self, sql: str, *values: object) -> object:
        with self.pool.autocommit() as cursor:
            cursor.execute(sql, values)
            row = cursor.fetchone()
        return row[0] if row else None


class _Calm:
    def seconds(self, steady: float) -> float:
        return 0.0


class _Pace:
    way = _Calm()


class _Limits:
    retention = RetentionTerms()


class _Parts:
    """Of a daemon's parts those that the actor uses."""

    limits = _Limits()
    pace = _Pace()

    def __init__(self, pool: Pool, objects: ObjectStore) -> None:
        self.pool, self.objects = pool, objects


@pytest.fixture(scope="module")
def steps(settings_env: dict[str, str]) -> Iterator[Steps]:
    settings = load_settings(settings_env)
    objects = build_objects(settings)
    objects.ensure_buckets()
    with Pool(settings.database_url, size=3, steady=True) as pool:
        yield Steps(pool, objects)
    objects.close()


def test_contents_end_and_the_message_stays_known(steps: Steps) -> None:
    line_id = steps.new_line()
    old, waiting = sent_message(steps.pool, line_id), new_message(steps.pool, line_id)
    with steps.pool.transaction() as cursor:
        cursor.execute("UPDATE message_tracking SET state = 'read' WHERE id = %s", (old.id,))
        cursor.execute("UPDATE message_attempts SET answer = 'the answer' WHERE message_id = %s", (old.id,))
        cursor.execute("UPDATE message_tracking SET content = content || %s", ('{"text": "secret words"}',))
    steps.choose(contents=8)
    steps.run()
    told = steps.value("SELECT t::text FROM message_tracking t WHERE id = %s", old.id)
    assert "secret words" not in str(told)
    assert old.message.source_id in str(told)
    assert old.message.person.address not in str(told)
    assert steps.value("SELECT answer FROM message_attempts WHERE message_id = %s", old.id) is None
    assert "secret words" in str(steps.value("SELECT t::text FROM message_tracking t WHERE id = %s", waiting.id))
    # It waited then, and is seen once it is finished.
    with steps.pool.transaction() as cursor:
        cursor.execute("UPDATE message_tracking SET state = 'dead' WHERE id = %s", (waiting.id,))
        cursor.execute("UPDATE retention_steps SET due_at = now() WHERE tenant_id = %s", (steps.tenant_id,))
    steps.run()
    assert "secret words" not in str(steps.value("SELECT t::text FROM message_tracking t WHERE id = %s", waiting.id))
    refused = dead_letters.replay(steps.pool, BY, steps.tenant_id, [waiting.id]).refused
    assert refused == {waiting.id: "its contents have ended: there is nothing left to send"}
    shown = {one.kind: one for one in retention.progress(steps.pool, steps.tenant_id)}
    assert (shown["contents"].deleted, shown["contents"].last_deleted) == (2, 1)


def test_messages_go_with_all_that_is_known_of_them_and_then_their_contacts(
    steps: Steps, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(expiry, "AT_ONCE", 2)
    line_id = steps.new_line()
    rows = [sent_message(steps.pool, line_id) for _ in range(5)]
    with steps.pool.transaction() as cursor:
        cursor.execute("UPDATE message_tracking SET state = 'sent' WHERE line_id = %s", (line_id,))
        cursor.execute(
            "UPDATE conversation_mappings SET last_at = now() - interval '60 days' WHERE line_id = %s", (line_id,)
        )
        cursor.execute("UPDATE message_tracking SET state = 'received' WHERE id = %s", (rows[0].id,))
        events.note(cursor, [(rows[1].id, "late", "x")])
    steps.choose(contents=8, history=18)
    steps.run()
    for table, column in (("message_tracking", "line_id"), ("conversation_mappings", "line_id")):
        assert steps.value(f"SELECT count(*) FROM {table} WHERE {column} = %s", line_id) == 1, table
    gone = [row.id for row in rows[1:]]
    for table in ("message_attempts", "message_events"):
        assert steps.value(f"SELECT count(*) FROM {table} WHERE message_id = ANY(%s::uuid[])", gone) == 0, table
    assert steps.value("SELECT id::text FROM message_tracking WHERE line_id = %s", line_id) == rows[0].id


def test_objects_go_by_their_day(steps: Steps) -> None:
    steps.new_line()
    old = f"{datetime.now(UTC) - timedelta(days=30):%Y/%m/%d}"
    young = f"{datetime.now(UTC):%Y/%m/%d}"
    others = f"{uuid4()}/{old}/x.json"
    kept = {others}
    for bucket in (WEBHOOKS_INBOUND, MEDIA_INBOUND):
        for key in (f"{steps.tenant_id}/{old}/a.json", f"{steps.tenant_id}/{young}/b.json", others):
            steps.objects.put(bucket, key, io.BytesIO(b"{}"), 2, "application/json")
    kept.add(f"{steps.tenant_id}/{young}/b.json")
    steps.choose(webhooks=10)
    steps.run()
    assert set(steps.objects.keys(WEBHOOKS_INBOUND, "")) == kept
    assert len(list(steps.objects.keys(MEDIA_INBOUND, f"{steps.tenant_id}/"))) == 2


def test_the_audit_log_ends_and_its_chain_is_still_verified(steps: Steps) -> None:
    steps.new_line()
    first, other = steps.tenant_id, None
    with steps.pool.transaction() as cursor:
        for tenant_id in (first, first, other, first):
            record(cursor, BY, "thing.changed", tenant_id=tenant_id, subject="a subject")
        cursor.execute("UPDATE audit_log SET at = now() - interval '100 days'")
    while audit_chain.seal(steps.pool):
        pass
    head = audit_chain.head(steps.pool)
    steps.choose(audit=90)
    steps.run()
    while audit_chain.seal(steps.pool):
        pass
    assert steps.value("SELECT count(*) FROM audit_log WHERE tenant_id = %s AND subject = 'a subject'", first) == 0
    assert steps.value("SELECT count(*) FROM audit_log WHERE tenant_id IS NULL AND subject = 'a subject'") == 1
    verdict = auditing.judged(audit_chain.chained(steps.pool), [head], audit_chain.anchor(steps.pool))
    assert verdict.faults == []
    with steps.pool.transaction() as cursor:
        cursor.execute("UPDATE audit_log SET subject = '', emptied_at = now() WHERE action = 'retention.changed'")
    early = auditing.judged(audit_chain.chained(steps.pool), [], audit_chain.anchor(steps.pool))
    assert any("before its time" in fault for fault in early.faults)


def test_one_daemon_takes_a_step_at_a_time(steps: Steps) -> None:
    steps.new_line()
    retention.enlist(steps.pool)
    step = retention.take(steps.pool)
    assert step is not None
    assert retention.take(steps.pool) is None
    retention.put_off(steps.pool, step, "the store is away")
    assert retention.take(steps.pool) is not None
