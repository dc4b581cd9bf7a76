"""Who lives and who is dead, by the locks of the daemons' sessions; and what happens to a dead one's shards."""

from __future__ import annotations

import time
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any
from uuid import uuid4

import psycopg2
import pytest

from db.daemons import lease, shards
from db.daemons.lease import AnotherDaemonError, LeaseSession
from db.pool import DatabaseError, Pool

LEASE = 15.0
ANSWER = 5.0


@pytest.fixture
def sessions(pool: Pool) -> Iterator[list[LeaseSession]]:
    made: list[LeaseSession] = []
    yield made
    for session in made:
        session.close()
    with pool.transaction() as cursor:
        cursor.execute("DELETE FROM daemons")
        cursor.execute("UPDATE shards SET owner = NULL")


@pytest.fixture(autouse=True)
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """How long one waits before one judges is not tried here."""
    monkeypatch.setattr(lease, "SILENT_SECONDS", 0.0)
    monkeypatch.setattr(lease, "SETTLED_SECONDS", 0.0)


def daemon(pool: Pool, sessions: list[LeaseSession], name: str, *, alone: bool = False) -> tuple[str, LeaseSession]:
    daemon_id = str(uuid4())
    session = LeaseSession(pool, daemon_id, name, alone=alone)
    sessions.append(session)
    session.renew(LEASE, ANSWER)
    return daemon_id, session


def take(pool: Pool, daemon_id: str, most: int = 16) -> dict[int, shards.TakenShard]:
    with pool.transaction() as cursor:
        return shards.take(cursor, daemon_id, most)


def cut(pool: Pool, session: LeaseSession) -> None:
    """As PostgreSQL sees the end of a process: its session is gone."""
    with pool.transaction() as cursor:
        cursor.execute("SELECT pg_terminate_backend(%s, 10000)", (session._connection.info.backend_pid,))
        assert cursor.fetchone() == (True,)


def test_the_shards_of_a_daemon_whose_session_is_gone_are_free_before_its_lease_is_over(
    pool: Pool, sessions: list[LeaseSession]
) -> None:
    dying, session = daemon(pool, sessions, "dying")
    heir, watching = daemon(pool, sessions, "heir")
    first = take(pool, dying)
    assert len(first) == 16
    assert watching.end_leases_of_the_dead() == [], "it holds its lock"
    assert take(pool, heir) == {}
    cut(pool, session)
    assert watching.end_leases_of_the_dead() == ["dying"]
    assert watching.end_leases_of_the_dead() == [], "once"
    assert take(pool, heir) == {n: shards.TakenShard(one.epoch + 1, True) for n, one in first.items()}


def test_whose_lease_has_run_out_in_an_outage_has_a_moment_to_come_back(
    pool: Pool, sessions: list[LeaseSession], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lease, "SETTLED_SECONDS", 3600.0)
    one, session = daemon(pool, sessions, "one")
    other, quicker = daemon(pool, sessions, "other")
    mine = take(pool, one)
    with pool.transaction() as cursor:
        cursor.execute("UPDATE daemons SET lease_until = now() - interval '1 second' WHERE id = %s", (one,))
    assert not quicker.settled, "it has come back itself only now"
    with pool.transaction() as cursor:
        assert shards.take(cursor, other, 16, expired=quicker.settled) == {}
    assert session.renew(LEASE, ANSWER) == {number: shard.epoch for number, shard in mine.items()}
    monkeypatch.setattr(lease, "SETTLED_SECONDS", 0.0)
    assert quicker.settled
    quicker.close()
    assert not quicker.settled, "after a new outage it begins anew"


def test_who_renews_over_a_new_session_lives(
    pool: Pool, sessions: list[LeaseSession], monkeypatch: pytest.MonkeyPatch
) -> None:
    one, session = daemon(pool, sessions, "one")
    _, watching = daemon(pool, sessions, "other")
    mine = take(pool, one)
    cut(pool, session)
    with pytest.raises(DatabaseError):
        session.renew(LEASE, ANSWER)
    assert session.renew(LEASE, ANSWER) == {n: taken.epoch for n, taken in mine.items()}
    assert watching.end_leases_of_the_dead() == []
    cut(pool, session)
    monkeypatch.setattr(lease, "SILENT_SECONDS", 60.0)
    assert watching.end_leases_of_the_dead() == [], "it has renewed a moment ago, and may come back"


def test_whoever_was_found_dead_and_is_not_takes_part_again(pool: Pool, sessions: list[LeaseSession]) -> None:
    thought_dead, session = daemon(pool, sessions, "thought dead")
    _, watching = daemon(pool, sessions, "other")
    cut(pool, session)
    assert watching.end_leases_of_the_dead() == ["thought dead"]
    with pytest.raises(DatabaseError):
        session.renew(LEASE, ANSWER)
    session.renew(LEASE, ANSWER)
    with pool.transaction() as cursor:
        assert len(shards.living(cursor)) == 2
    assert take(pool, thought_dead) != {}


def test_nobody_judges_others_right_after_its_own_session_began(
    pool: Pool, sessions: list[LeaseSession], monkeypatch: pytest.MonkeyPatch
) -> None:
    """PostgreSQL was away for all of them: who comes back first must not take the others for dead."""
    _, session = daemon(pool, sessions, "slow to come back")
    _, watching = daemon(pool, sessions, "first back")
    cut(pool, session)
    monkeypatch.setattr(lease, "SETTLED_SECONDS", 60.0)
    assert watching.end_leases_of_the_dead() == []


def test_nobody_is_judged_by_a_time_in_which_postgresql_stood_still(
    pool: Pool, sessions: list[LeaseSession], monkeypatch: pytest.MonkeyPatch
) -> None:
    """All were silent then, and those whose patience ended have lost their sessions. One goes on a little sooner."""
    ahead = [0.0]
    clock = SimpleNamespace(monotonic=lambda: time.monotonic() + ahead[0])
    monkeypatch.setattr(lease, "time", clock)
    monkeypatch.setattr(lease, "SETTLED_SECONDS", 3.0)
    _, session = daemon(pool, sessions, "cut off")
    _, watching = daemon(pool, sessions, "first back")

    def go_on(seconds: float) -> list[str]:
        ahead[0] += seconds
        watching.renew(LEASE, ANSWER)
        return watching.end_leases_of_the_dead()

    assert [go_on(1.0) for _ in range(4)] == [[], [], [], []], "it holds its lock"
    cut(pool, session)
    assert go_on(5.0) == []
    assert [go_on(1.0) for _ in range(4)] == [[], [], ["cut off"], []]


def test_a_daemon_of_before_has_no_lock_and_is_judged_by_its_lease(pool: Pool, sessions: list[LeaseSession]) -> None:
    with pool.transaction() as cursor:
        shards.renew(cursor, str(uuid4()), "older", LEASE)
    _, watching = daemon(pool, sessions, "newer")
    assert watching.end_leases_of_the_dead() == []
    with pool.transaction() as cursor:
        assert len(shards.living(cursor)) == 2


def test_where_one_daemon_only_may_be_a_second_is_told_why(pool: Pool, sessions: list[LeaseSession]) -> None:
    _, first = daemon(pool, sessions, "first", alone=True)
    with pytest.raises(AnotherDaemonError, match="RabbitMQ as BROKER_URL"):
        daemon(pool, sessions, "second", alone=True)
    first.close()
    daemon(pool, sessions, "third", alone=True)


def test_who_listens_hears_at_once_that_shards_are_free(
    pool: Pool, sessions: list[LeaseSession], postgres: str
) -> None:
    leaving, _ = daemon(pool, sessions, "leaving")
    take(pool, leaving)
    listening: Any = psycopg2.connect(postgres)
    try:
        listening.autocommit = True
        with listening.cursor() as cursor:
            cursor.execute(f"LISTEN {shards.CHANNEL}")
            with pool.transaction() as others:
                shards.give_up(others, leaving, 3)
            with pool.transaction() as others:
                shards.leave(others, leaving)
            cursor.execute("SELECT 1")
            assert [one.channel for one in listening.notifies] == [shards.CHANNEL] * 2
    finally:
        listening.close()
