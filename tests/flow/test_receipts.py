"""What WhatsApp says about an agent's message, however it says it, and what the agent's side is told."""

from __future__ import annotations

from functools import partial
from itertools import count
from typing import Any

import gevent
import pytest

from tests.flow.chat import Chat
from tests.flow.installation import Installation, Line
from tests.waiting import wait_until

REFUSALS = [
    (131026, "InvalidDestination"),
    (131047, "MessageExpired"),
    (131049, "MessageNotAllowed"),
    (131042, "GeneralError"),
]
NUMBERS = count(4917210000000)


def status(chat: Chat, wamid: str, name: str, **more: Any) -> None:
    """Meta says so by hand."""
    chat.installation.control("POST", f"/phone/{chat.wa_id}/status", {"id": wamid, "status": name, **more})


def phone(chat: Chat, **settings: Any) -> None:
    chat.installation.control("POST", f"/phone/{chat.wa_id}", settings)


def test_a_failed_status_marks_the_message_and_tells_the_agent_why(installation: Installation, line: Line) -> None:
    for number, (code, reason) in enumerate(REFUSALS):
        chat = Chat(installation, line, f"491720000{number:04}").opened()
        phone(chat, fail_code=code)
        source = chat.answers("will not arrive")
        row = chat.state_in_time(source, "failed")
        assert row["reason_code"] == str(code) and row["failed_at"] is not None
        wait_until(partial(chat.told, source), 20, f"the agent to be told of {code}")
        [receipt] = chat.receipts(source)
        assert (receipt["status"], receipt["final"]) == ("Failed", True)
        assert receipt["reasons"][0]["code"] == reason
        assert str(code) in receipt["reasons"][0]["message"]
        # The conversation goes on.
        phone(chat, fail_code=None)
        chat.answers("the next one")
        chat.phone_reads_in_time("the next one")


def test_what_could_not_be_delivered_for_now_goes_out_again(installation: Installation, line: Line) -> None:
    """Meta takes it, says later that its service was away, and gets it once more, in its place."""
    chat = Chat(installation, line, "4917200000300").opened()
    phone(chat, fail_code=131016)
    source = chat.answers("in spite of all")
    wait_until(lambda: installation.row(source).get("reason_code") == "131016", 20, "it to be put back")
    phone(chat, fail_code=None)
    chat.answers("the next one")
    chat.phone_reads_in_time("in spite of all", "the next one")
    wait_until(lambda: chat.told(source) == ["Delivered"], 20, "Delivered to be told, and no failure")
    row = installation.row(source)
    assert (row["attempts"], row["late"], row["failed_at"]) == (2, False, None)


def test_word_of_such_a_failure_may_come_before_the_answer_of_the_call(installation: Installation, line: Line) -> None:
    chat = Chat(installation, line, "4917200000301").opened()
    phone(chat, fail_code=131016, delays_ms={"sent": 0, "delivered": 0, "read": 0})
    slow = {"timeout_rate": 1.0, "timeout_seconds": 1, "only": ["overtaken"]}
    installation.control("POST", "/faults", {"meta": slow})
    try:
        source = chat.answers("overtaken")
        wait_until(lambda: installation.row(source).get("reason_code") == "131016", 20, "it to be put back")
        phone(chat, fail_code=None)
    finally:
        installation.control("POST", "/faults", {"meta": None})
    chat.answers("after it")
    chat.phone_reads_in_time("overtaken", "after it")
    wait_until(lambda: chat.told(source) == ["Delivered"], 20, "Delivered to be told, and no failure")
    assert installation.row(source)["attempts"] == 2


@pytest.fixture
def chat(installation: Installation, line: Line) -> Chat:
    """A customer whose phone is off: Meta says `sent` of a message and nothing more by itself."""
    opened = Chat(installation, line, str(next(NUMBERS))).opened()
    phone(opened, online=False)
    return opened


def sent(chat: Chat) -> tuple[str, str]:
    """(source id, wamid) of an agent's message that Meta has accepted."""
    source = chat.answers("question")
    return source, str(chat.state_in_time(source, "sent")["provider_id"])


def test_delivered_after_failed_is_told_as_well(chat: Chat) -> None:
    source, wamid = sent(chat)
    status(chat, wamid, "failed", errors=[{"code": 131026, "title": "Message undeliverable"}])
    wait_until(lambda: chat.told(source) == ["Failed"], 20, "Failed to be told")
    status(chat, wamid, "delivered")
    row = chat.state_in_time(source, "delivered")
    wait_until(lambda: chat.told(source) == ["Failed", "Delivered"], 20, "Delivered to be told as well")
    assert row["failed_at"] is not None and row["reason_code"] is None


def test_failed_after_delivered_changes_nothing(chat: Chat) -> None:
    source, wamid = sent(chat)
    status(chat, wamid, "delivered")
    wait_until(lambda: chat.told(source) == ["Delivered"], 20, "Delivered to be told")
    status(chat, wamid, "failed", errors=[{"code": 131026}])
    wait_until(lambda: chat.installation.row(source)["failed_at"], 20, "the failure to be noted")
    assert chat.installation.state(source) == "delivered"
    second, other = sent(chat)
    status(chat, other, "delivered")
    wait_until(lambda: chat.told(second) == ["Delivered"], 20, "what came later to be told")
    assert chat.told(source) == ["Delivered"]


def test_read_without_delivered_counts_as_delivered(chat: Chat) -> None:
    source, wamid = sent(chat)
    status(chat, wamid, "read")
    row = chat.state_in_time(source, "read")
    wait_until(lambda: chat.told(source) == ["Delivered"], 20, "Delivered to be told")
    status(chat, wamid, "delivered")
    wait_until(lambda: chat.installation.row(source)["delivered_at"], 20, "delivered to be noted")
    assert chat.installation.state(source) == "read" and row["read_at"] is not None
    assert chat.told(source) == ["Delivered"]


def test_repeated_statuses_are_told_once(chat: Chat) -> None:
    source, wamid = sent(chat)
    for _ in range(3):
        status(chat, wamid, "delivered")
        status(chat, wamid, "read")
        status(chat, wamid, "sent")
    chat.state_in_time(source, "read")
    wait_until(lambda: chat.told(source), 20, "Delivered to be told")
    wait_until(lambda: quiet(chat.installation), 20, "all webhooks to be taken")
    second, other = sent(chat)
    status(chat, other, "delivered")
    wait_until(lambda: chat.told(second) == ["Delivered"], 20, "what came later to be told")
    assert chat.told(source) == ["Delivered"]
    assert chat.installation.state(source) == "read"


def test_played_counts_as_read(chat: Chat) -> None:
    source, wamid = sent(chat)
    status(chat, wamid, "played")
    chat.state_in_time(source, "read")


def test_an_unknown_status_of_the_future_is_no_trouble(chat: Chat) -> None:
    source, wamid = sent(chat)
    status(chat, wamid, "pinned")
    status(chat, wamid, "delivered")
    chat.state_in_time(source, "delivered")


def test_statuses_may_come_before_the_answer_of_the_call(installation: Installation, line: Line) -> None:
    """Meta's `sent`, `delivered` and `read` overtake its HTTP answer, which takes a second longer."""
    chat = Chat(installation, line, "4917200000100").opened()
    phone(chat, delays_ms={"sent": 0, "delivered": 0, "read": 0})
    slow = {"timeout_rate": 1.0, "timeout_seconds": 1, "only": ["slow answer"]}
    installation.control("POST", "/faults", {"meta": slow})
    try:
        source = chat.answers("slow answer")
        wait_until(lambda: chat.phone_reads() == ["slow answer"], 20, "the phone to show it")
        row = chat.state_in_time(source, "read")
    finally:
        installation.control("POST", "/faults", {"meta": None})
    wait_until(lambda: chat.told(source) == ["Delivered"], 20, "Delivered to be told")
    chat.answers("after it")
    chat.phone_reads_in_time("slow answer", "after it")
    assert installation.row(source)["provider_id"] == chat.on_the_phone()[0]["id"]
    assert row["attempts"] == 1


def test_receipts_of_a_burst_are_all_told(installation: Installation, line: Line) -> None:
    chats = [Chat(installation, line, f"49172000002{number:02}") for number in range(10)]
    gevent.joinall([gevent.spawn(one.opened) for one in chats], raise_error=True)
    sources = [(one, one.answers(f"number {number}")) for one in chats for number in range(5)]
    wait_until(lambda: all(one.told(source) == ["Delivered"] for one, source in sources), 30, "50 receipts", 0.5)


def quiet(installation: Installation) -> bool:
    return int(installation.control("GET", "/stats")["meta"]["webhooks"]["waiting"]) == 0
