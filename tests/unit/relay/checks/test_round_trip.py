"""A signature that goes out and comes in again: what each answer of the other end means."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from ssl import PROTOCOL_TLS_SERVER
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from gevent.server import StreamServer
from gevent.ssl import SSLContext

from relay.channels import load
from relay.channels.http.client import HttpTransport
from relay.checks.round_trip import RoundTrip
from tests.unit.relay.channels.accounts import Tokens
from tests.unit.relay.channels.servers import Handler, Served, answer, serving
from tests.waiting import PATIENCE

CHANNELS = {name: load(name, HttpTransport(Tokens())) for name in ("whatsapp", "genesys")}
SECRET = "the-secret-of-this-line"


def web(status: int = 401, secret: str = SECRET, channel: str = "whatsapp", *, ours: bool = True) -> Handler:
    """Takes what `secret` signs; all else is answered with `status`, in our own shape or not."""

    def handle(_: Served, sock: Any, asked: Any) -> bool:
        if CHANNELS[channel].verify(secret, asked.body, asked.headers.get("x-hub-signature-256")):
            return answer(sock, b"")
        body = {"error": {"request_id": "r1"}} if ours else {"detail": "no"}
        return answer(sock, body, status, X_Request_ID="r1")

    return handle


def tried(handler: Handler, channel: str = "whatsapp", seconds: float = PATIENCE) -> tuple[str, str]:
    with serving(handler) as served:
        trip = RoundTrip(CHANNELS[channel], f"{served.url}/webhook", time.monotonic() + seconds)
        found = trip.finding(SECRET)
    assert found.check == f"round_trip_{channel}"
    assert found.level == "ok" or found.advice
    assert SECRET not in found.text + found.advice
    return found.level, found.text


@pytest.mark.parametrize("channel", ["whatsapp", "genesys"])
def test_taken_and_refused_as_it_should_be(channel: str) -> None:
    assert tried(web(channel=channel), channel)[0] == "ok"


@pytest.mark.parametrize(
    ("handler", "level", "said"),
    [
        (lambda _, sock, __: answer(sock, b"hello"), "refused", "a wrong signature was answered with 200"),
        (web(secret="another"), "refused", "does not know the secret"),
        (web(401, "another", ours=False), "refused", "another server answers at our webhook address, with 401"),
        (web(404, "another"), "refused", "our own web answers at our webhook address, with 404"),
        (web(503, "another"), "warning", "cannot take webhooks at the moment"),
        (web(503, "another", ours=False), "refused", "another server answers"),
        (lambda _, sock, __: answer(sock, b"", 301, Location="/x"), "refused", "redirects (301)"),
        (lambda *_: False, "warning", "nothing answers"),
    ],
)
def test_what_else_comes_back_is_said_in_words(handler: Handler, level: str, said: str) -> None:
    found = tried(handler)
    assert found[0] == level
    assert said in found[1]


def test_nobody_there() -> None:
    trip = RoundTrip(CHANNELS["whatsapp"], "http://127.0.0.1:1/webhook", time.monotonic() + PATIENCE)
    assert trip.finding(SECRET).level == "warning"


def test_no_time_left() -> None:
    trip = RoundTrip(CHANNELS["whatsapp"], "http://127.0.0.1:1/webhook", time.monotonic())
    assert "in time" in trip.finding(SECRET).text


def self_signed(folder: Path) -> SSLContext:
    """A certificate that only we believe in."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .sign(key, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    private = key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    (folder / "all.pem").write_bytes(private + certificate.public_bytes(pem))
    context = SSLContext(PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "all.pem")
    return context


def test_a_certificate_that_nobody_trusts(tmp_path: Path) -> None:
    server = StreamServer(("127.0.0.1", 0), lambda *_: None, ssl_context=self_signed(tmp_path))
    server.start()
    try:
        url = f"https://127.0.0.1:{server.server_port}/webhook"
        found = RoundTrip(CHANNELS["whatsapp"], url, time.monotonic() + PATIENCE).finding(SECRET)
    finally:
        server.stop()
    assert (found.level, "TLS" in found.text) == ("refused", True)
