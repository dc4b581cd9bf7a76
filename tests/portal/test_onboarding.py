"""R44: a second tenant is brought live in a real browser, against real web, daemon and sandbox."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect

from db.pool import Pool
from tests import processes
from tests.browser import context as browser_context
from tests.flow.installation import Installation
from tests.portal.conftest import Login, new_user
from tests.portal.suedlicht import GENESYS, LOGIN, NARROW_CLIENT, WHATSAPP

pytestmark = pytest.mark.browser

OPERATOR = "operator@relay.example"
PHONE = "4915112345888"


@pytest.fixture(scope="module")
def installation(settings_env: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    logs: Path = tmp_path_factory.mktemp("logs")
    installed = Installation(settings_env, logs)
    try:
        installed.start()
        yield installed
    finally:
        installed.stop()


@pytest.fixture(scope="module")
def web(installation: Installation) -> processes.Process:
    return installation.web


@pytest.fixture(scope="module", autouse=True)
def operator(pool: Pool) -> None:
    new_user(pool, OPERATOR, "operator")


def new_tenant(page: Page, name: str) -> str:
    """The tenant's id; the page is the first step of its set-up."""
    page.goto("/portal/tenants")
    page.get_by_role("link", name="New tenant").first.click()
    page.get_by_label("Name", exact=True).fill(name)
    page.get_by_role("button", name="Create the tenant").click()
    expect(page.get_by_role("heading", name="Welcome", level=1)).to_be_visible()
    return page.url.split("/tenants/")[1].split("/")[0]


def go_on(page: Page) -> None:
    page.get_by_role("button", name="Save and continue").click()


def fill_genesys(page: Page, client: dict[str, str] = GENESYS) -> None:
    page.get_by_label("Region").select_option(GENESYS["region"])
    page.get_by_label("Client ID", exact=True).fill(client["client_id"])
    page.get_by_label("Client secret", exact=True).fill(client["client_secret"])


def is_accessible(page: Page) -> None:
    found = [one for one in Axe().run(page).response["violations"] if one["impact"] in ("serious", "critical")]
    assert found == []


def test_a_second_tenant_goes_live_and_sees_its_first_message(
    page: Page, installation: Installation, login: Login
) -> None:
    login(OPERATOR, next_page="?next=/portal/tenants")
    new_tenant(page, "Südlicht")
    page.get_by_role("button", name="Begin").click()
    page.get_by_label("Contact").fill("Mia Sommer")
    go_on(page)

    fill_genesys(page)
    page.get_by_role("button", name="Show our integrations").click()
    page.get_by_label("Integrations of your organisation").select_option(GENESYS["integration_id"])
    page.get_by_role("button", name="Test").click()
    expect(page.get_by_text("Genesys gives the OAuth client an access token.")).to_be_visible()
    is_accessible(page)
    page.get_by_text("Point the webhook here for me").click()
    page.get_by_role("button", name="Point it here").click()
    expect(page.get_by_text("Done: Genesys sends to this relay now.")).to_be_visible()
    go_on(page)

    expect(page.get_by_text("Genesys is connected.")).to_be_visible()
    page.get_by_label("WhatsApp Business Account ID").fill(WHATSAPP["waba_id"])
    page.get_by_label("Access token").fill(WHATSAPP["access_token"])
    page.get_by_role("button", name="Show our numbers").click()
    page.get_by_label("Numbers of the account").select_option(WHATSAPP["phone_number_id"])
    page.get_by_label("App secret").fill(WHATSAPP["app_secret"])
    page.get_by_text("Point the webhook here for me").click()
    page.get_by_role("button", name="Point it here").click()
    expect(page.get_by_text("Done: WhatsApp sends to this relay now.")).to_be_visible()
    page.get_by_text("Subscribe to the webhook fields for me").click()
    page.get_by_role("button", name="Subscribe to all of them").click()
    expect(page.get_by_text("Done: your app is subscribed to every webhook field")).to_be_visible()
    go_on(page)

    expect(page.get_by_role("heading", name="This relay")).to_be_visible()
    expect(page.locator("[data-level=refused]")).to_have_count(0)
    is_accessible(page)
    page.get_by_role("button", name="Go live").click()
    expect(page.get_by_text("Südlicht is live.")).to_be_visible()

    page.get_by_label("Your phone's WhatsApp number").fill(f"+{PHONE}")
    page.get_by_role("button", name="Begin the test").click()
    expect(page.get_by_text("Südlicht GmbH, +49 89 1234502")).to_be_visible()
    installation.phone_sends(**{"from": PHONE, "to": WHATSAPP["phone_number_id"], "text": "Good morning!"})
    incoming = page.get_by_role("article", name="Message from the phone")
    expect(incoming).to_contain_text("Good morning!")
    expect(incoming.locator("[data-step=sent]")).to_be_visible()
    page.get_by_label("Test answer").fill("And to you.")
    page.get_by_role("button", name="Send").click()
    expect(page.get_by_text("Both ways work.")).to_be_visible()
    is_accessible(page)

    phone = installation.control("GET", f"/phone/{PHONE}/messages?to={WHATSAPP['phone_number_id']}")["messages"]
    assert [(one["direction"], one["text"]) for one in phone] == [
        ("inbound", "Good morning!"),
        ("outbound", "And to you."),
    ]


def test_what_was_begun_is_gone_on_with_after_a_log_out(page: Page, login: Login) -> None:
    login(OPERATOR, next_page="?next=/portal/tenants")
    tenant_id = new_tenant(page, "Later")
    page.get_by_role("button", name="Begin").click()
    go_on(page)
    fill_genesys(page, NARROW_CLIENT)
    page.get_by_role("button", name="Save and come back later").click()
    expect(page.get_by_text("Saved. Go on whenever you like")).to_be_visible()
    page.get_by_role("button", name="your account").click()
    page.get_by_role("button", name="Log out", exact=True).click()
    login(OPERATOR, next_page=f"?next=/portal/tenants/{tenant_id}/setup")
    expect(page.get_by_role("heading", name="Genesys", level=1)).to_be_visible()
    expect(page.get_by_label("Client ID", exact=True)).to_have_value(NARROW_CLIENT["client_id"])
    expect(page.get_by_label("Client secret", exact=True)).to_have_value("")
    expect(page.get_by_text("Saved. Leave this empty to keep it.").first).to_be_visible()
    page.get_by_role("link", name="Organisation").click()
    expect(page.get_by_label("Name", exact=True)).to_have_value("Later")


def test_an_admin_logs_in_at_genesys_and_has_an_integration_made(page: Page, login: Login) -> None:
    login(OPERATOR, next_page="?next=/portal/tenants")
    tenant_id = new_tenant(page, "By login")
    page.goto(f"/portal/tenants/{tenant_id}/setup/genesys")
    page.get_by_label("Region").select_option(GENESYS["region"])
    page.get_by_text("Let an admin log in").click()
    page.get_by_label("Client ID of the log-in client").fill(LOGIN["login_client_id"])
    page.get_by_label("Client secret of the log-in client").fill(LOGIN["login_client_secret"])
    page.get_by_role("button", name="Save and log in at Genesys").click()
    page.get_by_role("link", name="Go on to").click()
    page.get_by_role("button", name="Refuse").click()
    expect(page.get_by_text("You cancelled the log-in")).to_be_visible()
    page.get_by_role("button", name="Save and log in at Genesys").click()
    page.get_by_role("link", name="Go on to").click()
    page.get_by_role("button", name="Allow").click()
    expect(page.get_by_text("You are logged in at Genesys.")).to_be_visible()
    page.get_by_text("There is none yet: set one up for me").click()
    page.get_by_role("button", name="Add the integration").click()
    expect(page.get_by_text("Genesys has made the integration WhatsApp By login.")).to_be_visible()
    expect(page.get_by_label("Integrations of your organisation")).to_have_value(re.compile(r"^[0-9a-f-]{36}$"))


def test_the_set_up_works_without_scripts(
    browser: Browser, installation: Installation, login: Login, page: Page
) -> None:
    login(OPERATOR, next_page="?next=/portal/tenants")
    tenant_id = new_tenant(page, "Plain")
    plain = browser_context(
        browser,
        java_script_enabled=False,
        base_url=installation.env["PUBLIC_URL"],
        storage_state=page.context.storage_state(),
    )
    with plain.new_page() as still:
        still.goto(f"/portal/tenants/{tenant_id}/setup/genesys")
        fill_genesys(still, NARROW_CLIENT)
        still.get_by_label("Integration ID").fill(GENESYS["integration_id"])
        still.get_by_role("button", name="Test").click()
        expect(still.get_by_text("missing permission: conversation:message:receive")).to_be_visible()
        still.get_by_label("Client ID", exact=True).press("Enter")
        expect(still.get_by_text("Genesys says no to this")).to_be_visible()
    plain.close()
