"""A whole daemon, in this process, whose parts fail: what goes on, what begins anew, and what ends it with a word."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

import gevent
import pytest
from structlog.testing import capture_logs

from conf.loading import load_settings
from db.daemons import shards
from db.pool import Pool
from demo.stack.ports import free_port
from relay.actors import parked, supervisor
from relay.core.mailbox import Attempt
from relay.daemon.bootstrap import build_daemon
from relay.daemon.service import Service
from relay.runtime.actor import Ping, failing, tell
from relay.runtime.commands import Outcome
from tests.integration.rows import NOW, new_line, new_message, sent_message
from tests.services.postgres_trouble import administer
from tests.waiting import PATIENCE, wait_until


class Odd:
    """A command that no actor has a use for: its handler raises."""


@dataclass
class Daemon:
    service: Service
    run: Any
    said: list[Any]

    @property
    def shards(self) -> dict[int, Any]:
        return dict(self.service.parts.shards)

    def count(self, event: str) -> int:
        return sum(one["event"] == event for one in self.said)


def fail(ref: Any, times: int) -> None:
    for _ in range(times):
        tell(ref, Odd())


def begin_anew(daemon: Daemon, number: int) -> None:
    """Make this shard fail until it is replaced, and wait until it is."""
    before = daemon.shards[number]
    passages = before._actor_weakref()._passages.values()
    wait_until(lambda: all(one.has_caught_up for one in passages), message="its marks: each is a success")
    fail(before, supervisor.SHARD_FAILURES)
    wait_until(lambda: daemon.shards.get(number, before) is not before, message="it to begin anew")
    assert not before.is_alive()


@contextmanager
def running(settings_env: dict[str, str]) -> Iterator[Daemon]:
    settings = load_settings({**settings_env, "METRICS_PORT": str(free_port())})
    service = build_daemon(settings)
    with capture_logs() as said:
        run = gevent.spawn(service.run)
        held = Daemon(service, run, said)
        try:
            wait_until(lambda: len(held.shards) == settings.relay_shards, message="it to have its shards")
            yield held
        finally:  # one that runs on would hold up the end of all tests
            service.end()
            run.join(timeout=PATIENCE)
        assert run.ready(), "it did not stop"


@pytest.fixture
def daemon(settings_env: dict[str, str], postgres: str) -> Iterator[Daemon]:
    with running(settings_env) as held:
        yield held


def test_a_shard_that_only_fails_begins_anew_and_the_others_notice_nothing(daemon: Daemon) -> None:
    before = daemon.shards
    begin_anew(daemon, 3)
    assert daemon.shards[3].ask(Ping(), timeout=PATIENCE)
    assert {n: ref for n, ref in daemon.shards.items() if n != 3} == {n: ref for n, ref in before.items() if n != 3}
    assert daemon.count("shard_fails") == 1
    assert not daemon.run.ready(), "the daemon goes on"


def test_shards_that_another_daemon_is_to_have_are_given_back_at_once(
    settings_env: dict[str, str], postgres: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not with the next look at everything: their conversations would wait for it."""
    monkeypatch.setattr(supervisor, "SWEEP_EVERY", 3600.0)
    another = str(uuid4())
    with Pool(postgres) as pool, running(settings_env) as daemon:
        all_of_them = len(daemon.shards)
        with pool.transaction() as cursor:
            shards.renew(cursor, another, "another", 60)
            cursor.execute("SELECT pg_notify(%s, '')", (shards.CHANNEL,))
        free = "SELECT count(*) FROM shards WHERE owner IS NULL"
        wait_until(lambda: one(pool, free) == all_of_them // 2, message="half of the shards to be free")
        with pool.transaction() as cursor:  # the next test's daemon is to have all of them
            shards.leave(cursor, another)


def test_what_cannot_be_mended_ends_the_daemon_with_a_sentence(daemon: Daemon) -> None:
    """Without alarms nothing is tried again."""
    greenlet = daemon.service.parts.timers._greenlet
    assert greenlet is not None
    greenlet.kill(ValueError("the alarms are broken"))
    daemon.run.join(timeout=PATIENCE)
    assert daemon.run.value == 1, "its exit code"
    [last] = [one for one in daemon.said if one["event"] == "relay_cannot_go_on"]
    assert last["reason"] == "the alarms are broken"


def park(pool: Pool, line_id: str, provider_id: str) -> None:
    """What the provider says of a message that was not known when it said so, and is now."""
    row = sent_message(pool, line_id, provider_id=provider_id)
    with pool.transaction() as cursor:
        cursor.execute(
            """UPDATE message_tracking SET state = 'sent', sent_at = now(), origin = 'api', provider_id = %s
               WHERE id = %s""",
            (provider_id, row.id),
        )
        cursor.execute(
            "INSERT INTO parked_receipts (line_id, provider_id, status, at) VALUES (%s, %s, 'delivered', now())",
            (line_id, provider_id),
        )


def one(pool: Pool, statement: str) -> Any:
    with pool.transaction() as cursor:
        cursor.execute(statement)
        return cursor.fetchone()[0]


def test_a_parked_receipt_that_cannot_be_applied_ends_no_daemon_and_is_dropped_in_its_time(
    settings_env: dict[str, str], postgres: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(parked, "DROP_EVERY", 0.1)
    with Pool(postgres) as pool:
        line_id = new_line(pool)
        for provider_id in ("wamid.BROKEN", "wamid.SOUND"):
            park(pool, line_id, provider_id)
        administer(
            postgres,
            """CREATE FUNCTION out_of_range() RETURNS trigger LANGUAGE plpgsql AS
               $$ BEGIN RAISE EXCEPTION 'a value is out of range' USING ERRCODE = '22003'; END $$""",
            """CREATE TRIGGER out_of_range BEFORE UPDATE ON message_tracking FOR EACH ROW
               WHEN (OLD.provider_id = 'wamid.BROKEN') EXECUTE FUNCTION out_of_range()""",
        )
        with running(settings_env) as daemon:
            sound = "SELECT state FROM message_tracking WHERE provider_id = 'wamid.SOUND'"
            wait_until(lambda: one(pool, sound) == "delivered", message="the other receipt to be applied")
            assert one(pool, "SELECT count(*) FROM parked_receipts") == 1, "it is kept"
            one(pool, "UPDATE parked_receipts SET parked_at = now() - interval '16 minutes' RETURNING 1")
            wait_until(lambda: one(pool, "SELECT count(*) FROM parked_receipts") == 0, message="it to be dropped")
            assert not failing()
            assert daemon.count("parked_receipt_not_applied") == 1, "told once"
            assert "BROKEN" not in str(daemon.said)


def test_a_call_whose_end_waits_to_be_written_is_not_taken_for_lost(daemon: Daemon, postgres: str) -> None:
    """It would be made again. Nor when its shard begins anew in the same daemon."""
    with Pool(postgres) as pool:
        line_id = new_line(pool)
        held, lost, adopted = (new_message(pool, line_id) for _ in range(3))
        sent = Attempt(held.id, line_id, 1, "sent", NOW, "wamid.1")
        end = Outcome(daemon.shards[held.shard], held.conversation_id, held.id, line_id, sent, sent=sent)
        daemon.service.parts.unwritten.refused(end, float("inf"))
        with pool.transaction() as cursor:
            cursor.execute(
                """UPDATE message_tracking SET state = 'sending', attempts = 1, claim_epoch = 1,
                          claimed_at = now() - interval '2 minutes' WHERE id = ANY(%s::uuid[])""",
                ([held.id, lost.id],),
            )
        state = "SELECT state FROM message_tracking WHERE id = '{}'"
        wait_until(lambda: one(pool, state.format(lost.id)) == "unknown", message="the other to be found")
        assert one(pool, state.format(held.id)) == "sending"
        with pool.transaction() as cursor:
            cursor.execute(
                """UPDATE message_tracking SET state = 'sending', attempts = 1, claim_epoch = 0, claimed_at = now(),
                          shard = %s WHERE id = %s""",
                (held.shard, adopted.id),
            )
        begin_anew(daemon, held.shard)
        wait_until(lambda: one(pool, state.format(adopted.id)) == "unknown", message="what was under way to be found")
        assert one(pool, state.format(held.id)) == "sending"
