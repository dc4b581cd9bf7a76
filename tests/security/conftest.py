"""The application and its database as the tests of the API have them, and the stand-ins for both providers: attacks
go through the same doors.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
import requests

from tests.api.conftest import api, app, new_tenant, parts, pool, sandbox
from tests.processes import Process
from tests.waiting import PATIENCE

__all__ = ["api", "app", "new_tenant", "parts", "pool", "sandbox"]

Control = Callable[..., Any]


@pytest.fixture
def control(sandbox: Process, settings_env: dict[str, str]) -> Iterator[Control]:
    """Asks the sandbox; its faults are gone afterwards."""
    base = f"http://127.0.0.1:{settings_env['SANDBOX_PORT']}/control"

    def ask(method: str, path: str, body: Any = None) -> Any:
        answer = requests.request(method, base + path, json=body, timeout=PATIENCE)
        assert answer.ok, answer.text
        return answer.json() if answer.content else None

    yield ask
    ask("DELETE", "/faults")
