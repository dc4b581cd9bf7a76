"""The limit's daemon: takes groups, inserts them in one statement, sends by a few actors, writes outcomes in groups."""

from __future__ import annotations

from gevent import monkey

monkey.patch_all()

import os
import socket
import sys
from typing import Any
from urllib.parse import urlsplit
from zlib import crc32

import gevent
import orjson
import psycopg2
import psycopg2.extras
import pykka
from gevent.event import Event
from kombu import Connection
from psycogreen.gevent import patch_psycopg

from bench.limit.confirms import DURABLE, QUEUE

ACTORS = 32
PREFETCH = 2_000
TABLE = """
CREATE TABLE IF NOT EXISTS limit_messages (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, source_id text NOT NULL UNIQUE, sender text NOT NULL,
    payload jsonb NOT NULL, received_at timestamptz NOT NULL DEFAULT now(), sent_at timestamptz, provider_id text)
    WITH (fillfactor = 70)
"""
INSERT = """
INSERT INTO limit_messages (source_id, sender, payload) SELECT * FROM unnest(%s::text[], %s::text[], %s::jsonb[])
ON CONFLICT (source_id) DO NOTHING RETURNING id, source_id
"""
OUTCOME = """
UPDATE limit_messages SET sent_at = now(), provider_id = found.provider_id
FROM unnest(%s::bigint[], %s::text[]) AS found (id, provider_id) WHERE limit_messages.id = found.id
"""


class Outcomes:
    """Gathers while the group before is being written."""

    def __init__(self, url: str) -> None:
        self._connection = psycopg2.connect(url)
        self._connection.autocommit = True
        self._held: list[tuple[int, str]] = []
        self._some = Event()
        gevent.spawn(self._write).link_exception(_end)

    def add(self, row_id: int, provider_id: str) -> None:
        self._held.append((row_id, provider_id))
        self._some.set()

    def _write(self) -> None:
        with self._connection.cursor() as cursor:
            while True:
                self._some.wait()
                self._some.clear()
                group, self._held = self._held, []
                cursor.execute(OUTCOME, (list(map(list, zip(*group, strict=True)))))


class SenderActor(pykka.ThreadingActor):
    """Sends over a kept connection of its own."""

    def __init__(self, base: str, outcomes: Outcomes) -> None:
        super().__init__()
        self._url = urlsplit(base)
        self._outcomes = outcomes
        self._sock = socket.create_connection((self._url.hostname, self._url.port))
        self._sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def on_receive(self, message: Any) -> None:
        row_id, sender, text = message
        body = orjson.dumps({"channel": {"from": {"id": sender, "idType": "Opaque"}}, "text": text})
        head = (
            f"POST {self._url.path}/api/v2/conversations/messages/limit/inbound/open/message HTTP/1.1\r\n"
            f"Host: {self._url.netloc}\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
        )
        self._sock.sendall(head.encode() + body)
        self._outcomes.add(row_id, orjson.loads(self._answer())["id"])

    def _answer(self) -> bytes:
        held = b""
        while True:
            held += self._sock.recv(65536)
            head, found, body = held.partition(b"\r\n\r\n")
            if not found:
                continue
            length = int(head.lower().partition(b"content-length:")[2].partition(b"\r\n")[0])
            if len(body) >= length:
                if not head.startswith(b"HTTP/1.1 200"):
                    raise RuntimeError(head.decode())
                return body


def run(database: str, broker: str, provider: str) -> None:
    patch_psycopg()
    rows = psycopg2.connect(database)
    rows.autocommit = True
    cursor = rows.cursor()
    cursor.execute(TABLE)
    outcomes = Outcomes(database)
    actors = [SenderActor.start(provider, outcomes) for _ in range(ACTORS)]
    connection = Connection(broker).connect()
    channel = connection.channel()
    channel.queue_declare(QUEUE, durable=True, auto_delete=False, arguments=DURABLE)
    channel.basic_qos(0, PREFETCH, False)
    held: list[Any] = []
    some = Event()

    def take(delivery: Any) -> None:
        held.append(delivery)
        some.set()

    def write() -> None:
        nonlocal held
        while True:
            some.wait()
            some.clear()
            group, held = held, []
            messages = {one["id"]: one for one in (orjson.loads(delivery.body) for delivery in group)}
            senders = [one["from"] for one in messages.values()]
            payloads = [orjson.dumps(one).decode() for one in messages.values()]
            cursor.execute(INSERT, (list(messages), senders, payloads))
            ids = {source_id: row_id for row_id, source_id in cursor.fetchall()}
            channel.basic_ack(group[-1].delivery_tag, multiple=True)
            for source_id, one in messages.items():
                if source_id in ids:
                    actor = actors[crc32(one["from"].encode()) % ACTORS]
                    actor.tell((ids[source_id], one["from"], one["text"]["body"]))

    gevent.spawn(write).link_exception(_end)
    channel.basic_consume(QUEUE, callback=take)
    print("ready", flush=True)
    while True:
        connection.drain_events()


def _end(greenlet: Any) -> None:
    print(greenlet.exception, file=sys.stderr, flush=True)
    os._exit(1)


if __name__ == "__main__":
    run(os.environ["DATABASE_URL"], os.environ["BROKER_URL"], os.environ["PROVIDER_URL"])
