"""The API's description as a browser shows it: offline, and within the page's own security policy."""

from playwright.sync_api import Page, expect


def test_the_description_is_drawn_and_can_be_opened(page: Page) -> None:
    page.goto("/docs")
    expect(page.get_by_role("heading", name="WhatsApp Genesys relay")).to_be_visible()
    page.get_by_role("heading", name="sending").click()
    page.get_by_role("button", name="POST /whatsapp/send Send a").click()
    expect(page.get_by_text("Needs the scope messages:send")).to_be_visible()
