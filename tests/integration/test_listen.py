"""Hearing what other processes tell over PostgreSQL, also after the server is another one."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from db.daemons import listen
from db.daemons.listen import Listener
from db.mailbox import sweep
from db.pool import Pool
from demo.stack import Postgres
from tests.services.postgres_trouble import administer, read_only
from tests.waiting import wait_until


class Ears:
    def __init__(self) -> None:
        self.heard: list[tuple[str, str]] = []
        self.connected = 0

    def hear(self, channel: str, payload: str) -> None:
        self.heard.append((channel, payload))

    def connect(self) -> None:
        self.connected += 1


@pytest.fixture
def ears(pool: Pool) -> Iterator[Ears]:
    ears = Ears()
    listener = Listener(pool, ears.hear, ears.connect)
    listener.start(lambda error: pytest.fail(f"the listener ended: {error}"))
    wait_until(lambda: ears.connected, message="it to listen")
    yield ears
    listener.stop()


def tell(pool: Pool) -> None:
    with pool.transaction() as cursor:
        sweep.notify(cursor, 3, "c")


def test_what_is_told_is_heard_and_so_it_is_after_the_connection_was_ended(
    pool: Pool, postgres: str, ears: Ears
) -> None:
    tell(pool)
    wait_until(lambda: ears.heard == [("relay_wake", "3:c")], message="the word")
    administer(postgres, "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query LIKE 'LISTEN%'")
    wait_until(lambda: ears.connected == 2, message="it to listen again")
    tell(pool)
    wait_until(lambda: len(ears.heard) == 2, message="the second word")


def test_a_server_that_takes_no_writes_is_left_because_nobody_tells_anything_there(
    pool: Pool, postgres_server: Postgres, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As after a fail-over that keeps the sessions: the next connection may lead to the new primary."""
    monkeypatch.setattr(listen, "SILENCE_SECONDS", 0.1)
    ears = Ears()
    listener = Listener(pool, ears.hear, ears.connect)
    listener.start(lambda error: pytest.fail(f"the listener ended: {error}"))
    wait_until(lambda: ears.connected, message="it to listen")
    with read_only(postgres_server.url()):
        wait_until(lambda: ears.connected >= 2, message="it to listen elsewhere")
    wait_until(lambda: _hears(pool, ears), message="a word, once it listens again", interval=0.2)
    listener.stop()


def _hears(pool: Pool, ears: Ears) -> bool:
    tell(pool)
    return bool(ears.heard)
