"""Whole installations as fixtures: one for all tests that break nothing of it, and one per module for those that do."""

import secrets
from collections.abc import Iterator

import pytest

from demo.stack import Redis, S3Server
from demo.stack.services import running
from tests.flow.installation import FAST, Installation, Line
from tests.services.databases import Databases
from tests.services.fixtures import environment
from tests.services.rabbitmq import RabbitMQ


@pytest.fixture(scope="session")
def installation(
    databases: Databases, rabbitmq: RabbitMQ, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Installation]:
    """Shared: who uses it has tenants and customers' numbers of its own, takes back every fault, and breaks nothing.

    A phone is one in the whole sandbox: switched off by one module it is off for another that uses its number.
    Its Redis and its object store are its own, because those of the session are emptied for each module.
    """
    stores = tmp_path_factory.mktemp("stores")
    with running(Redis(stores, stores / "logs")) as cache, running(S3Server(stores, stores / "logs")) as objects:
        broker_url = rabbitmq.create_virtual_host(f"shared-{secrets.token_hex(6)}")
        env = environment(databases.create(), broker_url, cache.url(), objects)
        with Installation(env | FAST, tmp_path_factory.mktemp("logs")) as installed:
            yield installed


@pytest.fixture(scope="module")
def own_settings() -> dict[str, str]:
    """What a module with an installation of its own wants set otherwise; it overrides this fixture."""
    return {}


@pytest.fixture(scope="module")
def own_installation(
    settings_env: dict[str, str], own_settings: dict[str, str], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Installation]:
    with Installation(settings_env | FAST | own_settings, tmp_path_factory.mktemp("logs")) as installed:
        yield installed


@pytest.fixture(scope="module")
def line(installation: Installation, request: pytest.FixtureRequest) -> Line:
    """The module's own tenant, named after it."""
    return installation.tenant(request.node.path.stem)[0]
