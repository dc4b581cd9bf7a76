"""What web and relay do while PostgreSQL, RabbitMQ, Redis or the object store is away, and afterwards."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Protocol

import gevent
import pytest
import redis

from demo.stack import Postgres, Redis, S3Server
from relay.stores import keys
from tests.flow import traffic
from tests.flow.chat import Chat
from tests.flow.installation import Installation, Line
from tests.services.rabbitmq import RabbitMQ
from tests.waiting import wait_until


class Server(Protocol):
    def start(self) -> None: ...
    def stop(self) -> None: ...
    def wait_ready(self) -> None: ...


@contextmanager
def away(server: Server) -> Iterator[None]:
    server.stop()
    try:
        yield
    finally:
        server.start()
        server.wait_ready()


@pytest.fixture(autouse=True)
def at_rest(installation: Installation) -> Iterator[None]:
    """Each test starts with everything there and nothing under way."""
    yield
    wait_until(
        lambda: installation.web._is_ready() and installation.daemon._is_ready(), 60, "web and relay to be ready"
    )
    wait_until(lambda: traffic.unfinished(installation) == 0, 60, "the rest to be carried")


def posted(messages: list[dict[str, Any]]) -> list[tuple[int, int | None]]:
    """(attempts, last answer) of each message's webhook."""
    return [(one["webhook"]["attempts"], one["webhook"]["http_status"]) for one in messages]


def known_to_every_worker(installation: Installation) -> None:
    """For half a minute after a change nothing about a line is kept in Redis; this test does not wait for that."""
    with redis.Redis.from_url(installation.env["REDIS_URL"]) as client:
        for key in client.scan_iter(keys.fence("*")):
            client.delete(key)


def _fill_the_pools(installation: Installation, line: Line) -> None:
    """So many requests at once that both workers hold several idle connections."""
    path = f"/api/tenants/{line.tenant_id}"
    jobs = [gevent.spawn(installation.api, "GET", path) for _ in range(40)]
    gevent.joinall(jobs, raise_error=True, timeout=20)


def test_postgresql_away(installation: Installation, line: Line, postgres_server: Postgres) -> None:
    [cold] = installation.tenant("Cold")
    chats = [Chat(installation, line, f"491790000000{n}") for n in range(3)]
    known_to_every_worker(installation)
    for chat in chats:
        chat.opened()
        chat.state_in_time(chat.answers("welcome"), "read")
    _fill_the_pools(installation, line)
    stranger = Chat(installation, cold, "4917900000009")
    with away(postgres_server):
        for number in range(3):
            for chat in chats:
                chat.writes(f"in {number}")
                chat.answers(f"out {number}")
        stranger.writes("anybody there?")
        for chat in chats:
            taken = lambda chat=chat: posted(chat.sent_by_phone()[1:]) == [(1, 200)] * 3  # noqa: E731
            wait_until(taken, 20, "the cached line's webhooks to be answered 200 at once")
            taken = lambda chat=chat: posted(chat.at_the_desk("outbound")[1:]) == [(1, 200)] * 3  # noqa: E731
            wait_until(taken, 20, "the same for Genesys")
        wait_until(
            lambda: posted(stranger.sent_by_phone())[0][1] == 503, 20, "503 for a line that nobody knows by heart"
        )
        assert installation.daemon.running() and installation.web.running()
    for _ in range(20):  # Connections from before the outage are not handed out any more.
        installation.api("GET", f"/api/tenants/{line.tenant_id}")
    for chat in chats:
        chat.agent_reads_in_time("hello", "in 0", "in 1", "in 2")
        chat.phone_reads_in_time("welcome", "out 0", "out 1", "out 2")
        assert (len(chat.agent_reads()), len(chat.phone_reads())) == (4, 4)
    stranger.agent_reads_in_time("anybody there?")


def test_rabbitmq_away(installation: Installation, line: Line, rabbitmq: RabbitMQ) -> None:
    chats = [Chat(installation, line, f"491791000000{n}").opened() for n in range(3)]
    held = Chat(installation, line, "4917910000009").opened()
    installation.control("POST", "/faults", {"genesys": {"error_rate": 1, "only": ["taken in before"]}})
    wamid = held.writes("taken in before")
    wait_until(lambda: installation.row(wamid).get("attempts"), 20, "its first attempt to fail")
    with away(rabbitmq):
        for chat in chats:
            chat.writes("in 0")
            chat.answers("out 0")
        wait_until(lambda: posted(chats[0].sent_by_phone())[-1][1] == 503, 20, "Meta to be answered 503")
        wait_until(lambda: posted(chats[0].at_the_desk("outbound"))[-1][1] == 503, 20, "Genesys to be answered 503")
        # What is in PostgreSQL goes on.
        installation.control("POST", "/faults", {"genesys": None})
        held.agent_reads_in_time("hello", "taken in before")
    for chat in chats:
        chat.agent_reads_in_time("hello", "in 0")
        chat.phone_reads_in_time("out 0")
        chat.writes("in 1")
        chat.agent_reads_in_time("hello", "in 0", "in 1")
        assert (chat.agent_reads(), chat.phone_reads()) == (["hello", "in 0", "in 1"], ["out 0"])


def test_redis_away(installation: Installation, line: Line, redis_server: Redis) -> None:
    old = Chat(installation, line, "4917920000001").opened()
    with away(redis_server):
        new = Chat(installation, line, "4917920000002").opened()
        for chat in (old, new):
            chat.answers("out")
            chat.writes(type="image", sample=True)
            chat.writes("in")
            chat.agent_reads_in_time("in")
            chat.phone_reads_in_time("out")
        [another] = installation.tenant("Onboarded without Redis")
        Chat(installation, another, "4917920000003").opened()
    old.writes("after")
    old.agent_reads_in_time("in", "after")


def test_object_store_away(installation: Installation, line: Line, object_store_server: S3Server) -> None:
    sender, receiver, neighbour = (Chat(installation, line, f"491793000000{n}").opened() for n in (1, 2, 3))
    with away(object_store_server):
        wamid = sender.writes(type="image", sample=True)
        sender.writes("after the picture")
        source = receiver.answers(None, sample="document")
        receiver.answers("after the document")
        for number in range(3):
            neighbour.writes(f"in {number}")
            neighbour.answers(f"out {number}")
            neighbour.agent_reads_in_time(f"in {number}")
            neighbour.phone_reads_in_time(f"out {number}")
        assert (sender.agent_reads(), receiver.phone_reads()) == (["hello"], [])
        # The same person's other direction is not held up.
        sender.answers("one moment")
        sender.phone_reads_in_time("one moment")
    sender.agent_reads_in_time("after the picture")
    receiver.phone_reads_in_time("after the document")
    assert [bool(one["attachment"]) for one in sender.at_the_desk()] == [False, True, False]
    assert [one["type"] for one in receiver.on_the_phone()] == ["document", "text"]

    def archived() -> bool:
        there = (archive(installation, f"webhooks-{way}", line) for way in ("inbound", "outbound"))
        return all(wanted in raw for wanted, raw in zip((wamid, source), there, strict=True))

    wait_until(archived, 45, "the archive to have caught up", interval=0.5)


def archive(installation: Installation, bucket: str, line: Line) -> str:
    """All raw webhooks of the tenant, those that were packed together unpacked."""
    found: list[str] = []
    for key, data in installation.objects(bucket, f"{line.tenant_id}/").items():
        if key.endswith(".gz"):
            found += [json.loads(packed)["body"] for packed in gzip.decompress(data).splitlines()]
        else:
            found.append(data.decode())
    return "\n".join(found).replace("\\/", "/")
