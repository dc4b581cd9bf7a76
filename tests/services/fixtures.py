"""The servers as fixtures. A server starts when the first test asks for it and stops with the session.

Scope `session` is the server, scope `module` what a test module has for itself: its own database,
virtual host, empty Redis and empty object store.
"""

import secrets
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
import redis
from cryptography.fernet import Fernet

from demo.stack import Postgres, Redis, S3Server
from demo.stack.installation import INSECURE
from demo.stack.ports import HOST, free_port
from demo.stack.postgres_home import postgres_home
from demo.stack.services import running
from tests.services.databases import SHARDS, Databases
from tests.services.rabbitmq import RabbitMQ


@pytest.fixture(scope="session")
def services_directory() -> Iterator[Path]:
    """Data and logs of all servers; gone with the session."""
    with TemporaryDirectory(prefix="relay-tests-") as path:
        yield Path(path)


def _logs(directory: Path) -> Path:
    return directory / "logs"


@pytest.fixture(scope="session")
def rabbitmq(services_directory: Path) -> Iterator[RabbitMQ]:
    """The private RabbitMQ node; tests may stop, start and freeze it, and must leave it running."""
    server = RabbitMQ(services_directory, _logs(services_directory))
    server.start()
    try:
        server.wait_ready()
        yield server
    finally:
        server.kill()


@pytest.fixture(scope="session")
def postgres_server(services_directory: Path) -> Iterator[Postgres]:
    with postgres_home(services_directory) as home, running(Postgres(home, _logs(services_directory))) as server:
        yield server


@pytest.fixture(scope="session")
def redis_server(services_directory: Path) -> Iterator[Redis]:
    with running(Redis(services_directory, _logs(services_directory))) as server:
        yield server


@pytest.fixture(scope="session")
def object_store_server(services_directory: Path) -> Iterator[S3Server]:
    with running(S3Server(services_directory, _logs(services_directory))) as server:
        yield server


@pytest.fixture(scope="session")
def databases(postgres_server: Postgres) -> Databases:
    return Databases(postgres_server)


@pytest.fixture(scope="module")
def postgres(databases: Databases) -> Iterator[str]:
    """The URL of this module's own database, migrated and otherwise empty."""
    url = databases.create()
    yield url
    databases.drop(url)


@pytest.fixture(scope="module")
def broker_url(rabbitmq: RabbitMQ) -> Iterator[str]:
    """The URL of this module's own virtual host, empty."""
    name = f"test-{secrets.token_hex(6)}"
    yield rabbitmq.create_virtual_host(name)
    rabbitmq.delete_virtual_host(name)


@pytest.fixture(scope="module")
def redis_url(redis_server: Redis) -> str:
    """The URL of an empty Redis."""
    with redis.Redis.from_url(redis_server.url()) as client:
        client.flushall()
    return redis_server.url()


@pytest.fixture(scope="module")
def s3(object_store_server: S3Server) -> S3Server:
    """An empty object store; its `env()` holds the settings for it."""
    object_store_server.clear()
    return object_store_server


@pytest.fixture(scope="module")
def settings_env(postgres: str, broker_url: str, redis_url: str, s3: S3Server) -> dict[str, str]:
    """A complete environment for web, relay and sandbox, on servers and ports of this module's own."""
    return environment(postgres, broker_url, redis_url, s3)


def environment(postgres: str, broker_url: str, redis_url: str, s3: S3Server) -> dict[str, str]:
    """The same for servers that somebody else has made ready."""
    web, sandbox = free_port(), free_port()
    stand_in = f"http://{HOST}:{sandbox}"
    return {
        "DATABASE_URL": postgres,
        "BROKER_URL": broker_url,
        "REDIS_URL": redis_url,
        **s3.env(),
        "RELAY_INSECURE": INSECURE,
        "PUBLIC_URL": f"http://{HOST}:{web}",
        "SECRET_KEY": secrets.token_hex(32),
        "CREDENTIALS_KEYS": Fernet.generate_key().decode(),
        "ADMIN_API_KEY": secrets.token_hex(16),
        "RELAY_SHARDS": str(SHARDS),
        "META_GRAPH_URL": f"{stand_in}/graph",
        "META_APP_SECRET": "demo-app-secret-nordwind-0001",
        "META_VERIFY_TOKEN": "demo-verify-token",
        "GENESYS_LOGIN_URL": f"{stand_in}/genesys/login",
        "GENESYS_API_URL": f"{stand_in}/genesys/api",
        "WEB_HOST": HOST,
        "WEB_PORT": str(web),
        "SANDBOX_PORT": str(sandbox),
        "METRICS_PORT": str(free_port()),
        "LOG_FORMAT": "console",
    }
