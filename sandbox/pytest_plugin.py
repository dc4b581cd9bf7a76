"""A pytest fixture: the stand-in for Meta and Genesys as a process of its own, empty at the beginning of each test.

`pytest_plugins = ["sandbox.pytest_plugin"]` in a conftest.py, then `def test_ours(provider_sandbox)`. A phone shows a
message a moment after Meta took it, as a real one does: wait for it with a deadline. sandbox/README.md has an example.
"""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
import requests

HOST = "127.0.0.1"
START_SECONDS = 60
"""For the first answer; a machine that is busy imports slowly."""
STOP_SECONDS = 20
REQUEST_SECONDS = 30


@dataclass(frozen=True, slots=True)
class ProviderSandbox:
    """Where your code finds the stand-ins. The credentials that they know are in sandbox/README.md."""

    url: str

    @property
    def graph_url(self) -> str:
        """In place of https://graph.facebook.com."""
        return f"{self.url}/graph"

    @property
    def genesys_login_url(self) -> str:
        """In place of https://login.<region>."""
        return f"{self.url}/genesys/login"

    @property
    def genesys_api_url(self) -> str:
        """In place of https://api.<region>."""
        return f"{self.url}/genesys/api"

    def control(self, method: str, path: str, body: dict[str, Any] | None = None) -> Any:
        """Be the customer, be the agent, set faults: the JSON of the answer. Raises AssertionError for a refusal."""
        answer = requests.request(method, f"{self.url}/control{path}", json=body, timeout=REQUEST_SECONDS)
        assert answer.ok, f"{method} {path}: {answer.status_code} {answer.text}"
        return answer.json() if answer.content else None


@pytest.fixture(scope="session")
def provider_sandbox_process() -> Iterator[ProviderSandbox]:
    """One for all tests; `provider_sandbox` is what a test asks for."""
    port = _free_port()
    env = os.environ | {"SANDBOX_HOST": HOST, "SANDBOX_PORT": str(port), "SANDBOX_URL": f"http://{HOST}:{port}"}
    with subprocess.Popen([sys.executable, "-m", "sandbox"], env=env) as process:
        try:
            found = ProviderSandbox(env["SANDBOX_URL"])
            _wait_ready(process, found.url)
            yield found
        finally:
            _stop(process)


@pytest.fixture
def provider_sandbox(provider_sandbox_process: ProviderSandbox) -> ProviderSandbox:
    """No messages, no faults, default limits. Accounts and callback addresses that a test has set stay."""
    provider_sandbox_process.control("POST", "/reset", {})
    return provider_sandbox_process


def _free_port() -> int:
    with socket.socket() as free:
        free.bind((HOST, 0))
        return int(free.getsockname()[1])


def _wait_ready(process: subprocess.Popen[bytes], url: str) -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        if process.poll() is not None:
            pytest.fail(f"the sandbox ended with code {process.returncode} before it answered")
        try:
            if requests.get(f"{url}/control/health", timeout=REQUEST_SECONDS).ok:
                return
        except requests.ConnectionError:
            time.sleep(0.1)
    pytest.fail(f"the sandbox did not answer at {url} within {START_SECONDS} s")


def _stop(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
