"""The whole way through a provider that others have written, in a browser: Canaille with its own log-in pages."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.sync_api import Page, expect

from db.access import openid, sessions, users
from db.access.openid import ProviderSettings
from db.audit import Author
from db.pool import Pool
from db.sealing import Cipher
from demo.stack.ports import HOST, free_port
from tests import processes
from tests.portal.canaille_process import PASSWORD
from tests.portal.rows import House

pytestmark = pytest.mark.browser

CLIENT, SECRET, LOGIN_KEY = "relay", "a-secret-of-the-client", "a-key-that-nobody-guesses"
PEOPLE = [
    {"name": "Olga Ops", "email": "olga@relay.example", "groups": ["relay-operators"]},
    {"name": "Ada Brandt", "email": "ada@nordwind.example", "groups": ["nordwind-admins"]},
    {"name": "Bo Bystander", "email": "bo@nordwind.example", "groups": ["gardeners"]},
]


@pytest.fixture(scope="module")
def provider(settings_env: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Its address, which is its issuer."""
    port = free_port()
    callbacks = [f"{settings_env['PUBLIC_URL']}/portal/login/{key}/callback" for key in ("openid", LOGIN_KEY)]
    wanted = {
        "port": port,
        "client": {"id": CLIENT, "secret": SECRET, "redirect_uris": callbacks},
        "people": PEOPLE,
    }
    url, logs = f"http://{HOST}:{port}", tmp_path_factory.mktemp("canaille")
    ready = processes.answers(f"{url}/.well-known/openid-configuration")
    command = ["-m", "tests.portal.canaille_process"]
    with processes.Process("canaille", command, {"PROVIDER": json.dumps(wanted)}, logs, ready):
        yield url


@pytest.fixture(scope="module")
def web(
    settings_env: dict[str, str], provider: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[processes.Process]:
    own = {
        "OIDC_ISSUER": provider,
        "OIDC_CLIENT_ID": CLIENT,
        "OIDC_CLIENT_SECRET": SECRET,
        "OIDC_NAME": "Staff",
        "OIDC_ROLES": json.dumps({"relay-operators": "operator"}),
        "OIDC_SECOND_FACTOR": "true",
        "OIDC_PRIVATE_ORIGINS": provider,
    }
    logs: Path = tmp_path_factory.mktemp("web")
    with processes.web(settings_env | own, logs) as running:
        yield running


@pytest.fixture(scope="module")
def house(pool: Pool, settings_env: dict[str, str], provider: str) -> House:
    """A tenant whose own provider is the same, for its own people."""
    house, by = House(pool), Author("test")
    said = ProviderSettings("Nordwind ID", provider, CLIENT, "groups", ("nordwind-admins",), (), found_by_domain=True)
    cipher = Cipher(settings_env["CREDENTIALS_KEYS"].split(","))
    openid.put(pool, cipher, by, house.tenant_id, said, SECRET, LOGIN_KEY)
    openid.set_domains(pool, by, house.tenant_id, ["nordwind.example"])
    return house


def at_the_provider(page: Page, name: str, *, known: bool = False) -> None:
    """Log in there, as a person does. `known`: it remembers who was there, and wants the password only."""
    if not known:
        page.locator("[name=login]").fill(name)
        page.locator("[name=login]").press("Enter")
    page.locator("[name=password]").fill(PASSWORD)
    page.locator("[name=password]").press("Enter")


def test_an_operator_comes_in_by_the_button(page: Page, pool: Pool, provider: str) -> None:
    page.goto("/portal/login?next=/portal/account")
    page.get_by_role("link", name="Log in with Staff").click()
    at_the_provider(page, "olga")
    expect(page.get_by_role("heading", name="Your account")).to_be_visible()
    expect(page.get_by_text("You have none here")).to_be_visible()
    user = users.by_email(pool, "olga@relay.example")
    assert user is not None
    assert (user.role, user.tenant_id, user.name) == ("operator", None, "Olga Ops")


def test_a_tenants_admin_finds_the_way_by_an_address_and_is_asked_again(
    page: Page, pool: Pool, house: House, provider: str
) -> None:
    page.goto("/portal/login")
    page.get_by_role("link", name="Log in through your organisation").click()
    page.get_by_label("E-mail address").fill("Ada@Nordwind.example")
    page.get_by_role("button", name="Go on").click()
    at_the_provider(page, "ada")
    expect(page.get_by_role("heading", name="Dashboard")).to_be_visible()
    user = users.by_email(pool, "ada@nordwind.example")
    assert user is not None
    assert (user.role, user.tenant_id) == ("admin", house.tenant_id)

    with pool.transaction() as cursor:
        cursor.execute("UPDATE sessions SET proved_at = now() - interval '11 minutes'")
    page.goto(f"{house.path}/users/new")
    expect(page.get_by_role("heading", name="Is it still you?")).to_be_visible()
    page.get_by_role("link", name="Log in again at your provider").click()
    at_the_provider(page, "ada", known=True)
    expect(page.get_by_role("heading", name="Invite a user")).to_be_visible()

    sessions.end_all(pool, Author("test"), user)
    page.goto("/portal/login")
    expect(page.get_by_role("link", name="Log in with Nordwind ID")).to_be_visible()


def test_somebody_without_a_role_is_told_whom_to_ask(page: Page, pool: Pool, house: House, provider: str) -> None:
    page.goto(f"/portal/login/{LOGIN_KEY}")
    at_the_provider(page, "bo")
    expect(page.get_by_text("has given you no role here")).to_be_visible()
    expect(page.get_by_text("Ask an administrator of yours")).to_be_visible()
    assert users.by_email(pool, "bo@nordwind.example") is None


def test_whoever_gives_up_at_the_provider_is_told_so(page: Page, house: House, provider: str) -> None:
    begun = page.context.request.get(f"/portal/login/{LOGIN_KEY}", max_redirects=0)
    [state] = parse_qs(urlsplit(begun.headers["location"]).query)["state"]
    page.goto(f"/portal/login/{LOGIN_KEY}/callback?error=access_denied&state={state}")
    expect(page.get_by_text("You cancelled the log-in")).to_be_visible()
