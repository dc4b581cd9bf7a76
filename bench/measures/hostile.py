"""What CPU one hostile webhook costs web, and what others' webhooks notice of it.

One web worker and no daemon. A large body takes its time on purpose, so time says nothing of cost. Others' requests
come over one connection, hostile ones over another and from a process of its own, each as fast as it is answered. "x"
is the ratio to the first row.
"""

from __future__ import annotations

import hmac
import http.client
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from bench.lines import Line
from bench.meter import tree_cpu
from bench.stage import Stage
from bench.traffic import new_run, quantile
from bench.workload import Load, of_stream
from demo.stack.ports import HOST
from tests import processes

SMALL, LARGE = 400, 7
"""So many requests tell the CPU of one. More large bodies of a tenant's would be answered 503 for a while."""
OTHERS = 1_000
HOSTILE = b'{"entry":[{"changes":[{"value":{"messages":[%s{}]}}]}]}' % (b"{}," * 1_398_000)
Headers = Mapping[str, str]
Request = tuple[str, bytes, Headers, int]
"""Path, body, headers, and the status it is answered with."""


def measure(stage: Stage) -> None:
    relay = stage.relay
    line, other = relay.lines[:2]
    assert line.tenant != other.tenant
    with processes.web(relay.env, stage.logs, workers=1) as web:
        hostile = _hostile(line)
        _alone(stage, hostile, web.pid)
        _beside(stage, hostile, _ordinary(relay.port, other))


def _hostile(line: Line) -> dict[str, Request]:
    size = f"{len(HOSTILE):,} bytes"
    return {
        "empty, unsigned": ("/webhook/meta", b"", {}, 401),
        f"{size}, unsigned": ("/webhook/meta", HOSTILE, {}, 401),
        f"{size}, wrongly signed": ("/webhook/meta", HOSTILE, _signed(b"", "wrong"), 401),
        f"{size}, signed by a tenant": (line.meta_path, HOSTILE, _signed(HOSTILE, line.app_secret), 200),
    }


def _ordinary(port: int, line: Line) -> Request:
    """A webhook with one message, repeated as Meta may do."""
    load = Load(new_run(), "inbound", (line,), 1, 1, 1, port)
    _, _, body = next(of_stream(load, 0)).raw.partition(b"\r\n\r\n")
    return line.meta_path, body, _signed(body, line.app_secret), 200


def _alone(stage: Stage, kinds: Mapping[str, Request], web: int) -> None:
    base = 0.0
    for name, request in kinds.items():
        count, before = LARGE if request[1] else SMALL, tree_cpu(web)
        _times(stage.relay.port, *request, count)
        one = (tree_cpu(web) - before) / count
        base = base or one
        stage.note(f"hostile {name} ratio", one / base)
        stage.say(f"CPU of one request, {name:40} {one * 1000:8.2f} ms {one / base:8.1f} x")


def _beside(stage: Stage, kinds: Mapping[str, Request], ordinary: Request) -> None:
    port, alone = stage.relay.port, 0.0
    beside: dict[str, Request | None] = {"nobody": None, **dict(list(kinds.items())[1:])}
    for name, hostile in beside.items():
        with _meanwhile(port, hostile) as sent:
            took = sorted(_times(port, *ordinary, OTHERS))
        p50, p99 = quantile(took, 0.5), quantile(took, 0.99)
        alone = alone or p99
        stage.note(f"others beside {name} p99 ratio", p99 / alone)
        stage.say(
            f"others beside {name:40} p50 {p50 * 1000:7.2f} ms, p99 {p99 * 1000:7.2f} ms {p99 / alone:6.1f} x, "
            f"{sum(sent)} meanwhile"
        )


def _times(port: int, path: str, body: bytes, headers: Headers, status: int, count: int) -> list[float]:
    """Seconds of each. The connection is kept where the server keeps it."""
    found, connection = [], http.client.HTTPConnection(HOST, port, timeout=60)
    for _ in range(count):
        began = time.perf_counter()
        connection.request("POST", path, body, dict(headers))
        answer = connection.getresponse()
        answer.read()
        found.append(time.perf_counter() - began)
        if answer.status != status:
            raise RuntimeError(f"{path} was answered {answer.status} where {status} was due")
    connection.close()
    return found


@contextmanager
def _meanwhile(port: int, hostile: Request | None) -> Iterator[list[int]]:
    """It is sent again and again, as fast as it is answered. Afterwards: how often that was."""
    sent: list[int] = []
    if hostile is None:
        yield sent
        return
    path, body, headers, _ = hostile
    with tempfile.NamedTemporaryFile() as file:
        file.write(body)
        file.flush()
        command = [sys.executable, "-m", "bench.hostile_sender", str(port), path, file.name, json.dumps(dict(headers))]
        with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=processes.ROOT) as sender:
            try:
                yield sent
            finally:
                sent.append(int(sender.communicate(timeout=120)[0]))


def _signed(raw: bytes, secret: str) -> dict[str, str]:
    digest = hmac.digest(secret.encode(), raw, "sha256").hex()
    return {"X-Hub-Signature-256": f"sha256={digest}", "Content-Type": "application/json"}
