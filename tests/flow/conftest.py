"""One installation per test module; tests in it share its processes and make tenants of their own."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.flow.installation import FAST, Installation, Line


@pytest.fixture(scope="module")
def own_settings() -> dict[str, str]:
    """What a module wants set otherwise; it overrides this fixture."""
    return {}


@pytest.fixture(scope="module")
def installation(
    settings_env: dict[str, str], own_settings: dict[str, str], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Installation]:
    logs: Path = tmp_path_factory.mktemp("logs")
    installed = Installation(settings_env | FAST | own_settings, logs)
    try:
        installed.start()
        yield installed
    finally:
        installed.stop()


@pytest.fixture(scope="module")
def line(installation: Installation) -> Line:
    return installation.tenant("Flow")[0]
