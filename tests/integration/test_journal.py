"""JournalActor on a real database: group commits, refused claims, and what a stop may not lose."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager
from types import SimpleNamespace
from typing import Any
from uuid import uuid4

import pytest
from gevent.event import Event

from db.daemons import shards
from db.pool import Pool
from demo.stack import Postgres
from relay.actors.journal import JournalActor
from relay.core.conversation.events import OutcomeWritten
from relay.core.mailbox import Attempt, Claim, Row
from relay.runtime.actor import Ping, RelayActor, Stop
from relay.runtime.commands import Claimed, ClaimRequest, Outcome
from relay.runtime.context import Lease
from relay.runtime.timers import Timers
from relay.runtime.unwritten import Unwritten
from tests.integration.rows import NOW, new_message, sent_message
from tests.services.postgres_trouble import administer, read_only
from tests.waiting import PATIENCE, wait_until


class Listener(RelayActor):
    """A sender or a conversation that keeps what the journal tells it."""

    def __init__(self, heard: list[Any], came: Event) -> None:
        super().__init__()
        self._heard, self._came = heard, came

    def handle(self, command: Any) -> None:
        self._heard.append(command)
        self._came.set()


@pytest.fixture
def journal(pool: Pool) -> Iterator[SimpleNamespace]:
    """A journal whose daemon owns every shard in some epoch."""
    daemon_id = str(uuid4())
    with pool.transaction() as cursor:
        shards.renew(cursor, daemon_id, "test", 60)
        epochs = {n: one.epoch for n, one in shards.take(cursor, daemon_id, 16).items()}
    timers = Timers()
    timers.start(lambda error: pytest.fail(f"the timers ended: {error}"))
    parts: Any = SimpleNamespace(
        pool=pool, lease=Lease(daemon_id), limits=SimpleNamespace(request=10.0), timers=timers, shards={},
        journal_behind=False, stopping=False, unwritten=Unwritten(),
    )  # fmt: skip
    ref = JournalActor.start(parts)
    yield SimpleNamespace(ref=ref, epochs=epochs, parts=parts)
    ref.stop()
    timers.stop()
    with pool.transaction() as cursor:
        shards.leave(cursor, daemon_id)


def listener() -> tuple[Any, list[Any], Event]:
    heard: list[Any] = []
    came = Event()
    return Listener.start(heard, came), heard, came


def claim(journal: SimpleNamespace, row: Row, epoch: int | None = None) -> Claim:
    return Claim(row.id, row.shard, journal.epochs[row.shard] if epoch is None else epoch, 1)


def states(pool: Pool, rows: list[Row]) -> list[str]:
    with pool.transaction() as cursor:
        cursor.execute(
            "SELECT id::text, state FROM message_tracking WHERE id = ANY(%s::uuid[])", ([r.id for r in rows],)
        )
        found = dict(cursor.fetchall())
    return [found[row.id] for row in rows]


def test_outcomes_told_right_before_the_stop_are_written(journal: SimpleNamespace, pool: Pool, line_id: str) -> None:
    rows = [sent_message(pool, line_id) for _ in range(20)]
    conversation, heard, _ = listener()
    for row in rows:
        sent = Attempt(row.id, line_id, 1, "sent", NOW, uuid4().hex)
        journal.ref.tell(Outcome(conversation, row.conversation_id, row.id, line_id, sent, sent=sent))
    journal.ref.tell(Stop())
    assert journal.ref.actor_stopped.wait(PATIENCE)
    assert set(states(pool, rows)) == {"sent"}
    conversation.ask(Ping(), timeout=PATIENCE)
    assert len([one for one in heard if isinstance(one, OutcomeWritten)]) == len(rows)
    conversation.stop()


def test_of_two_senders_with_one_message_one_is_granted(journal: SimpleNamespace, pool: Pool, line_id: str) -> None:
    row = new_message(pool, line_id)
    answers = []
    for sender, heard, came in (listener(), listener()):
        journal.ref.tell(ClaimRequest(claim(journal, row), sender))
        assert came.wait(PATIENCE)
        answers += [one.granted for one in heard if isinstance(one, Claimed)]
        sender.stop()
    assert answers == [True, False]


def test_a_claim_of_an_older_epoch_is_refused(journal: SimpleNamespace, pool: Pool, line_id: str) -> None:
    row = new_message(pool, line_id)
    sender, heard, came = listener()
    journal.ref.tell(ClaimRequest(claim(journal, row, epoch=journal.epochs[row.shard] - 1), sender))
    assert came.wait(PATIENCE)
    assert [one.granted for one in heard] == [False]
    assert states(pool, [row]) == ["received"]
    sender.stop()


def test_once_the_daemon_stops_nothing_more_is_claimed(journal: SimpleNamespace, pool: Pool, line_id: str) -> None:
    """A call that began now would be cut in the middle."""
    row = new_message(pool, line_id)
    sender, heard, came = listener()
    journal.parts.stopping = True
    journal.ref.tell(ClaimRequest(claim(journal, row), sender))
    assert came.wait(PATIENCE)
    assert [one.granted for one in heard] == [False]
    assert states(pool, [row]) == ["received"]
    sender.stop()


def test_nothing_is_claimed_for_a_sender_that_has_ended(journal: SimpleNamespace, pool: Pool, line_id: str) -> None:
    row = new_message(pool, line_id)
    sender, _, _ = listener()
    sender.stop()
    journal.ref.tell(ClaimRequest(claim(journal, row), sender))
    journal.ref.ask(Ping(), timeout=PATIENCE)
    assert states(pool, [row]) == ["received"]


def claimed(journal: SimpleNamespace, row: Row) -> None:
    sender, _, came = listener()
    journal.ref.tell(ClaimRequest(claim(journal, row), sender))
    assert came.wait(PATIENCE)
    sender.stop()


def outcome(row: Row, line_id: str, conversation: Any, **more: Any) -> Outcome:
    sent = Attempt(row.id, line_id, 1, "sent", NOW, uuid4().hex, **more)
    return Outcome(conversation, row.conversation_id, row.id, line_id, sent, sent=sent)


def test_while_writes_are_refused_claims_and_outcomes_are_kept_and_then_written(
    journal: SimpleNamespace, pool: Pool, line_id: str, postgres_server: Postgres
) -> None:
    """By a timer: nobody else tells the journal anything meanwhile."""
    ended, asked = new_message(pool, line_id), new_message(pool, line_id)
    claimed(journal, ended)
    conversation, heard, _ = listener()
    sender, granted, came = listener()
    with read_only(postgres_server.url()):
        journal.ref.tell(outcome(ended, line_id, conversation))
        journal.ref.tell(ClaimRequest(claim(journal, asked), sender))
        wait_until(lambda: journal.parts.journal_behind, message="the journal to have failed")
        assert (heard, granted) == ([], [])
    assert came.wait(PATIENCE)
    assert [one.granted for one in granted] == [True]
    wait_until(lambda: heard, message="the conversation to be told")
    assert [one.row_status.state for one in heard] == ["sent"]
    assert (states(pool, [ended, asked]), journal.parts.journal_behind) == (["sent", "sending"], False)
    for ref in (conversation, sender):
        ref.stop()


@contextmanager
def broken_page(url: str, row: Row) -> Iterator[None]:
    """Whoever writes to this row is told what a server tells of a broken page."""
    administer(
        url,
        """CREATE FUNCTION broken_page() RETURNS trigger LANGUAGE plpgsql AS
           $$ BEGIN RAISE EXCEPTION 'invalid page in block 7' USING ERRCODE = 'XX001'; END $$""",
        f"""CREATE TRIGGER broken_page BEFORE UPDATE ON message_tracking FOR EACH ROW
            WHEN (OLD.id = '{row.id}') EXECUTE FUNCTION broken_page()""",
    )
    try:
        yield
    finally:
        administer(url, "DROP TRIGGER broken_page ON message_tracking", "DROP FUNCTION broken_page()")


def test_an_outcome_that_alone_meets_trouble_keeps_nobody_from_sending_and_is_written_once_that_is_mended(
    journal: SimpleNamespace, pool: Pool, line_id: str, postgres: str
) -> None:
    broken, sound, asked = (new_message(pool, line_id) for _ in range(3))
    for row in (broken, sound):
        claimed(journal, row)
    conversation, heard, _ = listener()
    sender, granted, came = listener()
    with broken_page(postgres, broken):
        for row in (broken, sound):
            journal.ref.tell(outcome(row, line_id, conversation))
        journal.ref.tell(ClaimRequest(claim(journal, asked), sender))
        assert came.wait(PATIENCE)
        assert [one.granted for one in granted] == [True]
        wait_until(lambda: heard, message="the sound one to be told")
        assert [one.message_id for one in heard] == [sound.id]
        assert journal.parts.unwritten.ended(broken.id)
        assert not journal.parts.journal_behind, "no shard waits for it"
    wait_until(lambda: len(heard) == 2, message="the other to be written")
    assert [one.row_status.state for one in heard] == ["sent", "sent"]
    assert states(pool, [broken, sound]) == ["sent", "sent"]
    assert not journal.parts.unwritten
    for ref in (conversation, sender):
        ref.stop()


def test_a_claim_that_alone_meets_trouble_is_refused_and_the_others_are_granted(
    journal: SimpleNamespace, pool: Pool, line_id: str, postgres: str
) -> None:
    rows = [new_message(pool, line_id) for _ in range(3)]
    sender, heard, _ = listener()
    with broken_page(postgres, rows[1]):
        for row in rows:
            journal.ref.tell(ClaimRequest(claim(journal, row), sender))
        wait_until(lambda: len(heard) == 3, message="all to be answered")
    assert {one.message_id for one in heard if one.granted} == {rows[0].id, rows[2].id}
    assert states(pool, rows) == ["sending", "received", "sending"]
    sender.stop()


def test_trouble_of_very_many_is_everybodys_and_nothing_more_is_claimed(
    journal: SimpleNamespace, pool: Pool, line_id: str, postgres: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is sent then could be written down no better."""
    monkeypatch.setattr("relay.runtime.unwritten.MOST", 0)
    broken, asked = (new_message(pool, line_id) for _ in range(2))
    claimed(journal, broken)
    conversation, heard, _ = listener()
    sender, granted, came = listener()
    with broken_page(postgres, broken):
        journal.ref.tell(outcome(broken, line_id, conversation))
        wait_until(lambda: journal.parts.journal_behind, message="the journal to wait")
        journal.ref.tell(ClaimRequest(claim(journal, asked), sender))
        journal.ref.ask(Ping(), timeout=PATIENCE)
        assert (heard, granted) == ([], [])
    assert came.wait(PATIENCE)
    wait_until(lambda: heard, message="it to be written")
    assert states(pool, [broken, asked]) == ["sent", "sending"]
    for ref in (conversation, sender):
        ref.stop()


@pytest.mark.parametrize("words", ["\0", "\ud800"])
def test_words_that_postgresql_does_not_take_cost_neither_the_outcome_nor_the_others(
    journal: SimpleNamespace, pool: Pool, line_id: str, words: str
) -> None:
    rows = [new_message(pool, line_id) for _ in range(3)]
    for row in rows:
        claimed(journal, row)
    conversation, heard, _ = listener()
    for row, said in zip(rows, (None, words, None), strict=True):
        journal.ref.tell(outcome(row, line_id, conversation, detail=said, answer=said))
    wait_until(lambda: len(heard) == 3, message="all to be told")
    assert states(pool, rows) == ["sent", "sent", "sent"]
    assert [one.row_status.state for one in heard] == ["sent", "sent", "sent"]
    conversation.stop()


def test_an_id_that_postgresql_does_not_take_is_left_out(journal: SimpleNamespace, pool: Pool, line_id: str) -> None:
    row = new_message(pool, line_id)
    claimed(journal, row)
    conversation, _, came = listener()
    sent = Attempt(row.id, line_id, 1, "sent", NOW, "wamid.\0")
    journal.ref.tell(Outcome(conversation, row.conversation_id, row.id, line_id, sent, sent=sent))
    assert came.wait(PATIENCE)
    assert states(pool, [row]) == ["sent"]
    conversation.stop()


def test_the_end_of_a_call_whose_conversation_has_gone_is_told_to_its_successor(
    journal: SimpleNamespace, pool: Pool, line_id: str
) -> None:
    """The shard was given up and taken again while PostgreSQL was away."""
    row = new_message(pool, line_id)
    claimed(journal, row)
    gone, _, _ = listener()
    gone.stop()
    shard, heard, came = listener()
    journal.parts.shards[row.shard] = shard
    journal.ref.tell(outcome(row, line_id, gone))
    assert came.wait(PATIENCE)
    assert [one.conversation_id for one in heard] == [row.conversation_id]
    shard.stop()


def test_the_end_of_a_call_whose_shard_is_anothers_now_is_told_to_that_daemon(
    journal: SimpleNamespace, pool: Pool, line_id: str
) -> None:
    row = new_message(pool, line_id)
    claimed(journal, row)
    gone, _, _ = listener()
    gone.stop()
    with closing(pool.connection()) as listening:
        listening.autocommit = True
        listening.cursor().execute("LISTEN relay_wake")
        journal.ref.tell(outcome(row, line_id, gone))
        wait_until(lambda: states(pool, [row]) == ["sent"], message="the outcome to be written")
        listening.cursor().execute("SELECT 1")
        assert [one.payload for one in listening.notifies] == [f"{row.shard}:{row.conversation_id}"]
