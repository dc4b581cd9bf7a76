"""The customer's phone: what a finger can do to it, and what it shows."""

import time
from typing import Any

import pytest
import requests

from tests.contract.conftest import CUSTOMER, NUMBER, Receiver, Sandbox, items

NEW, USER_ID, NEW_ID = "4915100000001", "DE.13491208655302741918", "DE.2"
BUTTONS = {
    "type": "button",
    "header": {"type": "text", "text": "Tents"},
    "body": {"text": "Which one?"},
    "footer": {"text": "We call back"},
    "action": {
        "buttons": [
            {"type": "reply", "reply": {"id": "id-1", "title": "Red"}},
            {"type": "reply", "reply": {"id": "id-2", "title": "Blue"}},
        ]
    },
}
LINK = {
    "type": "cta_url",
    "body": {"text": "Look"},
    "action": {"name": "cta_url", "parameters": {"display_text": "Open", "url": "https://a.example/"}},
}
ASKED = {
    "location_request_message": ("send_location", "location"),
    "request_contact_info": ("request_contact_info", "contacts"),
    "address_message": ("address_message", "interactive"),
    "call_permission_request": ("call_permission_request", "interactive"),
}


def asks(sandbox: Sandbox, dialogue: dict[str, Any]) -> str:
    """The business sends it, the phone shows it."""
    answer = sandbox.send({"to": f"+{CUSTOMER}", "type": "interactive", "interactive": dialogue})
    message_id = answer.json()["messages"][0]["id"]
    sandbox.wait_for_status(message_id, "read")
    return message_id


def does(sandbox: Sandbox, what: str, status: int, **fields: Any) -> requests.Response:
    answer = sandbox.http.post(f"{sandbox.url}/control/phone/{what}", json=fields)
    assert answer.status_code == status, answer.text
    return answer


def shown(sandbox: Sandbox, message_id: str, wa_id: str = CUSTOMER) -> dict[str, Any]:
    return next(each for each in sandbox.phone(wa_id)["messages"] if each["id"] == message_id)


def systems(receiver: Receiver, count: int) -> list[dict[str, Any]]:
    """Webhooks of the old and of the new number may overtake one another, as at Meta."""
    return [each for each in items(receiver.wait_for("/meta", count), "messages") if each["type"] == "system"]


def test_a_dialogue_is_shown_and_tapped(sandbox: Sandbox) -> None:
    sandbox.write("Hello")
    message_id = asks(sandbox, BUTTONS)
    tapped = does(sandbox, "taps", 201, id=message_id, option="Blue", **{"from": CUSTOMER}).json()["id"]
    dialogue = shown(sandbox, message_id)["interactive"]
    assert dialogue["header"] == {"type": "text", "text": "Tents", "media": None}
    assert (dialogue["body"], dialogue["footer"]) == ("Which one?", "We call back")
    assert [(each["index"], each["id"], each["title"], each["tapped"]) for each in dialogue["options"]] == [
        (0, "id-1", "Red", False),
        (1, "id-2", "Blue", True),
    ]
    answer = shown(sandbox, tapped)
    assert answer["answer"] == {"kind": "button_reply", "id": "id-2", "title": "Blue", "description": None}
    assert answer["quoted"] == {"id": message_id, "direction": "outbound", "type": "interactive", "text": "Which one?"}
    assert answer["context"] == {"from": "49301234501", "id": message_id}


def test_what_cannot_be_tapped(sandbox: Sandbox) -> None:
    own = sandbox.write("Hello")
    link, buttons = asks(sandbox, LINK), asks(sandbox, BUTTONS)
    assert "does not tell" in does(sandbox, "taps", 400, id=link, option=0).json()["error"]
    does(sandbox, "taps", 400, id=buttons, option=2)
    does(sandbox, "taps", 400, id=buttons, option="Green")
    does(sandbox, "taps", 400, id=own, option=0)
    does(sandbox, "taps", 404, id="wamid.nothing")
    does(sandbox, "taps", 404, id=buttons, option=0, **{"from": NEW})


@pytest.mark.parametrize("kind", ASKED)
def test_a_request_is_answered_with_what_it_asks_for(sandbox: Sandbox, kind: str) -> None:
    action, wire = ASKED[kind]
    sandbox.write("Hello")
    message_id = asks(sandbox, {"type": kind, "body": {"text": "Please"}, "action": {"name": action}})
    answer = shown(sandbox, does(sandbox, "taps", 201, id=message_id).json()["id"])
    assert (answer["type"], answer["reply_to"]) == (wire, message_id)
    if kind == "request_contact_info":
        assert answer["payload"]["contacts"][0]["origin"] == "contact_request"
        assert answer["contacts"][0]["phones"] == [f"+{CUSTOMER}"]


def test_reactions_stand_on_the_message(sandbox: Sandbox) -> None:
    first = sandbox.write("Hello")
    reaction = does(sandbox, "reactions", 201, id=first, emoji="👍").json()["id"]
    assert shown(sandbox, reaction)["about"] == first
    assert shown(sandbox, first)["reactions"] == [{"emoji": "👍", "by": "contact"}]
    does(sandbox, "reactions", 201, id=first, emoji="❤️")
    assert shown(sandbox, first)["reactions"] == [{"emoji": "❤️", "by": "contact"}]
    does(sandbox, "reactions", 201, id=first, emoji="")
    assert shown(sandbox, first)["reactions"] == []


def test_the_business_cannot_react_to_everything(sandbox: Sandbox) -> None:
    first, old = sandbox.write("Hello"), sandbox.write("Once", timestamp=int(time.time()) - 31 * 86_400)
    gone = sandbox.write("Oops")
    does(sandbox, "revocations", 201, id=gone)
    reaction = does(sandbox, "reactions", 201, id=first, emoji="👍").json()["id"]
    for target in ("wamid.nothing", old, gone, reaction):
        content = {"message_id": target, "emoji": "👍"}
        sent = sandbox.send({"to": f"+{CUSTOMER}", "type": "reaction", "reaction": content}).json()["messages"][0]
        assert sandbox.wait_for_status(sent["id"], "failed")["errors"][0]["code"] == 131009


def test_edits_and_revocations_are_marked(sandbox: Sandbox) -> None:
    first = sandbox.write("one")
    does(sandbox, "edits", 201, id=first, text="two")
    assert [shown(sandbox, first)[name] for name in ("text", "edited", "edits")] == ["two", True, ["one"]]
    does(sandbox, "revocations", 201, id=first)
    assert shown(sandbox, first)["deleted"] is True
    message_id = asks(sandbox, BUTTONS)
    does(sandbox, "edits", 400, id=message_id, text="no")
    does(sandbox, "revocations", 400, id=message_id)


def test_an_edit_at_a_number_without_app(sandbox: Sandbox, receiver: Receiver) -> None:
    sandbox.subscribe(receiver)
    first = sandbox.write("one")
    does(sandbox, "edits", 201, id=first, text="two", **{"as": "unsupported"})
    edit = items(receiver.wait_for("/meta", 2), "messages")[1]
    assert (edit["type"], edit["unsupported"], edit["errors"][0]["code"]) == ("unsupported", {"type": "edit"}, 131051)


def test_a_phone_goes_on_under_another_number(sandbox: Sandbox, receiver: Receiver) -> None:
    sandbox.subscribe(receiver)
    sandbox.write("Hello", user_id=USER_ID)
    assert does(sandbox, f"{CUSTOMER}/number", 200, wa_id=NEW, user_id=NEW_ID).json()["user_id"] == NEW_ID
    (system,) = systems(receiver, 2)
    assert (system["from"], system["from_user_id"]) == (CUSTOMER, USER_ID)
    assert {name: system["system"][name] for name in ("type", "wa_id", "user_id", "previous_user_id")} == {
        "type": "user_changed_number",
        "wa_id": NEW,
        "user_id": NEW_ID,
        "previous_user_id": USER_ID,
    }
    assert [each["type"] for each in sandbox.phone(NEW)["messages"]] == ["text", "system"]
    for address in ({"to": f"+{CUSTOMER}"}, {"recipient": USER_ID}):
        sent = sandbox.send({"type": "text", "text": {"body": "Hi"}} | address).json()["messages"][0]
        assert sandbox.wait_for_status(sent["id"], "failed")["errors"][0]["code"] == 131026
    sent = sandbox.send({"to": f"+{NEW}", "type": "text", "text": {"body": "Hi"}}).json()["messages"][0]
    receiver.wait_for("/meta", 6)
    chat = sandbox.phone(NEW)
    assert sent["id"] in [each["id"] for each in chat["messages"] + chat["undelivered"]]


def test_who_gets_a_number_later_is_somebody_else(sandbox: Sandbox) -> None:
    sandbox.write("Hello", user_id=USER_ID)
    does(sandbox, f"{CUSTOMER}/number", 200, wa_id=NEW, silent=True)
    assert [each["type"] for each in sandbox.phone(NEW)["messages"]] == ["text"]
    does(sandbox, f"{NEW}/number", 400, wa_id="none")
    sandbox.write("I am new here")
    assert sandbox.phone()["user_id"] not in (USER_ID, sandbox.phone(NEW)["user_id"])
    assert [each["text"] for each in sandbox.phone()["messages"]] == ["I am new here"]
    does(sandbox, f"{NEW}/number", 400, wa_id=CUSTOMER)


def test_a_new_owner_of_a_number_may_be_described(sandbox: Sandbox) -> None:
    sandbox.write("Hello")
    does(sandbox, f"{CUSTOMER}/number", 200, wa_id=NEW)
    does(sandbox, CUSTOMER, 200, user_id=USER_ID, name="Somebody else")
    sandbox.write("I am new here")
    assert (sandbox.phone()["user_id"], sandbox.phone()["messages"][-1]["text"]) == (USER_ID, "I am new here")


@pytest.mark.parametrize(
    ("dialled", "written"),
    [("5511912345678", "551112345678"), ("525512345678", "5215512345678"), ("5491123456789", "541123456789")],
)
def test_two_spellings_of_a_number_are_one_phone(sandbox: Sandbox, dialled: str, written: str) -> None:
    sandbox.control("/phone/messages", {"from": written, "text": "Hello"})
    answer = sandbox.send({"to": f"+{dialled}", "type": "text", "text": {"body": "Hi"}}).json()
    assert answer["contacts"] == [{"input": f"+{dialled}", "wa_id": written}]


def test_a_reset_forgets_what_is_under_way(sandbox: Sandbox, receiver: Receiver) -> None:
    sandbox.control(f"/phone/{CUSTOMER}", {"delays_ms": {"sent": 200}})
    sandbox.write("Hello")
    sandbox.send_text("Never told")
    sandbox.control("/reset", {})
    sandbox.subscribe(receiver)
    sandbox.write("one")
    seen = sandbox.send_text("told").json()["messages"][0]["id"]
    sandbox.wait_for_status(seen, "read")
    # The old one's time is over before the new one is read.
    assert {each["id"] for each in items(receiver.wait_for("/meta", 4), "statuses")} == {seen}


def test_a_hidden_number_stays_hidden_when_the_user_id_changes(sandbox: Sandbox, receiver: Receiver) -> None:
    sandbox.subscribe(receiver)
    sandbox.write("Hello", user_id=USER_ID, hide_phone=True)
    does(sandbox, f"{USER_ID}/number", 200, wa_id=NEW, user_id=NEW_ID)
    systems(receiver, 2)
    does(sandbox, f"{NEW_ID}/user_id", 200, user_id="DE.3")
    events = systems(receiver, 3)
    assert [("from" in each, "wa_id" in each["system"]) for each in events] == [(False, False), (False, False)]
    assert [each["system"]["previous_user_id"] for each in events] == [USER_ID, NEW_ID]


def test_echoes_open_nothing_and_calls_do(sandbox: Sandbox) -> None:
    echo = does(sandbox, "echoes", 201, text="We are open", **{"from": CUSTOMER}).json()["id"]
    assert (shown(sandbox, echo)["origin"], sandbox.phone()["window_open"]) == ("app", False)
    does(sandbox, "calls", 201, **{"from": CUSTOMER})
    assert sandbox.phone()["window_open"] is True
    does(sandbox, "calls", 400, event="hold", **{"from": CUSTOMER})


def test_a_system_event_opens_nothing(sandbox: Sandbox) -> None:
    sandbox.write("", type="system", sample=True)
    assert sandbox.phone()["window_open"] is False


def test_an_answer_to_who_came_by_an_ad_opens_three_days(sandbox: Sandbox) -> None:
    """Meta's free entry point: it counts from the business's answer, which must come within a day."""
    hours = 3600
    sandbox.write("Hi", referral=True, timestamp=int(time.time()) - 23 * hours)
    sent = sandbox.send_text("Welcome").json()["messages"][0]
    sandbox.wait_for_status(sent["id"], "read")
    sandbox.control("/limits", {"meta": {"service_window_hours": 1}})
    assert sandbox.phone()["window_open"] is True


@pytest.mark.parametrize(
    "fields",
    [
        {"type": "image"},
        {"text": "x", "field": "groups"},
        {"text": "x", "referral": "yes"},
        {"text": ""},
        {"type": "image", "sample": "painting"},
        {"text": "x", "message": ["y"]},
    ],
)
def test_nonsense_is_told_apart(sandbox: Sandbox, fields: dict[str, Any]) -> None:
    assert does(sandbox, "messages", 400, **{"from": CUSTOMER, "to": NUMBER}, **fields).json()["error"]
