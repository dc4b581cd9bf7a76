"""One installation for all these tests: none of them stops or breaks anything of it."""

from __future__ import annotations

import re
import secrets
from collections import Counter
from collections.abc import Iterator

import pytest

from sandbox.stack.objects import ObjectStore
from sandbox.stack.redis import Redis
from tests.flow.installation import FAST, Installation, Line
from tests.services.databases import Databases
from tests.services.fixtures import environment
from tests.services.rabbitmq import RabbitMQ

ROW = re.compile(r".*/test_message_types\.py::test_(inbound|outbound)\[.*")


@pytest.fixture(scope="session")
def installation(
    databases: Databases,
    rabbitmq: RabbitMQ,
    redis_server: Redis,
    object_store_server: ObjectStore,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Installation]:
    broker_url = rabbitmq.create_virtual_host(f"content-{secrets.token_hex(6)}")
    env = environment(databases.create(), broker_url, redis_server.url(), object_store_server)
    installed = Installation(env | FAST, tmp_path_factory.mktemp("logs"))
    try:
        installed.start()
        yield installed
    finally:
        installed.stop()


@pytest.fixture(scope="module")
def line(installation: Installation) -> Line:
    return installation.tenant("Content")[0]


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """How many rows of docs/message-types.md went through, whatever else was run."""
    reports = [one for how in ("passed", "failed", "error") for one in terminalreporter.stats.get(how, [])]
    ran = {one.nodeid: one.passed for one in reports if ROW.match(one.nodeid) and (one.when == "call" or one.failed)}
    rows = Counter(ROW.sub(r"\1", nodeid) for nodeid in ran)
    if ran:
        told = (
            f"{rows['inbound']} rows inbound, {rows['outbound']} rows outbound, {sum(ran.values())} passed end to end"
        )
        terminalreporter.write_line(f"message types: {told}")
