"""The stand-in for Meta refuses what Meta refuses, with Meta's own error shape."""

from typing import Any

import pytest
import requests

from tests.contract.conftest import APP, APP_SECRET, CUSTOMER, NUMBER, TOKEN, WABA, Receiver, Sandbox
from tests.contract.conftest import graph_refusal as refused
from tests.waiting import wait_until

OTHER_NUMBER, OTHER_TOKEN = "300000000000002", "EAAG-other-tenant"
OTHER = {
    "phone_number_id": OTHER_NUMBER,
    "waba_id": "200000000000002",
    "access_token": OTHER_TOKEN,
    "app_id": "100000000000002",
}


def text(**more: Any) -> dict[str, Any]:
    return {"to": f"+{CUSTOMER}", "type": "text", "text": {"body": "Hello"}} | more


def interactive(**more: Any) -> dict[str, Any]:
    button = {"type": "reply", "reply": {"id": "b1", "title": "Yes"}}
    message = {"type": "button", "body": {"text": "?"}, "action": {"buttons": [button]}} | more
    return {"to": f"+{CUSTOMER}", "type": "interactive", "interactive": message}


def buttons(*titles: str) -> dict[str, Any]:
    rows = [{"type": "reply", "reply": {"id": f"b{index}", "title": title}} for index, title in enumerate(titles)]
    return interactive(action={"buttons": rows})


def listing(*titles: str) -> dict[str, Any]:
    rows = [{"id": f"r{index}", "title": title} for index, title in enumerate(titles)]
    return interactive(type="list", action={"button": "Choose", "sections": [{"title": "All", "rows": rows}]})


def rows(*each: dict[str, str], **more: Any) -> dict[str, Any]:
    return interactive(type="list", action={"button": "Choose", "sections": [{"rows": list(each)}]}, **more)


def contacts(count: int, **more: str) -> dict[str, Any]:
    return {"to": f"+{CUSTOMER}", "type": "contacts", "contacts": [{"name": {"formatted_name": "Ada"} | more}] * count}


def link(url: str, title: str = "Open") -> dict[str, Any]:
    return interactive(type="cta_url", action={"name": "cta_url", "parameters": {"display_text": title, "url": url}})


BAD_MESSAGES: dict[str, tuple[dict[str, Any], int]] = {
    "unknown field": (text(foo="bar"), 100),
    "unknown field in the object": (text(text={"body": "Hello", "size": 3}), 100),
    "text too long": (text(text={"body": "x" * 4097}), 100),
    "empty text": (text(text={"body": ""}), 131009),
    "blank text": (text(text={"body": " \n "}), 131009),
    "no body": (text(text={}), 131008),
    "no object for the type": ({"to": f"+{CUSTOMER}", "type": "text"}, 131008),
    "object of another type": (text(image={"id": "1"}), 100),
    "no recipient": ({"type": "text", "text": {"body": "Hello"}}, 131008),
    "recipient not a number": (text(to="somebody"), 131009),
    "to is the sender": (text(to="+49301234501"), 131021),
    "unknown type": (text(type="poll"), 131009),
    "wrong product": (text(messaging_product="messenger"), 131009),
    "number in place of a string": (text(to=4915112345678), 131009),
    "reference too long": (text(biz_opaque_callback_data="x" * 513), 100),
    "media with id and link": (
        text(type="image", text=None, image={"id": "1", "link": "https://a.example/b.jpg"}),
        131009,
    ),
    "media with neither": ({"to": f"+{CUSTOMER}", "type": "image", "image": {"caption": "x"}}, 131009),
    "unknown media": ({"to": f"+{CUSTOMER}", "type": "image", "image": {"id": "123"}}, 100),
    "caption too long": ({"to": f"+{CUSTOMER}", "type": "image", "image": {"id": "1", "caption": "x" * 1025}}, 100),
    "caption on audio": ({"to": f"+{CUSTOMER}", "type": "audio", "audio": {"id": "1", "caption": "x"}}, 100),
    "latitude out of range": (
        {"to": f"+{CUSTOMER}", "type": "location", "location": {"latitude": 91, "longitude": 0}},
        131009,
    ),
    "four buttons": (buttons("a", "b", "c", "d"), 131009),
    "button title too long": (buttons("x" * 21), 100),
    "same button title twice": (buttons("a", "a"), 131009),
    "eleven rows": (listing(*(f"row {index}" for index in range(11))), 131009),
    "row title too long": (listing("x" * 25), 100),
    "interactive body too long": (interactive(body={"text": "x" * 1025}), 100),
    "unknown interactive type": (interactive(type="dance"), 131009),
    "blank button title": (buttons(" "), 131009),
    "button title of too many UTF-16 units": (buttons("😀" * 11), 100),
    "header longer than 60": (interactive(header={"type": "text", "text": "x" * 61}), 100),
    "header of two types": (interactive(header={"type": "text", "text": "x", "image": {"id": "1"}}), 131009),
    "unknown picture in the header": (interactive(header={"type": "image", "image": {"id": "1"}}), 100),
    "picture above a list": (rows({"id": "a", "title": "a"}, header={"type": "image", "image": {"id": "1"}}), 100),
    "footer longer than 60": (interactive(footer={"text": "x" * 61}), 100),
    "row id longer than 200": (rows({"id": "x" * 201, "title": "a"}), 100),
    "row description longer than 72": (rows({"id": "a", "title": "a", "description": "x" * 73}), 100),
    "same row id twice": (rows({"id": "a", "title": "a"}, {"id": "a", "title": "b"}), 131009),
    "link button without http": (link("ftp://a.example/"), 131009),
    "link button's text longer than 20": (link("https://a.example/", "x" * 21), 100),
    "flow without its flow": (
        interactive(
            type="flow", action={"name": "flow", "parameters": {"flow_message_version": "3", "flow_cta": "Begin"}}
        ),
        131009,
    ),
    "reaction that is no emoji": (
        {"to": f"+{CUSTOMER}", "type": "reaction", "reaction": {"message_id": "wamid.1", "emoji": "ok"}},
        131009,
    ),
    "contact with one name only": (contacts(1), 131009),
    "258 contacts": (contacts(258, first_name="Ada"), 131009),
    "reaction with context": (
        {
            "to": f"+{CUSTOMER}",
            "type": "reaction",
            "reaction": {"message_id": "wamid.1", "emoji": "👍"},
            "context": {"message_id": "wamid.1"},
        },
        100,
    ),
    "unknown template": (
        {"to": f"+{CUSTOMER}", "type": "template", "template": {"name": "nothing", "language": {"code": "en"}}},
        132001,
    ),
    "template without its parameter": (
        {"to": f"+{CUSTOMER}", "type": "template", "template": {"name": "follow_up", "language": {"code": "en"}}},
        132000,
    ),
}


@pytest.mark.parametrize("name", BAD_MESSAGES)
def test_a_bad_message_is_refused(sandbox: Sandbox, name: str) -> None:
    body, code = BAD_MESSAGES[name]
    error = refused(sandbox.send(body), code, 404 if code == 132001 else 400)
    if code != 100 or "error_subcode" not in error:
        assert error["error_data"]["messaging_product"] == "whatsapp"
        assert error["error_data"]["details"]
    assert sandbox.phone()["messages"] == []


GOOD_MESSAGES: dict[str, dict[str, Any]] = {
    "longest text": text(text={"body": "x" * 4096}),
    "three buttons": buttons("a", "b", "c"),
    "ten rows": listing(*(f"row {index}" for index in range(10))),
    "link button": link("https://a.example/"),
    "longest ids and titles": rows({"id": "x" * 200, "title": "t" * 24, "description": "d" * 72}),
    "question for the number": interactive(type="request_contact_info", action={"name": "request_contact_info"}),
    "question for the place": interactive(type="location_request_message", action={"name": "send_location"}),
    "location": {"to": f"+{CUSTOMER}", "type": "location", "location": {"latitude": 52.5, "longitude": 13.4}},
    "contact": {
        "to": f"+{CUSTOMER}",
        "type": "contacts",
        "contacts": [{"name": {"formatted_name": "Ada Brandt", "first_name": "Ada"}, "phones": [{"phone": "+491511"}]}],
    },
    "template": {
        "to": f"+{CUSTOMER}",
        "type": "template",
        "template": {
            "name": "follow_up",
            "language": {"code": "de"},
            "components": [{"type": "body", "parameters": [{"type": "text", "text": "Ada"}]}],
        },
    },
}


@pytest.mark.parametrize("name", GOOD_MESSAGES)
def test_a_good_message_reaches_the_phone(sandbox: Sandbox, name: str) -> None:
    sandbox.write("Hello")
    answer = sandbox.send(GOOD_MESSAGES[name])
    assert answer.status_code == 200, answer.text
    body = answer.json()
    assert body["contacts"] == [{"input": f"+{CUSTOMER}", "wa_id": CUSTOMER}]
    sandbox.wait_for_status(body["messages"][0]["id"], "read")
    assert sandbox.control("/stats")["findings"] == []


def test_tokens_are_checked_against_the_owner_of_the_number(sandbox: Sandbox) -> None:
    sandbox.control("/accounts", {"whatsapp": OTHER})
    refused(sandbox.send(text(), token=None), 190, 401)
    refused(sandbox.send(text(), token="EAAG-nobody"), 190, 401)
    assert refused(sandbox.send(text(), token=OTHER_TOKEN), 100)["error_subcode"] == 33
    assert refused(sandbox.send(text(), number="300000000009999"), 100)["error_subcode"] == 33
    # Another token: what one may do stays known when its number goes.
    narrow = {"access_token": "EAAG-manages-only", "scopes": ["whatsapp_business_management"]}
    sandbox.control("/accounts", {"whatsapp": OTHER | narrow})
    refused(sandbox.send(text(), number=OTHER_NUMBER, token="EAAG-manages-only"), 200, 403)


def test_versions(sandbox: Sandbox) -> None:
    url, headers = f"{sandbox.url}/graph", {"Authorization": f"Bearer {TOKEN}"}
    refused(sandbox.http.get(f"{url}/v27.0/{NUMBER}", headers=headers), 2500)
    expired = sandbox.http.get(f"{url}/v18.0/{NUMBER}", headers=headers)
    assert (expired.status_code, expired.headers["facebook-api-version"]) == (200, "v21.0")


def test_a_user_id_in_to_is_accepted_and_vanishes(sandbox: Sandbox) -> None:
    sandbox.write("Hello", hide_phone=True, user_id="DE.13491208655302741918")
    answer = sandbox.send(text(to="DE.13491208655302741918"))
    assert answer.status_code == 200
    assert sandbox.control("/stats")["findings_count"] == {"bsuid_in_to": 1}
    right = sandbox.send({"recipient": "DE.13491208655302741918", "type": "text", "text": {"body": "Hello"}})
    assert right.json()["contacts"] == [{"input": "DE.13491208655302741918", "user_id": "DE.13491208655302741918"}]
    sandbox.wait_for_status(right.json()["messages"][0]["id"], "read")
    assert [each["direction"] for each in sandbox.phone()["messages"]] == ["inbound", "outbound"]


def test_a_number_without_plus_is_a_finding(sandbox: Sandbox) -> None:
    sandbox.write("Hello")
    assert sandbox.send(text(to=CUSTOMER)).status_code == 200
    assert sandbox.control("/stats")["findings_count"] == {"to_without_plus": 1}


def test_outside_the_service_window_only_templates_arrive(sandbox: Sandbox) -> None:
    sandbox.write("Hello", timestamp=1_700_000_000)
    message_id = sandbox.send_text("Too late").json()["messages"][0]["id"]
    failed = sandbox.wait_for_status(message_id, "failed")
    assert failed["errors"][0]["code"] == 131047
    template = sandbox.send(GOOD_MESSAGES["template"]).json()["messages"][0]
    assert template["message_status"] == "accepted"
    assert sandbox.wait_for_status(template["id"], "read")["text"] == "Hallo Ada, wir haben eine Antwort."


def test_an_offline_phone_gets_its_messages_in_order_when_it_is_back(sandbox: Sandbox) -> None:
    sandbox.write("Hello")
    sandbox.control(f"/phone/{CUSTOMER}", {"online": False})
    sent = [sandbox.send_text(f"number {index}").json()["messages"][0]["id"] for index in range(3)]
    for message_id in sent:
        sandbox.wait_for_status(message_id, "sent")
    assert len(sandbox.phone()["undelivered"]) == 3
    sandbox.control(f"/phone/{CUSTOMER}", {"online": True})
    for message_id in sent:
        sandbox.wait_for_status(message_id, "read")
    assert [each["id"] for each in sandbox.phone()["messages"][1:]] == sent


def test_a_phone_that_fails(sandbox: Sandbox) -> None:
    sandbox.write("Hello")
    sandbox.control(f"/phone/{CUSTOMER}", {"fail_code": 131026})
    message_id = sandbox.send_text("Hello").json()["messages"][0]["id"]
    assert sandbox.wait_for_status(message_id, "failed")["errors"][0]["code"] == 131026


def test_the_pair_limit_lets_a_burst_of_45_pass(sandbox: Sandbox) -> None:
    sandbox.write("Hello")
    sandbox.control("/limits", {"meta": {"pair_seconds": 3600}})  # nothing comes back while these are sent
    answers = [sandbox.send_text(str(index)) for index in range(46)]
    assert [each.status_code for each in answers[:45]] == [200] * 45
    refused(answers[45], 131056)
    assert sandbox.send(text(to="+4915199999999")).status_code == 200


def test_the_number_limit(sandbox: Sandbox) -> None:
    sandbox.control("/limits", {"meta": {"number_per_second": 0.001, "pair_burst": None}})
    assert sandbox.send_text("one").status_code == 200
    refused(sandbox.send_text("two"), 130429)


def test_reading_and_typing(sandbox: Sandbox) -> None:
    first, second = sandbox.write("one"), sandbox.write("two")
    body = {"status": "read", "message_id": second, "typing_indicator": {"type": "text"}}
    assert sandbox.send(body).json() == {"success": True}
    chat = sandbox.phone()
    assert {each["id"]: each["status"] for each in chat["messages"]} == {first: "read", second: "read"}
    assert chat["typing"] is True
    refused(sandbox.send({"status": "read", "message_id": "wamid.nothing"}), 131009)
    refused(sandbox.send(body | {"typing_indicator": {"type": "voice"}}), 131009)


def test_onboarding_reads(sandbox: Sandbox) -> None:
    fields = "display_phone_number,verified_name,health_status,throughput,webhook_configuration"
    number = sandbox.graph("GET", f"{NUMBER}?fields={fields}").json()
    assert (number["id"], number["verified_name"]) == (NUMBER, "Nordwind Outdoor")
    assert number["health_status"]["can_send_message"] == "AVAILABLE"
    refused(sandbox.graph("GET", f"{NUMBER}?fields=shoe_size"), 100)
    assert [each["id"] for each in sandbox.graph("GET", f"{WABA}/phone_numbers").json()["data"]] == [NUMBER]
    inspected = sandbox.graph("GET", f"debug_token?input_token={TOKEN}", f"{APP}|{APP_SECRET}").json()["data"]
    assert inspected["is_valid"] is True
    assert inspected["granular_scopes"][0]["target_ids"] == [WABA]
    unknown = sandbox.graph("GET", "debug_token?input_token=nonsense", f"{APP}|{APP_SECRET}").json()["data"]
    assert unknown["is_valid"] is False
    refused(sandbox.graph("GET", f"debug_token?input_token={TOKEN}", f"{APP}|wrong"), 190, 401)


def test_a_subscription_with_override_performs_the_handshake(sandbox: Sandbox, receiver: Receiver) -> None:
    path = f"{WABA}/subscribed_apps"
    override = {"override_callback_uri": f"{receiver.url}/meta", "verify_token": "wrong"}
    refused(sandbox.graph("POST", path, json=override), 2200)
    refused(sandbox.graph("POST", path, json={"override_callback_uri": "http://relay.example/hook"}), 2200)
    right = override | {"verify_token": "demo-verify-token"}
    assert sandbox.graph("POST", path, json=right).json() == {"success": True}
    listed = sandbox.graph("GET", path).json()["data"][0]
    assert (listed["whatsapp_business_api_data"]["id"], listed["override_callback_uri"]) == (
        APP,
        f"{receiver.url}/meta",
    )
    sandbox.write("Hello")
    receiver.wait_for("/meta", 1)
    assert sandbox.graph("DELETE", path).json() == {"success": True}
    assert sandbox.graph("GET", path).json() == {"data": []}
    sandbox.write("Nobody hears this")
    assert sandbox.phone()["messages"][-1]["webhook"]["state"] == "no webhook subscribed"


def test_an_expired_token_is_refused_until_the_account_has_another(sandbox: Sandbox) -> None:
    sandbox.control("/faults", {"meta": {"token_expired": "until_renewed"}})
    assert refused(sandbox.send_text("Hello"), 190, 401)["error_subcode"] == 463
    sandbox.control("/accounts", {"whatsapp": {"phone_number_id": NUMBER, "access_token": "EAAG-renewed"}})
    try:
        assert sandbox.send(text(), token="EAAG-renewed").status_code == 200
    finally:
        sandbox.control("/accounts", {"whatsapp": {"phone_number_id": NUMBER, "access_token": TOKEN}})


def test_a_lost_answer_was_processed_and_a_refused_call_was_not(sandbox: Sandbox) -> None:
    sandbox.write("Hello")
    sandbox.control("/faults", {"meta": {"timeout_rate": 1}})
    with pytest.raises(requests.ConnectionError):
        sandbox.send_text("lost", biz_opaque_callback_data="our-1")
    lost = sandbox.control("/stats")["lost_answers"]
    assert [(each["side"], each["call"], each["reference"]) for each in lost] == [("meta", "messages", "our-1")]
    sandbox.wait_for_status(lost[0]["id"], "read")
    sandbox.control("/faults", {"meta": {"timeout_rate": 0, "error_rate": 1, "error_codes": [429], "retry_after": 7}})
    answer = sandbox.send_text("refused")
    assert (answer.status_code, answer.headers["Retry-After"]) == (429, "7")
    sandbox.control("/faults", {"meta": {"error_rate": 0, "drop_rate": 1}})
    with pytest.raises(requests.ConnectionError):
        sandbox.send_text("dropped")
    sandbox.control("/faults", {"meta": {"drop_rate": 0, "html_502_rate": 1}})
    page = sandbox.send_text("gateway")
    assert (page.status_code, page.headers["Content-Type"].split(";")[0]) == (502, "text/html")
    sandbox.control("/faults", {"meta": None})
    last = sandbox.send_text("last").json()["messages"][0]["id"]
    wait_until(lambda: sandbox.phone()["messages"][-1]["id"] == last, message="the last message")
    taken = [one for one in sandbox.control("/journal")["entries"] if one["call"] == "messages"]
    assert [(one["id"], one["answered"]) for one in taken] == [(lost[0]["id"], False), (last, True)]
    assert sandbox.control(f"/journal?after={taken[-1]['number']}")["entries"] == []
    assert [each["text"] for each in sandbox.phone()["messages"]] == ["Hello", "lost", "last"]
