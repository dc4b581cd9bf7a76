"""`make bench`: what one hostile webhook costs, and what others notice of it. Prints times and ratios of one run.

One web worker, real servers. Others' requests come over one connection, hostile ones over another and from a process
of its own, each as fast as it is answered; everything shares this machine, the clients included.
"x" is the ratio to the first row.
"""

from __future__ import annotations

import http.client
import json
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import pytest

from conf.settings import load_settings
from tests import processes
from tests.integration import webhook_world
from tests.integration.webhook_world import Line, change, envelope, meta_signature, text

ONCE = 40
WITHIN_SHARE = 7
"""So many large bodies a tenant's secret may sign at once; then it is answered 503 for a while."""
OTHERS = 1_000
HOSTILE = b'{"entry":[{"changes":[{"value":{"messages":[%s{}]}}]}]}' % (b"{}," * 1_398_000)
Headers = Mapping[str, str]
Request = tuple[str, bytes, Headers, int]
"""Path, body, headers, and the status it is answered with."""


@pytest.fixture(scope="module")
def lines(settings_env: dict[str, str]) -> tuple[Line, Line]:
    """Of the hostile tenant, and of another one."""
    world = webhook_world.build(settings_env)
    try:
        return world.line(own_app=True), world.line(own_app=True)
    finally:
        webhook_world.close(world)


@pytest.fixture(scope="module")
def port(
    lines: tuple[Line, Line], settings_env: dict[str, str], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[int]:
    logs: Path = tmp_path_factory.mktemp("web")
    with processes.web(settings_env, logs):
        yield load_settings(settings_env).web_port


def test_what_a_hostile_webhook_costs(port: int, lines: tuple[Line, Line], tmp_path: Path) -> None:
    line, other = lines
    address = f"/webhook/meta/{line.tenant_key}"
    small = json.dumps(envelope(change(other.phone_number_id, text("hello")))).encode()
    wrong, right = meta_signature(b"", "wrong"), meta_signature(HOSTILE, line.app_secret)
    kinds: dict[str, Request] = {
        "empty, unsigned": ("/webhook/meta", b"", {}, 401),
        f"{len(HOSTILE):,} bytes, unsigned": ("/webhook/meta", HOSTILE, {}, 401),
        f"{len(HOSTILE):,} bytes, wrongly signed": ("/webhook/meta", HOSTILE, wrong, 401),
        f"{len(HOSTILE):,} bytes, signed by a tenant": (address, HOSTILE, right, 200),
    }
    base = 0.0
    print("\none request, median of", ONCE)
    for name, (path, body, headers, status) in kinds.items():
        one = statistics.median(_times(port, path, body, headers, status, ONCE if status == 401 else WITHIN_SHARE))
        base = base or one
        print(f"  {name:40} {one * 1000:8.2f} ms {one / base:8.1f} x")
    ours = (f"/webhook/meta/{other.tenant_key}", small, meta_signature(small, other.app_secret), 200)
    print(f"others' requests, {OTHERS} signed webhooks one after the other")
    alone = 0.0
    for name, hostile in {"nobody else": None, **dict(list(kinds.items())[1:])}.items():
        with _meanwhile(port, hostile, tmp_path) as sent:
            took = sorted(_times(port, *ours, OTHERS))
        p99 = took[int(len(took) * 0.99)]
        alone = alone or p99
        told = f"p50 {took[len(took) // 2] * 1000:7.2f} ms, p99 {p99 * 1000:7.2f} ms, longest {took[-1] * 1000:7.2f} ms"
        print(f"  beside {name:40} {told} {p99 / alone:6.1f} x, {sum(sent)} meanwhile")


def _times(port: int, path: str, body: bytes, headers: Headers, status: int, count: int) -> list[float]:
    """Seconds of each. The connection is kept where the server keeps it."""
    found, connection = [], http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    for _ in range(count):
        began = time.perf_counter()
        connection.request("POST", path, body, dict(headers))
        answer = connection.getresponse()
        answer.read()
        found.append(time.perf_counter() - began)
        assert answer.status == status
    connection.close()
    return found


@contextmanager
def _meanwhile(port: int, hostile: Request | None, folder: Path) -> Iterator[list[int]]:
    """It is sent again and again, as fast as it is answered. Afterwards: how often that was."""
    sent: list[int] = []
    if hostile is None:
        yield sent
        return
    path, body, headers, _ = hostile
    file = folder / "body"
    file.write_bytes(body)
    command = [sys.executable, "-m", "tests.bench.sender", str(port), path, str(file), json.dumps(dict(headers))]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as sender:
        try:
            yield sent
        finally:
            sent.append(int(sender.communicate(timeout=120)[0]))
