"""The peer's task: one message is inserted, sent under its conversation's lock, and its row updated.

Late acks and confirmed publishes, since nothing may be lost; a failed call is repeated with growing pauses. Who waits
for a lock gets it in any order, so messages of one conversation may swap: that is what this build is like.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any

import psycopg2
import psycopg2.extras
import psycopg2.pool
import redis
import requests
from celery import Celery, Task, signals
from gevent.lock import BoundedSemaphore
from psycogreen.gevent import patch_psycopg
from requests.adapters import HTTPAdapter

CONNECTIONS = 20
TABLE = """
CREATE TABLE IF NOT EXISTS peer_messages (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, source_id text NOT NULL UNIQUE, sender text NOT NULL,
    payload jsonb NOT NULL, received_at timestamptz NOT NULL DEFAULT now(), sent_at timestamptz, provider_id text)
"""
INSERT = """
INSERT INTO peer_messages (source_id, sender, payload) VALUES (%s, %s, %s)
ON CONFLICT (source_id) DO UPDATE SET source_id = excluded.source_id RETURNING id, sent_at
"""
OUTCOME = "UPDATE peer_messages SET sent_at = now(), provider_id = %s WHERE id = %s"

app = Celery("peer", broker=os.environ["BROKER_URL"])
app.conf.update(
    task_acks_late=True,
    task_ignore_result=True,
    result_backend_thread_safe=True,  # else each greenlet looks for its own among all installed packages
    task_default_queue_type="quorum",
    task_default_queue="peer",
    worker_detect_quorum_queues=True,
    broker_transport_options={"confirm_publish": True},
    worker_prefetch_multiplier=4,
    worker_send_task_events=False,
)


@app.task(bind=True, max_retries=20)
def relay_message(self: Task, message: dict[str, Any]) -> None:
    source_id, sender = message["id"], message["from"]
    with _connection() as connection, connection, connection.cursor() as cursor:
        cursor.execute(INSERT, (source_id, sender, psycopg2.extras.Json(message)))
        row_id, sent_at = cursor.fetchone()
    if sent_at is not None:
        return
    try:
        with _redis().lock(f"conversation:{sender}", timeout=30, blocking_timeout=30):
            answer = _session().post(
                os.environ["PROVIDER_URL"] + "/api/v2/conversations/messages/peer/inbound/open/message",
                json={"channel": {"from": {"id": sender, "idType": "Opaque"}}, "text": message["text"]["body"]},
                timeout=10,
            )
            answer.raise_for_status()
    except (requests.RequestException, redis.exceptions.LockError) as error:
        raise self.retry(exc=error, countdown=min(2**self.request.retries, 30)) from error
    with _connection() as connection, connection, connection.cursor() as cursor:
        cursor.execute(OUTCOME, (answer.json()["id"], row_id))


@signals.worker_init.connect
def _begin(**_: Any) -> None:
    patch_psycopg()
    with _connection() as connection, connection, connection.cursor() as cursor:
        cursor.execute(TABLE)


@contextmanager
def _connection() -> Iterator[Any]:
    # psycopg2's own pool raises when it is empty; this waits.
    pool, room = _pool()
    with room:
        connection = pool.getconn()
        try:
            yield connection
        finally:
            pool.putconn(connection)


@cache
def _pool() -> tuple[psycopg2.pool.ThreadedConnectionPool, BoundedSemaphore]:
    return psycopg2.pool.ThreadedConnectionPool(CONNECTIONS, CONNECTIONS, os.environ["DATABASE_URL"]), BoundedSemaphore(
        CONNECTIONS
    )


@cache
def _redis() -> redis.Redis:
    return redis.Redis.from_url(os.environ["REDIS_URL"])


@cache
def _session() -> requests.Session:
    session = requests.Session()
    session.mount("http://", HTTPAdapter(pool_connections=1, pool_maxsize=100))
    return session
