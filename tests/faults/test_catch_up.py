"""What agents wrote while nobody took Genesys' webhooks reaches the phone afterwards: once, in order, and marked."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from db.tenants import catch_ups
from demo.stack.ports import free_port
from tests.flow.chat import Chat
from tests.flow.installation import Installation, Line
from tests.integration.test_operator import relay
from tests.waiting import wait_until

GIVEN_UP = 60
"""Seconds; Genesys' own schedule takes 25 where it is refused at once."""
SHORT = {"webhook_wait_scale": 0.01}
MARKED = "SELECT 1 FROM relay_settings WHERE name = %s"
CODES = {429: "too.many.requests", 503: "service.unavailable"}
PERMISSIONS = ("conversation:message:receive", "conversation:message:view", "messaging:integration:view")


@contextmanager
def web_away(installation: Installation, chats: list[Chat]) -> Iterator[None]:
    """Until Genesys has given up on all that was written meanwhile."""
    installation.web.stop()
    try:
        yield
        wait_until(lambda: all(given_up(chat) for chat in chats), GIVEN_UP, "Genesys to give up", interval=0.2)
    finally:
        installation.web.start()
        installation.web.wait_ready()


@contextmanager
def unreachable(installation: Installation, line: Line, chats: list[Chat]) -> Iterator[None]:
    """From outside: something before web keeps Genesys out, and nobody here knows. Genesys gives up soon."""
    url = next(
        one["webhook_url"]
        for one in installation.control("GET", "/accounts")["genesys"]
        if one["integration_id"] == line.integration_id
    )
    point(installation, line, f"http://127.0.0.1:{free_port()}/webhook/genesys")
    try:
        yield
        wait_until(lambda: all(given_up(chat) for chat in chats), GIVEN_UP, "Genesys to give up", interval=0.1)
    finally:
        point(installation, line, url)


def point(installation: Installation, line: Line, url: str) -> None:
    account = {"integration_id": line.integration_id, "webhook_url": url}
    installation.control("POST", "/accounts", {"genesys": account})


def given_up(chat: Chat) -> bool:
    states = {one["webhook"]["state"] for one in chat.at_the_desk("outbound")}
    return bool(states) and states <= {"given up", "delivered"}


def catch_up(installation: Installation, line: Line) -> str:
    done = relay(installation.env, "catch-up", line.id)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout.strip().splitlines()[-1]


def marks(chat: Chat) -> dict[str, tuple[str, bool]]:
    """Of each agent's message how it came, and whether it is late."""
    found = chat.installation.rows(
        """SELECT m.content->>'text' AS text, m.origin, m.late FROM message_tracking m
           JOIN conversation_mappings c ON c.id = m.conversation_id
           WHERE m.line_id = %s AND c.genesys_address = %s AND m.direction = 'outbound'""",
        chat.line.id, chat.wa_id,
    )  # fmt: skip
    return {one["text"]: (one["origin"], one["late"]) for one in found}


@pytest.fixture
def shortly(installation: Installation) -> Iterator[None]:
    """Genesys gives up at once, so that web need not be away for long."""
    with installation.faults("genesys", **SHORT):
        yield


def test_after_an_absence_the_relay_catches_up_by_itself(installation: Installation, line: Line) -> None:
    """Genesys' own schedule, in real time: five repeats, five seconds apart."""
    chats = [Chat(installation, line, f"491780000000{n}").opened() for n in range(3)]
    chats[0].state_in_time(chats[0].answers("before"), "delivered", "read")
    wait_until(lambda: installation.rows(MARKED, catch_ups.MARK), message="web to have told that it takes webhooks")
    with web_away(installation, chats):
        for number in range(4):
            for chat in chats:
                chat.answers(f"missed {number}")
    missed = [f"missed {number}" for number in range(4)]
    for chat in chats:
        chat.phone_reads_in_time(*missed)
        assert set(marks(chat).items()) >= {(text, ("catch_up", True)) for text in missed}
    chats[0].answers("after")
    chats[0].phone_reads_in_time("before", *missed, "after")
    assert chats[0].phone_reads() == ["before", *missed, "after"]
    assert marks(chats[0])["after"] == ("webhook", False)


@pytest.mark.usefixtures("shortly")
def test_on_demand_what_is_missing_comes_once_and_a_second_time_changes_nothing(
    installation: Installation, line: Line
) -> None:
    chat, silent = (Chat(installation, line, f"491781000000{n}").opened() for n in range(2))
    with unreachable(installation, line, [chat]):
        chat.answers("missed")
        chat.answers(None, sample="image")
        chat.answers(sample="quick_replies")
    chat.answers("since")
    chat.phone_reads_in_time("since")
    assert "3 messages found" in catch_up(installation, line)
    wait_until(lambda: len(chat.on_the_phone()) == 4, 30, "all of it at the phone")
    kinds = [one["type"] for one in chat.on_the_phone()]
    assert kinds == ["text", "text", "image", "interactive"], "the late ones after the one that went ahead, in order"
    assert "0 messages found" in catch_up(installation, line)
    assert (len(chat.on_the_phone()), silent.on_the_phone()) == (4, [])
    wait_until(lambda: told_delivered(chat), 30, "Genesys to be told of each")


def told_delivered(chat: Chat) -> bool:
    return all(one["status"] == "Delivered" for one in chat.at_the_desk("outbound"))


@pytest.mark.usefixtures("shortly")
def test_a_webhook_that_comes_after_all_is_the_same_message(installation: Installation, line: Line) -> None:
    chat = Chat(installation, line, "4917820000000").opened()
    with unreachable(installation, line, [chat]):
        source_id = chat.answers("missed")
    catch_up(installation, line)
    chat.phone_reads_in_time("missed")
    chat.answers("missed", message={"id": source_id})  # the webhook once more, as Genesys would have sent it
    chat.answers("after")
    chat.phone_reads_in_time("missed", "after")
    assert chat.phone_reads() == ["missed", "after"]


@pytest.mark.usefixtures("shortly")
def test_what_went_into_a_new_conversation_meanwhile_is_found_too(installation: Installation, line: Line) -> None:
    """The customer's message began another conversation at Genesys, of which no webhook has told."""
    chat = Chat(installation, line, "4917830000000").opened()
    chat.state_in_time(chat.answers("first conversation"), "delivered", "read")
    installation.control("POST", f"/agent/{chat.wa_id}/end", {"integration_id": line.integration_id})
    chat.writes("again")
    chat.agent_reads_in_time("hello", "again")
    with unreachable(installation, line, [chat]):
        chat.answers("second conversation")
    catch_up(installation, line)
    chat.phone_reads_in_time("first conversation", "second conversation")


@pytest.mark.usefixtures("shortly")
def test_what_began_at_genesys_meanwhile_is_found_too(installation: Installation, line: Line) -> None:
    """A campaign wrote first, to a conversation of its own; the customer has said nothing in it."""
    chat = Chat(installation, line, "4917831000000").opened()
    installation.control("POST", f"/agent/{chat.wa_id}/end", {"integration_id": line.integration_id})
    with unreachable(installation, line, [chat]):
        chat.answers("your parcel is here")
    assert "1 message found" in catch_up(installation, line)
    chat.phone_reads_in_time("your parcel is here")
    permit(installation, line, *PERMISSIONS)
    said = catch_up(installation, line)
    assert "done in part" in said and "analytics:conversationDetail:view" in said


@pytest.mark.usefixtures("shortly")
def test_a_missing_permission_is_named_and_nothing_else_suffers(installation: Installation) -> None:
    [line] = installation.tenant("Narrow")
    chat = Chat(installation, line, "4917840000000").opened()
    permit(installation, line, *(one for one in PERMISSIONS if one != "conversation:message:view"))
    with unreachable(installation, line, [chat]):
        chat.answers("missed")
    said = catch_up(installation, line)
    assert "failed" in said
    assert "conversation:message:view" in said
    chat.answers("still flows")
    chat.phone_reads_in_time("still flows")
    permit(installation, line, *PERMISSIONS)
    assert "1 message found" in catch_up(installation, line)
    chat.phone_reads_in_time("still flows", "missed")


def permit(installation: Installation, line: Line, *permissions: str) -> None:
    account: dict[str, Any] = {"integration_id": line.integration_id, "permissions": list(permissions)}
    installation.control("POST", "/accounts", {"genesys": account})


@pytest.mark.usefixtures("shortly")
@pytest.mark.parametrize("code", [429, 503])
def test_limits_and_trouble_of_genesys_are_waited_for(installation: Installation, line: Line, code: int) -> None:
    """After a 429 the rate starts empty, and half of a minute's calls are messages' before one is free for this."""
    chat = Chat(installation, line, f"49178500000{code}").opened()
    with unreachable(installation, line, [chat]):
        chat.answers("missed")
    before = refused(installation, code)
    trouble = {"error_rate": 1, "error_codes": [code], "retry_after": 1, "calls": ["conversation"]}
    with installation.faults("genesys", **trouble, **SHORT):
        installation.api("POST", f"/api/tenants/{line.tenant_id}/lines/{line.id}/catch-up", {"hours": 1})
        wait_until(lambda: refused(installation, code) > before, 30, "the first call to be refused")
    chat.phone_reads_in_time("missed", seconds=60)


def refused(installation: Installation, code: int) -> int:
    stats = installation.control("GET", "/stats")["genesys"]["errors_injected"]
    return sum(count for name, count in stats.items() if str(code) in name or CODES[code] in name)


@pytest.mark.usefixtures("shortly")
def test_a_daemon_that_dies_while_it_catches_up_loses_nothing(installation: Installation, line: Line) -> None:
    chats = [Chat(installation, line, f"491786000000{n}").opened() for n in range(5)]
    with unreachable(installation, line, chats):
        for chat in chats:
            chat.answers("missed one")
            chat.answers("missed two")
    with installation.faults("genesys", latency_ms=[300, 400], calls=["conversation", "conversation_texts"]):
        asked = f"/api/tenants/{line.tenant_id}/lines/{line.id}/catch-up"
        installation.api("POST", asked, {"hours": 1})
        wait_until(lambda: installation.api("GET", asked)["at_work"], 20, "a daemon to begin")
        installation.daemon.kill9()
        installation.daemon.start()
        installation.daemon.wait_ready()
    # What the killed daemon had taken is anybody's when its time is over; nobody has to wait for that here.
    catch_up(installation, line)
    for chat in chats:
        chat.phone_reads_in_time("missed one", "missed two")
        assert chat.phone_reads() == ["missed one", "missed two"]


@pytest.mark.usefixtures("shortly")
def test_one_conversation_that_cannot_be_asked_about_keeps_no_other_from_it(
    installation: Installation, line: Line
) -> None:
    odd, chat = (Chat(installation, line, f"491787000000{n}").opened() for n in range(2))
    with unreachable(installation, line, [odd, chat]):
        odd.answers("missed")
        chat.answers("missed")
    [named] = installation.rows(
        "SELECT genesys_conversation_id AS id FROM conversation_mappings WHERE line_id = %s AND genesys_address = %s",
        line.id, odd.wa_id,
    )  # fmt: skip
    trouble = {"drop_rate": 1, "calls": ["conversation"], "only": [named["id"]]}
    with installation.faults("genesys", **trouble, **SHORT):
        assert "done in part" in catch_up(installation, line)
    chat.phone_reads_in_time("missed")
    assert odd.phone_reads() == []
    assert "1 message found" in catch_up(installation, line)
    odd.phone_reads_in_time("missed")
