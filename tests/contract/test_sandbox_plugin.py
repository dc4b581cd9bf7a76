"""The sandbox's pytest plugin, in a project of somebody else: tests of their own, and nothing of the relay."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import requests

from tests.waiting import PATIENCE

ROOT = Path(__file__).parents[2]
THEIRS = """
import time

import requests

PHONE, NUMBER = "4915112345678", "300000000000001"


def shown(sandbox):
    return sandbox.control("GET", f"/phone/{PHONE}/messages?to={NUMBER}")["messages"]


def test_what_our_client_sends_is_on_the_phone(provider_sandbox):
    sandbox = provider_sandbox
    sandbox.control("POST", "/phone/messages", {"from": PHONE, "to": NUMBER, "text": "Hello"})
    answer = requests.post(
        f"{sandbox.graph_url}/v25.0/{NUMBER}/messages",
        headers={"Authorization": "Bearer EAAG-demo-token-nordwind"},
        json={"messaging_product": "whatsapp", "to": PHONE, "type": "text", "text": {"body": "Good morning"}},
        timeout=30,
    )
    assert answer.status_code == 200, answer.text
    deadline = time.monotonic() + 60
    while len(shown(sandbox)) < 2 and time.monotonic() < deadline:
        time.sleep(0.05)
    assert [one["text"] for one in shown(sandbox)] == ["Hello", "Good morning"]


def test_each_test_begins_with_nothing(provider_sandbox):
    assert provider_sandbox.control("GET", f"/phone/contacts?to={NUMBER}")["contacts"] == []


def test_genesys_gives_a_token(provider_sandbox):
    client = ("11111111-aaaa-4000-8000-000000000001", "demo-client-secret-nordwind")
    grant = {"grant_type": "client_credentials"}
    answer = requests.post(f"{provider_sandbox.genesys_login_url}/oauth/token", grant, auth=client, timeout=30)
    assert answer.json()["access_token"]


def test_where_it_was(provider_sandbox, request):
    (request.config.rootpath / "url").write_text(provider_sandbox.url)
"""


def test_others_test_their_own_client_with_it(tmp_path: Path) -> None:
    (tmp_path / "conftest.py").write_text('pytest_plugins = ["sandbox.pytest_plugin"]\n')
    (tmp_path / "test_theirs.py").write_text(THEIRS)
    (tmp_path / "pytest.ini").write_text("[pytest]\n")
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "no:schemathesis", str(tmp_path)]
    result = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=3 * PATIENCE)
    assert result.returncode == 0, result.stdout + result.stderr
    assert "4 passed" in result.stdout
    assert _is_gone((tmp_path / "url").read_text()), "the sandbox outlived the tests"


def _is_gone(url: str) -> bool:
    try:
        requests.get(url, timeout=PATIENCE)
    except requests.ConnectionError:
        return True
    return False
