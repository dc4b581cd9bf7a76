"""Dead letters sent again by the daemons: a few at a time, in order, each once, and counted."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from uuid import uuid4

import pytest

from db.audit import Author
from db.mailbox import dead_letters, replay_steps, replays
from db.mailbox.dead_letters import DeadLetterSelection
from db.mailbox.replay_steps import MOST_FAILURES, WINDOW
from db.mailbox.replays import ReplayJob
from db.pool import Pool
from db.tenants.changes import NotFoundError, TakenError
from tests.integration.rows import NOW, new_line, new_message

BY = Author("somebody")


@pytest.fixture(scope="module")
def pool(postgres: str) -> Iterator[Pool]:
    with Pool(postgres, size=3) as pool:
        yield pool


@pytest.fixture
def line_id(pool: Pool) -> str:
    return new_line(pool)


@pytest.fixture
def tenant_id(pool: Pool, line_id: str) -> str:
    with pool.autocommit() as cursor:
        cursor.execute("SELECT tenant_id::text FROM lines WHERE id = %s", (line_id,))
        return str(cursor.fetchone()[0])


@pytest.fixture(autouse=True)
def nothing_left(pool: Pool) -> Iterator[None]:
    yield
    with pool.transaction() as cursor:
        cursor.execute("DELETE FROM replays")


def execute(pool: Pool, statement: str, *values: Any) -> list[Any]:
    with pool.transaction() as cursor:
        cursor.execute(statement, values)
        return list(cursor.fetchall()) if cursor.description else []


def dead(pool: Pool, line_id: str, count: int, *, conversation_id: str = "", code: str = "131000") -> list[str]:
    """Ids of dead letters, one a second; of one conversation, or each of its own."""
    rows = [new_message(pool, line_id) for _ in range(count)]
    for n, row in enumerate(rows):
        execute(
            pool,
            """UPDATE message_tracking SET state = 'dead', failed_at = now(), reason_code = %s, reason = 'why',
                 conversation_id = %s, sort_time = to_timestamp(%s), arrived_at = to_timestamp(%s) WHERE id = %s""",
            code, conversation_id or row.conversation_id, NOW + n, NOW + n, row.id,
        )  # fmt: skip
    return [row.id for row in rows]


def second_line(pool: Pool, tenant_id: str) -> str:
    """Another line of the tenant."""
    line_id = str(uuid4())
    execute(
        pool,
        """INSERT INTO lines (id, tenant_id, phone_number_id, integration_id, webhook_key)
           VALUES (%s, %s, %s, %s, %s)""",
        line_id, tenant_id, uuid4().hex, uuid4().hex, uuid4().hex,
    )  # fmt: skip
    return line_id


def in_state(pool: Pool, line_id: str, state: str) -> set[str]:
    found = execute(pool, "SELECT id::text FROM message_tracking WHERE line_id = %s AND state = %s", line_id, state)
    return {row[0] for row in found}


def carry(pool: Pool, line_id: str, state: str = "sent") -> None:
    """What the actors do with all that waits."""
    execute(
        pool,
        """UPDATE message_tracking SET state = %s, failed_at = CASE WHEN %s = 'dead' THEN now() END
           WHERE line_id = %s AND state = 'received'""",
        state, state, line_id,
    )  # fmt: skip


def step(pool: Pool) -> ReplayJob | None:
    """The next one, without the pause before it."""
    execute(pool, "UPDATE replays SET stepped_at = '-infinity'")
    replay_steps.settle(pool)
    return replay_steps.step(pool)


def replayed(pool: Pool, line_id: str) -> list[str]:
    """In the order in which they were put back."""
    rows = execute(
        pool,
        """SELECT message_id::text FROM message_events e JOIN message_tracking m ON m.id = e.message_id
           WHERE m.line_id = %s AND event = 'replayed' ORDER BY e.at, m.arrived_at""",
        line_id,
    )
    return [row[0] for row in rows]


def test_a_line_never_has_more_waiting_than_its_window(pool: Pool, line_id: str, tenant_id: str) -> None:
    buried = dead(pool, line_id, WINDOW + 15)
    begun = replays.start(pool, BY, DeadLetterSelection(tenant_id))
    assert (begun.state, begun.total, begun.put_back) == ("running", WINDOW + 15, 0)
    for _ in range(3):
        held = step(pool)
        assert held and (held.state, held.put_back) == ("running", WINDOW)
    assert in_state(pool, line_id, "received") == set(buried[:WINDOW]), "the oldest, and no more while they wait"
    carry(pool, line_id)
    held = step(pool)
    assert held and (held.state, held.put_back) == ("done", WINDOW + 15)
    carry(pool, line_id, "dead")
    replay_steps.settle(pool)
    held = replays.get(pool, tenant_id, begun.id)
    assert (held.carried, held.failed_again, held.under_way) == (WINDOW, 15, 0)
    assert step(pool) is None
    assert replayed(pool, line_id) == buried, "what failed again is not taken up a second time"


def test_what_arrives_now_goes_first_and_the_replay_goes_on_all_the_same(
    pool: Pool, line_id: str, tenant_id: str
) -> None:
    buried = dead(pool, line_id, 5)
    for _ in range(WINDOW):
        new_message(pool, line_id)
    replays.start(pool, BY, DeadLetterSelection(tenant_id))
    step(pool)
    step(pool)
    assert in_state(pool, line_id, "dead") == set(buried[1:]), "one of its own at a time"
    execute(pool, "UPDATE message_tracking SET state = 'sent' WHERE id = %s", buried[0])
    step(pool)
    assert in_state(pool, line_id, "dead") == set(buried[2:])


def test_a_busy_line_does_not_hold_up_another(pool: Pool, line_id: str, tenant_id: str) -> None:
    other = second_line(pool, tenant_id)
    dead(pool, line_id, 3)
    dead(pool, other, 3)
    for _ in range(WINDOW):
        new_message(pool, line_id)
    replays.start(pool, BY, DeadLetterSelection(tenant_id))
    step(pool)
    assert (len(in_state(pool, line_id, "dead")), len(in_state(pool, other, "dead"))) == (2, 0)


def test_a_conversation_keeps_its_order_also_where_what_sorts_first_arrived_last(
    pool: Pool, line_id: str, tenant_id: str
) -> None:
    """It goes with those of the step that it sorts before."""
    buried = dead(pool, line_id, WINDOW + 5, conversation_id=str(uuid4()))
    execute(pool, "UPDATE message_tracking SET sort_time = to_timestamp(%s) WHERE id = %s", NOW - 1, buried[-1])
    replays.start(pool, BY, DeadLetterSelection(tenant_id))
    step(pool)
    assert in_state(pool, line_id, "received") == {*buried[:WINDOW], buried[-1]}
    # It fails again by the clock of a daemon that is behind.
    execute(pool, "UPDATE message_tracking SET state = 'sent' WHERE state = 'received' AND id <> %s", buried[-1])
    past = "UPDATE message_tracking SET state = 'dead', failed_at = now() - interval '1 hour' WHERE id = %s"
    execute(pool, past, buried[-1])
    held = step(pool)
    assert held and (held.state, held.put_back) == ("done", WINDOW + 5)
    assert sorted(replayed(pool, line_id)) == sorted(buried), "each once"


def test_a_cancelled_one_puts_nothing_more_back(pool: Pool, line_id: str, tenant_id: str) -> None:
    dead(pool, line_id, WINDOW + 5)
    begun = replays.start(pool, BY, DeadLetterSelection(tenant_id))
    step(pool)
    ended = replays.cancel(pool, Author("another"), tenant_id, begun.id)
    assert (ended.state, ended.ended_by, ended.put_back) == ("cancelled", "another", WINDOW)
    carry(pool, line_id)
    assert step(pool) is None
    assert len(in_state(pool, line_id, "dead")) == 5
    assert replays.get(pool, tenant_id, begun.id).carried == WINDOW, "what was put back before is still counted"
    assert replays.cancel(pool, BY, tenant_id, begun.id).ended_by == "another", "it ends once"


def test_one_of_a_tenant_at_a_time_and_no_empty_one(pool: Pool, line_id: str, tenant_id: str) -> None:
    with pytest.raises(NotFoundError, match="nothing to send again"):
        replays.start(pool, BY, DeadLetterSelection(tenant_id))
    dead(pool, line_id, 1)
    begun = replays.start(pool, BY, DeadLetterSelection(tenant_id))
    with pytest.raises(TakenError, match="wait, or cancel"):
        replays.start(pool, BY, DeadLetterSelection(tenant_id))
    assert replays.running(pool, tenant_id) == begun
    other = execute(pool, "SELECT tenant_id::text FROM lines WHERE id = %s", new_line(pool))[0][0]
    with pytest.raises(NotFoundError):
        replays.cancel(pool, BY, other, begun.id)


def test_only_what_matches_and_was_dead_when_it_began(pool: Pool, line_id: str, tenant_id: str) -> None:
    wanted, other = dead(pool, line_id, 3, code="131026"), dead(pool, line_id, 3)
    begun = replays.start(pool, BY, DeadLetterSelection(tenant_id, line_id, "outbound", "131026"))
    later = dead(pool, line_id, 1, code="131026")
    held = step(pool)
    assert held and (begun.total, held.put_back) == (3, 3)
    assert in_state(pool, line_id, "dead") == {*other, *later}
    assert in_state(pool, line_id, "received") == set(wanted)


def test_those_named_one_by_one(pool: Pool, line_id: str, tenant_id: str) -> None:
    buried = dead(pool, line_id, 4)
    begun = replays.start(pool, BY, DeadLetterSelection(tenant_id), [buried[1], buried[3], buried[3], str(uuid4())])
    assert (begun.total, begun.chosen) == (2, True)
    step(pool)
    assert in_state(pool, line_id, "received") == {buried[1], buried[3]}


def test_none_named_is_not_all(pool: Pool, line_id: str, tenant_id: str) -> None:
    dead(pool, line_id, 1)
    with pytest.raises(NotFoundError, match="nothing to send again"):
        replays.start(pool, BY, DeadLetterSelection(tenant_id), [])


def test_two_daemons_make_no_step_of_one_replay_twice(pool: Pool, line_id: str, tenant_id: str) -> None:
    dead(pool, line_id, 3)
    replays.start(pool, BY, DeadLetterSelection(tenant_id))
    with pool.transaction() as cursor:
        cursor.execute("SELECT 1 FROM replays FOR UPDATE")
        assert replay_steps.step(pool) is None, "another daemon is at it"
    assert replay_steps.step(pool) is not None


def test_a_replay_rests_between_two_steps(pool: Pool, line_id: str, tenant_id: str) -> None:
    dead(pool, line_id, WINDOW * 2)
    replays.start(pool, BY, DeadLetterSelection(tenant_id))
    assert replay_steps.step(pool) is not None
    execute(pool, "UPDATE replays SET stepped_at = now() + interval '1 hour'")
    assert replay_steps.step(pool) is None


# Steps that fail


@contextmanager
def held_up(pool: Pool, message_id: str) -> Iterator[None]:
    """Somebody holds the message's row, so that no step with it is done in time."""
    with pool.transaction() as cursor:
        cursor.execute("SELECT 1 FROM message_tracking WHERE id = %s FOR UPDATE", (message_id,))
        yield


@pytest.fixture
def impatient(postgres: str) -> Iterator[Pool]:
    with Pool(postgres, size=2, statement_seconds=0.3) as pool:
        yield pool


def test_a_replay_whose_step_fails_says_why_and_holds_up_no_other(
    pool: Pool, impatient: Pool, line_id: str, tenant_id: str
) -> None:
    other_line = new_line(pool)
    [[other]] = execute(pool, "SELECT tenant_id::text FROM lines WHERE id = %s", other_line)
    [buried] = dead(pool, line_id, 1)
    dead(pool, other_line, 1)
    failing = replays.start(pool, BY, DeadLetterSelection(tenant_id))
    going = replays.start(pool, BY, DeadLetterSelection(other))
    execute(pool, "UPDATE replays SET stepped_at = now() - interval '1 day' WHERE id = %s", failing.id)
    execute(pool, "UPDATE replays SET stepped_at = now() - interval '1 hour' WHERE id = %s", going.id)
    with held_up(pool, buried):
        met = [replay_steps.step(impatient) for _ in range(2)]
    assert [one and (one.id, one.state) for one in met] == [(failing.id, "running"), (going.id, "done")]
    failure = "canceling statement due to statement timeout (57014)"
    assert replays.get(pool, tenant_id, failing.id).failure == failure
    held = step(pool)
    assert held and (held.id, held.state, held.put_back, held.failure) == (failing.id, "done", 1, None)


def test_a_replay_whose_step_failed_rests(pool: Pool, impatient: Pool, line_id: str, tenant_id: str) -> None:
    [buried] = dead(pool, line_id, 1)
    replays.start(pool, BY, DeadLetterSelection(tenant_id))
    with held_up(pool, buried):
        replay_steps.step(impatient)
    [[rests]] = execute(pool, "SELECT stepped_at > now() FROM replays")
    assert rests, "for longer than between two steps that went well"


def test_a_replay_whose_steps_fail_again_and_again_ends_with_the_reason(
    pool: Pool, impatient: Pool, line_id: str, tenant_id: str
) -> None:
    [buried] = dead(pool, line_id, 1)
    begun = replays.start(pool, BY, DeadLetterSelection(tenant_id))
    with held_up(pool, buried):
        states = [held.state for _ in range(MOST_FAILURES) if (held := step(impatient))]
    assert states == ["running"] * (MOST_FAILURES - 1) + ["failed"]
    ended = replays.get(pool, tenant_id, begun.id)
    assert (ended.state, ended.put_back, bool(ended.ended_at)) == ("failed", 0, True)
    assert "statement timeout" in (ended.failure or "")
    assert step(pool) is None
    [[detail]] = execute(pool, "SELECT detail FROM audit_log WHERE subject = %s AND action = 'replay.failed'", begun.id)
    assert detail["reason"] == ended.failure
    assert replays.start(pool, BY, DeadLetterSelection(tenant_id)).total == 1, "another may begin"


# Steps that could become too large


def test_a_step_takes_no_more_than_its_bound_however_much_sorts_before_it(
    pool: Pool, line_id: str, tenant_id: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What arrived first sorts last: all others of the conversation go before it."""
    monkeypatch.setattr(replay_steps, "STEP_ROWS", 25)
    buried = dead(pool, line_id, 60, conversation_id=str(uuid4()))
    execute(pool, "UPDATE message_tracking SET sort_time = to_timestamp(%s) WHERE id = %s", NOW + 99, buried[0])
    replays.start(pool, BY, DeadLetterSelection(tenant_id))
    in_order = [*buried[1:], buried[0]]
    for put_back in (25, 50, 60):
        held = step(pool)
        assert held and held.put_back == put_back
        assert set(replayed(pool, line_id)) == set(in_order[:put_back]), "the first of the conversation, by its order"
        carry(pool, line_id)
    assert held and held.state == "done"
    assert len(replayed(pool, line_id)) == 60, "each once"


def test_many_lines_have_their_steps_in_turn(
    pool: Pool, line_id: str, tenant_id: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(replay_steps, "STEP_ROWS", WINDOW * 2)
    lines = sorted([line_id, second_line(pool, tenant_id), second_line(pool, tenant_id)])
    for one in lines:
        dead(pool, one, WINDOW * 2)
    replays.start(pool, BY, DeadLetterSelection(tenant_id, direction="outbound"))
    went = []
    for _ in range(3):
        step(pool)
        went.append([len(in_state(pool, one, "received")) for one in lines])
        for one in lines:
            carry(pool, one)
    assert went == [[WINDOW, WINDOW, 0], [WINDOW, 0, WINDOW], [0, WINDOW, WINDOW]]


def test_it_is_in_the_audit_log_with_who_began_and_ended_it(pool: Pool, line_id: str, tenant_id: str) -> None:
    dead(pool, line_id, 2)
    begun = replays.start(pool, BY, DeadLetterSelection(tenant_id, reason_code="131000"))
    step(pool)
    found = execute(
        pool, "SELECT actor, action, subject, detail FROM audit_log WHERE tenant_id = %s ORDER BY id", tenant_id
    )
    [(actor, action, subject, detail), (ending, end, _, counts)] = found
    assert (actor, action, subject) == ("somebody", "replay.started", begun.id)
    assert (detail["count"], detail["reason_code"]) == (2, "131000")
    assert (ending, end, counts["put_back"]) == ("relay", "replay.ended", 2)


def test_replays_are_listed_in_pages_and_forgotten_after_a_month(pool: Pool, line_id: str, tenant_id: str) -> None:
    ids = []
    for _ in range(3):
        dead(pool, line_id, 1)
        ids.append(replays.start(pool, BY, DeadLetterSelection(tenant_id)).id)
        step(pool)
    first = replays.listed(pool, tenant_id, 2)
    second = replays.listed(pool, tenant_id, 2, first.next)
    assert [one.id for one in [*first.items, *second.items]] == ids[::-1]
    assert second.next is None
    execute(pool, "UPDATE replays SET ended_at = now() - interval '31 days' WHERE id = %s", ids[0])
    assert replay_steps.drop_old(pool) == 1
    assert [one.id for one in replays.listed(pool, tenant_id).items] == ids[:0:-1]


def test_reasons_are_counted_with_the_words_that_were_said_last(pool: Pool, line_id: str, tenant_id: str) -> None:
    dead(pool, line_id, 3, code="131026")
    last = dead(pool, line_id, 2)[-1]
    execute(pool, "UPDATE message_tracking SET reason = 'newest' WHERE id = %s", last)
    found = dead_letters.reasons(pool, DeadLetterSelection(tenant_id))
    assert [(one.code, one.text, one.count) for one in found] == [("131026", "why", 3), ("131000", "newest", 2)]
