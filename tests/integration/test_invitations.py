"""A template in place of a message that came too late: what its row says afterwards."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from uuid import UUID

from db.mailbox import claims, invitations
from db.pool import Pool
from relay.core.content import Template
from relay.core.mailbox import Attempt, Row, RowStatus, Verdict
from relay.core.messages import Message
from tests.integration.rows import new_line, new_message


def in_its_place(*, instead: bool) -> Callable[[Message, float | None], Message | None]:
    template = Template("hello", "en", instead=instead)
    return lambda message, _invited_at: replace(message, type="template", template=template)


def directly(message: Message, _invited_at: float | None) -> Message:
    return replace(message, text="Hello", direct=True)


def refused(pool: Pool) -> Row:
    """An agent's message that came too late."""
    row = new_message(pool, new_line(pool))
    with pool.transaction() as cursor:
        claims.record_verdicts(cursor, [Verdict(row.id, 1, 0, "failed", time.time(), "window_closed", "too late")])
    return row


def invite(pool: Pool, row: Row, *, instead: bool) -> invitations.SentInvitation | None:
    make = in_its_place(instead=instead)
    return invitations.send(pool, row.conversation_id, row.id, make, time.time(), None)


def accepted(pool: Pool, row: Row) -> RowStatus:
    """The template's call went through, and no status has come yet."""
    attempt = Attempt(row.id, row.line_id, 1, "sent", time.time(), "wamid.x")
    with pool.transaction() as cursor:
        cursor.execute("UPDATE message_tracking SET state = 'sending', attempts = 1 WHERE id = %s", (UUID(row.id),))
        cursor.execute(
            """INSERT INTO message_attempts (message_id, n, line_id, epoch, started_at, deadline_at)
               VALUES (%s, 1, %s, 1, now(), now())""",
            (row.id, row.line_id),
        )
        claims.record_attempts(cursor, [attempt])
        claims.record_sent(cursor, [attempt])
        return claims.row_statuses(cursor, [row.id])[0]


def test_a_template_that_holds_the_text_makes_the_failure_undone(pool: Pool) -> None:
    row = refused(pool)
    assert invite(pool, row, instead=False) is not None
    row_status = accepted(pool, row)
    assert (row_status.state, row_status.report, row_status.code) == ("sent", None, None)


def test_a_template_instead_is_sent_and_its_message_stays_failed(pool: Pool) -> None:
    row = refused(pool)
    assert invite(pool, row, instead=True) is not None
    row_status = accepted(pool, row)
    assert (row_status.state, row_status.report, row_status.code) == ("sent", "failed", "window_closed")


def test_the_word_about_it_is_the_same_when_it_is_told_again(pool: Pool) -> None:
    row = refused(pool)
    first = invite(pool, row, instead=True)
    assert first is not None
    assert first.reason == "too late; the template hello goes out instead"
    accepted(pool, row)
    assert invite(pool, row, instead=True) == first, "and no second template goes out"
    with pool.transaction() as cursor:
        assert claims.row_statuses(cursor, [row.id])[0].state == "sent"


def test_what_has_been_sent_after_all_is_left_alone(pool: Pool) -> None:
    row = new_message(pool, new_line(pool))
    assert invite(pool, row, instead=False) is None


def test_what_goes_out_directly_is_no_invitation_and_nothing_is_told_of_a_failure(pool: Pool) -> None:
    row = refused(pool)
    found = invitations.send(pool, row.conversation_id, row.id, directly, time.time(), None)
    assert found == invitations.SentInvitation(instead=False, reason=None)
    with pool.transaction() as cursor:
        cursor.execute(
            """SELECT m.state, m.report, m.reason_code, m.content->>'direct', c.invited_at
               FROM message_tracking m JOIN conversation_mappings c ON c.id = m.conversation_id WHERE m.id = %s""",
            (UUID(row.id),),
        )
        assert cursor.fetchone() == ("received", None, None, "true", None)
