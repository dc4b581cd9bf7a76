"""The page: what a customer and an agent see, live, in a browser, on a desk and on a small screen."""

import pytest
from playwright.sync_api import Page, Route, expect

from tests.contract.conftest import CUSTOMER, INTEGRATION, WABA, Receiver, Sandbox
from tests.waiting import wait_until

pytestmark = pytest.mark.browser


def test_a_customer_writes_and_sees_the_business_answer(page: Page, sandbox: Sandbox) -> None:
    field = page.get_by_label("Message as the customer")
    field.fill("Hello <b>there</b>")
    field.press("Enter")
    phone = page.locator("#phone .log")
    expect(phone.locator(".bubble.own .text")).to_have_text("Hello <b>there</b>")
    sandbox.send_text("Good day")
    expect(phone.locator(".bubble:not(.own) .text")).to_have_text("Good day")
    written = sandbox.phone()["messages"][0]["id"]
    sandbox.send({"status": "read", "message_id": written, "typing_indicator": {"type": "text"}})
    expect(phone.get_by_role("img", name="Read", exact=True)).to_be_visible()
    expect(page.locator("#phone .subtitle")).to_have_text("typing…")


def test_a_button_on_the_phone_answers(page: Page, sandbox: Sandbox) -> None:
    sandbox.write("Hello")
    button = {"type": "reply", "reply": {"id": "mon", "title": "Monday"}}
    question = {"type": "button", "body": {"text": "Which day?"}, "action": {"buttons": [button]}}
    sandbox.send({"to": f"+{CUSTOMER}", "type": "interactive", "interactive": question})
    page.get_by_role("button", name="Monday").click()
    expect(page.locator("#phone .bubble.own .quote span")).to_have_text("Which day?")
    answer = sandbox.phone()["messages"][-1]["payload"]["interactive"]
    assert answer == {"type": "button_reply", "button_reply": {"id": "mon", "title": "Monday"}}


def test_files_show_on_both_sides(page: Page, sandbox: Sandbox) -> None:
    page.locator("#phone").get_by_role("button", name="More to send").click()
    page.get_by_role("menuitem", name="Photo").click()
    picture = page.locator("#phone img.picture")
    expect(picture).to_be_visible()
    expect(picture).to_have_js_property("naturalWidth", 480)
    source = sandbox.url + sandbox.phone()["messages"][0]["media"]["url"]
    file = {"mediaType": "Image", "url": source, "mime": "image/jpeg"}
    channel = {"from": {"id": "contact-1", "idType": "Opaque", "nickname": "Ada"}, "time": "2026-11-23T15:00:00.000Z"}
    sandbox.inject("message", {"channel": channel, "content": [{"attachment": file}]})
    expect(page.locator("#desk img.picture")).to_be_visible()
    page.locator("#desk").get_by_role("button", name="Send something else").click()
    page.get_by_role("menuitem", name="Document").click()
    expect(page.locator("#desk .document b")).to_have_text("offer.pdf")


def test_an_agent_replies_and_sees_what_became_of_it(page: Page, sandbox: Sandbox) -> None:
    sandbox.inject_text("Hello")
    expect(page.locator("#conversations button")).to_have_attribute("aria-current", "true")
    field = page.get_by_label("Reply as the agent")
    field.fill("Good day")
    field.press("Enter")
    bubble = page.locator("#desk .bubble.own")
    expect(bubble).to_contain_text("no webhook subscribed")
    sent = sandbox.desk()[-1]["id"]
    failed = {
        "id": sent,
        "channel": {"to": {"id": "contact-1"}, "time": "2026-11-23T15:00:00.000Z"},
        "status": "Failed",
        "reasons": [{"code": "MessageExpired", "message": "24 hours are over"}],
    }
    sandbox.inject("receipt", failed)
    expect(bubble.locator(".problem")).to_have_text("Failed: The 24 hours are over")
    expect(bubble.locator(".detail")).to_have_text("MessageExpired: 24 hours are over")


def test_the_page_sees_when_the_relay_points_the_webhooks_at_itself(
    page: Page, sandbox: Sandbox, receiver: Receiver
) -> None:
    notice = page.locator("#notice")
    expect(notice).to_contain_text("for WhatsApp and Genesys on this line")
    override = {"override_callback_uri": f"{receiver.url}/meta", "verify_token": "demo-verify-token"}
    assert sandbox.graph("POST", f"{WABA}/subscribed_apps", json=override).ok
    expect(notice).to_contain_text("for Genesys on this line")
    integration = f"/conversations/messaging/integrations/open/{INTEGRATION}"
    name = sandbox.platform("GET", integration).json()["name"]
    way_back = {"name": name, "outboundNotificationWebhookUrl": f"{receiver.url}/genesys"}
    assert sandbox.platform("PATCH", integration, json=way_back).ok
    expect(notice).to_be_hidden()


def test_faults_are_set_from_the_drawer(page: Page, sandbox: Sandbox) -> None:
    page.get_by_role("button", name="Faults").click()
    slider = page.get_by_role("group", name="Genesys Cloud").get_by_label("Calls refused")
    slider.press("End")
    expect(page.locator("#fault-count")).to_have_text("1")
    assert sandbox.control("/faults")["genesys"]["error_rate"] == 1
    page.get_by_role("button", name="Clear all faults").click()
    expect(page.locator("#fault-count")).to_be_hidden()
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_be_hidden()


def test_the_second_responder_acts_from_the_drawer(page: Page, sandbox: Sandbox) -> None:
    page.get_by_role("button", name="Routing").click()
    drawer = page.get_by_role("dialog")
    drawer.get_by_text("Conversation Routing").click()
    drawer.get_by_label("Writes first").select_option("Business Agent")
    wait_until(lambda: sandbox.control("/routing")["primary"]["service"] == "business_agent", message="the agent")
    sandbox.write("Hello")
    drawer.get_by_label("Message as the Business Agent").fill("I am a machine")
    drawer.get_by_role("button", name="Send").click()
    expect(drawer.locator("output")).to_have_text("Owned by the Business Agent (ai agent)")
    expect(page.locator("#phone .log")).to_contain_text("Sent by the Business Agent")
    drawer.get_by_role("button", name="Pass").click()
    expect(drawer.locator("output")).to_have_text("Owned by the app (escalation)")
    page.keyboard.press("Escape")
    expect(page.locator("#phone .subtitle")).to_contain_text("with the app")


def test_a_small_screen_shows_one_side_at_a_time(page: Page) -> None:
    page.set_viewport_size({"width": 380, "height": 740})
    expect(page.locator("#desk")).to_be_hidden()
    page.get_by_role("tab", name="Phone").press("ArrowRight")
    expect(page.get_by_role("tab", name="Desk")).to_be_focused()
    expect(page.locator("#desk")).to_be_visible()
    expect(page.locator("#phone")).to_be_hidden()
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")


def test_bytes_that_a_browser_would_run_are_a_download(sandbox: Sandbox) -> None:
    page = {"data": "PGgxPkhpPC9oMT4=", "mime_type": "text/html", "filename": "a.html"}
    sandbox.write("", type="document", media=page)
    answer = sandbox.http.get(sandbox.url + sandbox.phone()["messages"][0]["media"]["url"])
    assert answer.headers["Content-Disposition"].startswith("attachment")
    assert answer.headers["Content-Type"].startswith("application/octet-stream")


def wait_for_asked(page: Page, held: list[Route]) -> None:
    def asked() -> list[Route]:
        page.wait_for_timeout(20)  # the page's events are handled while it waits
        return held

    wait_until(asked, message="the page to ask")


def test_a_list_that_comes_late_does_not_take_the_field_away(page: Page, sandbox: Sandbox) -> None:
    """Answers overtake each other on a busy machine: the older one, without the conversation, comes last."""
    late: list[Route] = []
    page.route("**/control/agent/contacts*", lambda route: late.append(route), times=1)
    page.reload()
    wait_for_asked(page, late)
    sandbox.inject_text("Hello")
    field = page.get_by_label("Reply as the agent")
    expect(field).to_be_enabled()
    field.fill("Good day")
    with page.expect_response("**/control/agent/contacts*"):
        late[0].fulfill(json={"contacts": []})
    sandbox.inject_text("Anybody?")
    expect(page.locator("#desk .bubble:not(.own) .text")).to_have_count(2)
    expect(field).to_be_focused()
    field.press("Enter")
    expect(page.locator("#desk .bubble.own .text")).to_have_text("Good day")


def test_nothing_can_be_written_before_it_is_known_to_whom(page: Page, sandbox: Sandbox) -> None:
    sandbox.inject_text("Hello")
    held: list[Route] = []
    page.route("**/control/accounts", lambda route: held.append(route), times=1)
    page.reload()
    fields = [page.get_by_label("Message as the customer"), page.get_by_label("Reply as the agent")]
    for field in fields:
        expect(field).to_be_disabled()
    wait_for_asked(page, held)
    held[0].continue_()
    for field in fields:
        expect(field).to_be_enabled()
