"""What only a browser shows: pages that stay fresh, older messages on demand, marks by keyboard, a phone's width."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from db.audit import Author
from db.mailbox import replay_steps, replays
from db.mailbox.dead_letters import DeadLetterSelection
from db.pool import Pool
from relay.core.messages import Media
from tests.portal.conftest import Login, new_user
from tests.portal.rows import House

pytestmark = pytest.mark.browser

ADMIN = "admin@nordwind.example"
LONG = "x" * 128


@pytest.fixture(scope="module")
def house(pool: Pool) -> House:
    house = House(pool)
    new_user(pool, ADMIN, "admin", house.tenant_id)
    return house


@pytest.fixture
def visit(page: Page, house: House, login: Login) -> Callable[[str], None]:
    """Logs in where that is still to be done."""

    def go(path: str) -> None:
        login(ADMIN, next_page=f"?next={house.path}{path}")

    return go


def test_the_dashboard_stays_fresh_and_leaves_open_what_is_open(
    page: Page, house: House, visit: Callable[[str], None]
) -> None:
    house.say("4915100", "First", state="sent", name="Ada Brandt")
    visit("/dashboard")
    page.evaluate("window.untouched = true")
    page.get_by_text("As a table").first.click()
    link = page.get_by_role("link", name="All of them")
    link.focus()
    house.say("4915101", "Is anybody there?", name="Ben Okafor")
    expect(page.get_by_role("link", name="Ben Okafor")).to_be_visible()
    expect(page.get_by_text("No daemon of the relay is running")).not_to_have_count(0)
    expect(page.locator(".figure", has_text="active in 24 hours").locator(".value")).to_have_text("2")
    expect(link).to_be_focused()
    expect(page.locator("#hours-data")).to_have_attribute("open", "")
    assert page.evaluate("window.untouched")


def test_new_messages_come_in_at_the_bottom_and_older_ones_on_demand(
    page: Page, house: House, visit: Callable[[str], None]
) -> None:
    rows = [house.say("4915200", f"Message no. {n}", state="sent") for n in range(60)]
    visit(f"/conversations/{rows[0].conversation_id}")
    bubbles = page.locator(".bubble")
    expect(bubbles).to_have_count(50)
    expect(page.get_by_text("Message no. 59")).to_be_in_viewport()
    page.get_by_role("link", name="Older messages").click()
    expect(bubbles).to_have_count(60)
    expect(page.get_by_role("link", name="Older messages")).to_have_count(0)
    house.say("4915200", "And one more", "outbound")
    expect(page.get_by_text("And one more")).to_be_visible()
    texts = page.locator(".bubble .said").all_inner_texts()
    assert texts == [*(f"Message no. {n}" for n in range(60)), "And one more"]
    page.goto(f"{house.path}/conversations/{rows[0].conversation_id}")
    expect(page.get_by_text("And one more")).to_be_in_viewport()


def test_a_state_changes_before_ones_eyes(page: Page, house: House, visit: Callable[[str], None]) -> None:
    row = house.say("4915300", "On its way", "outbound")
    visit(f"/messages/{row.id}")
    expect(page.get_by_text("WhatsApp has not been called yet.")).to_be_visible()
    house.call(row, 1, "sent", provider_id="wamid.1", http_status=200)
    expect(page.get_by_role("cell", name="Accepted")).to_be_visible()


def test_dead_letters_are_marked_and_sent_by_keyboard(page: Page, house: House, visit: Callable[[str], None]) -> None:
    rows = [house.say("4915400", f"Lost {n}", "outbound", "dead", reason="given up") for n in range(3)]
    visit("/dead-letters")
    send = page.get_by_role("button", name="Send the marked ones again")
    expect(send).to_be_disabled()
    page.get_by_label("All on this page").press("Space")
    expect(page.get_by_text("3 marked")).to_be_visible()
    page.get_by_role("checkbox", name="Mark the message").first.uncheck()
    expect(page.get_by_text("2 marked")).to_be_visible()
    send.press("Enter")
    expect(page.get_by_text("2 messages are on the way again.")).to_be_visible()
    assert sorted(house.state(row) for row in rows) == ["dead", "received", "received"]


def test_all_of_them_after_a_question_with_what_became_of_it(
    page: Page, house: House, visit: Callable[[str], None], pool: Pool
) -> None:
    """A daemon sends them again, step by step; the page tells how far it is, by itself."""
    rows = [house.say("4915500", f"All {n}", "inbound", "dead", reason="given up") for n in range(4)]
    visit("/dead-letters?direction=inbound")
    page.get_by_role("link", name="Send these 4 again").click()
    page.get_by_role("button", name="Send 4 again").click()
    expect(page.get_by_role("heading", name="0 of 4 put back")).to_be_visible()
    replay_steps.step(pool)
    expect(page.get_by_role("heading", name="4 of 4 put back")).to_be_visible()
    assert {house.state(row) for row in rows} == {"received"}


def test_the_key_is_copied_and_not_shown_again(page: Page, house: House, visit: Callable[[str], None]) -> None:
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    visit("/keys/new")
    page.get_by_label("Name").fill("Shop")
    page.get_by_label("see conversations and messages").check()
    page.get_by_role("button", name="Make the key").click()
    shown = page.get_by_label("Your new key").input_value()
    assert shown.startswith("wgr_")
    page.get_by_role("button", name="Copy", exact=True).click()
    expect(page.get_by_role("button", name="Copied")).to_be_visible()
    assert page.evaluate("navigator.clipboard.readText()") == shown
    page.reload()
    expect(page.get_by_label("Your new key")).to_have_count(0)


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_nothing_breaks_the_layout_of_a_phone(
    page: Page, house: House, visit: Callable[[str], None], theme: str
) -> None:
    page.set_viewport_size({"width": 360, "height": 780})
    page.emulate_media(color_scheme=theme)  # type: ignore[arg-type]
    file = Media("document", "application/pdf", filename=f"{LONG}.pdf", size=10**7)
    name = "محمد عبد الرحمن الهاشمي 🌻 " + LONG
    row = house.say("4915600", "word " * 800, state="sent", name=name)
    house.say("4915600", f"https://example.com/{LONG * 4}", "outbound", "failed", reason=LONG * 2, media=file)
    dead = house.say("4915600", LONG * 30, "outbound", "dead", reason=LONG)
    house.call(dead, 1, "refused", http_status=400, code=LONG, detail=LONG * 3, trace_id=LONG, answer=LONG * 9)
    with house.pool.transaction() as cursor:
        cursor.execute("UPDATE message_tracking SET reason_code = %s WHERE id = %s", (LONG, dead.id))
    running = replays.running(house.pool, house.tenant_id)
    held = running or replays.start(house.pool, Author(LONG), DeadLetterSelection(house.tenant_id, reason_code=LONG))
    visit("/dashboard")
    for path in (
        f"/dead-letters/replays/{held.id}",
        "/dashboard", "/conversations", f"/conversations/{row.conversation_id}", "/messages", f"/messages/{row.id}",
        f"/messages/{dead.id}", "/dead-letters", "/dead-letters/replay-all", "/notices", "/users", "/keys", "/keys/new",
        "/audit",
    ):  # fmt: skip
        page.goto(house.path + path)
        assert page.evaluate("document.documentElement.scrollWidth") <= 360, path
        expect(page.locator("h1")).to_have_count(1)
        expect(page.locator("html")).to_have_attribute("data-bs-theme", re.compile(theme))
