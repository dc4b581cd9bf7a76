"""An agent's message that goes out in parts: what Genesys is told of the whole, and that each word is told once."""

from __future__ import annotations

import time
from itertools import count
from typing import Any

import pytest

from tests.content.test_window import late, line_with
from tests.flow.chat import Chat
from tests.flow.installation import Installation, Line
from tests.waiting import PATIENCE, wait_until

NUMBERS = count(4915400000001)
THREE_PARTS = " ".join(f"word{number}" for number in range(1100))


@pytest.fixture
def chat(installation: Installation, line: Line) -> Chat:
    """A customer whose phone is off: Meta says `sent` of a message and nothing more by itself."""
    opened = Chat(installation, line, str(next(NUMBERS))).opened()
    installation.control("POST", f"/phone/{opened.wa_id}", {"online": False})
    return opened


def parts(chat: Chat, source: str, *states: str) -> list[dict[str, Any]]:
    """The rows of the message, once all are in one of the states."""

    def there() -> list[dict[str, Any]]:
        rows = chat.installation.rows(
            "SELECT * FROM message_tracking WHERE source_id = %s OR source_id LIKE %s ORDER BY idx",
            source,
            f"{source}#%",
        )
        return rows if rows and all(row["state"] in states for row in rows) else []

    return wait_until(there, PATIENCE, f"all parts to be {' or '.join(states)}")


def status(chat: Chat, row: dict[str, Any], name: str, **more: Any) -> None:
    """Meta says so by hand."""
    body = {"id": row["provider_id"], "status": name, **more}
    chat.installation.control("POST", f"/phone/{chat.wa_id}/status", body)


def sent(chat: Chat) -> tuple[str, list[dict[str, Any]]]:
    source = chat.answers(THREE_PARTS)
    rows = parts(chat, source, "sent")
    assert len(rows) == 3
    return source, rows


def quiet(chat: Chat, *rows: dict[str, Any]) -> None:
    """Until nothing is left to be told of these."""
    ids = [row["id"] for row in rows]
    wait_until(
        lambda: (
            not chat.installation.rows(
                "SELECT 1 FROM message_tracking WHERE id = ANY(%s::uuid[]) AND report IS DISTINCT FROM reported", ids
            )
        ),
        PATIENCE,
        "every word to be told or withheld",
    )


def delivered(chat: Chat, row: dict[str, Any]) -> None:
    status(chat, row, "delivered")
    chat.installation.wait_for(row["source_id"], "delivered")
    quiet(chat, row)


def test_delivered_is_told_when_the_last_of_them_arrives_whichever_it_is(chat: Chat) -> None:
    source, (first, second, third) = sent(chat)
    delivered(chat, third)
    delivered(chat, first)
    assert chat.told(source) == []
    delivered(chat, second)
    assert chat.told(source) == ["Delivered"]
    status(chat, first, "read")
    chat.installation.wait_for(first["source_id"], "read")
    quiet(chat, first)
    assert chat.told(source) == ["Delivered"]


def test_one_that_fails_is_told_once_and_nothing_is_told_delivered(chat: Chat) -> None:
    source, (first, second, third) = sent(chat)
    delivered(chat, third)
    for row in (first, second):
        status(chat, row, "failed", errors=[{"code": 131026, "title": "Message undeliverable"}])
        chat.installation.wait_for(row["source_id"], "failed")
        quiet(chat, row)
    [receipt] = chat.receipts(source)
    assert receipt["status"] == "Failed"
    assert receipt["reasons"][0]["message"] == "131026: part 1 of 3: Message undeliverable"


def test_all_of_them_arrived_after_all(chat: Chat) -> None:
    source, (first, second, third) = sent(chat)
    status(chat, first, "failed", errors=[{"code": 131026, "title": "Message undeliverable"}])
    chat.installation.wait_for(first["source_id"], "failed")
    quiet(chat, first)
    for row in (second, third, first):
        delivered(chat, row)
    assert chat.told(source) == ["Failed", "Delivered"]


def test_too_late_for_the_window_is_told_once(installation: Installation, line: Line) -> None:
    chat = late(installation, line)
    source = chat.answers(THREE_PARTS)
    rows = parts(chat, source, "failed")
    quiet(chat, *rows)
    assert [one["reasons"][0]["code"] for one in chat.receipts(source)] == ["MessageExpired"]


@pytest.fixture(scope="module")
def inviting(installation: Installation) -> Line:
    """Its template only asks the customer to write."""
    return line_with(installation, "Parts", window_template={"name": "hello_again", "language": "en"})


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
def test_the_lines_template_goes_out_whichever_part_fails_first(
    installation: Installation, inviting: Line, order: tuple[int, int]
) -> None:
    """Only Meta knew that it was too late, and says so of each part, in any order."""
    chat = Chat(installation, inviting, str(next(NUMBERS))).opened()
    installation.control("POST", f"/phone/{chat.wa_id}", {"online": False})
    source, rows = sent(chat)
    for place in order:
        status(chat, rows[place], "failed", errors=[{"code": 131047, "title": "Re-engagement message"}])
        if place == 0:
            wait_until(lambda: template(chat, source) == "hello_again", PATIENCE, "the template in its place")
        else:
            installation.wait_for(rows[place]["source_id"], "failed")
        quiet(chat, *rows)
    assert chat.told(source) == ["Failed"]


def template(chat: Chat, source: str) -> str | None:
    return (chat.installation.row(source)["content"].get("template") or {}).get("name")


def test_parts_that_are_parted_again_are_counted_through(chat: Chat) -> None:
    """Two cards, each with a picture and more answers than buttons: a picture and a list of each."""
    picture = f"http://127.0.0.1:{chat.installation.env['SANDBOX_PORT']}/genesys/samples/sample.png"
    cards = [
        {
            "title": f"Tent {number}",
            "image": picture,
            "actions": [
                {"type": "Postback", "text": f"Size {size}", "payload": f"{number}-{size}-{time.time()}"}
                for size in range(5)
            ],
        }
        for number in range(2)
    ]
    source = chat.answers(type="Structured", content=[{"contentType": "Carousel", "carousel": {"cards": cards}}])
    rows = parts(chat, source, "sent")
    contents = [row["content"] for row in rows]
    assert [(one.get("part", 1), one.get("parts", 1)) for one in contents] == [(n, 4) for n in range(1, 5)]
    for row in rows:
        assert chat.told(source) == []
        delivered(chat, row)
    assert chat.told(source) == ["Delivered"]
