"""The troubles that alerts are for, each caused with the product's own code and over when the context ends."""

from __future__ import annotations

import ssl
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from uuid import uuid4

import gevent
import redis
from gevent.event import Event
from gevent.monkey import get_original
from gevent.server import StreamServer
from prometheus_client import REGISTRY

from db.daemons import home, shards
from db.pool import DatabaseError, Pool
from demo.stack.ports import HOST, free_port
from relay import metrics
from relay.actors.channel import ChannelActor
from relay.actors.intake import IntakeActor
from relay.actors.measures import MeasuresActor
from relay.broker.consumer import Consumer
from relay.broker.envelopes import Delivery, Outgoing
from relay.broker.errors import BrokerError
from relay.broker.publisher import Publisher
from relay.channels.base import Account
from relay.checks.certificate_ends import TlsServer
from relay.core.conversation.hold import Longest
from relay.core.errors import SendError, StoreError
from relay.core.queues import DEAD_LETTERS, INBOUND, WEBHOOK_ARCHIVE
from relay.daemon.loop_lag import LoopLag
from relay.daemon.watch import ActorWatch
from relay.runtime.actor import Ping, RelayActor
from relay.runtime.calls import counted
from relay.runtime.commands import AskTurn, Freed, Turn
from relay.runtime.side import Side
from relay.runtime.timers import Timers
from relay.stores.connection import RedisConnection
from relay.stores.limits import Granted
from relay.stores.objects import ObjectStore
from tests.integration.losing import archive_loses, journal_loses
from tests.integration.told import World
from tests.services.certificates import HERE, Authority
from tests.unit.relay.actors.listening import Listener
from tests.waiting import PATIENCE, wait_until
from web import metrics as web_metrics
from web.request import record
from web.request.attendance import Attendance

SHARDS = 16
FAILURE = SendError("retry", "connect_failed", "nobody listens there")
Trouble = Callable[["House"], AbstractContextManager[None]]


@dataclass
class House:
    """What a daemon measures with, on real servers. `measure` reads the figures, as it does by the minute."""

    pool: Pool
    broker_url: str
    folder: Path
    world: World = field(init=False)
    web_at_work: bool = True
    parts: Any = field(init=False)

    def __post_init__(self) -> None:
        self.world = World(self.pool)
        self.web = Attendance(self.pool, lambda reason: None)
        self.consumer = Consumer(self.broker_url, SHARDS, 10)
        self.consumer.start()
        wait_until(lambda: self.consumer.connected, PATIENCE, "the broker")
        self.daemon_id = str(uuid4())
        with self.pool.transaction() as cursor:
            shards.renew(cursor, self.daemon_id, "test", 600)
            shards.take(cursor, self.daemon_id, SHARDS)
        self.parts = SimpleNamespace(
            pool=self.pool, consumer=self.consumer, shards={0: None}, tls_servers=[],
            limits=SimpleNamespace(shards=SHARDS, measures=60.0, measures_by_line=False),
        )  # fmt: skip

    def measure(self) -> None:
        """By an actor that has only begun, so it looks at certificates as well."""
        if self.web_at_work:
            self.web.tell()
        MeasuresActor(self.parts).work()

    def publish(self, queue: str, count: int) -> None:
        publisher = Publisher(self.broker_url)
        publisher.publish([Outgoing("", queue, b"{}") for _ in range(count)], PATIENCE)
        publisher.close()

    @contextmanager
    def changed(self, sql: str, back: str) -> Iterator[None]:
        self.world.change(sql, self.world.tenant_id)
        self.measure()
        yield
        self.world.change(back, self.world.tenant_id)
        self.measure()


def queue_holds(queue: str, count: int) -> Trouble:
    @contextmanager
    def trouble(house: House) -> Iterator[None]:
        house.publish(queue, count)
        house.measure()
        yield
        with redis.Redis.from_url(house.broker_url) as client:
            client.delete(queue)
        house.measure()

    return trouble


@contextmanager
def waits_long(house: House) -> Iterator[None]:
    at = datetime.now(UTC) - timedelta(minutes=20)
    message = house.world.message(house.world.contact(), at, state="received", attempts=3, reason_code="500")
    house.measure()
    yield
    house.world.change("UPDATE message_tracking SET state = 'sent' WHERE id = %s::uuid", message)
    house.measure()


def refused(house: House) -> AbstractContextManager[None]:
    sql = "UPDATE tenant_credentials SET health = '{}' WHERE type = 'genesys' AND tenant_id = %s"
    return house.changed(sql.format("refused"), sql.format("ok"))


def token_ends(house: House) -> AbstractContextManager[None]:
    begun = """INSERT INTO conditions (tenant_id, kind, subject, detail)
               VALUES (%s, 'credentials_expiring', 'whatsapp', 'the access token expires in 3 days')"""
    return house.changed(begun, "UPDATE conditions SET over_at = now() WHERE tenant_id = %s")


@contextmanager
def unowned(house: House) -> Iterator[None]:
    house.world.change("UPDATE shards SET owner = NULL WHERE n > 13")
    house.measure()
    yield
    with house.pool.transaction() as cursor:
        shards.take(cursor, house.daemon_id, SHARDS)
    house.measure()


@contextmanager
def web_away(house: House) -> Iterator[None]:
    house.web_at_work = False
    house.world.change("UPDATE webs SET seen_at = now() - interval '1 minute'")
    house.measure()
    yield
    house.web_at_work = True
    house.measure()


@contextmanager
def database_moved(house: House) -> Iterator[None]:
    """As it looks after pg_upgrade: the server has another identifier, the database has kept its own."""
    with house.pool.transaction() as cursor:
        home.settle(cursor)
        cursor.execute("UPDATE relay_settings SET value = '1' WHERE name = %s", (home.SYSTEM,))
    house.measure()
    yield
    assert home.acknowledge(house.pool)
    house.measure()


@contextmanager
def measured_by_nobody(house: House) -> Iterator[None]:
    house.parts.shards = {}
    house.measure()
    yield
    house.parts.shards = {0: None}
    house.measure()


@contextmanager
def certificate_ends(house: House) -> Iterator[None]:
    authority = Authority(house.folder / "authority")
    with _tls(house, authority, days=7):
        yield
    with _tls(house, authority, days=90):
        pass


@contextmanager
def _tls(house: House, authority: Authority, days: int) -> Iterator[None]:
    certificate, context = authority.lasting(days), ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate.certificate, certificate.key)
    server = StreamServer((HERE, 0), lambda *_: None, ssl_context=context)
    server.start()
    house.parts.tls_servers = [TlsServer("public", HERE, server.server_port)]
    house.measure()
    server.stop()
    yield


@contextmanager
def intake_waits(_: House) -> Iterator[None]:
    """A delivery of two minutes ago, while PostgreSQL takes nothing in."""
    tried, go, timers = Event(), Event(), Timers()
    timers.start(lambda error: None)

    def take(_bodies: Any, _traces: Any) -> Any:
        tried.set()
        if not go.is_set():
            raise DatabaseError("PostgreSQL is away")
        return SimpleNamespace(dead=[], arrived=[], row_statuses=[], typed=[])

    parts: Any = SimpleNamespace(timers=timers, shards={}, consumer=SimpleNamespace(ack=lambda *_: None))
    intake: Any = SimpleNamespace(take=take)
    actor = IntakeActor.start(parts, intake)
    at = datetime.now(UTC).timestamp() - 120
    actor.tell(Delivery(INBOUND, b"{}", 1, 0, {"lineId": "l", "arrivedAt": at}, False, 1))
    assert tried.wait(PATIENCE)
    yield
    go.set()
    wait_until(lambda: REGISTRY.get_sample_value("relay_intake_waiting_messages") == 0, PATIENCE, "it to be taken in")
    actor.stop()
    timers.stop()


@contextmanager
def calls_fail(_: House) -> Iterator[None]:
    channel: Any = SimpleNamespace(cause=lambda _: "server")
    side = Side("genesys", channel, Account("t", "l", "i", {}))
    for outcome in (FAILURE, None):
        for _n in range(5):
            with suppress(SendError), counted(side, "message"):
                if outcome:
                    raise outcome
    yield


@contextmanager
def breaker_open(_: House) -> Iterator[None]:
    heard: list[Any] = []
    conversation, tenant = Listener.start(heard), Listener.start([])
    bucket = SimpleNamespace(take=lambda *_: Granted(1, 0.0), give_back=lambda *_: None)
    limits = SimpleNamespace(request=10.0, whatsapp_per_second=80.0, genesys_per_minute=300.0)
    parts: Any = SimpleNamespace(
        timers=SimpleNamespace(after=lambda *_: None), bucket=bucket, journal_behind=False, limits=limits
    )
    channel: Any = SimpleNamespace(name="genesys")
    actor = ChannelActor.start(parts, Side("genesys", channel, Account("t", "l", "i", {"client_id": "c"})), tenant)
    for n in range(1, 6):
        actor.tell(AskTurn("l", conversation, "inbound"))
        wait_until(lambda n=n: len(heard) == n, PATIENCE, "a turn")  # type: ignore[misc]
        turn = heard[-1]
        assert isinstance(turn, Turn)
        actor.tell(Freed(turn.sender, True, FAILURE))
        actor.ask(Ping(), timeout=PATIENCE)
    yield
    for ref in (actor, conversation, tenant):
        ref.stop()


class Hangs(RelayActor):
    """Ends a command when the event that it was told is set, and fails at what is none."""

    longest_seconds = 0.05

    def handle(self, command: Any) -> None:
        command.wait()


@contextmanager
def actor_stuck(_: House) -> Iterator[None]:
    never, actor = Event(), Hangs.start()
    watch = ActorWatch([], [], lambda error: None)
    actor.tell(never)

    def seen() -> bool:
        watch.look()
        return bool(REGISTRY.get_sample_value("relay_actors_stuck", {"actor": "Hangs"}))

    wait_until(seen, PATIENCE, "it to be seen")
    yield
    never.set()
    actor.ask(Ping(), timeout=PATIENCE)
    watch.look()
    actor.stop()


@contextmanager
def actor_fails(_: House) -> Iterator[None]:
    actor = Hangs.start()
    for _n in range(3):
        actor.tell("nothing that can be waited for")
    actor.ask(Ping(), timeout=PATIENCE)
    yield
    actor.stop()


@contextmanager
def loop_late(_: House) -> Iterator[None]:
    lag = LoopLag(Longest())
    lag.start(lambda error: None)
    for _n in range(3):
        gevent.sleep(0.02)  # its turn, which came late, and the next that it asks for
        get_original("time", "sleep")(0.5)
    gevent.sleep(0.02)
    lag.stop()
    yield


@contextmanager
def pool_exhausted(house: House) -> Iterator[None]:
    """Seventy wait for a second each, behind a statement that has the only connection."""
    with Pool(house.world.pool._url, size=1) as pool:

        def ask(seconds: float) -> None:
            with pool.transaction() as cursor:
                cursor.execute("SELECT pg_sleep(%s)", (seconds,))

        asked = [gevent.spawn(ask, 1.0), *(gevent.spawn(ask, 0.0) for _ in range(70))]
        gevent.joinall(asked, raise_error=True)
    yield


def away(call: Callable[[int], Any], error: type[Exception]) -> Trouble:
    """A server that is not there, asked several times."""

    @contextmanager
    def trouble(_: House) -> Iterator[None]:
        for _n in range(3):
            with suppress(error):
                call(free_port())
        yield

    return trouble


def _database(port: int) -> None:
    with Pool(f"postgresql://nobody@{HOST}:{port}/none") as pool, pool.transaction():
        pass


def _objects(port: int) -> None:
    ObjectStore(f"{HOST}:{port}", "key", "secret", False, f"http://{HOST}:{port}").ensure_buckets()


def counts(*steps: Callable[[], None]) -> Trouble:
    """What is counted where its own tests cause it."""

    @contextmanager
    def trouble(_: House) -> Iterator[None]:
        for step in steps:
            step()
        yield

    return trouble


TROUBLES: dict[str, Trouble] = {
    "RelayWaitingTooLong": waits_long,
    "RelayIntakeBehind": intake_waits,
    "RelayShardsUnowned": unowned,
    "RelayWebAway": web_away,
    "RelayArchiveLosses": archive_loses,
    "RelayJournalLosses": journal_loses,
    "RelayDatabaseMoved": database_moved,
    "RelayNotMeasured": measured_by_nobody,
    "RelayCallsFailing": calls_fail,
    "RelayBreakerOpen": breaker_open,
    "RelayCredentialsRefused": refused,
    "RelayTokenEnds": token_ends,
    "RelayCertificateEnds": certificate_ends,
    "RelayDeadLetters": queue_holds(DEAD_LETTERS, 1),
    "RelayMessagesGivenUp": counts(metrics.messages.labels("inbound", "dead").inc),
    "RelayArchiveBehind": queue_holds(WEBHOOK_ARCHIVE, 1001),
    "RelayDatabaseInTrouble": away(_database, DatabaseError),
    "RelayBrokerInTrouble": away(
        lambda port: Publisher(f"amqp://{HOST}:{port}/").publish([Outgoing("", "q", b"")], 0.3), BrokerError
    ),
    "RelayRedisInTrouble": away(
        lambda port: RedisConnection(f"redis://{HOST}:{port}/0").call(lambda client: client.get("k"), None), StoreError
    ),
    "RelayObjectStoreInTrouble": away(_objects, StoreError),
    "RelayPoolExhausted": pool_exhausted,
    "RelayLoopLate": loop_late,
    "RelayActorStuck": actor_stuck,
    "RelayActorFails": actor_fails,
    "RelayWebhooksRefused": counts(web_metrics.webhooks.labels("whatsapp", "refused").inc),
    "RelayWebFails": counts(lambda: record.answered("POST", "/webhook/meta", 503, 0.1)),
    "RelayCatchUpFailed": counts(metrics.catch_ups.labels("failed").inc),
}
