"""Nobody makes web deaf by not ending what they began."""

from __future__ import annotations

import errno
import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import gevent
import pytest
import requests
from requests.adapters import HTTPAdapter

from demo.stack.ports import HOST
from tests import processes
from tests.security.proxies import Proxy
from tests.waiting import PATIENCE, wait_until
from web import connection
from web.connection import ReadingPace, TimedSocket, TooSlowError
from web.server import Addresses

ANOTHER_ADDRESS = "127.0.0.2"
MANY = 2_100
POST = b"POST /webhook/meta HTTP/1.1\r\nHost: relay\r\nX-Hub-Signature-256: sha256=" + b"0" * 64 + b"\r\n"
BODY = POST + b"Content-Type: application/json\r\nContent-Length: 1000\r\n\r\n{"
HEAD = POST + b"X-Slow: "


@pytest.fixture(scope="module")
def port(settings_env: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    with processes.web(settings_env, tmp_path_factory.mktemp("logs"), workers=2):
        yield int(settings_env["WEB_PORT"])


@pytest.mark.slow
@pytest.mark.parametrize(("addresses", "answers"), [(1, {408, 429}), (10, {408})])
def test_thousands_of_unfinished_posts_stop_nobody_else(port: int, addresses: int, answers: set[int]) -> None:
    """Of one address, and of so many that none of them holds more than its share."""
    with ExitStack() as held:
        begun = [held.enter_context(_begun(port, BODY, f"127.0.1.{1 + n % addresses}")) for n in range(MANY)]
        asked_at = time.monotonic()
        for _ in range(20):
            assert _asked_from(ANOTHER_ADDRESS, port).status_code == 200
        # Who had to wait for a place would have waited until the deadline of those who hold them.
        assert time.monotonic() - asked_at < connection.BODY_SECONDS / 2
        assert {_status(one) for one in begun} == answers


@pytest.mark.slow
@pytest.mark.parametrize("begin", [BODY, HEAD], ids=["body", "head"])
def test_a_request_of_one_byte_at_a_time_is_ended(port: int, begin: bytes) -> None:
    with _begun(port, begin) as slow, gevent.Timeout(PATIENCE):
        dripping = gevent.spawn(_drip, slow)
        assert _status(slow) == 408
        wait_until(dripping.ready, message="the connection to be closed")


def test_a_body_that_takes_its_time_within_the_deadline_is_taken(port: int) -> None:
    with _begun(port, BODY) as slow:
        gevent.sleep(1)
        slow.sendall(b" " * 998 + b"}")
        assert _status(slow) == 401


def test_after_an_answer_the_connection_takes_the_next_request(port: int) -> None:
    with requests.Session() as session:
        for _ in range(3):
            assert session.get(f"http://{HOST}:{port}/health/live", timeout=PATIENCE).status_code == 200


def test_web_answers_through_the_proxy(port: int, tmp_path: Path) -> None:
    with Proxy(port, tmp_path) as proxy:
        assert proxy.get("/health/live").json() == {"status": "live"}
        assert proxy.post("/webhook/meta", b"{}", headers={"X-Hub-Signature-256": "sha256=00"}).status_code == 401


@pytest.mark.parametrize("begin", ["wait_for_body", "wait_for_request"])
def test_the_deadline_is_one_for_all_that_is_read(begin: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection, "BODY_SECONDS", 0.3)
    monkeypatch.setattr(connection, "HEAD_SECONDS", 0.3)
    near, far = socket.socketpair()
    with near, far, gevent.Timeout(PATIENCE):
        client = TimedSocket(near, 15)
        getattr(client, begin)()
        dripping = gevent.spawn(_drip, far, 0.05)
        with pytest.raises(TooSlowError):
            _read_all(client)
        assert client.too_slow
        dripping.kill()


def test_what_is_more_than_one_piece_comes_at_the_pace_and_what_is_owed_is_paid_at_once() -> None:
    pace, piece, rate = ReadingPace(0.0), connection.PIECE_BYTES, connection.PACE_BYTES
    assert pace.wait_after(piece, 0.0) == 0
    assert pace.wait_after(rate, 0.0) == 1
    assert pace.wait_after(0, 1.0) == 0
    assert pace.wait_after(2 * rate, 2.0) == (2 * rate - piece) / rate  # a pause saves up one piece, and no more


def test_the_rest_of_a_large_body_waits_and_others_do_not(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection, "PACE_BYTES", 1)
    near, far = socket.socketpair()
    with near, far, gevent.Timeout(PATIENCE):
        client = TimedSocket(near, 15)
        gevent.spawn(far.sendall, bytes(connection.PIECE_BYTES))
        left = connection.PIECE_BYTES
        while left:
            left -= len(client.recv(left))
        far.sendall(bytes(1_000))
        reading = gevent.spawn(client.recv, 1_000)
        wait_until(lambda: not connection.unread_bytes(near), message="it to be taken from the socket")
        assert not reading.ready()
        reading.kill()


def test_who_takes_no_answer_is_let_go(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(connection, "TAKING_SECONDS", 0.2)
    large = tmp_path / "large"
    large.write_bytes(bytes(64 * 1024 * 1024))
    near, far = socket.socketpair()
    with near, far, gevent.Timeout(PATIENCE), large.open("rb") as file:
        client = TimedSocket(near, 15)
        with pytest.raises(BrokenPipeError) as caught:
            client.sendall(large.read_bytes())
        assert caught.value.errno == errno.EPIPE
        with pytest.raises(BrokenPipeError):
            client.sendfile(file)


def test_a_file_is_sent_whole(tmp_path: Path) -> None:
    content = bytes(range(256)) * 4096
    (tmp_path / "file").write_bytes(content)
    near, far = socket.socketpair()
    with near, far, gevent.Timeout(PATIENCE), (tmp_path / "file").open("rb") as file:
        sending = gevent.spawn(TimedSocket(near, 15).sendfile, file, 10, 700_000)
        found = b""
        while len(found) < 700_000:
            found += far.recv(65_536)
        assert (found, sending.get()) == (content[10:700_010], 700_000)


def test_static_files_arrive_whole(port: int) -> None:
    for path in ("static/portal/pages.css", "docs/swagger/js/swagger-ui-bundle.js"):
        answer = requests.get(f"http://{HOST}:{port}/{path}", timeout=PATIENCE)
        assert answer.status_code == 200, path
        assert len(answer.content) == int(answer.headers["Content-Length"])


def test_who_asks_nothing_more_is_let_go_without_a_word() -> None:
    near, far = socket.socketpair()
    with near, far:
        assert TimedSocket(near, 0.05).recv(10) == b""


def test_addresses_are_counted_by_themselves_and_ipv6_by_its_64() -> None:
    addresses = Addresses(2)
    with ExitStack() as held:
        assert [held.enter_context(addresses.one_more("192.0.2.1")) for _ in range(3)] == [True, True, False]
        assert held.enter_context(addresses.one_more("192.0.2.2"))
        tries = ("2001:db8::1", "2001:db8::2", "2001:db8::3", "2001:db8:0:1::1", "::ffff:192.0.2.1")
        assert [held.enter_context(addresses.one_more(one)) for one in tries] == [True, True, False, True, False]
    with addresses.one_more("192.0.2.1") as again:
        assert again


def _begun(port: int, words: bytes, address: str = HOST) -> socket.socket:
    found = socket.create_connection((HOST, port), timeout=PATIENCE, source_address=(address, 0))
    found.sendall(words)
    return found


def _read_all(client: TimedSocket) -> None:
    while client.recv(10):
        pass


def _drip(sock: socket.socket, pause: float = 0.2) -> None:
    try:
        while True:
            sock.sendall(b"x")
            gevent.sleep(pause)
    except OSError:
        return


def _status(sock: socket.socket) -> int:
    """Of the answer, however late it comes. A refusal that does not read may be overtaken by the connection's end."""
    try:
        return int(sock.recv(4096).split()[1])
    except ConnectionResetError:
        return 429


def _asked_from(address: str, port: int) -> requests.Response:
    with requests.Session() as session:
        adapter = HTTPAdapter()
        adapter.init_poolmanager(1, 1, source_address=(address, 0))
        session.mount("http://", adapter)
        return session.get(f"http://{HOST}:{port}/health/live", timeout=PATIENCE)
