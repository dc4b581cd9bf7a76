"""A provider that fails, hangs, throttles or refuses: for one line, one message, or one customer only."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import gevent
import pytest
import requests

from tests.flow import traffic
from tests.flow.chat import Chat
from tests.flow.installation import Installation, Line
from tests.waiting import wait_until

OFF = {"meta": None, "genesys": None}


@pytest.fixture(scope="module")
def own_settings() -> dict[str, str]:
    return {"UNKNOWN_OUTCOME_SECONDS": "3"}


@pytest.fixture(scope="module")
def other(installation: Installation) -> Line:
    return installation.tenant("Other")[0]


def breakers_open(installation: Installation, channel: str) -> int:
    shown = requests.get(f"http://127.0.0.1:{installation.env['METRICS_PORT']}/metrics", timeout=30).text
    series = f'relay_breakers{{channel="{channel}",state="open"}}'
    lines = [line for line in shown.splitlines() if line.startswith(series)]
    return int(float(lines[0].split()[-1])) if lines else 0


def calls(installation: Installation, side: str, call: str) -> int:
    return int(installation.control("GET", "/stats")[side]["calls"].get(call, 0))


def health(installation: Installation, line: Line, kind: str) -> str:
    sql = "SELECT health FROM tenant_credentials WHERE tenant_id = %s AND type = %s"
    return str(installation.rows(sql, line.tenant_id, kind)[0]["health"])


@pytest.mark.parametrize(
    "trouble",
    [
        {"error_rate": 1, "error_codes": [500]},
        {"html_502_rate": 1},
        {"drop_rate": 1},
    ],
    ids=["500", "502 page", "hangs up"],
)
def test_one_lines_trouble_is_not_the_others(
    installation: Installation, line: Line, other: Line, trouble: dict[str, Any]
) -> None:
    number = 100 + len(str(trouble))
    ill = [Chat(installation, line, f"49174{number}{n:05}") for n in range(8)]
    well = Chat(installation, other, f"49175{number}00001").opened()
    with installation.faults("genesys", only=[line.integration_id], **trouble):
        before = calls(installation, "genesys", "inbound_message")
        for chat in ill:
            chat.writes("one")
            chat.writes("two")
        wait_until(lambda: breakers_open(installation, "genesys") == 1, 20, "the line's breaker to open")
        started = time.monotonic()
        for word in ("first", "second", "third"):
            well.writes(word)
            well.agent_reads_in_time(word)
        assert time.monotonic() - started < 15, "the other tenant has to notice nothing"
        made = calls(installation, "genesys", "inbound_message") - before - 3
        assert made < 45, f"an open breaker lets out probes only, not {made} calls"
        assert not any(chat.agent_reads() for chat in ill)
        assert health(installation, line, "genesys") != "refused"
    for chat in ill:
        chat.agent_reads_in_time("one", "two")
        assert chat.agent_reads() == ["one", "two"]
    wait_until(lambda: breakers_open(installation, "genesys") == 0, 20, "the breaker to close")


def test_a_refused_whatsapp_token_marks_the_line_and_loses_nothing(installation: Installation, other: Line) -> None:
    [line] = installation.tenant("Refused by Meta")
    chat, fine = Chat(installation, line, "4917600000001").opened(), Chat(installation, other, "4917600000002").opened()
    account = _account(installation, "whatsapp", line)
    _change(installation, "whatsapp", line, access_token="EAAG-a-new-token-by-the-admin")
    chat.answers("one")
    chat.answers("two")
    wait_until(lambda: health(installation, line, "whatsapp") == "refused", 30, "the credentials to be marked")
    fine.answers("not concerned")
    fine.phone_reads_in_time("not concerned")
    assert (health(installation, other, "whatsapp"), chat.phone_reads()) == ("ok", [])
    names = ("phone_number_id", "waba_id", "app_secret", "verify_token")
    given = {name: account[name] for name in names} | {"access_token": "EAAG-a-new-token-by-the-admin"}
    installation.api("PUT", f"/api/tenants/{line.tenant_id}/whatsapp/credentials", given)
    chat.phone_reads_in_time("one", "two")
    assert chat.phone_reads() == ["one", "two"]
    wait_until(lambda: health(installation, line, "whatsapp") == "ok", 20, "the credentials to count as good again")


def test_a_refused_genesys_client_marks_the_line_and_loses_nothing(installation: Installation, other: Line) -> None:
    [line] = installation.tenant("Refused by Genesys")
    chat, fine = Chat(installation, line, "4917600000003").opened(), Chat(installation, other, "4917600000004").opened()
    account = _account(installation, "genesys", line)
    _change(installation, "genesys", line, client_secret="another-secret-since-today")
    installation.control("POST", "/faults", {"genesys": {"token_expired": "until_renewed"}})
    chat.writes("one")
    chat.writes("two")
    wait_until(lambda: health(installation, line, "genesys") == "refused", 30, "the credentials to be marked")
    fine.writes("not concerned")
    fine.agent_reads_in_time("not concerned")
    assert (health(installation, other, "genesys"), chat.agent_reads()) == ("ok", ["hello"])
    names = ("client_id", "integration_id", "webhook_secret")
    given = {name: account[name] for name in names} | {"client_secret": "another-secret-since-today"}
    given["region"] = "mypurecloud.de"
    installation.api("PUT", f"/api/tenants/{line.tenant_id}/genesys/credentials", given)
    chat.agent_reads_in_time("hello", "one", "two")
    wait_until(lambda: health(installation, line, "genesys") == "ok", 20, "the credentials to count as good again")


@pytest.mark.parametrize(
    "trouble", [{"drop_rate": 1}, {"error_rate": 1, "error_codes": [503]}, {"html_502_rate": 1}], ids=str
)
def test_a_login_that_fails_is_no_refusal(installation: Installation, line: Line, trouble: dict[str, Any]) -> None:
    chat = Chat(installation, line, f"491761{len(str(trouble)):07}").opened()
    before = calls(installation, "genesys", "oauth_token")
    with installation.faults("genesys", calls=["oauth_token"], token_expired="until_renewed", **trouble):
        wamid = chat.writes("please wait")
        wait_until(lambda: calls(installation, "genesys", "oauth_token") > before, 20, "the login to be tried")
        wait_until(lambda: installation.row(wamid).get("attempts"), 20, "a failed attempt to be written")
        wait_until(lambda: installation.row(wamid)["state"] != "sending", 20, "its outcome to be written")
        assert health(installation, line, "genesys") != "refused"
        assert installation.state(wamid) in ("received", "sending")
    chat.agent_reads_in_time("hello", "please wait")


RECEIVE, VIEW = "conversation:message:receive", "conversation:message:view"


@pytest.mark.parametrize("found_by", ["our id", "time and text", "nothing"])
def test_lost_answers_double_nothing_where_the_relay_may_look(
    installation: Installation, line: Line, other: Line, found_by: str
) -> None:
    """At WhatsApp never; at Genesys, where the client may not look at messages, at most those whose answer was lost."""
    chats = [Chat(installation, each, f"4917{len(found_by):02}000000{n}") for n in range(5) for each in (line, other)]
    gevent.joinall([gevent.spawn(chat.opened) for chat in chats], raise_error=True)
    for chat in chats:  # Meta's word comes late: whoever does not wait for it sends twice.
        installation.control("POST", f"/phone/{chat.wa_id}", {"delays_ms": {"sent": 1200}})
    before = len(unanswered(installation, "genesys"))
    lost = {"timeout_rate": 0.3, "seed": 5}
    told = {"history_names_ours": found_by == "our id"}
    installation.control("POST", "/faults", {"meta": lost, "genesys": lost | told})
    with permitted(installation, [line, other], RECEIVE, *([] if found_by == "nothing" else [VIEW])):
        try:
            for number in range(6):
                for chat in chats:
                    chat.writes(f"in {number}")
                    chat.answers(f"out {number}")
            wait_until(lambda: traffic.unfinished(installation) == 0, 60, "all to be carried", interval=0.3)
        finally:
            installation.control("POST", "/faults", OFF)
    expected = [str(number) for number in range(6)]
    for chat in chats:
        assert chat.phone_reads() == [f"out {number}" for number in expected]
        assert list(dict.fromkeys(chat.agent_reads())) == ["hello", *(f"in {number}" for number in expected)]
    doubled = sum(len(chat.agent_reads()) - 7 for chat in chats)
    at_risk = len(unanswered(installation, "genesys")) - before
    assert at_risk > 10
    assert (0 < doubled <= at_risk) if found_by == "nothing" else doubled == 0, f"{doubled} of {at_risk} doubled"
    assert unanswered(installation, "meta")


@pytest.mark.parametrize(
    ("settings", "state", "copies"), [({}, "sent", 2), ({"unknown_outcome": "give_up"}, "dead", 1)]
)
def test_without_metas_word_a_lost_answer_ends_as_the_line_says(
    installation: Installation, settings: dict[str, Any], state: str, copies: int
) -> None:
    """After the bound it is repeated, or given up; Meta's word settles it all the same when it comes at last."""
    [line] = installation.tenant("Silent", settings=settings)
    chat = Chat(installation, line, "4917780000001").opened()
    installation.control("POST", f"/phone/{chat.wa_id}", {"delays_ms": {"sent": 20_000, "delivered": 21_000}})
    before = len(unanswered(installation, "meta"))
    with installation.faults("meta", timeout_rate=1, only=["is it there?"]):
        source_id = chat.answers("is it there?")
        wait_until(lambda: len(unanswered(installation, "meta")) > before, 20, "the answer to be lost")
    row = chat.state_in_time(source_id, state)
    assert row["attempts"] == copies
    assert row["reason_code"] == ("outcome_unknown" if state == "dead" else None)
    settled = chat.state_in_time(source_id, "delivered", "read")
    assert settled["reason_code"] is None
    chat.phone_reads_in_time(*["is it there?"] * copies)
    assert len(chat.phone_reads()) == copies


def unanswered(installation: Installation, side: str) -> list[str]:
    """The messages that a provider took and whose answers it lost."""
    call = {"meta": "messages", "genesys": "inbound_message"}[side]
    answers = installation.control("GET", "/stats")["lost_answers"]
    return [one["reference"] for one in answers if (one["side"], one["call"]) == (side, call)]


@contextmanager
def permitted(installation: Installation, lines: list[Line], *permissions: str) -> Iterator[None]:
    """The lines' Genesys clients may do these only."""
    ids = {one.integration_id for one in lines}
    accounts = [one for one in installation.control("GET", "/accounts")["genesys"] if one["integration_id"] in ids]
    try:
        for one in accounts:
            _permit(installation, one["integration_id"], list(permissions))
        yield
    finally:
        for one in accounts:
            _permit(installation, one["integration_id"], one["permissions"])


def _permit(installation: Installation, integration_id: str, permissions: list[str]) -> None:
    account = {"integration_id": integration_id, "permissions": permissions}
    installation.control("POST", "/accounts", {"genesys": account})


@pytest.mark.parametrize("side", ["meta", "genesys"])
def test_retry_after_is_respected(installation: Installation, line: Line, side: str) -> None:
    chat = Chat(installation, line, f"491772{len(side):07}").opened()
    call = {"meta": "messages", "genesys": "inbound_message"}[side]
    before = calls(installation, side, call)
    with installation.faults(side, error_rate=1, error_codes=[429], retry_after=3, calls=[call]):
        source = chat.answers("patience") if side == "meta" else chat.writes("patience")
        wait_until(lambda: calls(installation, side, call) > before, 20, "the call to be refused", interval=0.01)
        refused_at = time.monotonic()
    row = chat.state_in_time(source, "sent", "delivered", "read")
    waited = time.monotonic() - refused_at
    assert 2.5 < waited < 15, f"it was sent {waited:.1f} s after the 429"
    assert row["attempts"] == 2


def test_metas_limit_for_one_pair_delays_this_customer_only(installation: Installation, line: Line) -> None:
    busy, calm = (Chat(installation, line, f"491773000000{n}").opened() for n in (1, 2))
    installation.control("POST", "/limits", {"meta": {"pair_burst": 3, "pair_seconds": 2}})
    try:
        for number in range(5):
            last = busy.answers(f"out {number}")
        wait_until(lambda: _refused(installation, "131056"), 15, "Meta to refuse one")
        quick = calm.state_in_time(calm.answers("quick"), "sent", "delivered", "read")
        calm.phone_reads_in_time("quick")
        busy.phone_reads_in_time(*(f"out {number}" for number in range(5)))
        assert len(busy.phone_reads()) == 5
        assert quick["sent_at"] < busy.state_in_time(last, "sent", "delivered", "read")["sent_at"]
        assert breakers_open(installation, "whatsapp") == 0
    finally:
        installation.control("POST", "/limits", {"meta": {"pair_burst": 45, "pair_seconds": 6}})


def test_a_message_that_is_always_refused_fails_alone(installation: Installation, line: Line) -> None:
    chat = Chat(installation, line, "4917800000001").opened()
    with installation.faults("meta", error_rate=1, error_codes=[131009], only=["poison"]):
        source = chat.answers("poison")
        chat.answers("food")
        chat.phone_reads_in_time("food")
        row = chat.state_in_time(source, "failed")
    assert row["reason_code"] == "131009"
    wait_until(lambda: chat.told(source) == ["Failed"], 20, "the agent's side to be told")
    with installation.faults("genesys", error_rate=1, error_codes=[400], only=["venom"]):
        wamid = chat.writes("venom")
        chat.writes("bread")
        chat.agent_reads_in_time("hello", "bread")
        assert chat.state_in_time(wamid, "failed")["reason"]


def test_a_message_that_breaks_the_provider_every_time_is_set_aside(installation: Installation, line: Line) -> None:
    """500 for this message alone: the line works, so after eight attempts it is the message's own fault."""
    chat, neighbour = (Chat(installation, line, f"491780000001{n}").opened() for n in (1, 2))
    poison = {"error_rate": 1, "error_codes": [500], "only": ["poison"]}
    installation.control("POST", "/faults", {"meta": poison, "genesys": poison})
    try:
        source, wamid = chat.answers("poison"), chat.writes("poison")
        chat.answers("food")
        chat.writes("food")
        wait_until(lambda: installation.row(source).get("attempts"), 20, "the first attempt")
        wait_until(lambda: installation.row(wamid).get("attempts"), 20, "the first attempt")
        # The line carries others all the time.
        for number in range(20):
            neighbour.writes(f"in {number}")
            neighbour.answers(f"out {number}")
            neighbour.agent_reads_in_time(f"in {number}")
            neighbour.phone_reads_in_time(f"out {number}")
        for one in (source, wamid):
            chat.state_in_time(one, "dead")
        chat.agent_reads_in_time("hello", "food")
        chat.phone_reads_in_time("food")
        assert chat.phone_reads() == ["food"]
        assert installation.row(source)["attempts"] == installation.row(wamid)["attempts"] == 8
        wait_until(lambda: chat.told(source) == ["Failed"], 20, "the agent's side to be told")
    finally:
        installation.control("POST", "/faults", OFF)


def _refused(installation: Installation, code: str) -> int:
    refused = installation.control("GET", "/stats")["meta"]["refused"]
    return sum(times for reason, times in refused.items() if reason.startswith(code))


def _account(installation: Installation, side: str, line: Line) -> dict[str, Any]:
    name, value = _key(side, line)
    found = [one for one in installation.control("GET", "/accounts")[side] if one[name] == value]
    return dict(found[0])


def _change(installation: Installation, side: str, line: Line, **settings: Any) -> None:
    name, value = _key(side, line)
    installation.control("POST", "/accounts", {side: {name: value, **settings}})


def _key(side: str, line: Line) -> tuple[str, str]:
    whatsapp, genesys = ("phone_number_id", line.phone_number_id), ("integration_id", line.integration_id)
    return whatsapp if side == "whatsapp" else genesys
