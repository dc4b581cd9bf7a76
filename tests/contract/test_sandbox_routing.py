"""Conversation Routing: who owns a thread, who hears of it, and what thread_control takes and refuses."""

from collections.abc import Iterator
from typing import Any

import pytest
import requests

from tests.contract.conftest import (
    CUSTOMER,
    NUMBER,
    TOKEN,
    WABA,
    Receiver,
    Sandbox,
    graph_refusal,
    items,
)
from tests.waiting import wait_until

AGENT_FIRST = {"service": "business_agent", "marketing": "business_agent", "utility": "business_agent"}


@pytest.fixture
def routed(sandbox: Sandbox, receiver: Receiver) -> Sandbox:
    """Routing is on, and the Business Agent is primary for whoever writes by himself."""
    sandbox.subscribe(receiver)
    sandbox.control("/routing", {"waba_id": WABA, "on": True, "primary": AGENT_FIRST})
    return sandbox


def control_thread(sandbox: Sandbox, action: str, target: str | None = None, **more: Any) -> requests.Response:
    body = {"messaging_product": "whatsapp", "to": CUSTOMER, "action": action} | more
    if target:
        body["control_pass"] = {"target_role": target}
    return sandbox.graph("POST", f"{NUMBER}/thread_control", json=body)


def agent(sandbox: Sandbox, action: str, **more: Any) -> Any:
    return sandbox.control(f"/routing/threads/{CUSTOMER}", {"to": NUMBER, "action": action} | more)


def owner(sandbox: Sandbox) -> tuple[str | None, str | None]:
    found = sandbox.control(f"/routing/threads/{CUSTOMER}?to={NUMBER}")
    return found["owner"], found["role"]


def changes(receiver: Receiver, field: str, count: int = 1) -> list[dict[str, Any]]:
    def found() -> list[dict[str, Any]]:
        seen = [
            change["value"]
            for request in receiver.of("/meta")
            for entry in request["body"]["entry"]
            for change in entry["changes"]
            if change["field"] == field
        ]
        return seen if len(seen) >= count else []

    return wait_until(found, message=f"{count} webhooks of {field}")


def quiet(sandbox: Sandbox) -> None:
    wait_until(lambda: sandbox.control("/stats")["meta"]["webhooks"]["waiting"] == 0, message="no webhook to wait")


def test_without_routing_every_message_is_the_apps(sandbox: Sandbox, receiver: Receiver) -> None:
    sandbox.subscribe(receiver)
    sandbox.write("Hello")
    assert changes(receiver, "messages")[0]["messages"][0]["text"]["body"] == "Hello"
    assert owner(sandbox) == (None, None)
    assert sandbox.send_text("Hello").ok
    assert control_thread(sandbox, "release").status_code == 403


@pytest.mark.parametrize(("standby", "fields"), [(True, {"standby"}), (False, set())])
def test_what_another_owns_is_heard_in_standby_only(
    routed: Sandbox, receiver: Receiver, standby: bool, fields: set[str]
) -> None:
    routed.control("/routing", {"waba_id": WABA, "standby": standby})
    wamid = routed.write("Hello")
    answer = routed.control(f"/routing/threads/{CUSTOMER}/messages", {"to": NUMBER, "text": "I am a machine"})["id"]
    routed.wait_for_status(answer, "read")
    quiet(routed)
    assert {
        change["field"] for each in receiver.of("/meta") for change in each["body"]["entry"][0]["changes"]
    } == fields
    assert owner(routed) == ("business_agent", "ai_agent")
    if standby:
        said = [each["standby"] for each in changes(receiver, "standby", 5)]
        assert said[0]["contacts"][0]["wa_id"] == CUSTOMER
        assert said[0]["messages"][0]["id"] == wamid
        echo = next(each["message_echoes"][0] for each in said if "message_echoes" in each)
        assert (echo["id"], echo["message"]["text"]["body"]) == (answer, "I am a machine")
        statuses = [each["statuses"][0]["status"] for each in said if "statuses" in each]
        assert statuses == ["sent", "delivered", "read"]


@pytest.mark.parametrize(
    ("primaries", "message", "role"),
    [
        ({"service": "app"}, {"text": "Hello"}, "customer_service"),
        ({"ctwa": "app"}, {"text": "Your ad", "referral": True}, "ctwa"),
    ],
)
def test_an_idle_thread_goes_to_the_primary_of_its_entry_point(
    routed: Sandbox, receiver: Receiver, primaries: dict[str, str], message: dict[str, Any], role: str
) -> None:
    routed.control("/routing", {"waba_id": WABA, "primary": primaries})
    routed.write(**message)
    assert len(changes(receiver, "messages")) == 1
    assert owner(routed) == ("app", role)
    assert routed.send_text("Hello").ok


SALE = {
    "name": "summer_sale",
    "language": "en",
    "category": "MARKETING",
    "body": "Boots are cheaper now.",
    "buttons": [{"type": "QUICK_REPLY", "text": "Show me"}],
}


@pytest.fixture
def with_sale(routed: Sandbox) -> Iterator[Sandbox]:
    templates = routed.control("/accounts")["whatsapp"][0]["templates"]
    routed.control("/accounts", {"whatsapp": {"phone_number_id": NUMBER, "templates": [*templates, SALE]}})
    yield routed
    routed.control("/accounts", {"whatsapp": {"phone_number_id": NUMBER, "templates": templates}})


def send_template(sandbox: Sandbox, name: str) -> requests.Response:
    template = {"name": name, "language": {"code": "en"}}
    return sandbox.send({"to": f"+{CUSTOMER}", "type": "template", "template": template})


@pytest.mark.parametrize(("template", "role"), [("summer_sale", "marketing"), ("hello_again", "utility")])
def test_a_template_is_answered_to_the_primary_of_its_category(with_sale: Sandbox, template: str, role: str) -> None:
    sent = send_template(with_sale, template).json()["messages"][0]["id"]
    with_sale.wait_for_status(sent, "read")
    with_sale.control("/routing", {"waba_id": WABA, "primary": {role: "app"}})
    with_sale.write("Yes please")
    assert owner(with_sale) == ("app", role)


def test_a_tap_on_a_templates_button_routes_an_owned_thread_anew_and_words_do_not(with_sale: Sandbox) -> None:
    with_sale.write("Hello")
    with_sale.control("/routing", {"waba_id": WABA, "primary": {"marketing": "app"}})
    sent = send_template(with_sale, "summer_sale").json()["messages"][0]["id"]
    with_sale.wait_for_status(sent, "read")
    with_sale.write("What is this?", reply_to=sent)
    assert owner(with_sale)[0] == "business_agent"
    with_sale.control("/phone/taps", {"id": sent, "option": "Show me"})
    assert owner(with_sale) == ("app", "marketing")


def test_an_ad_routes_an_owned_thread_anew(routed: Sandbox) -> None:
    routed.write("Hello")
    assert owner(routed)[0] == "business_agent"
    routed.control("/routing", {"waba_id": WABA, "primary": {"ctwa": "app"}})
    routed.write("I saw your ad", referral=True)
    assert owner(routed) == ("app", "ctwa")


def test_a_day_of_silence_leaves_nobody_the_owner(routed: Sandbox) -> None:
    routed.write("Hello")
    routed.control(f"/routing/threads/{CUSTOMER}/silence", {"to": NUMBER, "hours": 23})
    assert owner(routed)[0] == "business_agent"
    routed.control(f"/routing/threads/{CUSTOMER}/silence", {"to": NUMBER, "hours": 1})
    assert owner(routed) == (None, None)
    routed.control("/routing", {"waba_id": WABA, "primary": {"service": "app"}})
    routed.write("Hello again")
    assert owner(routed) == ("app", "customer_service")


@pytest.mark.parametrize("kind", ["summary", "history"])
def test_a_pass_to_the_app_comes_with_metadata_and_recap(routed: Sandbox, receiver: Receiver, kind: str) -> None:
    routed.control("/routing", {"waba_id": WABA, "recap": kind})
    routed.write("I want a person")
    agent(routed, "pass", metadata="wants a person")
    value = changes(receiver, "messaging_handovers")[0]
    assert value["type"] == "control_passed"
    assert value["sender"] == {"phone_number": CUSTOMER}
    assert value["recipient"]["phone_number_id"] == NUMBER
    passed = value["control_passed"]
    assert (passed["previous_owner_role"], passed["new_owner_role"]) == ("ai_agent", "escalation")
    assert passed["metadata"] == "wants a person"
    context = passed["conversation_context"]
    assert context["type"] == kind
    text = context["history"]["items"][-1]["text"] if kind == "history" else context["summary"]["text"]
    assert "I want a person" in text
    assert owner(routed) == ("app", "escalation")


def test_who_is_in_standby_gets_no_recap(routed: Sandbox, receiver: Receiver) -> None:
    routed.control("/routing", {"waba_id": WABA, "standby": True})
    routed.write("I want a person")
    agent(routed, "pass")
    assert "conversation_context" not in changes(receiver, "messaging_handovers")[0]["control_passed"]


def test_a_handover_can_take_any_shape(routed: Sandbox, receiver: Receiver) -> None:
    routed.write("I want a person")
    bare = {"sender": None, "control_passed": {"previous_owner_app_role": "meta_business_agent"}}
    agent(routed, "pass", value=bare)
    value = changes(receiver, "messaging_handovers")[0]
    assert "sender" not in value
    assert value["control_passed"] == {"previous_owner_app_role": "meta_business_agent"}


def test_standby_can_be_empty(routed: Sandbox, receiver: Receiver) -> None:
    routed.control(f"/routing/threads/{CUSTOMER}/standby", {"to": NUMBER, "standby": {}})
    assert changes(receiver, "standby")[0]["standby"] == {}


@pytest.mark.parametrize("implicit", [False, True])
def test_the_escalation_partner_takes_what_is_ours(routed: Sandbox, receiver: Receiver, implicit: bool) -> None:
    changed = {"primary": {"service": "app"}, "roles": {"escalation": "business_agent"}}
    routed.control("/routing", {"waba_id": WABA} | changed)
    routed.write("Hello")
    if implicit:
        routed.control(f"/routing/threads/{CUSTOMER}/messages", {"to": NUMBER, "text": "Let me"})
    else:
        agent(routed, "take", metadata="mine")
    value = changes(receiver, "messaging_handovers")[0]
    said = "Control taken via service message" if implicit else "mine"
    assert value["control_taken"] == {
        "previous_owner_role": "customer_service",
        "new_owner_role": "escalation",
        "metadata": said,
    }
    assert owner(routed)[0] == "business_agent"


@pytest.mark.parametrize("written", [False, True])
def test_a_service_message_of_another_than_the_owner_is_refused(routed: Sandbox, written: bool) -> None:
    """On an idle thread, too; a template never is."""
    routed.control("/routing", {"waba_id": WABA, "roles": {"escalation": None}})
    if written:
        routed.write("Hello")
    graph_refusal(routed.send_text("Hello"), 131070)
    assert send_template(routed, "hello_again").ok


def test_a_refusal_may_also_come_as_a_failed_status(routed: Sandbox) -> None:
    routed.control("/routing", {"waba_id": WABA, "not_owner": "failed", "roles": {"escalation": None}})
    routed.write("Hello")
    sent = routed.send_text("Hello").json()["messages"][0]["id"]
    assert routed.wait_for_status(sent, "failed")["errors"][0]["code"] == 131070


def test_a_service_message_of_the_escalation_partner_takes(routed: Sandbox) -> None:
    routed.write("Hello")
    assert routed.send_text("A person here").ok
    assert owner(routed) == ("app", "escalation")


@pytest.mark.parametrize("signals", ["taken", "refused"])
def test_read_marks_and_reactions_of_another_are_taken_or_refused(routed: Sandbox, signals: str) -> None:
    routed.control("/routing", {"waba_id": WABA, "signals": signals})
    wamid = routed.write("Hello")
    read = routed.send({"status": "read", "message_id": wamid})
    reaction = {"message_id": wamid, "emoji": "👍"}
    answers = [read, routed.send({"to": f"+{CUSTOMER}", "type": "reaction", "reaction": reaction})]
    assert [each.ok for each in answers] == [signals == "taken"] * 2
    assert owner(routed)[0] == "business_agent"


def test_the_owner_passes_and_releases(routed: Sandbox, receiver: Receiver) -> None:
    routed.write("Hello")
    assert control_thread(routed, "take").json()["request_id"]
    assert control_thread(routed, "pass", "ai_agent", metadata="solved").ok
    assert owner(routed) == ("business_agent", "ai_agent")
    assert control_thread(routed, "take").ok
    answer = control_thread(routed, "release")
    assert (answer.status_code, answer.json()["messaging_product"]) == (200, "whatsapp")
    assert owner(routed) == (None, None)
    assert control_thread(routed, "release").ok
    quiet(routed)
    assert receiver.of("/meta") == []


def test_a_user_id_names_a_thread_too(routed: Sandbox) -> None:
    routed.write("Hello")
    user_id = routed.phone()["user_id"]
    taken = control_thread(routed, "take", to=None, recipient=user_id)
    assert taken.ok, taken.text
    assert owner(routed)[0] == "app"


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({}, 131008),
        ({"to": CUSTOMER, "recipient": "DE.1"}, 100),
        ({"to": "not-a-number"}, 131009),
        ({"recipient": CUSTOMER}, 131009),
        ({"to": "4900000000000"}, 100),
        ({"to": CUSTOMER, "action": "seize"}, 131009),
        ({"to": CUSTOMER, "action": None}, 131009),
        ({"to": CUSTOMER, "messaging_product": "messenger"}, 131009),
        ({"to": CUSTOMER, "control_pass": {"target_role": "ai_agent"}}, 100),
        ({"to": CUSTOMER, "action": "pass", "control_pass": {"target_role": "owner"}}, 131009),
        ({"to": CUSTOMER, "action": "pass", "control_pass": {"target_app_id": "1"}}, 100),
        ({"to": CUSTOMER, "metadata": "x" * 2_001}, 100),
        ({"to": CUSTOMER, "target_role": "ai_agent"}, 100),
    ],
)
def test_thread_control_refuses_what_it_does_not_know(routed: Sandbox, body: dict[str, Any], code: int) -> None:
    routed.write("Hello")
    known = {"messaging_product": "whatsapp", "action": "take"}
    graph_refusal(routed.graph("POST", f"{NUMBER}/thread_control", json=known | body), code)
    assert owner(routed)[0] == "business_agent"


def test_a_pass_needs_a_thread_of_ours_and_a_target(routed: Sandbox) -> None:
    routed.control("/routing", {"waba_id": WABA, "roles": {"marketing": None}})
    routed.write("Hello")
    graph_refusal(control_thread(routed, "pass", "ai_agent"), 100)
    graph_refusal(control_thread(routed, "release"), 100)
    assert control_thread(routed, "take").ok
    graph_refusal(control_thread(routed, "pass", "marketing"), 100)
    graph_refusal(control_thread(routed, "pass"), 100)
    graph_refusal(control_thread(routed, "pass", "customer_service"), 100)
    assert control_thread(routed, "release").ok
    graph_refusal(control_thread(routed, "pass", "ai_agent"), 100)


def test_only_the_escalation_partner_takes(routed: Sandbox) -> None:
    routed.control("/routing", {"waba_id": WABA, "roles": {"escalation": None}})
    routed.write("Hello")
    graph_refusal(control_thread(routed, "take"), 2494191)


def test_a_bad_gateway_may_have_worked(routed: Sandbox) -> None:
    routed.write("Hello")
    routed.control("/faults", {"meta": {"html_502_processed_rate": 1, "calls": ["thread_control"]}})
    assert control_thread(routed, "take").status_code == 502
    assert owner(routed)[0] == "app"
    routed.control("/faults", {"meta": {"html_502_processed_rate": 0, "html_502_rate": 1}})
    assert control_thread(routed, "release").status_code == 502
    assert owner(routed)[0] == "app"


@pytest.mark.parametrize(
    ("version", "target", "status"), [("1.0.0", "ai_agent", 200), (None, "ai_agent", 400), ("1.0.0", "escalation", 400)]
)
def test_the_business_agents_own_api_passes_to_it_only(
    routed: Sandbox, version: str | None, target: str, status: int
) -> None:
    routed.write("Hello")
    assert control_thread(routed, "take").ok
    headers = {"Authorization": f"Bearer {TOKEN}"} | ({"X-API-Version": version} if version else {})
    body = {"messaging_product": "whatsapp", "to": CUSTOMER, "action": "pass", "control_pass": {"target_role": target}}
    url = f"{routed.url}/business_api/business/whatsapp/phone_numbers/{NUMBER}/thread_control"
    assert routed.http.post(url, json=body, headers=headers).status_code == status


def test_the_first_message_of_an_idle_thread_has_a_recap(routed: Sandbox, receiver: Receiver) -> None:
    routed.control("/routing", {"waba_id": WABA, "primary": {"service": "app"}})
    routed.write("First")
    routed.write("Second")
    values = changes(receiver, "messages", 2)
    assert values[0]["conversation_context"]["summary"]["text"]
    assert "conversation_context" not in values[1]
    assert [each["text"]["body"] for each in items(receiver.of("/meta"), "messages")] == ["First", "Second"]


def test_a_number_of_its_own_wins_over_its_account(routed: Sandbox) -> None:
    routed.control("/routing", {"phone_number_id": NUMBER, "roles": {"escalation": None}})
    shown = routed.control(f"/routing?phone_number_id={NUMBER}")
    assert (shown["source"], shown["on"], shown["roles"]["escalation"]) == ("number", True, None)
    routed.control(f"/routing/{NUMBER}", method="DELETE")
    assert routed.control(f"/routing?phone_number_id={NUMBER}")["source"] == "account"


def test_our_roles_are_told_and_who_owns_is_not(routed: Sandbox) -> None:
    roles = routed.graph("GET", f"{NUMBER}/routing_roles").json()
    assert roles == {"roles": ["customer_service", "marketing", "utility", "ctwa", "escalation"], "is_standby": False}
    none = dict.fromkeys(("customer_service", "marketing", "utility", "ctwa", "escalation"), "business_agent")
    routed.control("/routing", {"waba_id": WABA, "roles": none})
    assert routed.graph("GET", f"{NUMBER}/routing_roles").json() == {"roles": [], "is_standby": False}
    routed.control("/routing", {"waba_id": WABA, "roles_api": False})
    graph_refusal(routed.graph("GET", f"{NUMBER}/routing_roles"), 2500)


def test_calls_are_heard_by_their_primary_only(routed: Sandbox, receiver: Receiver) -> None:
    routed.control("/phone/calls", {"from": CUSTOMER, "to": NUMBER})
    assert len(changes(receiver, "calls")) == 1
    routed.control("/routing", {"waba_id": WABA, "primary": {"calls": "business_agent"}})
    routed.control("/phone/calls", {"from": CUSTOMER, "to": NUMBER})
    quiet(routed)
    assert len(changes(receiver, "calls")) == 1
    assert owner(routed) == (None, None)


def test_a_field_that_nobody_subscribed_to_is_not_heard_of(routed: Sandbox, receiver: Receiver) -> None:
    fields = routed.control("/accounts")["whatsapp"][0]["fields"]
    try:
        routed.control("/accounts", {"whatsapp": {"phone_number_id": NUMBER, "fields": ["messages"]}})
        routed.write("I want a person")
        agent(routed, "pass")
        routed.write("Hello?")
        assert [each["messages"][0]["text"]["body"] for each in changes(receiver, "messages")] == ["Hello?"]
        quiet(routed)
        assert len(receiver.of("/meta")) == 1
    finally:
        routed.control("/accounts", {"whatsapp": {"phone_number_id": NUMBER, "fields": fields}})
