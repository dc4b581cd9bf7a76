"""What a customer's message is about: whose words may stand above it."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace
from typing import Any
from uuid import uuid4

import gevent
import pytest
from psycopg2.extras import Json

from db.mailbox import claims, messages, references, sends
from db.pool import Pool
from relay.core.content import About
from relay.core.conversation.quoting import DELETED, edited, reacted
from relay.core.mailbox import Row
from relay.core.messages import Message, Person, Receipt, Update, dump
from relay.intake.intake import Intake
from relay.intake.references import Referring, complete
from relay.stores import catalogues
from tests.integration.rows import NOW, new_message, sent_message
from tests.integration.told import World
from tests.waiting import PATIENCE, wait_until


def reply(pool: Pool, row: Row, conversation_id: str, *batch: Referring) -> str | None:
    """What becomes of "yes", in reply to the row's message, in this conversation."""
    message = Message("wamid.reply", Person("4915700"), 1.0, text="yes", reply_to=row.message.source_id)
    with pool.transaction() as cursor:
        return complete(cursor, [*batch, Referring(row.line_id, conversation_id, message)]).messages[-1].text


@pytest.fixture
def row(pool: Pool, line_id: str) -> Row:
    """What the customer wrote first; it has no words, so it is quoted by its kind."""
    return new_message(pool, line_id, "inbound")


def test_nobody_reads_what_somebody_else_wrote(pool: Pool, row: Row) -> None:
    other = new_message(pool, row.line_id, "inbound").conversation_id
    assert reply(pool, row, row.conversation_id) == "In reply to their own message: “a message”\nyes"
    assert reply(pool, row, other) == "In reply to an earlier message\nyes"


def test_nor_in_the_same_batch(pool: Pool, line_id: str, row: Row) -> None:
    fresh = replace(row, message=replace(row.message, source_id="wamid.fresh", text="my PIN is 1234"))
    there = Referring(line_id, row.conversation_id, fresh.message)
    other = new_message(pool, line_id, "inbound").conversation_id
    assert reply(pool, fresh, row.conversation_id, there) == "In reply to their own message: “my PIN is 1234”\nyes"
    assert reply(pool, fresh, other, there) == "In reply to an earlier message\nyes"


def test_what_was_not_relayed_has_neither_words_nor_a_writer(pool: Pool, row: Row) -> None:
    """What the business wrote in its own app, for example, while nobody talked."""
    with pool.transaction() as cursor:
        cursor.execute("UPDATE message_tracking SET state = 'ignored' WHERE id = %s", (row.id,))
    assert reply(pool, row, row.conversation_id) == "In reply to an earlier message\nyes"


def about(row: Row, kind: About, text: str | None) -> Referring:
    """Something about the row's message, as a parser writes it down."""
    message = Message(f"wamid.{kind}", Person("4915700"), 1.0, text=text, reply_to=row.message.source_id, about=kind)
    return Referring(row.line_id, row.conversation_id, message)


def told(pool: Pool, *written: Referring) -> list[str | None]:
    with pool.transaction() as cursor:
        completed = complete(cursor, written)
        references.keep_edits(cursor, completed.edits)
        return [one.text for one in completed.messages]


@pytest.mark.parametrize("together", [True, False], ids=["in one batch", "one after the other"])
def test_what_was_edited_is_quoted_as_it_reads_now(pool: Pool, row: Row, together: bool) -> None:
    written = [
        about(row, "edit", edited("please cancel")),
        about(row, "edit", edited("please DO NOT cancel")),
        about(row, "reply", "yes"),
        about(row, "reaction", reacted("👍")),
        about(row, "edit", edited("please cancel half")),
        about(row, "revocation", DELETED),
    ]
    found = told(pool, *written) if together else [text for one in written for text in told(pool, one)]
    assert found == [
        "Edited “a message” to: please cancel",
        "Edited “please cancel” to: please DO NOT cancel",
        "In reply to their own message: “please DO NOT cancel”\nyes",
        "Reacted with 👍 to their own message: “please DO NOT cancel”",
        "Edited “please DO NOT cancel” to: please cancel half",
        "Deleted: “please cancel half”",
    ]


def test_an_edit_in_the_batch_of_its_original_is_kept_with_it(pool: Pool, line_id: str, row: Row) -> None:
    fresh = replace(row, message=replace(row.message, source_id="wamid.fresh", text="please cancel"))
    with pool.transaction() as cursor:
        original, _ = complete(
            cursor,
            [Referring(line_id, row.conversation_id, fresh.message), about(fresh, "edit", edited("do NOT cancel"))],
        ).messages
    assert (original.text, original.edited) == ("please cancel", "do NOT cancel")


def test_nobody_edits_what_somebody_else_wrote(pool: Pool, row: Row) -> None:
    other = replace(row, conversation_id=new_message(pool, row.line_id, "inbound").conversation_id)
    told(pool, about(other, "edit", edited("pay me")))
    assert reply(pool, row, row.conversation_id) == "In reply to their own message: “a message”\nyes"


def test_an_edit_that_comes_while_a_file_is_prepared_is_not_lost_with_it(pool: Pool, row: Row) -> None:
    told(pool, about(row, "edit", edited("please DO NOT cancel")))
    messages.save_content(pool, row.id, replace(row.message, text="please cancel"))
    assert reply(pool, row, row.conversation_id) == "In reply to their own message: “please DO NOT cancel”\nyes"


def test_nothing_is_made_of_an_edit_that_never_came(pool: Pool, row: Row) -> None:
    messages.save_content(pool, row.id, replace(row.message, text="please cancel"))
    assert reply(pool, row, row.conversation_id) == "In reply to their own message: “please cancel”\nyes"


def test_an_edit_and_a_receipt_of_one_group_are_locked_in_the_order_of_ids(pool: Pool, line_id: str) -> None:
    """Held up at the first row, intake has not the second yet: so no two ever wait for each other."""
    provider_id = uuid4().hex
    first, second = sent_message(pool, line_id, "inbound", provider_id), new_message(pool, line_id, "inbound")
    assert first.id < second.id
    edit = about(second, "edit", edited("please DO NOT cancel")).message
    edit = replace(edit, source_id=uuid4().hex, person=second.message.person)
    parsed = [edit, Receipt(provider_id, "delivered", NOW)]
    speech: Any = SimpleNamespace(parse=lambda _payload: parsed, fit=lambda message: [message])
    update = Update("whatsapp", second.tenant_id, line_id, second.message.person.address, NOW, 0, {})
    intake = Intake(pool, {"whatsapp": speech, "genesys": speech}, 16, catalogues.say)
    with pool.transaction() as cursor:
        claims.lock(cursor, [first.id])
        waits = gevent.spawn(intake.take, [dump(update)])
        wait_until(lambda: _blocked(pool), message="intake to wait")
        cursor.execute("SELECT 1 FROM message_tracking WHERE id = %s FOR UPDATE NOWAIT", (second.id,))
    assert waits.get(timeout=PATIENCE).dead == []
    assert reply(pool, second, second.conversation_id) == ("In reply to their own message: “please DO NOT cancel”\nyes")


def _blocked(pool: Pool) -> bool:
    with pool.transaction() as cursor:
        cursor.execute(
            "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()"
        )
        return bool(cursor.fetchone()[0])


def test_of_the_parts_of_one_question_the_last_is_the_menu(pool: Pool) -> None:
    world = World(pool)
    contact = world.contact()
    for place in (2, 0, 1):  # whichever was written first
        content = {"source_id": "q", "person": {"address": "1"}, "provider_time": 0.0, "text": f"part {place}"}
        world.message(contact, direction="outbound", idx=place, content=Json(content))
    with pool.transaction() as cursor:
        [shown] = references.last_shown(cursor, [contact.conversation_id]).values()
    assert shown.message.text == "part 2"


@pytest.mark.parametrize(
    ("change", "found"),
    [
        ("source_id = 'wamid.in#2'", "wamid.in"),
        ("source_id = 'copy:wamid.in'", None),
        ("source_id = 'sha256:00ff'", None),
        ("source_id = 'api:key', origin = 'api', provider_id = 'genesys'", None),
        ("source_id = 'wamid.in', state = 'ignored'", None),
        ("direction = 'outbound', origin = 'api', provider_id = 'wamid.out'", "wamid.out"),
        ("direction = 'outbound'", None),
    ],
)
def test_only_an_id_that_whatsapp_gave_is_named_to_it(pool: Pool, row: Row, change: str, found: str | None) -> None:
    with pool.transaction() as cursor:
        cursor.execute(f"UPDATE message_tracking SET {change} WHERE id = %s", (row.id,))
    assert sends.provider_id(pool, row.line_id, row.id) == found
