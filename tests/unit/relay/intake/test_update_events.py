"""What an update says of its time, and what it may cost."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from relay.channels import NAMES, load
from relay.channels.base import Channel
from relay.channels.http.client import HttpTransport
from relay.core.contacts.mapping import ConversationMapping
from relay.core.messages import Event, Message, Notice, Person, Receipt, Update, dump
from relay.core.threads import ThreadFact
from relay.intake.update_events import MOST_ROWS, SEEN_ONLY, Rows, UpdateEvent, read
from tests.unit.relay.channels.accounts import Tokens

ARRIVED = 1_790_000_000.0
CHANNELS: dict[str, Channel] = {name: load(name, HttpTransport(Tokens())) for name in NAMES}
TARGETS = {"genesys": CHANNELS["whatsapp"]}
MAPPING = ConversationMapping("c", "t", "l", "491701", 0, "491701", None, None, None, None)


def came(event: Event) -> UpdateEvent:
    return UpdateEvent(b"", Update("whatsapp", "t", "l", "491701", ARRIVED, 0, {}), event)


@pytest.mark.parametrize(
    ("told", "taken"),
    [
        (ARRIVED - 5, ARRIVED - 5),
        (ARRIVED + 5, ARRIVED + 5),  # clocks differ a little, and it is theirs that tells the order
        (ARRIVED + 86_400, ARRIVED),
        (0.0, ARRIVED),
    ],
)
def test_nothing_was_written_long_after_it_arrived(told: float, taken: float) -> None:
    """It orders, is shown to the agent, and decides which message typing and read marks name."""
    found = came(Message("wamid.1", Person("491701"), told, text="hello"))
    target: Any = type("Target", (), {"fit": staticmethod(lambda message: [message])})
    [new] = Rows({"whatsapp": target}).of(found, found.event, MAPPING)  # type: ignore[arg-type]
    assert found.seen.provider_time == new.row.message.provider_time == taken


def test_nor_is_anything_delivered_later_than_we_hear_of_it() -> None:
    assert came(Receipt("wamid.1", "delivered", ARRIVED + 60)).receipt.receipt.time == ARRIVED
    assert came(Receipt("wamid.1", "delivered", ARRIVED - 60)).receipt.receipt.time == ARRIVED - 60


def from_agent(text: str, *more: Any) -> UpdateEvent:
    [found] = read(dump(Update("genesys", "t", "l", "491701", ARRIVED, 0, agent(text, *more))), CHANNELS)
    return found


def agent(text: str, *content: Any) -> dict[str, Any]:
    channel = {"id": "i", "to": {"id": "491701"}, "time": "2026-11-30T12:00:00.000Z"}
    return {"id": "m", "channel": channel, "type": "Text", "text": text, "content": list(content)}


def test_of_a_long_message_the_payload_is_kept_once() -> None:
    """Each of its parts would hold all of it: a megabyte of text was hundreds of them."""
    found = from_agent("word " * 60_000)
    new = Rows(TARGETS).of(found, found.event, MAPPING)  # type: ignore[arg-type]
    assert len(new) > 50
    assert [one.payload for one in new] == [found.update.payload] + [{"part_of": "m"}] * (len(new) - 1)
    found = from_agent("word " * 1_000)
    assert [one.payload for one in Rows(TARGETS).of(found, found.event, MAPPING)] == [found.update.payload] * 2  # type: ignore[arg-type]


def test_what_would_be_too_many_messages_is_failed_and_told() -> None:
    found = from_agent("word " * 100_000)
    [new] = Rows(TARGETS).of(found, found.event, MAPPING)  # type: ignore[arg-type]
    assert (new.row.state, new.reason_code, new.report) == ("failed", "text_too_long", "failed")
    assert str(MOST_ROWS) in str(new.reason)


def test_nor_does_one_update_become_any_number_of_messages() -> None:
    file = {"contentType": "Attachment", "attachment": {"mediaType": "Image", "url": "https://files.example/a.png"}}
    found = from_agent("look", *[file] * (MOST_ROWS + 1))
    assert isinstance(found.event, Notice)


WROTE = Message("wamid.1", Person("491701"), ARRIVED - 5, text="hello", window_until=ARRIVED)


@pytest.mark.parametrize(
    ("message", "thread", "heard"),
    [
        (WROTE, ThreadFact("owned", ARRIVED - 5), ARRIVED - 5),
        (replace(WROTE, source_id="copy:wamid.1"), ThreadFact("elsewhere", ARRIVED - 5), ARRIVED - 5),
        (
            replace(WROTE, source_id="copy:wamid.2", notice=True, window_until=None),
            ThreadFact("elsewhere", ARRIVED - 5),
            None,
        ),
        (replace(WROTE, window_until=None), None, None),  # in a group
        (replace(WROTE, notice=True), None, None),
        (
            replace(WROTE, window_until=None, thread=ThreadFact("owned", ARRIVED + 86_400, "escalation")),
            ThreadFact("owned", ARRIVED, "escalation"),
            None,
        ),
    ],
)
def test_whose_word_says_who_answers(message: Message, thread: ThreadFact | None, heard: float | None) -> None:
    found = came(message).seen
    assert (found.thread, found.heard_at) == (thread, heard)


def test_what_another_responder_answers_is_kept_with_its_text_and_not_carried() -> None:
    found = came(replace(WROTE, source_id="copy:wamid.1"))
    [new] = Rows({"whatsapp": CHANNELS["genesys"]}).of(found, found.event, MAPPING)  # type: ignore[arg-type]
    assert (new.row.state, new.row.message.text, new.reason) == ("ignored", "hello", SEEN_ONLY)
    assert new.row.message.own_id is None
