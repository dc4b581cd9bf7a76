"""The transport against servers that misbehave: what a fault means, and that nothing is sent twice."""

import gc
import socket
from collections.abc import Callable
from functools import partial
from typing import Any

import gevent
import pytest
from gevent.server import StreamServer

from relay.channels.http import connections
from relay.channels.http.client import HttpTransport
from relay.channels.http.exchange import LONGEST_ANSWER
from relay.channels.http.origins import TrustedOrigins, origin_of, own_origins
from relay.core.errors import SendError
from tests.unit.relay.channels.accounts import PHONE, Tokens
from tests.unit.relay.channels.calls import SECRET, failed, post, soon
from tests.unit.relay.channels.servers import Asked, Handler, Served, answer, drip, half, reset, serving
from tests.waiting import PATIENCE

SHORT = 1.0
"""Seconds: enough to connect and to send on a busy machine; then the time is up on purpose."""
OK = b'HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{"id": 1}'


def test_a_call(transport: HttpTransport) -> None:
    with serving(lambda _, sock, asked: answer(sock, {"ok": asked.json}, 201, X_Trace="t")) as served:
        given = post(transport, served.url)
    assert (given.status, given.data, given.headers["x-trace"]) == (201, {"ok": {"to": f"+{PHONE}"}}, "t")
    (asked,) = served.asked
    assert asked.line == "POST /messages HTTP/1.1"
    assert asked.headers["authorization"] == SECRET
    assert asked.headers["content-type"] == "application/json"
    assert asked.headers["user-agent"].startswith("whatsapp-genesys-relay/")


def test_connections_are_kept(transport: HttpTransport) -> None:
    with serving(lambda _, sock, __: answer(sock, {})) as served:
        for _ in range(3):
            post(transport, served.url)
        assert (served.connections, len(served.asked)) == (1, 3)


def test_parallel_calls_have_a_connection_each(transport: HttpTransport) -> None:
    with serving(lambda _, sock, __: answer(sock, {})) as served:
        gevent.joinall([gevent.spawn(post, transport, served.url) for _ in range(8)], raise_error=True)
        assert served.connections <= 8
        assert len(served.asked) == 8


def test_an_idle_connection_is_dropped(transport: HttpTransport, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connections, "IDLE_SECONDS", 0.0)
    with serving(lambda _, sock, __: answer(sock, {})) as served:
        post(transport, served.url)
        post(transport, served.url)
        assert served.connections == 2


def test_a_kept_connection_that_the_server_closed_is_replaced(transport: HttpTransport) -> None:
    def once(_: Served, sock: socket.socket, __: Asked) -> bool:
        answer(sock, {})
        return False

    with serving(once) as served:
        for _ in range(3):
            post(transport, served.url)
            while not _closed(transport):
                gevent.sleep(0)
        assert (served.connections, len(served.asked)) == (3, 3)


def _closed(transport: HttpTransport) -> bool:
    """True once the end of the stream has reached our side."""
    return not any(c.usable() for idle in transport._connections._idle.values() for c in idle)


def test_a_stale_connection_found_while_writing_is_not_written_to_again(transport: HttpTransport) -> None:
    """The server reads the second request and resets: it may have carried it out, so once is enough."""

    def second_is_reset(served: Served, sock: socket.socket, _: Asked) -> bool:
        return answer(sock, {}) if len(served.asked) == 1 else reset(sock)

    with serving(second_is_reset) as served:
        post(transport, served.url)
        error = failed(lambda: post(transport, served.url))
        assert error.fate == "unknown"
        assert len(served.asked) == 2
        assert served.connections == 1


LONG = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % (LONGEST_ANSWER + 1) + b"x" * (LONGEST_ANSWER + 1)


@pytest.mark.parametrize(
    "handler",
    [
        pytest.param(lambda _, sock, __: reset(sock), id="reset-after-body"),
        pytest.param(half(b""), id="closed-after-body"),
        pytest.param(half(b"HTTP/1.1 200 OK\r\nContent-Le"), id="half-a-head"),
        pytest.param(half(b'HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{"id'), id="half-a-body"),
        pytest.param(half(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhel"), id="half-a-chunk"),
        pytest.param(half(b"SSH-2.0-OpenSSH_9.2\r\n\r\n"), id="not-http"),
        pytest.param(half(OK + OK), id="two-answers"),
        pytest.param(half(b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 100_000), id="endless-head"),
        pytest.param(half(LONG), id="endless-body"),
    ],
)
def test_after_the_first_byte_the_outcome_is_unknown(transport: HttpTransport, handler: Handler) -> None:
    with serving(handler) as served:
        assert failed(lambda: post(transport, served.url)).fate == "unknown"
        assert failed(lambda: post(transport, served.url, repeatable=True)).fate == "retry"
        assert len(served.asked) == 2


def test_interim_answers_are_skipped(transport: HttpTransport) -> None:
    with serving(half(b"HTTP/1.1 102 Processing\r\n\r\n" + OK)) as served:
        assert post(transport, served.url).data == {"id": 1}


def test_a_slow_drip_does_not_outlive_the_deadline(transport: HttpTransport) -> None:
    def dripping(_: Served, sock: socket.socket, __: Asked) -> bool:
        drip(sock, OK, 0.1)  # some five seconds in all
        return False

    with serving(dripping) as served:
        error = failed(lambda: post(transport, served.url, soon(SHORT)))
        assert (error.fate, error.code) == ("unknown", "timeout")


def test_every_call_is_bounded_even_with_a_late_deadline() -> None:
    transport = HttpTransport(Tokens(), request_seconds=SHORT)

    def silent(_: Served, __: socket.socket, ___: Asked) -> bool:
        gevent.sleep(PATIENCE)
        return False

    with serving(silent) as served:
        assert failed(lambda: post(transport, served.url, soon(60))).code == "timeout"


def test_no_time_left_means_nothing_was_sent(transport: HttpTransport) -> None:
    with serving(lambda _, sock, __: answer(sock, {})) as served:
        assert failed(lambda: post(transport, served.url, soon(-1))).fate == "retry"
        assert served.connections == 0


def test_somebody_elses_timeout_is_not_swallowed(transport: HttpTransport) -> None:
    def silent(_: Served, __: socket.socket, ___: Asked) -> bool:
        gevent.sleep(PATIENCE)
        return False

    with serving(silent) as served, pytest.raises(gevent.Timeout), gevent.Timeout(0.05):
        post(transport, served.url)


def test_no_connection_is_a_plain_retry(transport: HttpTransport) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{taken.getsockname()[1]}"
        error = failed(lambda: post(transport, url))
    assert (error.fate, error.code) == ("retry", "connect_failed")


def test_an_unknown_name_is_a_plain_retry(transport: HttpTransport) -> None:
    error = failed(lambda: post(transport, "https://nowhere.invalid"))
    assert (error.fate, error.code) in (("retry", "connect_failed"), ("retry", "connect_timeout"))
    assert "nowhere" not in str(error)


def listening(connected: Callable[[socket.socket, Any], None]) -> StreamServer:
    server = StreamServer(("127.0.0.1", 0), connected)
    server.start()
    return server


def test_a_server_without_tls_is_a_plain_retry(transport: HttpTransport) -> None:
    server = listening(lambda sock, _: sock.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n"))
    try:
        error = failed(lambda: post(transport, f"https://127.0.0.1:{server.server_port}"))
    finally:
        server.stop()
    assert (error.fate, error.code) == ("retry", "tls_failed")


def test_a_connection_that_never_completes_is_a_plain_retry(transport: HttpTransport) -> None:
    def silent(sock: socket.socket, _: Any) -> None:
        gevent.sleep(PATIENCE)

    server = listening(silent)
    try:
        error = failed(lambda: post(transport, f"https://127.0.0.1:{server.server_port}", soon(SHORT)))
    finally:
        server.stop()
    assert (error.fate, error.code) == ("retry", "connect_timeout")


def test_before_send_is_asked_last_and_can_stop_it(transport: HttpTransport) -> None:
    def lost() -> None:
        while not served.connections:
            gevent.sleep(0)
        raise SendError("retry", "lease_lost", "another daemon owns it")

    with serving(lambda _, sock, __: answer(sock, {})) as served:
        error = failed(lambda: post(transport, served.url, before_send=lost))
        assert (error.fate, error.code) == ("retry", "lease_lost")
        gevent.sleep(0.01)
        assert served.asked == []


def test_an_early_refusal_of_a_large_body_is_read(transport: HttpTransport) -> None:
    def refusing(sock: socket.socket, _: Any) -> None:
        sock.recv(100)
        answer(sock, {"error": {"code": 190}}, 401)
        sock.shutdown(socket.SHUT_WR)
        gevent.sleep(0.2)

    server = listening(refusing)
    url = f"http://127.0.0.1:{server.server_port}"
    try:
        given = transport.upload(
            url,
            TrustedOrigins(own_origins(url)),
            soon(),
            authorization=SECRET,
            content_type="x/y",
            body=(b"x" * 65536 for _ in range(400)),
            length=65536 * 400,
        )
        assert given.status == 401
    finally:
        server.stop()


def test_a_token_that_would_break_the_header_is_refused(transport: HttpTransport) -> None:
    with serving(lambda _, sock, __: answer(sock, {})) as served:
        trust = TrustedOrigins(own_origins(served.url))
        for token in ("Bearer a\r\nX-Evil: 1", "Bearer é"):
            call = partial(transport.call, "GET", served.url, trust, soon(), authorization=token)
            assert failed(call).fate == "credentials"
        assert failed(lambda: transport.call("GET", served.url + "/a b", trust, soon())).fate == "refused"
        assert served.asked == []


def test_a_token_goes_to_the_providers_hosts_only(transport: HttpTransport) -> None:
    error = failed(
        lambda: transport.call("GET", "https://example.org/", TrustedOrigins(), soon(), authorization=SECRET)
    )
    assert (error.fate, error.code) == ("refused", "url_refused")


def test_only_who_trusts_a_host_gets_its_kept_connections(transport: HttpTransport) -> None:
    """A kept connection skips the check of the address, which a stranger's URL must not."""
    pool = transport._connections
    origin = origin_of("https://127.0.0.1:1")
    near, far = socket.socketpair()
    try:
        pool.give(connections.Connection(origin, near))
        assert failed(lambda: pool.take(origin, TrustedOrigins())).code == "address_refused"
        assert pool.take(origin, TrustedOrigins(frozenset([origin]))).sock is near
    finally:
        near.close()
        far.close()


def test_no_sockets_are_left_behind(transport: HttpTransport) -> None:
    with serving(lambda _, sock, __: reset(sock)) as served:
        for _ in range(5):
            failed(lambda: post(transport, served.url))
    gc.collect()
    assert transport._connections._idle == {}
