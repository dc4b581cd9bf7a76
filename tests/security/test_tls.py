"""No server is believed to be another one: each backend with a private authority's certificate, a self-signed one, and
one that is made out to somebody else.

PostgreSQL stands behind a door that ends TLS, since the wheel's server is built without it; the others speak it.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, closing, contextmanager
from io import BytesIO
from pathlib import Path

import pytest
from gevent.pywsgi import WSGIServer

from conf.loading import load_settings
from conf.settings import Settings
from db import migrate
from db.pool import Pool
from demo.stack import Postgres
from demo.stack.ports import HOST
from relay.broker import topology
from relay.broker.connect import open_link
from relay.broker.envelopes import Outgoing
from relay.broker.publisher import Publisher
from relay.channels.http.client import HttpTransport
from relay.channels.http.origins import TrustedOrigins
from relay.cli import doctor
from relay.clients import build_cipher, build_objects
from relay.core.errors import SendError, StoreError
from relay.core.queues import INBOUND, queue_name
from relay.stores.cache import Cache
from relay.stores.objects import MEDIA_INBOUND
from tests import processes as processes_of
from tests.processes import Process
from tests.services.certificates import HERE, Authority, Certificate
from tests.services.databases import SHARDS
from tests.services.rabbitmq import RabbitMQ
from tests.services.tls import objects_by_tls, postgres_by_tls, redis_by_tls

SECONDS = 10.0
UNKNOWN = "put the authority that signed it into TLS_CA_FILE"
RENAMED = "use the name that it is made out to"
RENEWED = "have it renewed"
Changes = dict[str, str]
"""Settings that lead to one server by TLS."""


class House:
    """The servers, and the settings of whoever asks them."""

    def __init__(
        self, folder: Path, env: dict[str, str], postgres_server: Postgres, rabbitmq: RabbitMQ, virtual_host: str
    ) -> None:
        self.folder = folder
        self.authority = Authority(folder / "authority")
        self.postgres_server, self.rabbitmq, self.virtual_host = postgres_server, rabbitmq, virtual_host
        self._env = env

    def settings(self, changes: dict[str, str]) -> Settings:
        return load_settings(self._env | {"TLS_CA_FILE": str(self.authority.ca_file)} | changes)

    def production(self, changes: Changes) -> dict[str, str]:
        """The environment of processes that nothing is admitted to."""
        own = {"RELAY_INSECURE": "", "TLS_CA_FILE": str(self.authority.ca_file), "LOG_FORMAT": "json"}
        public = {"PUBLIC_URL": "https://relay.corp.example", "MINIO_PUBLIC_URL": "https://files.corp.example"}
        ours = ("META_GRAPH_URL", "META_APP_SECRET", "META_VERIFY_TOKEN", "GENESYS_LOGIN_URL", "GENESYS_API_URL")
        return self._env | changes | own | public | dict.fromkeys(ours, "")

    @contextmanager
    def database(self, certificate: Certificate) -> Iterator[Changes]:
        with postgres_by_tls(self.postgres_server, self._env["DATABASE_URL"], certificate) as url:
            yield {"DATABASE_URL": url}

    @contextmanager
    def rabbit(self, certificate: Certificate) -> Iterator[Changes]:
        self.rabbitmq.show(certificate)
        yield {"BROKER_URL": self.rabbitmq.tls_url(self.virtual_host)}

    @contextmanager
    def cache(self, certificate: Certificate) -> Iterator[Changes]:
        with redis_by_tls(self.folder / secrets.token_hex(4), certificate) as url:
            yield {"REDIS_URL": url}

    @contextmanager
    def redis_broker(self, certificate: Certificate) -> Iterator[Changes]:
        with redis_by_tls(self.folder / secrets.token_hex(4), certificate) as url:
            yield {"BROKER_URL": url}

    @contextmanager
    def objects(self, certificate: Certificate) -> Iterator[Changes]:
        with objects_by_tls(self.folder / secrets.token_hex(4), certificate) as env:
            yield env


@pytest.fixture(scope="module")
def house(
    settings_env: dict[str, str],
    postgres_server: Postgres,
    rabbitmq: RabbitMQ,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[House]:
    virtual_host = f"tls-{secrets.token_hex(6)}"
    rabbitmq.create_virtual_host(virtual_host)
    yield House(tmp_path_factory.mktemp("tls"), settings_env, postgres_server, rabbitmq, virtual_host)
    rabbitmq.delete_virtual_host(virtual_host)


def use_database(settings: Settings) -> None:
    with Pool(settings.database_url, size=1) as pool, pool.transaction() as cursor:
        cursor.execute("SELECT 1")
        assert cursor.fetchone() == (1,)
    assert migrate.pending(settings.database_url) == []


def use_broker(settings: Settings) -> None:
    topology.declare(settings.broker_url, SHARDS)
    with closing(Publisher(settings.broker_url)) as publisher:
        assert publisher.publish([Outgoing(INBOUND, "0", b"{}")], SECONDS) == []
    with closing(open_link(settings.broker_url)) as link, link.operation():
        assert link.depth(link.channel(), queue_name(INBOUND, 0)) >= 1


def use_cache(settings: Settings) -> None:
    """A cache that is away raises nothing: the doctor shows its trouble."""
    with closing(Cache(settings.redis_url, build_cipher(settings))) as cache:
        if not cache.ping():
            raise StoreError(cache.trouble)
        cache.set("a", "kept", 60)
        assert cache.get("a") == "kept"


def use_objects(settings: Settings) -> None:
    with closing(build_objects(settings)) as objects:
        objects.ensure_buckets()
        objects.put(MEDIA_INBOUND, "a", BytesIO(b"kept"), 4, "text/plain")
        with objects.open(MEDIA_INBOUND, "a") as blocks:
            assert b"".join(blocks) == b"kept"


Door = Callable[[House, Certificate], AbstractContextManager[Changes]]
BACKENDS: dict[str, tuple[Door, Callable[[Settings], None]]] = {
    "PostgreSQL": (House.database, use_database),
    "RabbitMQ": (House.rabbit, use_broker),
    "Redis": (House.cache, use_cache),
    "Redis as broker": (House.redis_broker, use_broker),
    "object store": (House.objects, use_objects),
}
each_backend = pytest.mark.parametrize("name", BACKENDS)


@each_backend
def test_a_right_certificate_is_accepted_and_all_works(house: House, name: str) -> None:
    door, use = BACKENDS[name]
    with door(house, house.authority.right()) as changes:
        use(house.settings(changes))


@each_backend
def test_a_self_signed_certificate_is_never_accepted(house: House, name: str) -> None:
    door, use = BACKENDS[name]
    with door(house, house.authority.self_signed()) as changes, pytest.raises(StoreError, match=UNKNOWN):
        use(house.settings(changes))


@each_backend
def test_a_certificate_for_another_name_is_never_accepted(house: House, name: str) -> None:
    door, use = BACKENDS[name]
    with door(house, house.authority.wrong_name()) as changes, pytest.raises(StoreError, match=RENAMED):
        use(house.settings(changes))


@each_backend
def test_a_private_authority_that_nobody_named_vouches_for_nothing(house: House, name: str) -> None:
    door, use = BACKENDS[name]
    with door(house, house.authority.right()) as changes, pytest.raises(StoreError, match=UNKNOWN):
        use(house.settings(changes | {"TLS_CA_FILE": ""}))


def test_an_expired_certificate_is_never_accepted(house: House) -> None:
    with House.rabbit(house, house.authority.expired()) as changes, pytest.raises(StoreError, match=RENEWED):
        use_broker(house.settings(changes))


def test_a_whole_installation_runs_by_tls_with_nothing_admitted(
    house: House, processes: Callable[[Process], Process], logs: Path
) -> None:
    certificate = house.authority.right()
    with (
        house.database(certificate) as database,
        house.rabbit(certificate) as broker,
        house.cache(certificate) as cache,
        house.objects(certificate) as objects,
    ):
        env = house.production(database | broker | cache | objects)
        daemon, web = processes(processes_of.relay(env, logs)), processes(processes_of.web(env, logs))
        found = doctor.installation(load_settings(env))[0].findings
    assert {one.check: one.level for one in found} == {
        **dict.fromkeys(("database", "daemons", "broker", "redis", "buckets", "mail"), "ok"),
        "web": "warning",  # nobody answers at its PUBLIC_URL
    }
    assert '"insecure"' not in daemon.output() + web.output()


@contextmanager
def provider(certificate: Certificate) -> Iterator[tuple[str, list[str]]]:
    """Its address, and what it has been asked."""
    asked: list[str] = []

    def answer(environ: dict[str, object], start: Callable[..., object]) -> list[bytes]:
        asked.append(str(environ["PATH_INFO"]))
        start("200 OK", [("Content-Type", "application/json")])
        return [b"{}"]

    files = {"certfile": str(certificate.certificate), "keyfile": str(certificate.key)}
    server = WSGIServer((HOST, 0), answer, log=None, error_log=None, **files)
    server.start()
    try:
        yield f"https://{HERE}:{server.server_port}", asked
    finally:
        server.stop()


def call(url: str, cache: Cache) -> int:
    transport = HttpTransport(cache, url)
    trust = TrustedOrigins(transport.graph_origins)
    return transport.call("GET", f"{url}/me", trust, time.monotonic() + SECONDS, authorization="Bearer t").status


@pytest.mark.parametrize(("kind", "why"), [("self_signed", "that this system knows"), ("wrong_name", RENAMED)])
def test_a_provider_with_a_wrong_certificate_is_shown_no_token(
    house: House, kind: str, why: str, monkeypatch: pytest.MonkeyPatch, settings_env: dict[str, str]
) -> None:
    """The system's authorities count here; OpenSSL's own variable stands for them."""
    monkeypatch.setenv("SSL_CERT_FILE", str(house.authority.ca_file))
    settings = load_settings(settings_env)
    with closing(Cache(settings.redis_url, build_cipher(settings))) as cache:
        with provider(house.authority.right()) as (url, asked):
            assert call(url, cache) == 200
            assert asked == ["/me"]
        with provider(getattr(house.authority, kind)()) as (url, asked):
            with pytest.raises(SendError, match=why) as caught:
                call(url, cache)
            assert (caught.value.fate, caught.value.code) == ("retry", "tls_failed")
            assert asked == []


def test_our_private_authority_does_not_vouch_for_a_provider(house: House) -> None:
    settings = house.settings({})
    with (
        closing(Cache(settings.redis_url, build_cipher(settings))) as cache,
        provider(house.authority.right()) as (url, asked),
        pytest.raises(SendError, match="that this system knows"),
    ):
        call(url, cache)
    assert asked == []
