"""What every test has: patched standard library, private servers, real processes. Patching comes before all else."""

from gevent import monkey

monkey.patch_all()

import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from argon2 import PasswordHasher
from hypothesis import HealthCheck, settings

from db.access import passwords
from tests.processes import Process

pytest_plugins = ["tests.services.fixtures", "tests.services.installations"]

# How long an example takes says something of the machine only.
settings.register_profile("tests", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("tests")

SERVICES = {"rabbitmq", "postgres_server", "redis_server", "object_store_server"}
# What fails fast comes first; folders that are not named here come last.
ORDER = ["unit", "contract", "integration", "flow"]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put the folders in order; mark by what a test uses, so that `-m "not services"` runs at once everywhere."""
    items.sort(key=_place)
    for item in items:
        used = set(getattr(item, "fixturenames", ()))
        if used & SERVICES:
            item.add_marker(pytest.mark.services)
        if "processes" in used:
            item.add_marker(pytest.mark.processes)


def _place(item: pytest.Item) -> int:
    folder = item.path.relative_to(Path(__file__).parent).parts[0]
    return ORDER.index(folder) if folder in ORDER else len(ORDER)


@pytest.fixture(scope="session", autouse=True)
def passwords_that_are_cheap_to_hash() -> None:
    """argon2 as in production takes 50 ms on purpose, for each of hundreds of log-ins. What it does is not tried here.

    Whoever checks a hash goes by the parameters in it, so that processes are quick, too.
    """
    passwords._hasher = PasswordHasher(time_cost=1, memory_cost=64, parallelism=1)
    passwords._NOBODY = passwords._hasher.hash("nobody's")


@pytest.fixture
def processes() -> Iterator[Callable[[Process], Process]]:
    """Starts a process, waits until it is ready, and stops it when the test ends, the last one first."""
    with ExitStack() as started:
        yield started.enter_context


@pytest.fixture
def logs(tmp_path: Path) -> Path:
    """The folder for the log files of this test's processes."""
    return tmp_path / "logs"


def pytest_report_header() -> str:
    return f"gevent patched, Python {sys.version.split()[0]}"
