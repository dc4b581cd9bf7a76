"""One installation per test module; tests in it share its processes and make tenants of their own."""

import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.flow.installation import Installation, Line

ROW = re.compile(r".*/test_message_types\.py::test_(inbound|outbound)\[.*")


@pytest.fixture(scope="module")
def own_settings() -> dict[str, str]:
    """What a module wants set otherwise; it overrides this fixture."""
    return {}


@pytest.fixture(scope="module")
def installation(
    settings_env: dict[str, str], own_settings: dict[str, str], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Installation]:
    logs: Path = tmp_path_factory.mktemp("logs")
    # The providers' real limits would make a thousand messages last for minutes; tests of limits set their own.
    fast = {"GENESYS_RATE_PER_MINUTE": "60000", "WHATSAPP_RATE_PER_SECOND": "1000"}
    installed = Installation(settings_env | fast | own_settings, logs)
    try:
        installed.start()
        yield installed
    finally:
        installed.stop()


@pytest.fixture(scope="module")
def line(installation: Installation) -> Line:
    return installation.tenant("Flow")[0]


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
