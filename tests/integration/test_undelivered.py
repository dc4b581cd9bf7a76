"""What Meta took and could not deliver for now: put back, sent again, three times in all, and never for nothing."""

from __future__ import annotations

import json
from contextlib import closing
from typing import Any
from uuid import uuid4

import psycopg2
import pytest

from db.contacts import conversations
from db.mailbox import claims, messages, receipts
from db.mailbox.receipts import LineReceipt
from db.pool import Pool
from db.views import history
from relay.core.conversation.lane import pending
from relay.core.mailbox import Attempt, Row, Verdict
from relay.core.messages import Media, Receipt, ReceiptStatus
from relay.core.threads import ThreadFact
from tests.integration.rows import NOW, new_message

PASSING: dict[str, Any] = {
    "code": "131016",
    "reason": "Service unavailable",
    "fate": "retry",
    "answer": '{"errors":[]}',
}
FINAL: dict[str, Any] = {"code": "131026", "reason": "Undeliverable", "fate": "refused", "answer": '{"errors":[1]}'}


def call(pool: Pool, row: Row, n: int) -> None:
    """As a claim leaves it: the call is under way."""
    with pool.transaction() as cursor:
        cursor.execute(
            """INSERT INTO message_attempts (message_id, n, line_id, epoch, started_at, deadline_at)
               VALUES (%s, %s, %s, 1, now(), now())""",
            (row.id, n, row.line_id),
        )
        cursor.execute(
            """UPDATE message_tracking SET state = 'sending', attempts = %s, claim_epoch = 1, claimed_at = now(),
                      next_attempt_at = NULL, unknown_until = NULL WHERE id = %s""",
            (n, row.id),
        )


def answered(pool: Pool, row: Row, n: int, wamid: str) -> None:
    """The journal has heard of the answer."""
    with pool.transaction() as cursor:
        attempt = Attempt(row.id, row.line_id, n, "sent", NOW, wamid, 200)
        claims.record_attempts(cursor, [attempt])
        claims.record_sent(cursor, [attempt])
        receipts.unpark(cursor, [(row.line_id, wamid)])


def lost(pool: Pool, row: Row, n: int) -> None:
    """Nobody knows how the call ended."""
    with pool.transaction() as cursor:
        claims.record_attempts(cursor, [Attempt(row.id, row.line_id, n, "unknown", NOW, None, None, "timeout")])
        claims.record_verdicts(cursor, [Verdict(row.id, 1, n, "unknown", NOW, "timeout", "", None, NOW + 9e8)])


def sent(pool: Pool, row: Row, n: int = 1) -> str:
    """Called and answered; the id that Meta gave it."""
    wamid = f"wamid.{uuid4().hex}"
    call(pool, row, n)
    answered(pool, row, n, wamid)
    return wamid


def tell(pool: Pool, row: Row, *told: tuple[str, ReceiptStatus], ours: bool = False, **more: Any) -> list[str]:
    """The states that the receipts, (wamid, status) each, make known."""
    with pool.transaction() as cursor:
        found = [
            Receipt(wamid, status, NOW, row.id if ours else None, **(more if status == "failed" else {}))
            for wamid, status in told
        ]
        return [one.state for one in receipts.record(cursor, [LineReceipt(row.line_id, one) for one in found])]


def detail(pool: Pool, row: Row) -> history.Detail:
    found = history.get(pool, None, row.id)
    assert found is not None
    return found


def state(pool: Pool, row: Row) -> str:
    return detail(pool, row).message.state


def wait(pool: Pool, row: Row) -> float:
    with pool.transaction() as cursor:
        cursor.execute("SELECT next_attempt_at - updated_at FROM message_tracking WHERE id = %s", (row.id,))
        return float(cursor.fetchone()[0].total_seconds())


@pytest.fixture
def row(pool: Pool, line_id: str) -> Row:
    return new_message(pool, line_id)


def test_a_passing_failure_puts_it_back_and_its_owner_is_told(pool: Pool, row: Row, postgres: str) -> None:
    wamid = sent(pool, row)
    with closing(psycopg2.connect(postgres)) as listening, listening.cursor() as cursor:
        listening.autocommit = True
        cursor.execute("LISTEN relay_wake")
        assert tell(pool, row, (wamid, "failed"), **PASSING) == ["received"]
        cursor.execute("SELECT 1")  # what was notified comes with the next answer
        assert [one.payload for one in listening.notifies] == [f"{row.shard}:{row.conversation_id}"]
    found = detail(pool, row)
    assert (found.message.state, found.message.report, found.message.failed_at) == ("received", None, None)
    assert (found.message.reason_code, found.message.claimed_at, found.message.sent_at) == ("131016", None, None)
    assert wait(pool, row) == 4
    [attempt] = found.attempts
    assert (attempt.outcome, attempt.code, attempt.provider_id) == ("undelivered", "131016", wamid)
    [happened] = found.history
    assert happened.event == "undelivered" and "131016: Service unavailable" in str(happened.detail)
    assert "could not deliver it" in found.steps[-1].text


REFUSED_FILE: dict[str, Any] = {"code": "131053", "reason": "Media upload error", "fate": "as_link", "answer": "{}"}


def with_file(pool: Pool, line_id: str, kind: str) -> Row:
    media = Media(kind, "video/mp4", bucket="media-outbound", object_key="a/b")  # type: ignore[arg-type]
    return new_message(pool, line_id, media=media)


def test_a_refused_file_goes_as_a_link_once_and_at_once(pool: Pool, line_id: str) -> None:
    row = with_file(pool, line_id, "video")
    first = sent(pool, row)
    assert tell(pool, row, (first, "failed"), **REFUSED_FILE) == ["received"]
    assert wait(pool, row) == 0
    with pool.transaction() as cursor:
        cursor.execute("SELECT content->'media'->>'kind' FROM message_tracking WHERE id = %s", (row.id,))
        assert cursor.fetchone()[0] == "link"
    assert "a link to the file" in str(detail(pool, row).history[0].detail)
    assert tell(pool, row, (sent(pool, row, 2), "failed"), **REFUSED_FILE) == ["failed"]


@pytest.mark.parametrize("kind", [None, "link"])
def test_without_a_file_of_ours_such_a_failure_is_final(pool: Pool, line_id: str, kind: str | None) -> None:
    row = with_file(pool, line_id, kind) if kind else new_message(pool, line_id)
    assert tell(pool, row, (sent(pool, row), "failed"), **REFUSED_FILE) == ["failed"]


ELSEWHERE: dict[str, Any] = {**FINAL, "code": "131070", "thread": ThreadFact("elsewhere", NOW)}
ESCALATION = '{"responder_role": "escalation", "take_over": true}'


def taking_over(pool: Pool, row: Row, content: str = "{}", settings: str = ESCALATION) -> None:
    with pool.transaction() as cursor:
        cursor.execute("UPDATE lines SET settings = %s WHERE id = %s", (settings, row.line_id))
        cursor.execute("UPDATE message_tracking SET content = content || %s WHERE id = %s", (content, row.id))


def test_what_another_responder_had_goes_out_once_more_with_the_thread_taken_first(pool: Pool, row: Row) -> None:
    taking_over(pool, row)
    assert tell(pool, row, (sent(pool, row), "failed"), **ELSEWHERE) == ["received"]
    with pool.transaction() as cursor:
        [again] = messages.unfinished(cursor, [row.conversation_id], 9)[row.conversation_id, "outbound"]
    assert again.message.take and pending(again).take
    assert "taken over first" in str(detail(pool, row).history[0].detail)
    assert tell(pool, row, (sent(pool, row, 2), "failed"), **ELSEWHERE) == ["failed"]
    assert detail(pool, row).message.report == "failed"


@pytest.mark.parametrize(
    ("content", "settings"),
    [("{}", "{}"), ("{}", '{"responder_role": "escalation"}'), ('{"direct": true}', ESCALATION)],
)
def test_where_the_line_takes_nothing_it_has_failed(pool: Pool, row: Row, content: str, settings: str) -> None:
    taking_over(pool, row, content, settings)
    assert tell(pool, row, (sent(pool, row), "failed"), **ELSEWHERE) == ["failed"]


def test_it_is_sent_three_times_in_all(pool: Pool, row: Row) -> None:
    waits = []
    for n in (1, 2):
        assert tell(pool, row, (sent(pool, row, n), "failed"), **PASSING) == ["received"]
        waits.append(wait(pool, row))
    assert waits == [4, 16]
    assert tell(pool, row, (sent(pool, row, 3), "failed"), **PASSING) == ["failed"]
    message = detail(pool, row).message
    assert (message.report, message.reason_code) == ("failed", "131016")


def test_what_is_emptied_is_not_sent_again(pool: Pool, row: Row) -> None:
    wamid = sent(pool, row)
    with pool.transaction() as cursor:
        cursor.execute("UPDATE message_tracking SET emptied_at = now() WHERE id = %s", (row.id,))
    assert tell(pool, row, (wamid, "failed"), **PASSING) == ["failed"]


@pytest.mark.parametrize("fate", ["refused", "credentials", "unknown", None])
def test_any_other_failure_is_final(pool: Pool, row: Row, fate: Any) -> None:
    assert tell(pool, row, (sent(pool, row), "failed"), **{**FINAL, "fate": fate}) == ["failed"]
    found = detail(pool, row)
    assert found.message.report == "failed"
    assert (found.attempts[0].outcome, found.attempts[0].answer) == ("undelivered", '{"errors":[1]}')


@pytest.mark.parametrize("arrival", ["delivered", "read"])
def test_what_has_arrived_is_never_sent_again(pool: Pool, row: Row, arrival: ReceiptStatus) -> None:
    wamid = sent(pool, row)
    tell(pool, row, (wamid, arrival))
    assert tell(pool, row, (wamid, "failed"), **PASSING) == [arrival]
    assert detail(pool, row).message.report == "delivered"


def test_arrival_in_the_same_batch_counts_too(pool: Pool, row: Row) -> None:
    wamid = sent(pool, row)
    assert tell(pool, row, (wamid, "failed"), (wamid, "delivered"), **PASSING) == ["delivered"]
    found = detail(pool, row)
    assert (found.history, [one.outcome for one in found.attempts]) == ([], ["sent"])


def test_a_late_arrival_makes_the_second_call_needless(pool: Pool, row: Row) -> None:
    wamid = sent(pool, row)
    tell(pool, row, (wamid, "failed"), **PASSING)
    assert tell(pool, row, (wamid, "delivered")) == ["delivered"]
    assert detail(pool, row).message.report == "delivered"


@pytest.mark.parametrize("ours", [False, True])
def test_nothing_else_of_that_attempt_counts_any_more(pool: Pool, row: Row, ours: bool) -> None:
    """Meta repeats and shuffles statuses: neither `sent` nor `failed` of the first attempt touch the second."""
    wamid = sent(pool, row)
    tell(pool, row, (wamid, "failed"), (wamid, "sent"), (wamid, "failed"), ours=ours, **PASSING)
    assert state(pool, row) == "received"
    tell(pool, row, (wamid, "sent"), ours=ours)
    tell(pool, row, (wamid, "failed"), ours=ours, **PASSING)
    assert state(pool, row) == "received" and wait(pool, row) == 4
    second = sent(pool, row, 2)
    tell(pool, row, (wamid, "failed"), ours=ours, **FINAL)
    assert state(pool, row) == "sent"
    assert detail(pool, row).message.provider_id == second
    assert tell(pool, row, (wamid, "delivered"), ours=ours) == ["delivered"]


def test_later_messages_that_went_ahead_make_it_late(pool: Pool, line_id: str, row: Row) -> None:
    wamid = sent(pool, row)
    other = new_message(pool, line_id)
    with pool.transaction() as cursor:
        cursor.execute(
            """UPDATE message_tracking SET conversation_id = %s, sort_time = sort_time + interval '1 second',
                      attempts = 1 WHERE id = %s""",
            (row.conversation_id, other.id),
        )
    tell(pool, row, (wamid, "failed"), **PASSING)
    found = detail(pool, row)
    assert found.message.late and "gone ahead" in str(found.history[0].detail)


def test_alone_it_is_not_late(pool: Pool, row: Row) -> None:
    tell(pool, row, (sent(pool, row), "failed"), **PASSING)
    assert not detail(pool, row).message.late


def test_the_status_may_overtake_the_answer(pool: Pool, row: Row) -> None:
    """It bears our id, so the attempt is known before its call has ended; the answer's `sent` changes nothing then."""
    call(pool, row, 1)
    wamid = f"wamid.{uuid4().hex}"
    tell(pool, row, (wamid, "sent"), ours=True)
    assert tell(pool, row, (wamid, "failed"), ours=True, **PASSING) == ["received"]
    answered(pool, row, 1, wamid)
    found = detail(pool, row)
    assert found.message.state == "received"
    assert [(one.outcome, one.http_status, one.code) for one in found.attempts] == [("undelivered", 200, "131016")]


def test_the_end_of_a_call_without_clear_end_is_told_by_its_status(pool: Pool, row: Row) -> None:
    call(pool, row, 1)
    wamid = f"wamid.{uuid4().hex}"
    tell(pool, row, (wamid, "failed"), ours=True, **PASSING)
    lost(pool, row, 1)
    found = detail(pool, row)
    assert (found.message.state, found.message.unknown_until) == ("received", None)
    assert found.attempts[0].provider_id == wamid


def test_an_unknown_outcome_is_settled_by_it(pool: Pool, row: Row) -> None:
    call(pool, row, 1)
    lost(pool, row, 1)
    assert state(pool, row) == "unknown"
    assert tell(pool, row, (uuid4().hex, "failed"), ours=True, **PASSING) == ["received"]


def test_of_several_unknown_calls_it_waits_until_it_is_known_which(pool: Pool, row: Row) -> None:
    call(pool, row, 1)
    lost(pool, row, 1)
    call(pool, row, 2)
    wamid = f"wamid.{uuid4().hex}"
    assert tell(pool, row, (wamid, "failed"), ours=True, **PASSING) == []
    assert state(pool, row) == "sending"
    answered(pool, row, 2, wamid)
    assert state(pool, row) == "received"
    assert detail(pool, row).attempts[1].answer == PASSING["answer"]


def test_the_failure_of_an_earlier_call_does_not_fail_the_later_one(pool: Pool, row: Row) -> None:
    call(pool, row, 1)
    lost(pool, row, 1)
    sent(pool, row, 2)
    tell(pool, row, (f"wamid.{uuid4().hex}", "failed"), ours=True, **FINAL)
    found = detail(pool, row)
    assert found.message.state == "sent"
    assert [one.outcome for one in found.attempts] == ["undelivered", "sent"]


def test_before_its_next_call_it_can_still_be_set_aside(pool: Pool, row: Row) -> None:
    """Its window has closed meanwhile, say: a verdict without a call, at the number of the attempt that failed."""
    tell(pool, row, (sent(pool, row), "failed"), **PASSING)
    with pool.transaction() as cursor:
        claims.record_verdicts(cursor, [Verdict(row.id, 1, 1, "failed", NOW, "window_closed", "closed")])
    assert state(pool, row) == "failed"


def test_a_parked_failure_keeps_its_fate_and_its_answer(pool: Pool, row: Row) -> None:
    call(pool, row, 1)
    wamid = f"wamid.{uuid4().hex}"
    assert tell(pool, row, (wamid, "failed"), (wamid, "sent"), **PASSING) == []
    answered(pool, row, 1, wamid)
    found = detail(pool, row)
    assert found.message.state == "received"
    assert json.loads(str(found.attempts[0].answer)) == {"errors": []}


def test_a_parked_word_of_another_responder_has_the_thread_taken_too(pool: Pool, row: Row) -> None:
    taking_over(pool, row)
    call(pool, row, 1)
    wamid = f"wamid.{uuid4().hex}"
    assert tell(pool, row, (wamid, "failed"), **ELSEWHERE, window_until=NOW + 60) == []
    answered(pool, row, 1, wamid)
    with pool.transaction() as cursor:
        [again] = messages.unfinished(cursor, [row.conversation_id], 9)[row.conversation_id, "outbound"]
        mapping = conversations.read(cursor, [row.conversation_id])[row.conversation_id]
    assert again.message.take
    assert mapping.thread_state == "elsewhere"


def test_a_parked_final_failure_is_told_with_its_answer(pool: Pool, row: Row) -> None:
    call(pool, row, 1)
    wamid = f"wamid.{uuid4().hex}"
    tell(pool, row, (wamid, "failed"), **FINAL)
    answered(pool, row, 1, wamid)
    found = detail(pool, row)
    assert (found.message.state, found.message.report, found.message.reason_code) == ("failed", "failed", "131026")
    assert found.attempts[0].answer == FINAL["answer"]


def test_failed_then_delivered_is_told_as_well(pool: Pool, row: Row) -> None:
    wamid = sent(pool, row)
    tell(pool, row, (wamid, "failed"), **FINAL)
    with pool.transaction() as cursor:
        claims.record_reports(cursor, [(row.id, "failed", None)])
    tell(pool, row, (wamid, "delivered"))
    message = detail(pool, row).message
    assert (message.state, message.report, message.reported) == ("delivered", "delivered", "failed")


def aliases(pool: Pool, row: Row) -> set[str]:
    with pool.transaction() as cursor:
        cursor.execute("SELECT alias FROM contact_aliases WHERE conversation_id = %s", (row.conversation_id,))
        return {one[0] for one in cursor.fetchall()}


def named(pool: Pool, row: Row, wamid: str, status: ReceiptStatus, *names: str) -> None:
    with pool.transaction() as cursor:
        receipts.record(cursor, [LineReceipt(row.line_id, Receipt(wamid, status, NOW, aliases=names))])


def test_further_addresses_in_statuses_are_learnt(pool: Pool, row: Row) -> None:
    wamid, before = sent(pool, row), aliases(pool, row)
    first, second, third = (f"DE.{uuid4().hex}" for _ in range(3))
    named(pool, row, wamid, "sent", first, *before)
    named(pool, row, wamid, "read", third)
    named(pool, row, wamid, "delivered", first, second)
    named(pool, row, wamid, "delivered", third)
    assert aliases(pool, row) == {*before, first, second}


def test_an_address_of_somebody_else_stays_theirs(pool: Pool, line_id: str, row: Row) -> None:
    other = new_message(pool, line_id)
    named(pool, row, sent(pool, row), "sent", *aliases(pool, other))
    assert aliases(pool, other) and not aliases(pool, other) & aliases(pool, row)
