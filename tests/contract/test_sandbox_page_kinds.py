"""The page, kind by kind: each one can be sent from it, and each one that comes is shown as what it is."""

import base64
import time
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Locator, Page, expect

from tests.contract.conftest import CUSTOMER, INTEGRATION, Receiver, Sandbox, channel, items
from tests.waiting import wait_until

pytestmark = pytest.mark.browser

FROM_PHONE = [
    ("Photo", "image", "img.picture"),
    ("Video", "video", "video"),
    ("Voice note", "audio", "audio"),
    ("Document", "document", ".document"),
    ("Sticker", "sticker", "img[alt=Sticker]"),
    ("Animated sticker", "sticker", "img[alt=Sticker]"),
    ("Location", "location", ".place"),
    ("Contact", "contacts", ".person"),
    ("Order", "order", ".order"),
    ("Form answer", "interactive", ".form"),
    ("Forwarded text", "text", ".mark:has-text('Forwarded')"),
    ("Click on an ad", "text", ".advert"),
    ("Poll (not supported)", "unsupported", ".gone:has-text('Poll')"),
]
FROM_DESK = [
    ("Picture", "Text", "img.picture"),
    ("Video", "Text", "video"),
    ("Audio", "Text", "audio"),
    ("Document", "Text", ".document"),
    ("Contact (.vcf)", "Text", ".person"),
    ("Quick replies", "Structured", ".choices span >> nth=2"),
    ("Twelve quick replies", "Structured", ".choices span >> nth=11"),
    ("Card", "Structured", ".card img.picture"),
    ("Carousel", "Structured", ".carousel .card >> nth=2"),
    ("Date picker", "Structured", ".card .choices span >> nth=4"),
    ("List picker", "Structured", ".rows .row >> nth=4"),
    ("Notification", "Structured", "a.option"),
    ("Location", "Structured", ".place"),
    ("Link", "Text", "a.option"),
]
TO_PHONE: list[tuple[dict[str, Any], str]] = [
    ({"type": "location", "location": {"latitude": 52.5, "longitude": 13.4, "name": "Shop"}}, ".place b"),
    (
        {
            "type": "contacts",
            "contacts": [{"name": {"formatted_name": "Ben", "first_name": "Ben"}, "phones": [{"phone": "+49301"}]}],
        },
        ".person small",
    ),
    (
        {
            "type": "interactive",
            "interactive": {
                "type": "cta_url",
                "body": {"text": "Track it"},
                "action": {
                    "name": "cta_url",
                    "parameters": {"display_text": "Open", "url": "https://shop.example/t/1"},
                },
            },
        },
        "a.option[href='https://shop.example/t/1']",
    ),
    ({"type": "template", "template": {"name": "hello_world", "language": {"code": "en_US"}}}, ".text"),
]
LIST = {
    "type": "list",
    "body": {"text": "When?"},
    "action": {
        "button": "Choose a time",
        "sections": [
            {"title": "Morning", "rows": [{"id": "a", "title": "9:00", "description": "with Ana"}]},
            {"title": "Afternoon", "rows": [{"id": "b", "title": "15:00", "description": "with Ben"}]},
        ],
    },
}
VCARD = b"BEGIN:VCARD\r\nVERSION:3.0\r\nFN:Ben Weber\r\nTEL;TYPE=CELL:+49301\r\nEND:VCARD\r\n"
BUTTONS = {
    "type": "button",
    "body": {"text": "Which day?"},
    "action": {"buttons": [{"type": "reply", "reply": {"id": "mon", "title": "Monday"}}]},
}


def send(page: Page, side: str, menu: str, item: str) -> None:
    page.locator(side).get_by_role("button", name=menu).click()
    page.get_by_role("menuitem", name=item, exact=True).click()


def write(page: Page, text: str) -> None:
    """The customer writes; the field is empty once it has gone, and what was chosen for it is over."""
    field = page.get_by_label("Message as the customer")
    field.fill(text)
    field.press("Enter")
    expect(field).to_have_value("")


def act(page: Page, bubble: Locator, item: str) -> None:
    bubble.hover()
    bubble.locator(".act").click()
    page.get_by_role("menuitem", name=item).click()


def interactive(sandbox: Sandbox, content: dict[str, Any]) -> None:
    assert sandbox.send({"to": f"+{CUSTOMER}", "type": "interactive", "interactive": content}).ok


def test_a_customer_sends_every_kind(page: Page, sandbox: Sandbox) -> None:
    own = page.locator("#phone .bubble.own")
    for count, (item, kind, selector) in enumerate(FROM_PHONE, 1):
        send(page, "#phone", "More to send", item)
        expect(own).to_have_count(count)
        expect(own.last.locator(selector).first, item).to_be_visible()
        assert sandbox.phone()["messages"][-1]["type"] == kind, item


def test_an_agent_sends_every_kind(page: Page, sandbox: Sandbox) -> None:
    sandbox.inject_text("Hello")
    own = page.locator("#desk .bubble.own")
    expect(page.locator("#conversations button")).to_be_visible()
    for count, (item, kind, selector) in enumerate(FROM_DESK, 1):
        send(page, "#desk", "Send something else", item)
        expect(own).to_have_count(count)
        expect(own.last.locator(selector).first, item).to_be_visible()
        assert sandbox.desk()[-1]["type"] == kind, item


def test_the_phone_shows_every_kind_of_the_business(page: Page, sandbox: Sandbox) -> None:
    first = sandbox.write("Hello *there*, see https://shop.example/1.")
    shown = page.locator("#phone .bubble:not(.own)")
    for count, (body, selector) in enumerate(TO_PHONE, 1):
        assert sandbox.send({"to": f"+{CUSTOMER}"} | body).ok
        expect(shown).to_have_count(count)
        expect(shown.last.locator(selector).first, selector).to_be_visible()
    sandbox.send_text("<i>Yes</i>", context={"message_id": first})
    expect(shown.last.locator(".text")).to_have_text("<i>Yes</i>")
    expect(shown.last.locator(".quote span")).to_contain_text("Hello")
    own = page.locator("#phone .bubble.own")
    expect(own.locator("strong")).to_have_text("there")
    expect(own.locator("a.link")).to_have_attribute("href", "https://shop.example/1")
    reaction = {"type": "reaction", "reaction": {"message_id": first, "emoji": "👍"}}
    sandbox.send({"to": f"+{CUSTOMER}"} | reaction)
    expect(own.locator(".reactions")).to_have_text("👍")


def test_what_is_tapped_reaches_the_webhook(page: Page, sandbox: Sandbox, receiver: Receiver) -> None:
    sandbox.subscribe(receiver)
    sandbox.write("Hello")
    interactive(sandbox, BUTTONS)
    page.get_by_role("button", name="Monday").click()
    interactive(sandbox, LIST)
    page.get_by_role("button", name="Choose a time").click()
    sheet = page.get_by_role("dialog", name="Choose a time")
    first, opener = sheet.get_by_role("button", name="9:00"), page.get_by_role("button", name="Choose a time")
    expect(first).to_be_focused()
    first.press("Escape")
    expect(opener).to_be_focused()
    opener.press("Enter")
    sheet.get_by_role("button", name="15:00").click()
    expect(sheet).to_be_hidden()

    def answers() -> list[dict[str, Any]]:
        found = [each["interactive"] for each in items(receiver.of("/meta"), "messages") if "interactive" in each]
        return found if len(found) == 2 else []

    button, row = wait_until(answers, message="two answers")
    assert button == {"type": "button_reply", "button_reply": {"id": "mon", "title": "Monday"}}
    assert row["list_reply"] == {"id": "b", "title": "15:00", "description": "with Ben"}


def test_a_message_is_answered_reacted_to_edited_and_deleted(page: Page, sandbox: Sandbox) -> None:
    write(page, "Frist")
    mine = page.locator("#phone .bubble.own").first
    act(page, mine, "Edit…")
    write(page, "First")
    expect(mine.locator(".text")).to_have_text("First")
    expect(mine.locator(".meta")).to_contain_text("Edited")
    act(page, mine, "React with a heart")
    expect(mine.get_by_role("img", name="You reacted with ❤️")).to_be_visible()
    act(page, mine, "Reply")
    write(page, "Second")
    expect(page.locator("#phone .bubble.own").last.locator(".quote span")).to_have_text("First")
    act(page, mine, "Delete")
    expect(mine.locator(".gone")).to_have_text("You deleted this message")
    first, second = (each for each in sandbox.phone()["messages"] if not each["about"])
    assert (first["deleted"], second["reply_to"]) == (True, first["id"])


def test_the_business_app_and_a_new_number_show_on_the_phone(page: Page, sandbox: Sandbox) -> None:
    sandbox.write("Hello")
    send(page, "#phone", "More to send", "Reply from the business app")
    expect(page.locator("#phone .bubble:not(.own) .mark")).to_have_text("Sent from the business app")
    send(page, "#phone", "More to send", "Change the number…")
    number = page.get_by_label("New phone number")
    number.fill("+49 151 98765432")
    number.press("Enter")
    expect(page.locator("#customer")).to_have_value("4915198765432")
    expect(page.locator("#phone .bubble.own .text")).to_have_text("Hello")
    assert sandbox.control("/phone/4915198765432")["wa_id"] == "4915198765432"


def test_the_phone_says_why_a_message_never_came(page: Page, sandbox: Sandbox) -> None:
    sandbox.control(f"/phone/{CUSTOMER}", {"fail_code": 131026})
    sandbox.write("Hello")
    sandbox.send_text("Are you there?")
    page.get_by_text("1 could not be delivered").click()
    expect(page.locator("#phone .waiting li")).to_contain_text("131026")


def test_the_desk_shows_answers_contacts_news_and_customer_data(page: Page, sandbox: Sandbox) -> None:
    attributes = {"whatsapp_phone": "+4915112345678"}
    sandbox.inject_text("Hello", channel=channel(metadata={"customAttributes": attributes}))
    expect(page.locator("#conversations button")).to_be_visible()
    send(page, "#desk", "Send something else", "Quick replies")
    asked = wait_until(
        lambda: [each for each in sandbox.desk() if each["direction"] == "outbound"], message="a question"
    )
    offered = asked[0]["options"][0]
    answer = {"channel": channel(), "buttonResponse": offered, "originatingMessageId": asked[0]["id"]}
    assert sandbox.inject("structured/response", answer).ok
    chosen = page.locator("#desk .chosen")
    expect(chosen.locator("b")).to_have_text(offered["text"])
    expect(chosen.locator("code")).to_be_hidden()
    chosen.get_by_text("Payload").click()
    expect(chosen.locator("code")).to_have_text(offered["payload"])
    page.get_by_text("Customer data (1)").click()
    expect(page.locator("#desk .attributes dd")).to_have_text("+4915112345678")
    card = base64.b64encode(
        b"BEGIN:VCARD\r\nVERSION:3.0\r\nFN:Ben Weber\r\nTEL;TYPE=CELL:+49301\r\nEND:VCARD\r\n"
    ).decode()
    sandbox.write("", type="document", media={"data": card, "mime_type": "text/vcard", "filename": "Ben.vcf"})
    url = sandbox.url + sandbox.phone()["messages"][-1]["media"]["url"]
    file = {"mediaType": "File", "url": url, "mime": "text/vcard", "filename": "Ben.vcf"}
    sandbox.inject("message", {"channel": channel(), "content": [{"attachment": file}]})
    expect(page.locator("#desk .person b")).to_have_text("Ben Weber")
    news = channel(metadata={"customAttributes": {"whatsapp_type": "system"}})
    sandbox.inject("message", {"channel": news, "text": "The number has changed"})
    expect(page.locator("#desk .news")).to_have_text("The number has changed")


def test_typing_is_told_once_and_a_template_is_prefilled(page: Page, sandbox: Sandbox, receiver: Receiver) -> None:
    sandbox.subscribe(receiver)
    sandbox.control("/faults", {"genesys": {"published_receipts": False}})
    sandbox.inject_text("Hello")
    page.clock.set_fixed_time(time.time())  # it is told every few seconds, and a busy machine may type that slowly
    field = page.get_by_label("Reply as the agent")
    expect(field).to_be_enabled()  # keys are pressed whether anybody takes them or not
    field.press_sequentially("Good day")
    expect(field).to_have_value("Good day")
    field.press("Enter")
    expect(field).to_have_value("")
    assert [each["body"]["type"] for each in receiver.wait_for("/genesys", 2)] == ["Event", "Text"]
    send(page, "#desk", "Send something else", "Template…")
    expect(field).to_have_value("/template follow_up en\nAda")
    assert len(receiver.of("/genesys")) == 2


def test_menus_work_by_keyboard(page: Page, sandbox: Sandbox) -> None:
    sandbox.write("One")
    sandbox.write("Two")
    opener = page.locator("#phone").get_by_role("button", name="More to send")
    opener.press("Enter")
    first, last = page.get_by_role("menuitem", name="Photo"), page.get_by_role("menuitem").last
    expect(first).to_be_focused()
    first.press("End")
    expect(last).to_be_focused()
    last.press("ArrowDown")
    expect(first).to_be_focused()
    first.press("Escape")
    expect(opener).to_be_focused()
    for shown in (True, False):
        opener.click()
        expect(page.get_by_role("menu", name="More to send")).to_be_visible(visible=shown)
    log = page.get_by_role("log", name="Chat on the phone")
    expect(log.locator(".bubble")).to_have_count(2)
    log.press("ArrowUp")
    one, two = (log.get_by_role("button", name=f"Actions for: {text}") for text in ("One", "Two"))
    expect(two).to_be_focused()
    two.press("ArrowUp")
    expect(one).to_be_focused()
    one.press("Enter")
    expect(page.get_by_role("menuitem", name="React with thumbs up")).to_be_focused()


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_axe_finds_nothing_serious(page: Page, sandbox: Sandbox, theme: Any) -> None:
    page.emulate_media(color_scheme=theme, reduced_motion="reduce")
    everything(page, sandbox)
    page.locator("#phone").get_by_role("button", name="More to send").click()
    assert findings(page) == []
    page.keyboard.press("Escape")
    page.get_by_role("button", name="Choose a time").click()
    assert findings(page) == []


def test_every_kind_fits_a_small_screen(page: Page, sandbox: Sandbox) -> None:
    everything(page, sandbox)
    page.set_viewport_size({"width": 360, "height": 740})
    for side, menu in (("phone", "More to send"), ("desk", "Send something else")):
        page.get_by_role("tab", name=side.capitalize()).click()
        page.locator(f"#{side}").get_by_role("button", name=menu).click()
        expect(page.get_by_role("menuitem").first).to_be_in_viewport(ratio=1)
        assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
        wide = page.locator(f"#{side} .log").evaluate("log => log.scrollWidth - log.clientWidth")
        assert wide == 0
        page.keyboard.press("Escape")


def test_a_shape_that_no_client_sends_takes_nothing_else_away(page: Page, sandbox: Sandbox) -> None:
    sandbox.write("", type="order", message={"order": {"product_items": "many"}})
    sandbox.write("Hello")
    expect(page.locator("#phone .news")).to_have_text("A message of type order that cannot be shown")
    expect(page.locator("#phone .bubble .text")).to_have_text("Hello")


def everything(page: Page, sandbox: Sandbox) -> None:
    """Something of each kind on both sides."""
    sandbox.inject_text("Hello", channel=channel(metadata={"customAttributes": {"whatsapp_phone": "+4915112345678"}}))
    for _, kind, _ in FROM_PHONE:
        sandbox.control("/phone/messages", {"from": CUSTOMER, "type": kind, "sample": True})
    for name in ("quick_replies", "card_mixed", "carousel", "list_picker", "notification", "location", "link", "form"):
        sandbox.control("/agent/messages", {"contact": "contact-1", "integration_id": INTEGRATION, "sample": name})
    for content in (BUTTONS, LIST):
        interactive(sandbox, content)
    expect(page.locator("#phone .bubble:not(.own)")).to_have_count(2)
    expect(page.locator("#desk .bubble.own")).to_have_count(8)


def findings(page: Page) -> list[str]:
    return [
        f"{one['id']}: {one['help']}: {[node['html'][:160] for node in one['nodes'][:3]]}"
        for one in Axe().run(page, options={"resultTypes": ["violations"]}).response["violations"]
        if one["impact"] in ("serious", "critical")
    ]
