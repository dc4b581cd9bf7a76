"""When a line is caught up with, by whom, with what, and what is written about it: against a real PostgreSQL."""

from __future__ import annotations

import time
from collections.abc import Callable
from uuid import uuid4

import gevent
import pytest

from db.audit import Author
from db.contacts import conversations
from db.mailbox import claims, messages
from db.pool import Pool
from db.tenants import catch_ups
from db.tenants.catch_ups import DueCatchUp
from db.tenants.changes import Changes, NotFoundError, TakenError
from db.views import history
from relay.core.catch_up import FARTHEST_SECONDS, LOOK_AGAIN_SECONDS, MARGIN_SECONDS, MOST_TRIES, GivenUp
from relay.core.mailbox import NewRow, Row, Verdict
from relay.core.messages import Message, Person
from relay.core.ordering import SortKey
from tests.integration.rows import NOW, new_line, new_message, sent_message
from tests.waiting import PATIENCE, wait_until

BY = Author("test")
HOUR = 3600.0


@pytest.fixture
def line_id(pool: Pool) -> str:
    """The only active line: the mark is everybody's."""
    with pool.transaction() as cursor:
        cursor.execute("UPDATE lines SET status = 'released' WHERE status = 'active'")
        cursor.execute("DELETE FROM catch_ups")
    return active_line(pool)


def active_line(pool: Pool) -> str:
    made = new_line(pool)
    with pool.transaction() as cursor:
        cursor.execute(
            "UPDATE lines SET status = 'active', phone_number_id = id, integration_id = id WHERE id = %s", (made,)
        )
    return made


def tenant_of(pool: Pool, line_id: str) -> str:
    with pool.autocommit() as cursor:
        cursor.execute("SELECT tenant_id::text FROM lines WHERE id = %s", (line_id,))
        return str(cursor.fetchone()[0])


def marked(pool: Pool, seconds_ago: float) -> None:
    with pool.transaction() as cursor:
        cursor.execute("DELETE FROM relay_settings WHERE name = %s", (catch_ups.MARK,))
        cursor.execute(
            "INSERT INTO relay_settings VALUES (%s, (now() - make_interval(secs => %s))::text)",
            (catch_ups.MARK, seconds_ago),
        )


def due_now(pool: Pool) -> list[DueCatchUp]:
    """As if what was wanted had waited for its time."""
    with pool.transaction() as cursor:
        cursor.execute("UPDATE catch_ups SET due_at = now() WHERE due_at IS NOT NULL")
    return catch_ups.take_due(pool, 60.0, 10)


def waits(pool: Pool, line_id: str) -> float | None:
    """Seconds until it is due; None: nothing is wanted."""
    with pool.autocommit() as cursor:
        cursor.execute(
            "SELECT extract(epoch FROM due_at - now())::float8 FROM catch_ups WHERE line_id = %s", (line_id,)
        )
        row = cursor.fetchone()
    return None if row is None else row[0]


def test_the_first_start_and_a_short_pause_want_nothing(pool: Pool, line_id: str) -> None:
    with pool.transaction() as cursor:
        cursor.execute("DELETE FROM relay_settings WHERE name = %s", (catch_ups.MARK,))
    assert catch_ups.still_taking(pool) == 0
    marked(pool, 15)
    assert catch_ups.still_taking(pool) == 0
    assert catch_ups.of_line(pool, line_id) is None


def test_after_an_absence_active_lines_are_caught_up_with_from_before_it(pool: Pool, line_id: str) -> None:
    other = new_line(pool)  # not live
    marked(pool, 130)
    assert catch_ups.still_taking(pool) == 1
    assert catch_ups.still_taking(pool) == 0, "the mark has moved on"
    assert catch_ups.of_line(pool, other) is None
    [due] = due_now(pool)
    assert (due.line_id, due.tenant_id) == (line_id, tenant_of(pool, line_id))
    assert due.since == pytest.approx(time.time() - 130 - MARGIN_SECONDS, abs=30)


def test_refusals_that_concern_everybody_count_as_an_absence(pool: Pool, line_id: str) -> None:
    marked(pool, 1)
    assert catch_ups.still_taking(pool, GivenUp(everywhere=45.0)) == 1
    [due] = due_now(pool)
    assert due.since == pytest.approx(time.time() - 45 - MARGIN_SECONDS, abs=30)


def test_refusals_of_one_line_have_that_line_caught_up_with_and_no_other(pool: Pool, line_id: str) -> None:
    other = active_line(pool)
    marked(pool, 1)
    assert catch_ups.still_taking(pool, GivenUp({other: 45.0})) == 1
    [due] = due_now(pool)
    assert due.line_id == other
    assert due.since == pytest.approx(time.time() - 45 - MARGIN_SECONDS, abs=30)


def test_an_absence_of_weeks_reaches_back_a_day(pool: Pool, line_id: str) -> None:
    marked(pool, 20 * 24 * HOUR)
    assert catch_ups.still_taking(pool) == 1
    [due] = due_now(pool)
    assert due.since == pytest.approx(time.time() - FARTHEST_SECONDS, abs=30)


def test_only_an_active_line_of_the_tenant_can_be_asked_for(pool: Pool, line_id: str) -> None:
    changes, tenant_id = Changes(pool, lambda _: None), tenant_of(pool, line_id)
    for tenant, line in ((tenant_id, new_line(pool)), (str(uuid4()), line_id)):
        with pytest.raises(NotFoundError):
            catch_ups.want(changes, BY, tenant, line, HOUR)
    catch_ups.want(changes, BY, tenant_id, line_id, HOUR)
    [due] = due_now(pool)
    assert due.since == pytest.approx(time.time() - HOUR, abs=30)


def test_one_daemon_has_a_line_until_it_ends_or_is_gone(pool: Pool, line_id: str) -> None:
    catch_ups.want(Changes(pool, lambda _: None), BY, tenant_of(pool, line_id), line_id, HOUR)
    [due] = due_now(pool)
    assert due_now(pool) == [], "somebody is at it"
    standing = catch_ups.of_line(pool, line_id)
    assert standing is not None
    assert standing.at_work
    catch_ups.keep(pool, due, -1.0, 5, 6, 7)  # as a daemon that was not heard of since
    again = catch_ups.take_due(pool, 60.0, 10)
    assert [one.line_id for one in again] == [line_id]
    catch_ups.end(pool, again[0], "complete", None, again=False)
    assert waits(pool, line_id) is None
    assert due_now(pool) == []


def test_after_an_absence_it_is_looked_twice(pool: Pool, line_id: str) -> None:
    marked(pool, 60)
    catch_ups.still_taking(pool)
    [due] = due_now(pool)
    catch_ups.end(pool, due, "complete", None, again=False)
    assert waits(pool, line_id) == pytest.approx(LOOK_AGAIN_SECONDS, abs=30)
    [due] = due_now(pool)
    catch_ups.end(pool, due, "complete", None, again=False)
    assert waits(pool, line_id) is None


def test_an_absence_while_a_daemon_is_at_it_is_not_lost(pool: Pool, line_id: str) -> None:
    catch_ups.want(Changes(pool, lambda _: None), BY, tenant_of(pool, line_id), line_id, HOUR)
    [due] = due_now(pool)
    marked(pool, 5 * HOUR)
    catch_ups.still_taking(pool)
    catch_ups.end(pool, due, "complete", None, again=False)
    [due] = due_now(pool)
    assert due.since == pytest.approx(time.time() - 5 * HOUR - MARGIN_SECONDS, abs=30)


def test_who_asks_again_is_refused_until_it_has_ended_and_shortens_no_pause(pool: Pool, line_id: str) -> None:
    changes, tenant_id = Changes(pool, lambda _: None), tenant_of(pool, line_id)

    def ask() -> None:
        catch_ups.want(changes, BY, tenant_id, line_id, HOUR)

    ask()
    with pytest.raises(TakenError, match="as soon as a daemon is free"):
        ask()
    [due] = due_now(pool)
    with pytest.raises(TakenError, match="now"):
        ask()
    catch_ups.end(pool, due, "failed", "Genesys answers nobody", again=True)
    with pytest.raises(TakenError, match="tried again at"):
        ask()
    assert waits(pool, line_id) == pytest.approx(LOOK_AGAIN_SECONDS, abs=30)
    [due] = due_now(pool)
    catch_ups.end(pool, due, "complete", None, again=False)
    ask()


def test_the_second_look_after_an_absence_may_be_asked_for_at_once(pool: Pool, line_id: str) -> None:
    marked(pool, 60)
    catch_ups.still_taking(pool)
    [due] = due_now(pool)
    catch_ups.end(pool, due, "complete", None, again=False)
    catch_ups.want(Changes(pool, lambda _: None), BY, tenant_of(pool, line_id), line_id, HOUR)
    assert [one.line_id for one in catch_ups.take_due(pool, 60.0, 10)] == [line_id]


def test_a_tenant_with_many_lines_has_one_of_them_caught_up_with_at_a_time(pool: Pool, line_id: str) -> None:
    lines = {line_id, active_line(pool), active_line(pool)}
    other = active_line(pool)
    tenant_id = tenant_of(pool, line_id)
    with pool.transaction() as cursor:
        cursor.execute("UPDATE lines SET tenant_id = %s WHERE id = ANY(%s::uuid[])", (tenant_id, list(lines)))
    marked(pool, 60)
    assert catch_ups.still_taking(pool) == 4
    first, second = due_now(pool), due_now(pool)
    assert {one.tenant_id for one in first} == {tenant_id, tenant_of(pool, other)}
    assert (len(first), second) == (2, []), "no daemon gets a second one of either"
    done = {next(one for one in first if one.tenant_id == tenant_id).line_id}
    for due in first:
        catch_ups.end(pool, due, "failed", "gone", again=True)
    with pool.transaction() as cursor:
        cursor.execute("UPDATE catch_ups SET due_at = NULL WHERE line_id = ANY(%s::uuid[])", ([*done, other],))
    [due] = due_now(pool)
    assert due.line_id in lines - done


def test_daemons_that_look_at_the_same_moment_do_not_take_two_lines_of_a_tenant(pool: Pool, line_id: str) -> None:
    lines = [line_id, *(active_line(pool) for _ in range(7))]
    with pool.transaction() as cursor:
        cursor.execute("UPDATE lines SET tenant_id = %s WHERE id = ANY(%s::uuid[])", (tenant_of(pool, line_id), lines))
    marked(pool, 60)
    catch_ups.still_taking(pool)
    with pool.transaction() as cursor:
        cursor.execute("UPDATE catch_ups SET due_at = now()")
    with pool.transaction() as cursor:
        cursor.execute("SELECT 1 FROM catch_ups FOR UPDATE")  # whoever takes one waits, so that all have looked
        looking = [gevent.spawn(catch_ups.take_due, pool, 60.0, 4) for _ in range(4)]
        wait_until(lambda: waiting(pool) + sum(one.ready() for one in looking) == 4, message="all to have looked")
    gevent.joinall(looking, timeout=PATIENCE, raise_error=True)
    assert sum(len(one.get()) for one in looking) == 1


def waiting(pool: Pool) -> int:
    """How many wait for a row that somebody holds."""
    with pool.autocommit() as cursor:
        cursor.execute(
            """SELECT count(*) FROM pg_stat_activity
               WHERE datname = current_database() AND wait_event_type = 'Lock' AND query LIKE 'UPDATE catch_ups%'"""
        )
        return int(cursor.fetchone()[0])


def test_what_cannot_be_asked_is_tried_again_and_has_an_end(pool: Pool, line_id: str) -> None:
    catch_ups.want(Changes(pool, lambda _: None), BY, tenant_of(pool, line_id), line_id, HOUR)
    for _ in range(MOST_TRIES):
        [due] = due_now(pool)
        catch_ups.end(pool, due, "failed", "Genesys answers nobody", again=True)
    assert due_now(pool) == []
    standing = catch_ups.of_line(pool, line_id)
    assert standing is not None
    assert (standing.outcome, standing.why, standing.due_at) == ("failed", "Genesys answers nobody", None)


def test_conversations_are_those_that_genesys_knows_and_that_went_on_lately(pool: Pool, line_id: str) -> None:
    recent, old, unknown = (new_message(pool, line_id) for _ in range(3))
    with pool.transaction() as cursor:
        conversations.see_genesys_conversations(cursor, [(recent.conversation_id, "g1"), (old.conversation_id, "g2")])
        cursor.execute(
            "UPDATE conversation_mappings SET last_at = now() - interval '9 days' WHERE id = %s", (old.conversation_id,)
        )
    assert unknown.conversation_id
    due = DueCatchUp(line_id, tenant_of(pool, line_id), time.time() - HOUR, 1)
    assert [(one.conversation_id, one.genesys_id) for one in catch_ups.talks(pool, due)] == [
        (recent.conversation_id, "g1")
    ]


def test_what_the_relay_has_of_either_direction_is_known(pool: Pool, line_id: str) -> None:
    agents, customers = new_message(pool, line_id), sent_message(pool, line_id, "inbound", uuid4().hex)
    with pool.transaction() as cursor:
        cursor.execute("SELECT provider_id FROM message_attempts WHERE message_id = %s", (customers.id,))
        provider_id = cursor.fetchone()[0]
        cursor.execute("UPDATE message_tracking SET provider_id = %s WHERE id = %s", (provider_id, customers.id))
    asked = [agents.message.source_id, provider_id, uuid4().hex]
    assert catch_ups.known(pool, line_id, asked) == set(asked[:2])
    assert catch_ups.known(pool, new_line(pool), asked) == set()
    assert catch_ups.newest_handed_over(pool, customers.conversation_id) == provider_id
    assert catch_ups.newest_handed_over(pool, agents.conversation_id) is None


def test_what_was_written_down_with_dashes_is_known_without_them(pool: Pool, line_id: str) -> None:
    one = uuid4()
    row = sent_message(pool, line_id, "inbound", str(one))
    with pool.transaction() as cursor:
        cursor.execute("UPDATE message_tracking SET provider_id = %s WHERE id = %s", (str(one), row.id))
    for asked in (one.hex, str(one)):
        assert catch_ups.known(pool, line_id, [asked, uuid4().hex]) == {asked}
    assert catch_ups.newest_handed_over(pool, row.conversation_id) == one.hex


@pytest.fixture
def caught_up(pool: Pool, line_id: str) -> Callable[[], Row]:
    """Inserts, as often as it is called, the same agent's message that was asked for."""
    before = new_message(pool, line_id)
    row = Row(
        messages.new_id(), before.tenant_id, line_id, before.conversation_id, before.shard, "outbound",
        SortKey(NOW + 5, NOW + 5, 0), Message(uuid4().hex, Person("49"), NOW),
    )  # fmt: skip

    def insert() -> Row:
        with pool.transaction() as cursor:
            messages.insert(cursor, [NewRow(row, {}, origin="catch_up")])
        return row

    return insert


def test_what_was_caught_up_with_is_marked_late_and_so_once(pool: Pool, caught_up: Callable[[], Row]) -> None:
    row = caught_up()
    caught_up()
    found = history.get(pool, None, row.id)
    assert found is not None
    assert (found.message.late, found.message.caught_up, found.message.origin) == (True, True, "catch_up")
    assert [one.event for one in found.history] == ["caught_up"]


def test_the_agent_is_told_when_what_was_caught_up_with_fails(pool: Pool, caught_up: Callable[[], Row]) -> None:
    row = caught_up()
    with pool.transaction() as cursor:
        claims.record_verdicts(cursor, [Verdict(row.id, 1, 0, "failed", NOW, "window_closed", "too late")])
    found = history.get(pool, None, row.id)
    assert found is not None
    assert (found.message.state, found.message.report) == ("failed", "failed")
