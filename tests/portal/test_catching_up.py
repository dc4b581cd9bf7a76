"""Catching up, as people see it in a browser: asked for on the line's page, marked where a message stands."""

from __future__ import annotations

import pytest
from flask import Flask
from playwright.sync_api import Page, ViewportSize, expect

from db.pool import Pool
from db.tenants import catch_ups
from tests.portal.conftest import Login, new_user
from tests.portal.rows import House

pytestmark = pytest.mark.browser
NARROW: ViewportSize = {"width": 390, "height": 844}


def shown(page: Page, name: str) -> None:
    """Nothing is cut off on a narrow screen."""
    page.set_viewport_size(NARROW)
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth"), name


def test_an_admin_asks_for_what_is_missing_and_sees_what_came_of_it(
    page: Page, pool: Pool, house: House, app: Flask, login: Login
) -> None:
    new_user(pool, "catching@nordwind.example", "admin", house.tenant_id)
    login("catching@nordwind.example", next_page=f"?next=/portal/tenants/{house.tenant_id}/lines/{house.line_id}")
    card = page.locator("#catching-up")
    expect(card).to_contain_text("It was never needed.")
    card.get_by_label("What was written in the last").select_option("6")
    with page.expect_event("load"):
        card.get_by_role("button", name="Ask Genesys now").click()
    expect(page.get_by_text("The relay asks Genesys now.")).to_be_visible()
    expect(card).to_contain_text("Waits for a daemon")
    with page.expect_event("load"):
        card.get_by_role("button", name="Ask Genesys now").click()
    expect(page.get_by_text("Nothing was asked for: it is wanted already")).to_be_visible()
    [due] = catch_ups.take_due(pool, 60.0, 1)
    catch_ups.keep(pool, due, 60.0, 12, 5, 3)
    expect(card).to_contain_text("Under way")
    expect(card).to_contain_text("5 of 12")
    catch_ups.end(pool, due, "failed", "missing permission: conversation:message:view", again=False)
    expect(card).to_contain_text("Failed")
    expect(card).to_contain_text("conversation:message:view")
    expect(card.get_by_role("link", name="The checks")).to_be_visible()
    shown(page, "line")


def test_a_message_that_was_caught_up_with_says_so(
    page: Page, pool: Pool, house: House, app: Flask, login: Login
) -> None:
    row = house.say("4915999", "Written while nobody listened", "outbound", "delivered")
    with pool.transaction() as cursor:
        cursor.execute("UPDATE message_tracking SET origin = 'catch_up', late = true WHERE id = %s", (row.id,))
    new_user(pool, "reading@nordwind.example", "viewer", house.tenant_id)
    where = f"/portal/tenants/{house.tenant_id}"
    login("reading@nordwind.example", next_page=f"?next={where}/conversations/{row.conversation_id}")
    expect(page.get_by_text("Caught up")).to_be_visible()
    shown(page, "conversation")
    page.goto(f"{where}/messages/{row.id}")
    expect(page.get_by_text("catching up: Genesys was asked for it")).to_be_visible()
    expect(page.get_by_text("asked for at Genesys, whose webhook had not come")).to_be_visible()
    shown(page, "message")
