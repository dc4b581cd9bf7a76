"""What happens to RabbitMQ, PostgreSQL, Redis and the object store, and on the way to them."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from random import Random

import gevent
import psycopg2
import redis as redis_client

from demo.stack.child import ChildDied
from tests.chaos.own import standing_still
from tests.chaos.plant import Plant
from tests.chaos.wire import Slowness
from tests.waiting import PATIENCE

PAGE = b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 19\r\n\r\n<h1>Welcome!</h1>\r\n"
WRITING = "-c default_transaction_read_only=off"
END_SESSIONS = (
    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid() AND datname IS NOT NULL"
)


@contextmanager
def killed(plant: Plant, chance: Random, server: str) -> Iterator[None]:
    part = plant.servers[server]
    part.kill()
    try:
        yield
    finally:
        part.start()


@contextmanager
def stopped(plant: Plant, chance: Random, server: str) -> Iterator[None]:
    part = plant.servers[server]
    part.child.stop()
    try:
        yield
    finally:
        part.start()


@contextmanager
def frozen(plant: Plant, chance: Random, server: str) -> Iterator[None]:
    with standing_still(plant.servers[server].processes()):
        yield


@contextmanager
def cut(plant: Plant, chance: Random, server: str) -> Iterator[None]:
    """Everybody's connections are reset, and new ones refused."""
    with ExitStack() as stack:
        for wire in plant.wires_to(server):
            stack.enter_context(wire.cut())
        yield


@contextmanager
def held(plant: Plant, chance: Random, server: str) -> Iterator[None]:
    """Everybody's connections stay and carry nothing."""
    with ExitStack() as stack:
        for wire in plant.wires_to(server):
            stack.enter_context(wire.held())
        yield


@contextmanager
def slow(plant: Plant, chance: Random, server: str) -> Iterator[None]:
    """Far away."""
    with _all_slow(plant, server, Slowness(seconds=chance.uniform(0.05, 0.2))):
        yield


@contextmanager
def thin(plant: Plant, chance: Random, server: str) -> Iterator[None]:
    """At the end of a line that carries little."""
    with _all_slow(plant, server, Slowness(0.005, chance.uniform(20_000, 60_000))):
        yield


@contextmanager
def _all_slow(plant: Plant, server: str, slowness: Slowness) -> Iterator[None]:
    with ExitStack() as stack:
        for wire in plant.wires_to(server):
            stack.enter_context(wire.slow(slowness))
        yield


@contextmanager
def talking_nonsense(plant: Plant, chance: Random, server: str) -> Iterator[None]:
    """Somebody else answers at its port: a page, bytes that mean nothing, or a word and no more."""
    reply = chance.choice((PAGE, chance.randbytes(400), b"+OK"))
    with ExitStack() as stack:
        for wire in plant.wires_to(server):
            stack.enter_context(wire.answering(reply))
        yield


@contextmanager
def rabbitmq_full(plant: Plant, chance: Random) -> Iterator[None]:
    """Below its limit of free disk: publishers are blocked, consumers are not."""
    plant.rabbitmq.control("set_disk_free_limit", "1000000GB")
    try:
        yield
    finally:
        plant.rabbitmq.control("set_disk_free_limit", "64MB")


@contextmanager
def postgres_read_only(plant: Plant, chance: Random) -> Iterator[None]:
    """As after a fail-over to a standby, or where a managed server has run full."""
    _alter(plant, "ALTER SYSTEM SET default_transaction_read_only = on")
    try:
        yield
    finally:
        _alter(plant, "ALTER SYSTEM RESET default_transaction_read_only")


@contextmanager
def postgres_full(plant: Plant, chance: Random) -> Iterator[None]:
    """Its disk, to the last byte: it refuses rows, and ends itself once its log cannot grow either."""
    assert plant.disk is not None
    with plant.disk.full():
        yield
    part, end = plant.servers["PostgreSQL"], time.monotonic() + PATIENCE
    while True:
        if not part.child.running():
            part.child.start()
        try:
            part.server.wait_ready()
            return
        except ChildDied:  # it was still on its way down
            if time.monotonic() > end:
                raise


@contextmanager
def postgres_sessions_ended(plant: Plant, chance: Random) -> Iterator[None]:
    """Again and again, as an administrator or a pooler does."""

    def end() -> None:
        while True:
            _run(plant, END_SESSIONS)
            gevent.sleep(1)

    ending = gevent.spawn(end)
    try:
        yield
    finally:
        ending.kill()


@contextmanager
def redis_full(plant: Plant, chance: Random) -> Iterator[None]:
    """At its limit of memory: it answers questions and refuses to remember."""
    with closing(redis_client.Redis.from_url(plant.redis.url())) as client:
        client.config_set("maxmemory", "1")
        try:
            yield
        finally:
            client.config_set("maxmemory", "0")


@contextmanager
def objects_refusing(plant: Plant, chance: Random, status: str) -> Iterator[None]:
    code = "".join(status.split()[1:])
    body = f"<?xml version='1.0'?><Error><Code>{code}</Code><Message>{status}</Message></Error>"
    head = f"HTTP/1.1 {status}\r\nContent-Type: application/xml\r\nContent-Length: {len(body)}\r\nConnection: close\r\n"
    with ExitStack() as stack:
        for wire in plant.wires_to("objects"):
            stack.enter_context(wire.answering(f"{head}\r\n{body}".encode()))
        yield


def _alter(plant: Plant, statement: str) -> None:
    _run(plant, statement)
    _run(plant, "SELECT pg_reload_conf()")


def _run(plant: Plant, statement: str) -> None:
    with closing(psycopg2.connect(plant.postgres.url(), connect_timeout=5, options=WRITING)) as connection:
        connection.autocommit = True
        with connection.cursor() as cursor:
            cursor.execute(statement)
