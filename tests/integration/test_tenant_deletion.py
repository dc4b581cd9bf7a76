"""A tenant is planted in every store, closed and deleted; nothing of it is left, and all of another one's is."""

from __future__ import annotations

import gzip
import io
import json
import time
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import pytest
import redis

from conf.loading import load_settings
from db.audit import Author
from db.pool import Pool
from db.tenants import deletions, onboarding, registry
from db.tenants.changes import Changes, TakenError
from db.tenants.deletions import DeletionStep, TenantDeletion
from db.whole import whole
from demo.stack import S3Server
from relay.actors.archiver import ArchiverActor
from relay.actors.tenant_deletion import TenantDeletionActor
from relay.broker.envelopes import Outgoing
from relay.broker.topology import declare
from relay.cli import auditing
from relay.core import archive
from relay.core.messages import Update, dump
from relay.core.queues import DEAD_LETTERS
from relay.daemon.bootstrap import build_daemon
from relay.runtime.context import Parts
from relay.stores import keys
from relay.stores.objects import BUCKETS, WEBHOOKS_INBOUND
from tests.integration.test_row_level_security import new_tenant
from tests.services.fixtures import environment
from tests.waiting import PATIENCE, wait_until

BY = Author("test")


@pytest.fixture(scope="module")
def env(postgres: str, redis_url: str, s3: S3Server) -> dict[str, str]:
    """The broker's stand-in is enough: what is deleted there is deleted by the same calls."""
    return environment(postgres, redis_url, redis_url, s3)


@pytest.fixture(scope="module")
def parts(env: dict[str, str]) -> Iterator[Parts]:
    settings = load_settings(env)
    declare(settings.broker_url, settings.relay_shards)
    held = build_daemon(settings).parts
    held.objects.ensure_buckets()
    held.publisher.start()
    wait_until(lambda: held.publisher.connected, message="the publisher")
    yield held
    held.publisher.close()
    held.pool.close()


def update(tenant_id: str) -> bytes:
    return dump(Update("whatsapp", tenant_id, "line", "4915112345", time.time(), 0, {"x": tenant_id}))


def plant(parts: Parts, redis_url: str) -> str:
    """The id of a tenant that is in every table, bucket, queue and family of keys."""
    tenant_id = new_tenant(parts.pool).id
    with parts.pool.transaction() as cursor:
        cursor.execute("DELETE FROM tenant_deletions WHERE tenant_id = %s", (tenant_id,))
        cursor.execute(
            """UPDATE lines SET phone_number_id = 'number-' || tenant_id, integration_id = tenant_id, status = 'active',
                 proven_at = now() WHERE tenant_id = %s""",
            (tenant_id,),
        )
        cursor.execute(
            """INSERT INTO unknown_lines (channel, line_ref, address, idx, payload, arrived_at, reason, owner)
               VALUES ('whatsapp', 'x', 'x', 0, '{}', now(), 'x', %s)""",
            (tenant_id,),
        )
        cursor.execute("UPDATE tenants SET name = 'Name of ' || id WHERE id = %s", (tenant_id,))
    for bucket in BUCKETS:
        put(parts, bucket, f"{tenant_id}/2026/11/30/x", tenant_id.encode())
    parts.cache.remember(keys.mapping(tenant_id, "line", "4915112345"), {"x": 1}, 60)
    parts.cache.set(f"genesys:token:{tenant_id}:x", "x", 60)
    parts.publisher.publish([Outgoing("", DEAD_LETTERS, update(tenant_id), {"reason": "x"})], PATIENCE)
    return tenant_id


def put(parts: Parts, bucket: str, key: str, body: bytes) -> None:
    parts.objects.put(bucket, key, io.BytesIO(body), len(body), "application/octet-stream")


def change_of(tenant_id: str) -> dict[str, object]:
    return {"field": "messages", "value": {"metadata": {"phone_number_id": f"number-{tenant_id}"}}}


def share(parts: Parts, tenants: list[str]) -> str:
    """The key of a packed copy of the operator's: one body of both tenants, one of each alone."""
    bodies = [
        {"object": "whatsapp_business_account", "entry": [{"id": "1", "changes": [change_of(one) for one in named]}]}
        for named in (tenants, tenants[:1], tenants[1:])
    ]
    lines = [
        json.dumps({"id": str(n), "received_at": time.time(), "body": json.dumps(one)}) for n, one in enumerate(bodies)
    ]
    key = f"{archive.OPERATOR}/{time.strftime('%Y/%m/%d', time.gmtime())}/000000-shared.jsonl.gz"
    put(parts, WEBHOOKS_INBOUND, key, gzip.compress("\n".join(lines).encode()))
    return key


def everywhere(parts: Parts, redis_url: str) -> Iterator[tuple[str, bytes]]:
    """All bytes of all stores, in clear where they are packed."""
    with parts.pool.autocommit() as cursor:
        cursor.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
        for (name,) in cursor.fetchall():
            cursor.execute(f'SELECT t::text FROM "{name}" t')
            yield from ((name, row[0].encode()) for row in cursor.fetchall())
    for bucket in BUCKETS:
        for key in parts.objects.keys(bucket, ""):
            with parts.objects.open(bucket, key) as chunks:
                raw = b"".join(chunks)
            yield bucket, key.encode() + b" " + (gzip.decompress(raw) if key.endswith(".gz") else raw)
    with redis.Redis.from_url(redis_url) as client:
        for name in client.scan_iter("relay:*"):
            yield "redis", name
    for letter in parts.dead_letters.peek(1_000):
        yield "dead letters", letter.body


NAMED = ("lines", "conversation_mappings", "message_tracking", "users", "api_keys", "endpoints", "conditions")


def marks(pool: Pool, tenant_id: str) -> list[bytes]:
    """The ids of everything that is its own, by which tables that do not name the tenant name it."""
    found = [tenant_id]
    with pool.autocommit() as cursor:
        for table in NAMED:
            cursor.execute(f"SELECT id::text FROM {table} WHERE tenant_id = %s", (tenant_id,))
            ids = [row[0] for row in cursor.fetchall()]
            assert ids, table
            found += [one for one in ids if len(one) == 36]
        cursor.execute("SELECT genesys_address FROM conversation_mappings WHERE tenant_id = %s", (tenant_id,))
        found += [row[0] for row in cursor.fetchall()]
    return [one.encode() for one in found]


def count(parts: Parts, redis_url: str, sought: list[bytes]) -> dict[str, int]:
    """Where one of these is found, and how often."""
    found: dict[str, int] = {}
    for place, held in everywhere(parts, redis_url):
        if any(one in held for one in sought):
            found[place] = found.get(place, 0) + 1
    return found


def closed(pool: Pool, tenant_id: str) -> TenantDeletion:
    with whole(pool) as one:
        return deletions.close(Changes(one, lambda _: None), BY, tenant_id)


class KilledError(BaseException):
    """As by kill -9: no handler of the daemon's sees it."""


@pytest.fixture
def killed_once_a_stage(monkeypatch: pytest.MonkeyPatch) -> set[str]:
    """Each stage's first step is done, and the daemon ends before it could note that. The stages so far."""
    seen: set[str] = set()
    noted = deletions.went_on

    def went_on(pool: Pool, step: DeletionStep, *args: Any, **named: Any) -> None:
        if step.stage not in seen:
            seen.add(step.stage)
            raise KilledError
        noted(pool, step, *args, **named)

    monkeypatch.setattr(deletions, "went_on", went_on)
    return seen


def deleted(parts: Parts, tenant_id: str) -> TenantDeletion:
    """Step by step, each by an actor of its own; what a killed daemon had taken is taken by another one."""
    for _ in range(200):
        with parts.pool.transaction() as cursor:
            cursor.execute(
                """UPDATE tenant_deletions SET due_at = now() - interval '1 s', taken_until = '-infinity'
                   WHERE due_at IS NOT NULL"""
            )
        with suppress(KilledError):
            TenantDeletionActor(parts).work()
        found = deletions.get(parts.pool, tenant_id)
        assert found.trouble is None, found
        if found.ended_at:
            return found
    raise AssertionError(f"not whole after 200 steps: {found}")


def test_nothing_is_left_of_a_tenant_but_its_certificate_and_another_is_untouched(
    parts: Parts, redis_url: str, env: dict[str, str], killed_once_a_stage: set[str]
) -> None:
    tenant_id, other = plant(parts, redis_url), plant(parts, redis_url)
    shared = share(parts, [tenant_id, other])
    own, others = marks(parts.pool, tenant_id), marks(parts.pool, other)
    before = count(parts, redis_url, others)
    assert set(count(parts, redis_url, own)) == set(before), "it was planted"
    assert {"message_attempts", "message_events", "contact_aliases", "sessions", "user_news"} <= set(before)
    assert closed(parts.pool, tenant_id).name == f"Name of {tenant_id}"
    certificate = deleted(parts, tenant_id)

    assert killed_once_a_stage == {*deletions.STAGES} - {"done"}
    left = count(parts, redis_url, own)
    # Lines of the audit log without words, and the operator's own about the deletion.
    assert set(left) == {"tenant_deletions", "audit_log"}
    with parts.pool.autocommit() as cursor:
        cursor.execute("SELECT actor, action, subject, detail FROM audit_log WHERE tenant_id = %s", (tenant_id,))
        assert {tuple(map(str, row)) for row in cursor.fetchall()} <= {("", "", "", "{}")}
    assert certificate.name == ""
    # What was removed before a kill is not counted twice, and may be missing from the count.
    assert certificate.counts["check_runs"] == 1

    after = count(parts, redis_url, others)
    with parts.objects.open(WEBHOOKS_INBOUND, shared) as chunks:
        assert len(gzip.decompress(b"".join(chunks)).splitlines()) == 1, "its own part of the shared body is elsewhere"
    assert {place: n for place, n in after.items() if n != before[place]} == {}
    assert auditing.verify(load_settings(env)).count == 0, "the chain leads through the empty lines"


def test_a_closed_tenant_has_no_lines_keys_or_people_until_it_is_taken_back(parts: Parts, redis_url: str) -> None:
    tenant_id = plant(parts, redis_url)
    with parts.pool.transaction() as cursor:
        cursor.execute(
            """INSERT INTO users (id, tenant_id, email, name, role, password_hash, status)
               VALUES (gen_random_uuid(), %s, %s, 'x', 'viewer', 'x', 'disabled')""",
            (tenant_id, f"{tenant_id}@x.example"),
        )
    closed(parts.pool, tenant_id)
    assert [line.status for line in onboarding.listed(parts.pool, tenant_id)] == ["released"]
    assert access(parts.pool, tenant_id) == (0, 0, 0)
    with pytest.raises(TakenError, match="closed already"):
        closed(parts.pool, tenant_id)
    with pytest.raises(TakenError, match="not the tenant's name"):
        deletions.begin_now(parts.pool, BY, tenant_id, "another name")
    deletions.take_back(parts.pool, BY, tenant_id)
    assert access(parts.pool, tenant_id) == (0, 0, 1), "who was disabled before stays so"
    assert registry.get(parts.pool, tenant_id) is not None


def access(pool: Pool, tenant_id: str) -> tuple[int, int, int]:
    """Keys that count, sessions, and users who may log in."""
    with pool.autocommit() as cursor:
        cursor.execute(
            """SELECT (SELECT count(*) FROM api_keys WHERE tenant_id = %(t)s AND revoked_at IS NULL),
                 (SELECT count(*) FROM sessions s JOIN users u ON u.id = s.user_id WHERE u.tenant_id = %(t)s),
                 (SELECT count(*) FROM users WHERE tenant_id = %(t)s AND status = 'active')""",
            {"t": tenant_id},
        )
        keys_left, sessions_left, users_left = cursor.fetchone()
        return int(keys_left), int(sessions_left), int(users_left)


def test_what_comes_late_for_a_tenant_that_is_going_is_dropped(parts: Parts, redis_url: str) -> None:
    tenant_id = plant(parts, redis_url)
    closed(parts.pool, tenant_id)
    begun = deletions.begin_now(parts.pool, BY, tenant_id, f"Name of {tenant_id}")
    assert begun.begins_at > begun.closed_at, "every process hears of the closing first"
    with parts.pool.transaction() as cursor:
        cursor.execute(
            "UPDATE tenant_deletions SET due_at = now(), begun_at = now() WHERE tenant_id = %s", (tenant_id,)
        )
    with pytest.raises(TakenError, match="cannot be taken back"):
        deletions.take_back(parts.pool, BY, tenant_id)
    parts.tombstones._read_at = float("-inf")
    parts.tombstones.refresh()
    assert parts.tombstones.departed(tenant_id)
    webhook = archive.Webhook("1", "whatsapp", time.time(), {tenant_id: ["x"]}, alone=True, raw=b"{}")
    copy = archive.ArchiveCopy(tenant_id, "1", time.time(), b"{}")
    assert ArchiverActor(parts)._without_erased(webhook, copy) is None
