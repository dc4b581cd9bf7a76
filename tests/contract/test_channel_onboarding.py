"""What goes wrong while a number is connected, named against the sandbox; and what the relay sets up itself."""

from __future__ import annotations

import base64
import hashlib
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import requests

from demo.stack.ports import free_port
from relay.channels import load
from relay.channels.base import Account, Channel, Expected, Finding
from relay.channels.http.client import HttpTransport
from relay.core.errors import SendError
from sandbox.app import create_app
from sandbox.server import server
from tests.contract.conftest import Receiver
from tests.unit.relay.channels.accounts import Tokens
from tests.waiting import PATIENCE

NUMBER = Account(
    "t",
    "",
    "300000000000002",
    {
        "phone_number_id": "300000000000002",
        "waba_id": "200000000000002",
        "access_token": "EAAG-demo-token-suedlicht",
        "app_secret": "demo-app-secret-suedlicht-0002",
    },
)
LOGIN = {
    "login_client_id": "11111111-aaaa-4000-8000-000000000003",
    "login_client_secret": "demo-login-secret-suedlicht",
}
INTEGRATION = Account(
    "t",
    "",
    "22222222-bbbb-4000-8000-000000000002",
    {
        "region": "mypurecloud.de",
        "client_id": "11111111-aaaa-4000-8000-000000000002",
        "client_secret": "demo-client-secret-suedlicht",
        "integration_id": "22222222-bbbb-4000-8000-000000000002",
        "webhook_secret": "demo-webhook-secret-suedlicht",
        **LOGIN,
    },
)
NARROW = {
    "client_id": "11111111-aaaa-4000-8000-000000000004",
    "client_secret": "demo-narrow-secret-suedlicht",
}
SECRET = "a-webhook-secret-of-its-own"
TARGET = "http://127.0.0.1:9/return"


@dataclass
class Providers:
    """Both channels, and the sandbox that they call."""

    url: str
    meta: Channel
    genesys: Channel

    def control(self, path: str, **body: Any) -> None:
        assert requests.post(f"{self.url}/control/{path}", json=body, timeout=PATIENCE).ok

    def sends(self, **changed: Any) -> None:
        self.control("accounts", whatsapp={"phone_number_id": NUMBER.line_ref, **changed})

    def takes(self, **changed: Any) -> None:
        self.control("accounts", genesys={"integration_id": INTEGRATION.line_ref, **changed})


@pytest.fixture(scope="module")
def sandbox_url() -> Iterator[str]:
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    running = server(create_app(url), "127.0.0.1", port)
    running.start()
    yield url
    running.stop()


@pytest.fixture
def providers(sandbox_url: str) -> Iterator[Providers]:
    transport = HttpTransport(
        Tokens(), sandbox_url + "/graph", "v25.0", sandbox_url + "/genesys/login", sandbox_url + "/genesys/api"
    )
    it = Providers(sandbox_url, load("whatsapp", transport), load("genesys", transport))
    yield it
    it.sends(subscribed=False, token_expires_in=0)
    it.takes(inbound_types=["*/*"], outbound_types=["*/*"], status="Active", create_status="Completed")


def soon() -> float:
    return time.monotonic() + PATIENCE


def changed(account: Account, line_ref: str | None = None, **values: str) -> Account:
    ref = account.line_ref if line_ref is None else line_ref
    return replace(account, line_ref=ref, credentials={**account.credentials, **values})


def worst(findings: list[Finding]) -> dict[str, Finding]:
    """By check, the finding that matters; each that is not ok says what to do."""
    order = ("ok", "warning", "refused")
    found: dict[str, Finding] = {}
    for one in findings:
        assert one.level == "ok" or one.advice, one
        if one.check not in found or order.index(one.level) > order.index(found[one.check].level):
            found[one.check] = one
    return found


def meta(providers: Providers, account: Account = NUMBER, url: str = "") -> dict[str, Finding]:
    return worst(providers.meta.check(account, soon(), Expected((url,) if url else (), thorough=True)))


def genesys(providers: Providers, account: Account = INTEGRATION, url: str = "") -> dict[str, Finding]:
    return worst(providers.genesys.check(account, soon(), Expected((url,) if url else (), thorough=True)))


def refused(found: dict[str, Finding]) -> set[str]:
    return {name for name, one in found.items() if one.level == "refused"}


def test_a_good_line_has_nothing_refused(providers: Providers) -> None:
    assert refused(meta(providers)) | refused(genesys(providers)) == set()
    assert genesys(providers)["receive"].level == "ok"


def test_a_wrong_token(providers: Providers) -> None:
    found = meta(providers, changed(NUMBER, access_token="EAAG-wrong"))
    assert set(found) == {"token"}
    assert found["token"].level == "refused"
    assert "generate a new token" in found["token"].advice


def test_a_wrong_app_secret(providers: Providers) -> None:
    found = meta(providers, changed(NUMBER, app_secret="demo-app-secret-nordwind-0001"))
    assert refused(found) == {"app_secret"}
    assert "100000000000002" in found["app_secret"].text
    assert "App settings > Basic" in found["app_secret"].advice


def test_a_number_of_another_account(providers: Providers) -> None:
    foreign = meta(providers, changed(NUMBER, "300000000000001"))
    assert refused(foreign) >= {"number", "ownership"}
    assert "belongs to another account" in foreign["ownership"].text
    assert "WhatsApp Manager" in foreign["ownership"].advice


def test_a_missing_subscription(providers: Providers) -> None:
    found = meta(providers)["subscription"]
    assert (found.level, "no app is subscribed" in found.text) == ("warning", True)
    assert "subscribe" in found.advice


def test_a_missing_genesys_permission(providers: Providers) -> None:
    found = genesys(providers, changed(INTEGRATION, **NARROW))
    assert refused(found) == {"receive"}
    assert "conversation:message:receive" in found["receive"].text
    assert "Roles" in found["receive"].advice


def test_a_token_that_ends(providers: Providers) -> None:
    panel = meta(providers, changed(NUMBER, access_token="EAAG-demo-panel-token-suedlicht"))
    assert (panel["token_life"].level, "hours" in panel["token_life"].text) == ("warning", True)
    narrow = meta(providers, changed(NUMBER, access_token="EAAG-demo-narrow-token-suedlicht"))
    assert (narrow["scopes"].level, "whatsapp_business_messaging" in narrow["scopes"].text) == ("refused", True)
    providers.sends(token_expires_in=-5)
    assert refused(meta(providers)) == {"token"}


def test_files_that_are_kept_back(providers: Providers) -> None:
    providers.takes(outbound_types=["image/*"], inbound_types=["*/*"])
    found = genesys(providers)
    assert (found["inbound_files"].level, found["outbound_files"].level) == ("ok", "warning")
    assert "application/pdf" in found["outbound_files"].text


def test_webhooks_that_go_elsewhere_and_are_set_right(providers: Providers, receiver: Receiver) -> None:
    here = f"{receiver.url}/hook"
    assert {meta(providers, url=here)["webhook"].level, genesys(providers, url=here)["webhook"].level} == {"warning"}
    providers.meta.connect(NUMBER, soon(), here, "demo-verify-token")
    providers.genesys.connect(INTEGRATION, soon(), here, SECRET)
    sends, takes = meta(providers, url=here), genesys(providers, changed(INTEGRATION, webhook_secret=SECRET), here)
    assert {sends["webhook"].level, sends["subscription"].level} == {"ok"}
    assert {takes["webhook"].level, takes["webhook_secret"].level} == {"ok"}
    assert genesys(providers)["webhook_secret"].level == "warning"
    with pytest.raises(SendError, match="verification failed"):
        providers.meta.connect(NUMBER, soon(), here, "a-wrong-verify-token")
    providers.genesys.connect(INTEGRATION, soon(), here, INTEGRATION.credentials["webhook_secret"])


def test_numbers_are_offered(providers: Providers) -> None:
    [offer] = providers.meta.offers(NUMBER, soon())
    assert (offer.ref, "Südlicht GmbH" in offer.name, offer.status) == (NUMBER.line_ref, True, "CONNECTED")


def test_an_admin_logs_in_and_has_it_all_set_up(providers: Providers) -> None:
    verifier = "v" * 50
    challenge = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()
    url = providers.genesys.login_url(INTEGRATION, TARGET, "s1", challenge)
    assert "Allow" in requests.get(url, timeout=PATIENCE).text
    code = decided(url, "allow")
    with pytest.raises(SendError, match="verifier"):
        providers.genesys.login(INTEGRATION, code["code"], TARGET, "another", soon())
    login = providers.genesys.login(INTEGRATION, decided(url, "allow")["code"], TARGET, verifier, soon())
    admin = changed(INTEGRATION, refresh_token=login.refresh_token)
    made = providers.genesys.create(admin, soon(), "Made by the relay", "https://relay.example/hook", SECRET)
    assert made in providers.genesys.offers(admin, soon())
    line = changed(admin, made.ref, webhook_secret=SECRET)
    found = worst(providers.genesys.check(line, soon(), Expected(("https://relay.example/hook",), thorough=True)))
    assert {one.level for one in found.values()} == {"ok"}, found
    assert decided(url, "refuse") == {"error": "access_denied", "error_description": "the admin refused", "state": "s1"}


def decided(url: str, decision: str) -> dict[str, str]:
    """The fields with which the browser comes back."""
    answered = requests.post(url, {"answer": decision}, allow_redirects=False, timeout=PATIENCE)
    return {name: values[0] for name, values in parse_qs(urlsplit(answered.headers["Location"]).query).items()}


def test_tokens_are_handed_out_with_their_end(providers: Providers) -> None:
    never = providers.meta.token(NUMBER, soon())
    assert (never.value, never.expires_at) == (NUMBER.credentials["access_token"], None)
    panel = providers.meta.token(changed(NUMBER, access_token="EAAG-demo-panel-token-suedlicht"), soon())
    assert panel.expires_at is not None and time.time() < panel.expires_at <= time.time() + 86_400
    with pytest.raises(SendError) as caught:
        providers.meta.token(changed(NUMBER, access_token="EAAG-wrong"), soon())
    assert caught.value.fate == "credentials"
    held = providers.genesys.token(INTEGRATION, soon())
    assert held == providers.genesys.token(INTEGRATION, soon())
    assert held.expires_at is not None and held.value not in repr(held)


def test_all_that_can_be_entered_stands_on_a_page(providers: Providers) -> None:
    page = requests.get(f"{providers.url}/accounts", timeout=PATIENCE)
    assert page.status_code == 200
    for value in (*NUMBER.credentials.values(), *INTEGRATION.credentials.values()):
        assert value in page.text
