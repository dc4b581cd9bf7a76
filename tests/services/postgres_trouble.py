"""What an administrator, a fail-over or a broken wire does to a PostgreSQL, done to the tests' own."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager

import gevent
import psycopg2
from gevent import socket
from gevent.server import StreamServer

from demo.stack.ports import HOST
from tests.waiting import wait_until

WRITES_ALL_THE_SAME = "-c default_transaction_read_only=off"


def administer(url: str, *statements: str) -> None:
    """Each statement for itself, by the server's administrator."""
    with closing(psycopg2.connect(url, options=WRITES_ALL_THE_SAME)) as connection:
        connection.autocommit = True
        for statement in statements:
            with connection.cursor() as cursor:
                cursor.execute(statement)


@contextmanager
def read_only(url: str) -> Iterator[None]:
    """The whole server refuses writes, and keeps the sessions that it has."""
    administer(url, "ALTER SYSTEM SET default_transaction_read_only = on", "SELECT pg_reload_conf()")
    wait_until(lambda: shown(url) == "on", message="the server to refuse writes")
    try:
        yield
    finally:
        administer(url, "ALTER SYSTEM RESET default_transaction_read_only", "SELECT pg_reload_conf()")
        wait_until(lambda: shown(url) == "off", message="the server to take writes again")


def shown(url: str) -> str:
    with closing(psycopg2.connect(url)) as connection, connection.cursor() as cursor:
        cursor.execute("SHOW default_transaction_read_only")
        return str(cursor.fetchone()[0])


@contextmanager
def cutting_commits(port: int) -> Iterator[int]:
    """A port that leads to the server's and ends the connection when the server has answered to a COMMIT."""

    def serve(client: socket.socket, _address: object) -> None:
        with closing(client), closing(socket.create_connection((HOST, port))) as server:
            committing = gevent.event.Event()

            def up() -> None:
                while data := client.recv(65536):
                    if b"COMMIT" in data:
                        committing.set()
                    server.sendall(data)

            upwards = gevent.spawn(up)
            while data := server.recv(65536):
                if committing.is_set():
                    break
                client.sendall(data)
            upwards.kill()

    with closing(StreamServer((HOST, 0), serve)) as forwarder:
        forwarder.start()
        yield forwarder.server_port
