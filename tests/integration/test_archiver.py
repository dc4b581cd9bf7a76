"""Raw webhooks find their way from the queue into the object store, whole and to the right owner."""

from __future__ import annotations

import gzip
import json
import re
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any
from uuid import uuid4

import gevent
import pytest
from minio import Minio
from minio.error import MinioException
from prometheus_client import REGISTRY
from urllib3.exceptions import HTTPError

from conf.loading import load_settings
from demo.stack import S3Server
from relay.actors.archiver import PACK_FROM, ArchiverActor
from relay.broker.publisher import Outgoing
from relay.broker.topology import declare
from relay.core.queues import WEBHOOK_ARCHIVE
from relay.daemon.bootstrap import build_daemon
from relay.runtime.actor import Ping
from relay.runtime.context import Parts
from tests.integration.webhook_world import agent_text, change, envelope, text
from tests.waiting import PATIENCE, wait_until
from web.webhooks.outgoing import archive

KEY = re.compile(r"^[^/]+/\d{4}/\d\d/\d\d/\d{6}-[A-Za-z0-9-]+\.(json|jsonl\.gz)$")


class Store:
    """The buckets as somebody else would read them."""

    def __init__(self, server: S3Server) -> None:
        env = server.env()
        self._looked_at = written()
        self._client = Minio(env["MINIO_ENDPOINT"], env["MINIO_ACCESS_KEY"], env["MINIO_SECRET_KEY"], secure=False)

    def under(self, bucket: str, owner: str) -> dict[str, bytes]:
        found = {}
        with suppress(MinioException, HTTPError):
            for one in self._client.list_objects(bucket, prefix=f"{owner}/", recursive=True):
                name = str(one.object_name)
                found[name] = self._client.get_object(bucket, name).read()
        return found

    def wait(self, bucket: str, owner: str, whole: Callable[[dict[str, bytes]], object] = bool) -> dict[str, bytes]:
        """Looks only while nothing is being written: rclone has been seen to hang on a look at a file half written."""
        end = time.monotonic() + PATIENCE
        found: dict[str, bytes] = {}
        while not whole(found):
            seen = written()
            gevent.sleep(1.5)
            if written() == seen and seen > self._looked_at:
                self._looked_at = seen
                found = self.under(bucket, owner)
            assert time.monotonic() < end, f"of {owner} in {bucket} there are only {len(found)} objects"
        assert all(KEY.match(name) for name in found), found.keys()
        return found

    def look_again(self) -> None:
        """What one look found may be looked for again, under another name."""
        self._looked_at = -1.0


def written() -> float:
    return REGISTRY.get_sample_value("relay_archived_objects_total") or 0.0


def failures() -> float:
    return REGISTRY.get_sample_value("relay_archive_failures_total") or 0.0


@pytest.fixture(scope="module")
def parts(settings_env: dict[str, str]) -> Iterator[Parts]:
    settings = load_settings(settings_env)
    declare(settings.broker_url, settings.relay_shards)
    held = build_daemon(settings).parts
    held.objects.ensure_buckets()
    held.timers.start(lambda error: pytest.fail(f"the timers ended: {error}"))
    held.consumer.start()
    yield held
    held.consumer.stop()
    held.publisher.close()
    held.timers.stop()
    held.pool.close()


@pytest.fixture
def archiver(parts: Parts) -> Iterator[Any]:
    ref = ArchiverActor.start(parts)
    yield ref
    if ref.is_alive():
        ref.stop(timeout=PATIENCE)


@pytest.fixture
def store(s3: S3Server) -> Store:
    return Store(s3)


@pytest.fixture
def publish(parts: Parts) -> Callable[..., None]:
    def publish(channel: str, raw: bytes, owners: dict[str, list[str]], alone: bool) -> None:
        parts.publisher.publish([archive(channel, raw, time.time(), owners, alone)], PATIENCE)

    return publish


def test_a_tenants_webhook_is_kept_byte_for_byte(archiver: Any, publish: Callable[..., None], store: Store) -> None:
    tenant = str(uuid4())
    raw = b'{ "object":"whatsapp_business_account",\n "caf\\u00e9": "\xc3\xa9" }'
    publish("whatsapp", raw, {tenant: ["1"]}, True)
    assert list(store.wait("webhooks-inbound", tenant).values()) == [raw]
    assert raw not in store.under("webhooks-inbound", "_operator").values()


def test_genesys_webhooks_have_their_own_bucket(archiver: Any, publish: Callable[..., None], store: Store) -> None:
    tenant = str(uuid4())
    raw = json.dumps(agent_text("integration", "hello")).encode()
    publish("genesys", raw, {tenant: ["integration"]}, True)
    assert list(store.wait("webhooks-outbound", tenant).values()) == [raw]
    assert store.under("webhooks-inbound", tenant) == {}


def test_each_tenant_gets_its_own_changes_and_the_operator_the_whole(
    archiver: Any, publish: Callable[..., None], store: Store
) -> None:
    first, second = str(uuid4()), str(uuid4())
    body = envelope(
        change("111", text("for the first")), change("222", text("for the second")), change("333", text("?"))
    )
    raw = json.dumps(body).encode()
    publish("whatsapp", raw, {first: ["111"], second: ["222"]}, False)
    (own,) = store.wait("webhooks-inbound", first).values()
    assert b"for the first" in own
    assert b"for the second" not in own
    assert json.loads(own)["object"] == "whatsapp_business_account"
    store.look_again()
    (other,) = store.wait("webhooks-inbound", second).values()
    assert b"for the first" not in other
    store.look_again()
    store.wait("webhooks-inbound", "_operator", lambda found: raw in found.values())


def test_many_at_once_share_an_object(parts: Parts, publish: Callable[..., None], store: Store) -> None:
    tenant = str(uuid4())
    bodies = [json.dumps({"n": n, "text": "ä\nb"}, indent=1).encode() for n in range(40)] + [b"\xff not text"]
    for raw in bodies:
        publish("whatsapp", raw, {tenant: ["1"]}, True)
    ref = ArchiverActor.start(parts)
    try:
        found = store.wait("webhooks-inbound", tenant, lambda found: len(lines(found)) >= len(bodies))
        assert len(found) < len(bodies) / PACK_FROM
        kept = lines(found)
        assert sorted(one["body"].encode() for one in kept if "body" in one) == sorted(bodies[:-1])
        assert [one["body_base64"] for one in kept if "body_base64" in one] == ["/yBub3QgdGV4dA=="]
        assert all(one["received_at"] > 0 for one in kept)
    finally:
        ref.stop(timeout=PATIENCE)


def lines(found: dict[str, bytes]) -> list[dict[str, Any]]:
    packed = [gzip.decompress(data) for name, data in found.items() if name.endswith(".jsonl.gz")]
    return [json.loads(line) for data in packed for line in data.splitlines()]


def test_what_nobody_can_read_is_kept_for_the_operator(archiver: Any, parts: Parts, store: Store) -> None:
    strangers = [b"no line that says whose this is", b'{"id":"../../etc","channel":"whatsapp"}\n{}', b"\xff\n\xff"]
    parts.publisher.publish([Outgoing("", WEBHOOK_ARCHIVE, one) for one in strangers], PATIENCE)

    store.wait("webhooks-inbound", "_operator", lambda found: set(strangers) <= set(found.values()))
    assert archiver.ask(Ping(), timeout=PATIENCE) is True


def test_while_the_store_is_away_nothing_is_acked_and_nothing_lost(
    parts: Parts, archiver: Any, publish: Callable[..., None], store: Store, s3: S3Server
) -> None:
    tenant, heir, before = str(uuid4()), str(uuid4()), failures()
    s3.child.stop()
    try:
        publish("whatsapp", b'{"during": 1}', {tenant: ["1"]}, True)
        publish("whatsapp", b'{"during": 2}', {heir: ["1"]}, True)
        wait_until(lambda: failures() > before, message="the archiver to notice")
    finally:
        s3.start()
        s3.wait_ready()
    assert store.wait("webhooks-inbound", tenant)
    store.look_again()
    assert store.wait("webhooks-inbound", heir)


def test_an_archiver_that_stops_leaves_what_it_has_not_stored(
    parts: Parts, publish: Callable[..., None], store: Store, s3: S3Server
) -> None:
    tenant, before = str(uuid4()), failures()
    s3.child.stop()
    try:
        first = ArchiverActor.start(parts)
        publish("whatsapp", b'{"left": "behind"}', {tenant: ["1"]}, True)
        wait_until(lambda: failures() > before, message="the archiver to notice")
        first.stop(timeout=PATIENCE)
    finally:
        s3.start()
        s3.wait_ready()
    second = ArchiverActor.start(parts)
    try:
        assert list(store.wait("webhooks-inbound", tenant).values()) == [b'{"left": "behind"}']
    finally:
        second.stop(timeout=PATIENCE)
