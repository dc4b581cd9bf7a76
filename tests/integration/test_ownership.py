"""Lines that wait for proof, as the database keeps them; what a release leaves behind; the operator's commands."""

from __future__ import annotations

from uuid import uuid4

import gevent
import pytest

from db.audit import Author
from db.mailbox import dead_letters, notices, sweep
from db.pool import Pool
from db.sealing import Cipher
from db.tenants import credentials, onboarding, ownership
from db.tenants.changes import Changes, TakenError
from db.tenants.onboarding import Line
from db.views import history, overview
from tests.integration.rows import new_message
from tests.integration.test_commands import said
from tests.services.emptying import empty
from tests.waiting import PATIENCE

BY = Author("test")


@pytest.fixture
def changes(pool: Pool) -> Changes:
    with pool.transaction() as cursor:
        empty(cursor, "tenants", "audit_log", "message_tracking", "message_events")
    return Changes(pool, lambda refs: None)


def line_of(changes: Changes, settings_env: dict[str, str], tenant_id: str = "") -> Line:
    """A line that was never asked about."""
    if not tenant_id:
        tenant_id = str(uuid4())
        with changes.pool.transaction() as cursor:
            cursor.execute("INSERT INTO tenants (id, name, webhook_key) VALUES (%s, 'T', %s)", (tenant_id, uuid4().hex))
    cipher = Cipher([settings_env["CREDENTIALS_KEYS"]])
    return onboarding.create(changes, cipher, BY, tenant_id, uuid4().hex, uuid4().hex)


def waiting(changes: Changes, settings_env: dict[str, str], tenant_id: str = "") -> Line:
    """A line whose time to be asked about has come."""
    line = line_of(changes, settings_env, tenant_id)
    ownership.wait(changes, BY, line.tenant_id, line.id, "WhatsApp: no answer.")
    with changes.pool.transaction() as cursor:
        cursor.execute("UPDATE lines SET ask_at = now() - interval '1 second' WHERE id = %s", (line.id,))
    return line


def now_of(changes: Changes, line: Line) -> Line:
    return next(one for one in onboarding.listed(changes.pool, line.tenant_id) if one.id == line.id)


def test_a_line_is_asked_about_by_one_daemon_at_a_time(changes: Changes, settings_env: dict[str, str]) -> None:
    lines = {waiting(changes, settings_env).id for _ in range(6)}
    taking = [gevent.spawn(ownership.take_due, changes.pool, 60) for _ in range(4)]
    gevent.joinall(taking, timeout=PATIENCE)
    taken = [due.line_id for one in taking for due in one.get(block=False)]
    assert sorted(taken) == sorted(lines)
    assert ownership.take_due(changes.pool, 60) == []


def test_one_tenants_many_lines_do_not_stand_before_the_others(changes: Changes, settings_env: dict[str, str]) -> None:
    first = waiting(changes, settings_env)
    for _ in range(ownership.AT_ONCE * 2):
        waiting(changes, settings_env, first.tenant_id)
    other = waiting(changes, settings_env)
    assert {due.tenant_id for due in ownership.take_due(changes.pool, 60)} == {first.tenant_id, other.tenant_id}


def test_pauses_grow_to_a_bound_and_the_asking_ends(changes: Changes, settings_env: dict[str, str]) -> None:
    pauses = [ownership.pause(asked) for asked in range(ownership.MOST_ASKED)]
    assert pauses == sorted(pauses)
    assert (pauses[0], pauses[-1]) == (ownership.FIRST_SECONDS, ownership.LONGEST_SECONDS)
    line = waiting(changes, settings_env)
    with changes.pool.transaction() as cursor:
        cursor.execute("UPDATE lines SET asked = %s WHERE id = %s", (ownership.MOST_ASKED - 2, line.id))
    [due] = ownership.take_due(changes.pool, 0)
    ownership.ask_later(changes, due, "WhatsApp: still no answer.")
    assert now_of(changes, line).ask_at is not None
    with changes.pool.transaction() as cursor:
        cursor.execute("UPDATE lines SET ask_at = now() WHERE id = %s", (line.id,))
    [due] = ownership.take_due(changes.pool, 0)
    ownership.ask_later(changes, due, "WhatsApp: still no answer.")
    ended = now_of(changes, line)
    assert (ended.status, ended.ask_at) == ("pending", None)
    assert "complete the onboarding again" in (ended.status_reason or "")


def test_what_was_decided_of_an_older_asking_changes_nothing(changes: Changes, settings_env: dict[str, str]) -> None:
    """A daemon that was stopped in the middle wakes up after another has asked."""
    line = waiting(changes, settings_env)
    [due] = ownership.take_due(changes.pool, 0)
    ownership.ask_later(changes, due, "WhatsApp: newer.")
    ownership.ask_later(changes, due, "WhatsApp: older.")
    assert now_of(changes, line).status_reason == "WhatsApp: newer."


def test_credentials_entered_while_a_line_is_asked_about_count_and_not_the_older_answer(
    changes: Changes, settings_env: dict[str, str]
) -> None:
    line = waiting(changes, settings_env)
    [due] = ownership.take_due(changes.pool, 60)
    assert ownership.is_ours(changes.pool, due)
    cipher = Cipher([settings_env["CREDENTIALS_KEYS"]])
    credentials.put(changes, cipher, BY, line.tenant_id, "whatsapp", {"access_token": "another"})
    assert not ownership.is_ours(changes.pool, due)
    ownership.ask_later(changes, due, "WhatsApp: older.")
    assert now_of(changes, line).status_reason == "WhatsApp: no answer."
    assert [one.line_id for one in ownership.take_due(changes.pool, 60)] == [line.id], "asked about at once"


def test_a_live_line_does_not_begin_to_wait(changes: Changes, settings_env: dict[str, str]) -> None:
    line = line_of(changes, settings_env)
    onboarding.activate(changes, BY, line.tenant_id, [line.pair])
    ownership.wait(changes, BY, line.tenant_id, line.id, "WhatsApp: no answer.")
    still = now_of(changes, line)
    assert (still.status, still.status_reason, still.ask_at) == ("active", None, None)
    assert still.proven_at is not None


def test_a_released_line_keeps_its_history_and_nothing_waits_on_it(
    changes: Changes, settings_env: dict[str, str]
) -> None:
    line = line_of(changes, settings_env)
    onboarding.activate(changes, BY, line.tenant_id, [line.pair])
    pool = changes.pool
    waits, sending, unreported = (new_message(pool, line.id) for _ in range(3))
    with pool.transaction() as cursor:
        cursor.execute("UPDATE message_tracking SET state = 'sending' WHERE id = %s", (sending.id,))
        cursor.execute(
            "UPDATE message_tracking SET state = 'failed', report = 'failed' WHERE id = %s", (unreported.id,)
        )
    ownership.release(changes, BY, line.tenant_id, line.id, "sold")
    assert ownership.end_waiting(pool) == 2
    states = {one.id: history.get(pool, line.tenant_id, one.id) for one in (waits, sending, unreported)}
    told = {name: (found.message.state, found.message.reason_code) for name, found in states.items() if found}
    assert told[waits.id] == ("dead", "line_released")
    assert told[sending.id][0] == "sending", "a call under way ends first"
    assert told[unreported.id][0] == "failed"
    with pool.transaction() as cursor:
        found = sweep.page(cursor, range(16))
    assert [one.message_id for one in found] == [sending.id]
    assert ownership.end_waiting(pool) == 0
    with pool.transaction() as cursor:
        cursor.execute("UPDATE lines SET released_at = now() - interval '1 year' WHERE id = %s", (line.id,))
    assert dead_letters.replay(pool, BY, line.tenant_id, [waits.id]).replayed == [waits.id]
    assert ownership.end_waiting(pool) == 1, "what is replayed on it later does not wait for ever"
    [notice] = notices.listed(pool, line.tenant_id).items
    assert (notice.kind, notice.reason) == ("line_released", "sold")
    assert now_of(changes, line).released_at is not None
    [tenant] = overview.tenants(pool).items
    assert tenant.lines == 0, "a line that owns nothing is none that should be live"


def test_a_released_pair_is_set_up_anew_as_the_same_line(changes: Changes, settings_env: dict[str, str]) -> None:
    line = line_of(changes, settings_env)
    onboarding.activate(changes, BY, line.tenant_id, [line.pair])
    ownership.release(changes, BY, line.tenant_id, line.id, "a mistake")
    cipher = Cipher([settings_env["CREDENTIALS_KEYS"]])
    other = onboarding.create(changes, cipher, BY, line.tenant_id, line.phone_number_id, uuid4().hex)
    assert other.id != line.id, "its number may be paired with another integration"
    onboarding.remove(changes, BY, line.tenant_id, other.id)
    again = onboarding.create(changes, cipher, BY, line.tenant_id, line.phone_number_id, line.integration_id)
    assert (again.id, again.status, again.released_at) == (line.id, "pending", None)
    with pytest.raises(TakenError):
        onboarding.create(changes, cipher, BY, line.tenant_id, line.phone_number_id, uuid4().hex)


def test_the_operators_commands(changes: Changes, settings_env: dict[str, str]) -> None:
    line = line_of(changes, settings_env)
    onboarding.activate(changes, BY, line.tenant_id, [line.pair])
    found = said(settings_env, "lines", "find", line.phone_number_id)
    assert (line.id in found, "active" in found, line.tenant_id in found) == (True, True, True)
    told = said(settings_env, "lines", "release", line.id, "--reason", "it moved")
    assert "released" in told
    assert (now_of(changes, line).status, now_of(changes, line).status_reason) == ("released", "it moved")
    assert "released already" in said(settings_env, "lines", "release", line.id, code=1)
    assert "no line of any tenant" in said(settings_env, "lines", "find", "4711", code=1)
    assert "there is no line" in said(settings_env, "lines", "release", str(uuid4()), code=1)
