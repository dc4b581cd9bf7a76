"""Taking a database from a backup into use: what is given up, what is doubted, who is kept out, what is asked for."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any
from uuid import uuid4

import pytest

from db.daemons import home, restore, shards
from db.daemons.reshard import StillRunningError
from db.daemons.restore import WrongTimeError
from db.mailbox import claims, receipts
from db.mailbox.receipts import LineReceipt
from db.pool import Pool
from db.tenants import catch_ups
from relay.core import restored
from relay.core.catch_up import MARGIN_SECONDS
from relay.core.mailbox import Claim
from relay.core.messages import Message, Person, Receipt, Update, dump
from relay.intake.intake import Intake
from relay.stores import catalogues
from tests.integration.rows import new_line, new_message, sent_message
from tests.services.databases import Databases

LOST = timedelta(minutes=5)


@pytest.fixture
def store(databases: Databases) -> Iterator[Pool]:
    """As it comes from a backup of half an hour ago."""
    url = databases.create()
    with Pool(url) as pool:
        say(pool, "INSERT INTO relay_settings VALUES (%s, (now() - interval '30 minutes')::text)", catch_ups.MARK)
        yield pool
    databases.drop(url)


@pytest.fixture
def line_id(store: Pool) -> str:
    made = new_line(store)
    say(store, "UPDATE lines SET status = 'active' WHERE id = %s", made)
    return made


def say(pool: Pool, statement: str, *values: object) -> None:
    with pool.transaction() as cursor:
        cursor.execute(statement, values)


def row(pool: Pool, message_id: str) -> dict[str, Any]:
    with pool.transaction() as cursor:
        cursor.execute("SELECT * FROM message_tracking WHERE id = %s", (message_id,))
        return cursor.dicts()[0]


def lost_at() -> datetime:
    return datetime.now(UTC) - LOST


def test_what_waited_for_whatsapp_is_not_sent_by_itself_and_what_waited_for_genesys_is_looked_for(
    store: Pool, line_id: str
) -> None:
    waits, under_way = new_message(store, line_id), new_message(store, line_id)
    say(
        store,
        "UPDATE message_tracking SET state = 'sending', attempts = 1, claimed_at = now() WHERE id = %s",
        under_way.id,
    )
    to_genesys, done = new_message(store, line_id, "inbound"), sent_message(store, line_id)
    say(store, "UPDATE message_tracking SET state = 'sent' WHERE id = %s", done.id)
    found = restore.take_into_use(store, lost_at())
    assert (found.given_up, found.looked_for, found.lines) == (2, 1, 1)
    for one in (waits, under_way):
        kept = row(store, one.id)
        assert (kept["state"], kept["reason_code"], kept["reason"]) == ("dead", restored.CODE, restored.UNKNOWN)
        assert (kept["report"], kept["unfinished"]) == (None, False), "Genesys may have been told of it already"
    doubted = row(store, to_genesys.id)
    assert (doubted["state"], doubted["reason_code"], doubted["unfinished"]) == ("unknown", restored.CODE, True)
    assert doubted["unknown_until"] is not None
    assert row(store, done.id)["state"] == "sent"


def test_a_status_that_comes_after_all_settles_it(store: Pool, line_id: str) -> None:
    one = new_message(store, line_id)
    restore.take_into_use(store, lost_at())
    with store.transaction() as cursor:
        receipts.record(cursor, [LineReceipt(line_id, Receipt("wamid.1", "delivered", 1.0, message_id=one.id))])
    settled = row(store, one.id)
    assert (settled["state"], settled["reason_code"], settled["report"]) == ("delivered", None, "delivered")


def test_no_daemon_of_before_sends_anything(store: Pool, line_id: str) -> None:
    daemon_id = str(uuid4())
    waits = new_message(store, line_id, "inbound")
    with store.transaction() as cursor:
        shards.renew(cursor, daemon_id, "of before", 60.0)
        epoch = shards.take(cursor, daemon_id, 16)[waits.shard].epoch
    with pytest.raises(StillRunningError, match="daemon of before"):
        restore.take_into_use(store, lost_at())
    say(store, "UPDATE daemons SET lease_until = now()")
    restore.take_into_use(store, lost_at())
    with store.transaction() as cursor:
        shards.renew(cursor, daemon_id, "of before", 60.0)
        assert shards.owned(cursor, daemon_id) == {}
        assert claims.claim(cursor, daemon_id, [Claim(waits.id, waits.shard, epoch, 1)], 10.0) == set()
        assert shards.take(cursor, daemon_id, 16)[waits.shard].epoch > restore.BEYOND


def test_it_is_caught_up_with_from_the_backup_on_and_the_loss_is_remembered(store: Pool, line_id: str) -> None:
    with store.transaction() as cursor:
        assert catch_ups.lost_at_of(cursor) is None
        home.settle(cursor)
        cursor.execute("UPDATE relay_settings SET value = '1' WHERE name = %s", (home.DATABASE,))
    at = lost_at()
    restore.take_into_use(store, at)
    [due] = due_now(store)
    since = datetime.now(UTC) - timedelta(minutes=30, seconds=MARGIN_SECONDS)
    assert (due.line_id, due.since) == (line_id, pytest.approx(since.timestamp(), abs=60))
    with store.transaction() as cursor:
        assert catch_ups.lost_at_of(cursor) == pytest.approx(at.timestamp())
        assert not home.has_moved(cursor)
        cursor.execute("SELECT count(*) FROM audit_log WHERE action = 'installation.restored'")
        assert cursor.fetchone()[0] == 1


def due_now(pool: Pool) -> list[catch_ups.DueCatchUp]:
    say(pool, "UPDATE catch_ups SET due_at = now()")
    return catch_ups.take_due(pool, 60.0, 10)


@pytest.mark.parametrize(("minutes", "why"), [(10, "yet to come"), (-60, "still took webhooks")])
def test_a_time_that_cannot_be_is_refused_and_nothing_changes(
    store: Pool, line_id: str, minutes: int, why: str
) -> None:
    waits = new_message(store, line_id)
    with pytest.raises(WrongTimeError, match=why):
        restore.take_into_use(store, datetime.now(UTC) + timedelta(minutes=minutes))
    assert row(store, waits.id)["state"] == "received"


@pytest.mark.parametrize(
    ("before_loss", "expected"),
    [
        ("carried", ("ignored", None, restored.CARRIED)),
        ("unknown", ("dead", restored.CODE, restored.UNKNOWN)),
        (None, ("received", None, None)),
    ],
)
def test_what_agents_wrote_before_the_loss_is_kept_and_not_sent(
    store: Pool, line_id: str, before_loss: restored.BeforeLoss | None, expected: tuple[Any, ...]
) -> None:
    person, at = Person("491520000001", "491520000001"), datetime.now(UTC).timestamp()
    speech: Any = SimpleNamespace(
        parse=lambda payload: [Message(payload["id"], person, at, text="Hello")], fit=lambda message: [message]
    )
    tenant_id = str(new_message(store, line_id).tenant_id)
    intake = Intake(store, {"whatsapp": speech, "genesys": speech}, 16, catalogues.say)
    update = Update(
        "genesys", tenant_id, line_id, "491520000001", at, 0, {"id": "g1"}, origin="catch_up", before_loss=before_loss
    )
    taken = intake.take([dump(update)])
    assert len(taken.arrived) == (before_loss is None)
    with store.transaction() as cursor:
        cursor.execute("SELECT id::text FROM message_tracking WHERE source_id = 'g1'")
        kept = row(store, cursor.fetchone()[0])
    assert (kept["state"], kept["reason_code"], kept["reason"]) == expected
    assert (kept["report"], kept["failed_at"] is not None) == (None, expected[0] == "dead")
