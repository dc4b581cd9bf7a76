"""The figures of the whole installation: what waits and why, read from the rows, and the certificates of servers."""

from __future__ import annotations

import ssl
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import uuid4

import pytest
from gevent.server import StreamServer
from psycopg2.extras import Json

from db.daemons import shards, versions
from db.pool import Pool
from db.views import measures
from demo.stack import Postgres
from relay.actors.measures import of_database
from relay.checks import certificate_ends
from relay.checks.certificate_ends import TlsServer
from tests.integration.told import World
from tests.services.certificates import HERE, Authority, Certificate
from tests.services.tls import postgres_by_tls


def ago(minutes: int) -> datetime:
    return datetime.now(UTC) - timedelta(minutes=minutes)


@pytest.fixture
def world(pool: Pool) -> World:
    return World(pool)


def waiting(pool: Pool) -> dict[tuple[str, ...], tuple[float, float]]:
    """How many, and for how many minutes, of each line."""
    shown = of_database(measures.read(pool), by_line=True)
    oldest = shown["relay_line_waiting_oldest_seconds"]
    return {key: (n, round(oldest[key] / 60)) for key, n in shown["relay_line_waiting_messages"].items()}


def test_what_waits_is_counted_by_what_it_waits_for(world: World) -> None:
    contact, line = world.contact(), world.line_ids[0]
    for minutes, columns in (
        (1, {"state": "received"}),
        (9, {"state": "received"}),
        (2, {"state": "received", "attempts": 1, "reason_code": "500"}),
        (3, {"state": "received", "content": Json({"media": {"kind": "image", "object_key": None}})}),
        (4, {"state": "unknown"}),
        (5, {"state": "sending"}),
        (6, {"state": "sent"}),
        (7, {"state": "dead"}),
    ):
        world.message(contact, ago(minutes), **columns)
    found = {key[2]: value for key, value in waiting(world.pool).items() if key[:2] == (line, "inbound")}
    assert found == {"soon": (2, 9), "backoff": (1, 2), "file": (1, 3), "unknown": (1, 4), "sending": (1, 5)}


@pytest.mark.parametrize(
    ("trouble", "cause"),
    [
        ("UPDATE tenants SET status = 'paused' WHERE id = %s", "paused"),
        ("UPDATE lines SET status = 'refused' WHERE tenant_id = %s", "line_inactive"),
        (
            "UPDATE tenant_credentials SET health = 'refused' WHERE type = 'genesys' AND tenant_id = %s",
            "credentials",
        ),
    ],
)
def test_what_holds_up_a_whole_side_is_the_cause_of_all_of_it(world: World, trouble: str, cause: str) -> None:
    contact = world.contact()
    world.message(contact, ago(0), state="received")
    world.message(contact, ago(0), state="unknown")
    world.change(trouble, world.tenant_id)
    found = {key[2]: n for key, (n, _) in waiting(world.pool).items() if key[0] == contact.line_id}
    assert found == {cause: 2}


def test_of_a_long_queue_only_the_oldest_are_looked_at(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(measures, "MOST", 3)
    contact = world.contact()
    for minutes in range(1, 7):
        world.message(contact, ago(minutes), state="received")
    assert waiting(world.pool)[(contact.line_id, "inbound", "soon")] == (3, 6)


def test_lines_are_named_only_where_that_is_asked_for(world: World) -> None:
    world.message(world.contact(), ago(0), state="received")
    shown = of_database(measures.read(world.pool), by_line=False)
    assert not [name for name in shown if name.startswith("relay_line_")]
    assert world.line_ids[0] not in str(shown)


def test_credentials_lines_daemons_and_tables_are_counted(world: World) -> None:
    before = measures.read(world.pool)
    World(world.pool)
    world.change("UPDATE tenant_credentials SET health = 'refused' WHERE type = 'genesys' AND tenant_id = %s",
                 world.tenant_id)  # fmt: skip
    with world.pool.transaction() as cursor:
        cursor.execute("TRUNCATE daemons, webs")
        shards.renew(cursor, mine := str(uuid4()), "test", 600)
        shards.take(cursor, mine, 15)
    versions.web_is_at_work(world.pool, str(uuid4()), "web:1")
    after = measures.read(world.pool)
    refused = ("genesys", "refused")
    assert after.credentials[refused] == before.credentials.get(refused, 0) + 1
    assert after.lines["active"] == before.lines["active"] + 1
    assert (after.daemons, after.web_workers, after.unowned_shards) == (1, 1, 1)
    assert after.tables["message_tracking"].bytes > 0
    assert after.tables.keys() > {"lines", "audit_log", "message_attempts"}


@contextmanager
def serving(certificate: Certificate) -> Iterator[int]:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate.certificate, certificate.key)
    server = StreamServer((HERE, 0), lambda *_: None, ssl_context=context)
    server.start()
    try:
        yield server.server_port
    finally:
        server.stop()


def test_the_end_of_a_servers_certificate_is_read_even_when_it_has_passed(tmp_path: Path) -> None:
    authority = Authority(tmp_path)
    for certificate, days in ((authority.right(), 7), (authority.expired(), -1)):
        with serving(certificate) as port:
            ends = certificate_ends.ends_at(TlsServer("public", HERE, port))
        assert ends is not None and abs(ends - time.time() - days * 86_400) < 3_600


def test_postgresql_is_asked_in_its_own_way(postgres_server: Postgres, postgres: str, tmp_path: Path) -> None:
    with postgres_by_tls(postgres_server, postgres, Authority(tmp_path).right()) as url:
        [server] = certificate_ends.servers({"database": url})
        ends = certificate_ends.ends_at(server)
    assert ends is not None and abs(ends - time.time() - 7 * 86_400) < 3_600
    [plain] = certificate_ends.servers({"database": postgres})
    assert certificate_ends.ends_at(plain) is None


def test_only_addresses_that_speak_tls_are_looked_at() -> None:
    found = certificate_ends.servers(
        {"public": "https://relay.example", "redis": "redis://a", "broker": "amqps://b", "files": "http://c"}
    )
    assert [(one.name, one.host, one.port) for one in found] == [
        ("public", "relay.example", 443), ("broker", "b", 5671),
    ]  # fmt: skip
