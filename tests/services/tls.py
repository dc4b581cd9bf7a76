"""The same servers behind TLS, each known by a certificate that the test chooses."""

from __future__ import annotations

import os
import shutil
import signal
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import gevent
from gevent import socket
from gevent.server import StreamServer

from demo.stack import Child, Postgres
from demo.stack.objects import rclone
from demo.stack.ports import HOST, free_port, listens
from tests.services.certificates import HERE, Certificate
from tests.waiting import wait_until

SSL_REQUEST = bytes.fromhex("0000000804d2162f")
"""What a client of PostgreSQL sends first when it wants TLS; the server's yes is one letter."""
BLOCK = 64 * 1024
PASSWORD = "of-the-tests"


@contextmanager
def redis_by_tls(folder: Path, certificate: Certificate) -> Iterator[str]:
    """A Redis that speaks TLS only: the system's, since the wheel's is built without. Yields its URL, database 0."""
    port = free_port()
    folder.mkdir(parents=True, exist_ok=True)
    command = [
        *(_system_redis(), "--bind", HOST, "--port", "0", "--tls-port", str(port), "--tls-auth-clients", "no"),
        *("--tls-cert-file", str(certificate.certificate), "--tls-key-file", str(certificate.key)),
        *("--tls-ca-cert-file", str(certificate.certificate), "--requirepass", PASSWORD),
        *("--dir", str(folder), "--save", "", "--appendonly", "no"),
    ]
    with _running(Child("redis-tls", command, folder / "redis.log"), port):
        yield f"rediss://:{PASSWORD}@{HERE}:{port}/0"


@contextmanager
def objects_by_tls(folder: Path, certificate: Certificate) -> Iterator[dict[str, str]]:
    """An S3 server that speaks https only. Yields the settings that name it."""
    port = free_port()
    (folder / "objects").mkdir(parents=True, exist_ok=True)
    command = [
        *(rclone(), "serve", "s3", str(folder / "objects"), "--config", "", "--addr", f"{HOST}:{port}"),
        *("--cert", str(certificate.certificate), "--key", str(certificate.key)),
    ]
    env = os.environ | {"RCLONE_AUTH_KEY": f'"tests,{PASSWORD}"'}
    with _running(Child("objects-tls", command, folder / "objects.log", env, stop_signal=signal.SIGKILL), port):
        yield {
            "MINIO_ENDPOINT": f"{HERE}:{port}",
            "MINIO_PUBLIC_URL": f"https://{HERE}:{port}",
            "MINIO_ACCESS_KEY": "tests",
            "MINIO_SECRET_KEY": PASSWORD,
            "MINIO_SECURE": "true",
        }


@contextmanager
def postgres_by_tls(server: Postgres, url: str, certificate: Certificate) -> Iterator[str]:
    """`url` through a door with TLS, since the wheel's server is built without. Yields the URL that leads there."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate.certificate, certificate.key)

    def through(outside: Any, _address: Any) -> None:
        if outside.recv(len(SSL_REQUEST), socket.MSG_WAITALL) != SSL_REQUEST:
            outside.close()  # who asks for no TLS gets nothing
            return
        outside.sendall(b"S")
        try:
            secured = context.wrap_socket(outside, server_side=True)
        except ssl.SSLError:  # the client did not like the certificate
            return
        inside = socket.create_connection((HOST, server.port))
        gevent.joinall([gevent.spawn(_pump, secured, inside), gevent.spawn(_pump, inside, secured)])

    door = StreamServer((HOST, 0), through)
    door.start()
    try:
        yield url.replace(f"{HOST}:{server.port}", f"{HERE}:{door.server_port}") + "?sslmode=verify-full"
    finally:
        door.stop()


def _pump(source: Any, target: Any) -> None:
    """Until either side has had enough."""
    try:
        while block := source.recv(BLOCK):
            target.sendall(block)
    except OSError:
        pass
    target.close()
    source.close()


@contextmanager
def _running(child: Child, port: int) -> Iterator[None]:
    child.start()
    try:
        wait_until(lambda: _listens(child, port), 30, f"{child.name} to listen")
        yield
    finally:
        child.stop()


def _listens(child: Child, port: int) -> bool:
    child.check()
    return listens(port)


def _system_redis() -> str:
    found = shutil.which("redis-server", path="/usr/bin:/usr/local/bin:/opt/homebrew/bin")
    if not found:
        raise FileNotFoundError("no redis-server of the system: `make test` installs it where it may")
    return found
