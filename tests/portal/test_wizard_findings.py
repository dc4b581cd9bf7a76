"""What the set-up says of credentials that are not right, and who may open it. Without scripts, as a plain browser."""

from __future__ import annotations

import re
from collections.abc import Iterator
from html import unescape
from pathlib import Path
from urllib.parse import parse_qs, urlsplit
from uuid import uuid4

import pytest
import requests
from flask import Flask

from db.tenants import credentials, drafts, onboarding, registry, visits
from tests import processes
from tests.portal.client import BY, Person, new_tenant, running_app
from tests.portal.conftest import new_user
from tests.portal.suedlicht import GENESYS, LOGIN, NARROW_CLIENT, NORDWINDS_NUMBER, SECRETS, WHATSAPP
from tests.waiting import PATIENCE
from web.request.web_context import WebContext


@pytest.fixture(scope="module")
def app(settings_env: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Flask]:
    logs: Path = tmp_path_factory.mktemp("sandbox")
    with processes.sandbox(settings_env, logs), running_app(settings_env) as made:
        yield made


@pytest.fixture
def parts(app: Flask) -> WebContext:
    held: WebContext = app.extensions["relay"]
    return held


@pytest.fixture
def tenant_id(parts: WebContext) -> str:
    with parts.pool.transaction() as cursor:
        cursor.execute("TRUNCATE tenants, users, audit_log CASCADE")
    return new_tenant(parts, "Südlicht")


@pytest.fixture
def admin(app: Flask, parts: WebContext, tenant_id: str) -> Person:
    email = f"{uuid4().hex}@suedlicht.example"
    new_user(parts.pool, email, "admin", tenant_id)
    return Person(app, email)


def setup(tenant_id: str, step: str) -> str:
    return f"/portal/tenants/{tenant_id}/setup/{step}"


def findings(page: str, level: str) -> str:
    """The text of all findings of this level, with their advice."""
    found = re.findall(rf'<li data-check="[a-z_]+" data-level="{level}">(.*?)</li>', page, re.DOTALL)
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", one)) for one in found)


def saved(admin: Person, tenant_id: str, step: str, values: dict[str, str]) -> tuple[str, str]:
    """The step that "Save and continue" leads to, and its page."""
    address = admin.post(setup(tenant_id, step), {**values, "do": "save"})
    return address.partition("#")[0].rpartition("/")[2], admin.get(address.partition("#")[0])


def test_a_wrong_token_is_named_and_keeps_one_from_going_on(admin: Person, tenant_id: str) -> None:
    step, page = saved(admin, tenant_id, "whatsapp", WHATSAPP | {"access_token": "EAAG-somebody-elses"})
    assert step == "whatsapp"
    assert "token" in findings(page, "refused")
    assert "System users" in findings(page, "refused")


def test_a_wrong_app_secret_is_named(admin: Person, tenant_id: str) -> None:
    step, page = saved(admin, tenant_id, "whatsapp", WHATSAPP | {"app_secret": "somebody-elses-app-secret"})
    assert step == "whatsapp"
    assert "app secret is not that of the app 100000000000002" in findings(page, "refused")
    assert "App settings" in findings(page, "refused")


def test_a_number_of_another_account_is_named(admin: Person, tenant_id: str) -> None:
    step, page = saved(admin, tenant_id, "whatsapp", WHATSAPP | {"phone_number_id": NORDWINDS_NUMBER})
    assert step == "whatsapp"
    assert "number" in findings(page, "refused")
    assert "Phone number ID" in findings(page, "refused")


def test_a_missing_subscription_is_a_warning_that_blocks_nobody(admin: Person, tenant_id: str) -> None:
    page = admin.follow(setup(tenant_id, "whatsapp"), WHATSAPP | {"do": "test"})
    assert "no app is subscribed" in findings(page, "warning").lower()
    assert "Let the relay subscribe the app" in findings(page, "warning")
    step, page = saved(admin, tenant_id, "whatsapp", {})
    assert step == "review"
    assert "warning" in page


def test_a_missing_permission_at_genesys_is_named(admin: Person, tenant_id: str) -> None:
    step, page = saved(admin, tenant_id, "genesys", GENESYS | NARROW_CLIENT)
    assert step == "genesys"
    assert "missing permission: conversation:message:receive" in findings(page, "refused")
    assert "People & Permissions" in findings(page, "refused")


def test_what_is_missing_is_said_at_the_fields(admin: Person, tenant_id: str) -> None:
    page = admin.post(setup(tenant_id, "genesys"), {"region": "mypurecloud.de", "do": "save"}, status=400)
    assert page.count("This is needed.") == 4
    page = admin.post(setup(tenant_id, "genesys"), {"webhook_secret": "too-short", "do": "save"}, status=400)
    assert "Genesys takes 16 characters or more." in page


def test_what_was_typed_waits_sealed_and_is_gone_on_with(admin: Person, parts: WebContext, tenant_id: str) -> None:
    admin.post(setup(tenant_id, "genesys"), {**GENESYS, **NARROW_CLIENT, "do": "later"})
    assert credentials.get(parts.pool, tenant_id, "genesys") is None
    page = admin.get(setup(tenant_id, "genesys"))
    assert NARROW_CLIENT["client_id"] in page
    assert page.count("Leave this empty to keep it.") == 2
    with parts.pool.transaction() as cursor:
        cursor.execute("SELECT sealed FROM onboarding_drafts")
        assert NARROW_CLIENT["client_secret"] not in cursor.fetchone()[0]
    step, _ = saved(
        admin, tenant_id, "genesys", {"client_id": GENESYS["client_id"], "client_secret": GENESYS["client_secret"]}
    )
    assert step == "whatsapp"
    stored = credentials.opened(parts.pool, parts.cipher, tenant_id, "genesys")
    assert stored is not None
    assert stored.values == GENESYS
    assert not drafts.get(parts.pool, parts.cipher, tenant_id).values.get("genesys")


def test_both_sides_go_live_as_through_the_api(admin: Person, parts: WebContext, tenant_id: str) -> None:
    saved(admin, tenant_id, "genesys", GENESYS)
    saved(admin, tenant_id, "whatsapp", WHATSAPP)
    page = admin.post(setup(tenant_id, "review"), status=200)
    assert not findings(page, "refused")
    assert "app secret is set" in findings(page, "ok")
    assert admin.post(setup(tenant_id, "live")).endswith("/setup/trial")
    held = registry.get(parts.pool, tenant_id)
    assert held is not None
    assert held.status == "active"
    [line] = onboarding.listed(parts.pool, tenant_id)
    assert (line.status, line.phone_number_id) == ("active", WHATSAPP["phone_number_id"])


def test_a_number_of_another_tenants_line_does_not_go_live(
    app: Flask, admin: Person, parts: WebContext, tenant_id: str
) -> None:
    saved(admin, tenant_id, "genesys", GENESYS)
    saved(admin, tenant_id, "whatsapp", WHATSAPP)
    admin.post(setup(tenant_id, "live"))
    second = new_tenant(parts, "Nachahmer")
    new_user(parts.pool, "copy@nachahmer.example", "admin", second)
    copy = Person(app, "copy@nachahmer.example")
    saved(copy, second, "genesys", GENESYS)
    saved(copy, second, "whatsapp", WHATSAPP)
    assert copy.post(setup(second, "live")).endswith("/setup/review")
    assert "already belongs to" in copy.get(setup(second, "review"))


def test_the_number_is_chosen_from_those_of_the_account(admin: Person, tenant_id: str) -> None:
    account = {name: WHATSAPP[name] for name in ("waba_id", "access_token")}
    page = admin.follow(setup(tenant_id, "whatsapp"), {**account, "do": "list"})
    assert "Südlicht GmbH, +49 89 1234502" in page
    assert NORDWINDS_NUMBER not in page
    rest = {"choice": WHATSAPP["phone_number_id"], "app_secret": WHATSAPP["app_secret"], "verify_token": "any-text"}
    assert saved(admin, tenant_id, "whatsapp", rest)[0] == "review"


def test_the_webhook_is_pointed_here_at_both_providers(
    admin: Person, parts: WebContext, settings_env: dict[str, str], tenant_id: str
) -> None:
    """Meta tries the address at once; nobody listens there in this test, so it says no, and its words are shown."""
    admin.post(setup(tenant_id, "genesys"), {**GENESYS, "do": "connect"})
    page = admin.get(setup(tenant_id, "genesys"))
    assert "The integration sends agents&#39; messages to this relay." in page
    admin.post(setup(tenant_id, "whatsapp"), {**WHATSAPP, "do": "connect"})
    assert "That did not work. WhatsApp says:" in admin.get(setup(tenant_id, "whatsapp"))


def test_an_integration_is_made_with_our_address(admin: Person, settings_env: dict[str, str], tenant_id: str) -> None:
    given = {name: value for name, value in GENESYS.items() if name != "integration_id"}
    page = admin.follow(setup(tenant_id, "genesys"), {**given, "do": "create", "name": "Made by the set-up"})
    assert "Genesys has made the integration Made by the set-up." in page
    account = f"http://127.0.0.1:{settings_env['SANDBOX_PORT']}/control/accounts"
    known = requests.get(account, timeout=PATIENCE).json()["genesys"]
    [made] = [one for one in known if one["name"] == "Made by the set-up"]
    assert made["webhook_url"] == f"{settings_env['PUBLIC_URL']}/webhook/genesys"
    assert made["webhook_secret"] == GENESYS["webhook_secret"]


def test_a_login_comes_back_with_words_whatever_became_of_it(admin: Person, parts: WebContext, tenant_id: str) -> None:
    callback = "/portal/connect/genesys/callback"
    admin.post(setup(tenant_id, "genesys"), {"region": "mypurecloud.de", **LOGIN, "do": "login"})
    page = admin.get(setup(tenant_id, "login"))
    begun = parse_qs(urlsplit(unescape(re.findall(r'href="([^"]+oauth/authorize[^"]+)"', page)[0])).query)
    assert begun["code_challenge_method"] == ["S256"]
    state = begun["state"][0]
    admin.get(f"{callback}?state={state}&error=access_denied", status=302)
    assert "You cancelled the log-in" in admin.get(setup(tenant_id, "genesys"))
    admin.get(f"{callback}?state={state}&code=a-code", status=302)
    assert "not begun in this browser" in admin.get(setup(tenant_id, "genesys"))
    admin.get(setup(tenant_id, "login"))
    admin.get(f"{callback}?state=forged&code=a-code", status=302)
    assert "not begun in this browser" in admin.get(setup(tenant_id, "genesys"))
    assert credentials.get(parts.pool, tenant_id, "genesys") is None


def test_a_login_that_an_operator_began_ends_with_the_tenants_consent(
    app: Flask, parts: WebContext, tenant_id: str
) -> None:
    email = f"{uuid4().hex}@relay.example"
    new_user(parts.pool, email, "operator", None)
    operator = Person(app, email)
    operator.post(setup(tenant_id, "genesys"), {"region": "mypurecloud.de", **LOGIN, "do": "login"})
    page = operator.get(setup(tenant_id, "login"))
    state = parse_qs(urlsplit(unescape(re.findall(r'href="([^"]+oauth/authorize[^"]+)"', page)[0])).query)["state"][0]
    visits.choose(parts.pool, BY, tenant_id, by_consent=True)
    operator.get(f"/portal/connect/genesys/callback?state={state}&error=access_denied", status=403)


def test_no_page_ever_shows_a_secret_that_was_entered(admin: Person, tenant_id: str) -> None:
    saved(admin, tenant_id, "genesys", GENESYS | LOGIN)
    admin.follow(setup(tenant_id, "whatsapp"), WHATSAPP | {"app_secret": "wrong", "do": "test"})
    saved(admin, tenant_id, "whatsapp", WHATSAPP)
    admin.post(
        setup(tenant_id, "genesys"), {"webhook_secret": "short", "client_secret": SECRETS[3], "do": "save"}, status=400
    )
    admin.post(setup(tenant_id, "live"))
    for page in (
        "setup/organisation",
        "setup/genesys",
        "setup/whatsapp",
        "setup/review",
        "setup/trial",
        "lines",
        "checks",
    ):
        admin.get(f"/portal/tenants/{tenant_id}/{page}")
    assert len(admin.seen) > 20
    assert [secret for secret in SECRETS if any(secret in text for text in admin.seen)] == []


def test_a_secret_made_here_is_shown_until_it_is_stored(admin: Person, tenant_id: str) -> None:
    page = admin.get(setup(tenant_id, "genesys"))
    made = re.findall(r'id="webhook_secret" name="webhook_secret" value="(relay-[^"]{24,})"', page)[0]
    given = {**GENESYS, "webhook_secret": made}
    assert made in admin.follow(setup(tenant_id, "genesys"), {**given, "do": "test"})
    saved(admin, tenant_id, "genesys", {})
    assert made not in admin.get(setup(tenant_id, "genesys"))


def test_who_may_open_the_set_up(app: Flask, parts: WebContext, tenant_id: str) -> None:
    other = new_tenant(parts, "Nordwind")
    new_user(parts.pool, "viewer@suedlicht.example", "viewer", tenant_id)
    new_user(parts.pool, "admin@nordwind.example", "admin", other)
    viewer, stranger = Person(app, "viewer@suedlicht.example"), Person(app, "admin@nordwind.example")
    for page in ("welcome", "genesys", "review", "login", "trial"):
        assert "You may not do this" in viewer.get(setup(tenant_id, page), status=403)
        assert "There is no such page" in stranger.get(setup(tenant_id, page), status=404)
    stranger.post(setup(tenant_id, "genesys"), {**GENESYS, "do": "later"}, status=404)
    viewer.post(setup(tenant_id, "live"), status=403)
    assert drafts.get(parts.pool, parts.cipher, tenant_id).values == {}
