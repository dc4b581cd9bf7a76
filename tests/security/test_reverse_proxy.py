"""conf/nginx.conf in a real nginx: what is slow, too large, too much or made up ends there and does not reach web."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack
from typing import Any

import pytest
import requests
from gevent.pywsgi import WSGIServer

from demo.stack.ports import HOST
from tests.security.proxies import Proxy
from tests.waiting import PATIENCE
from web.api.graph import media

MIB = 1024 * 1024
UNFINISHED = b"POST /webhook/meta HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000\r\n\r\n{"
CONNECTIONS = 100
"""What the configuration lets one address hold."""


class Upstream:
    """Stands where web would, and keeps what it was asked."""

    def __init__(self) -> None:
        self.asked: list[dict[str, Any]] = []
        self.server = WSGIServer((HOST, 0), self, log=None)

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        self.asked.append({**environ, "read": len(environ["wsgi.input"].read())})
        start_response("200 OK", [("Content-Type", "text/plain")])
        return [b"here"]


@pytest.fixture(scope="module")
def upstream() -> Iterator[Upstream]:
    found = Upstream()
    found.server.start()
    yield found
    found.server.stop()


@pytest.fixture(scope="module")
def proxy(upstream: Upstream, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Proxy]:
    with Proxy(upstream.server.server_port, tmp_path_factory.mktemp("nginx")) as found:
        yield found


def test_nobody_makes_up_the_address_they_come_from(proxy: Proxy, upstream: Upstream) -> None:
    made_up = {"X-Forwarded-For": "203.0.113.9", "Forwarded": "for=203.0.113.9"}
    assert proxy.get("/x", headers=made_up).text == "here"
    asked = upstream.asked[-1]
    assert (asked["HTTP_X_FORWARDED_FOR"], asked.get("HTTP_FORWARDED")) == (HOST, None)


def test_a_body_is_passed_up_to_what_web_takes_and_no_further(proxy: Proxy, upstream: Upstream) -> None:
    assert proxy.post("/x", b"x" * (4 * MIB)).status_code == 200
    assert upstream.asked[-1]["read"] == 4 * MIB
    before = len(upstream.asked)
    assert proxy.post("/x", b"x" * (4 * MIB + 1)).status_code == 413
    assert len(upstream.asked) == before


def test_a_file_that_a_program_uploads_is_passed_whole(proxy: Proxy, upstream: Upstream) -> None:
    size = media.LARGEST + media.AROUND
    assert proxy.post("/v25.0/300000000000001/media", b"x" * size).status_code == 200
    assert upstream.asked[-1]["read"] == size
    for path, much in (("/v25.0/300000000000001/media", 17 * MIB), ("/v25.0/300000000000001/messages", 4 * MIB)):
        assert proxy.post(path, b"x" * (much + 1)).status_code == 413


def test_unfinished_bodies_do_not_reach_web_and_stop_nobody(proxy: Proxy, upstream: Upstream) -> None:
    before = len(upstream.asked)
    with ExitStack() as held:
        for _ in range(CONNECTIONS // 2):
            held.enter_context(proxy.connection()).sendall(UNFINISHED)
        assert proxy.get("/other").text == "here"
        assert [one["PATH_INFO"] for one in upstream.asked[before:]] == ["/other"]


def test_one_address_holds_only_so_many_requests(proxy: Proxy) -> None:
    with ExitStack() as held:
        for _ in range(CONNECTIONS):
            held.enter_context(proxy.connection()).sendall(UNFINISHED)
        over = held.enter_context(proxy.connection())
        over.sendall(UNFINISHED)
        assert b" 429 " in over.recv(4096).partition(b"\r\n")[0]


def test_metrics_are_not_for_strangers(proxy: Proxy, upstream: Upstream) -> None:
    before = len(upstream.asked)
    assert proxy.get("/metrics").status_code == 404
    assert len(upstream.asked) == before


def test_plain_http_leads_to_the_name_that_is_set_and_no_other(proxy: Proxy) -> None:
    url = f"http://{HOST}:{proxy.plain_port}/portal/"
    found = requests.get(url, headers={"Host": "evil.example"}, allow_redirects=False, timeout=PATIENCE)
    assert (found.status_code, found.headers["Location"]) == (301, "https://relay.example.com/portal/")


@pytest.mark.parametrize("path", ["/api/tenants", "/webhook/meta", "/auth/token", "/whatsapp/send", "/metrics"])
def test_a_key_that_came_by_plain_http_is_not_helped_on(proxy: Proxy, path: str) -> None:
    url = f"http://{HOST}:{proxy.plain_port}{path}"
    found = requests.get(url, headers={"Authorization": "Bearer k"}, allow_redirects=False, timeout=PATIENCE)
    assert (found.status_code, found.headers.get("Location")) == (403, None)
