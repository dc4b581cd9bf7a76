"""The demo tenant: made through the tenant API, its webhooks entered at both providers, as an admin would do it.

May be run again: what is there is left as it is.
"""

import re
import time
from dataclasses import dataclass
from typing import Any

import pyotp
import requests

TENANT = "Nordwind Outdoor"
CUSTOMER, NAME = "4915112345678", "Ada Brandt"
WABA_ID = "200000000000001"
PHONE_NUMBER_ID = "300000000000001"
WHATSAPP = {
    "phone_number_id": PHONE_NUMBER_ID,
    "waba_id": WABA_ID,
    "access_token": "EAAG-demo-token-nordwind",
    "app_secret": "demo-app-secret-nordwind-0001",
    "verify_token": "demo-verify-token",
}
INTEGRATION_ID = "22222222-bbbb-4000-8000-000000000001"
GENESYS = {
    "region": "mypurecloud.de",
    "client_id": "11111111-aaaa-4000-8000-000000000001",
    "client_secret": "demo-client-secret-nordwind",
    "integration_id": INTEGRATION_ID,
    "webhook_secret": "demo-webhook-secret-nordwind",
}
SECONDS = 15
PASSWORD = "northwind blows at noon"
"""Of all three: they are for trying out, on a machine of one's own."""
OPERATOR = {"email": "operator@demo.example", "name": "Olga Operator"}
TENANT_USERS = (
    {"email": "admin@nordwind.example", "name": "Anna Admin", "role": "admin"},
    {"email": "viewer@nordwind.example", "name": "Victor Viewer", "role": "viewer"},
)
CSRF = re.compile(r'name="csrf_token"[^>]*value="([^"]+)"')
FACTOR = "/account/second-factor"
KEY = re.compile(r'id="key" value="([^"]+)"')


class SeedError(Exception):
    """A call was refused; the message holds what was asked and what was answered."""


@dataclass(frozen=True)
class Seeded:
    """The demo tenant and the addresses its webhooks go to."""

    tenant_id: str
    meta_webhook: str
    genesys_webhook: str


def seed(env: dict[str, str]) -> Seeded:
    """Make the demo tenant in the installation that `env` describes, and connect it on both sides."""
    api = _Api(env["PUBLIC_URL"], env["ADMIN_API_KEY"])
    tenant_id = _tenant(api)
    api.call("PUT", f"/api/tenants/{tenant_id}/whatsapp/credentials", WHATSAPP)
    api.call("PUT", f"/api/tenants/{tenant_id}/genesys/credentials", GENESYS)
    done = api.call("POST", f"/api/tenants/{tenant_id}/complete-onboarding")
    urls = done["lines"][0]["webhook_urls"]
    _enter_at_meta(env["META_GRAPH_URL"], urls["meta"])
    _enter_at_genesys(env["GENESYS_LOGIN_URL"], env["GENESYS_API_URL"], urls["genesys"])
    sandbox = _Api(env["META_GRAPH_URL"].removesuffix("/graph"), "")
    sandbox.call("POST", f"/control/phone/{CUSTOMER}", {"name": NAME})
    _people(api, sandbox, env["PUBLIC_URL"], tenant_id)
    return Seeded(tenant_id, urls["meta"], urls["genesys"])


def _tenant(api: "_Api") -> str:
    for tenant in api.call("GET", "/api/tenants")["items"]:
        if tenant["name"] == TENANT:
            return str(tenant["id"])
    return str(api.call("POST", "/api/tenants", {"name": TENANT})["id"])


def _people(api: "_Api", sandbox: "_Api", base: str, tenant_id: str) -> None:
    """Somebody of each role, each of whom has logged in and chosen PASSWORD; the operator with the sandbox's app."""
    for path, user in (("/api/users", OPERATOR), *((f"/api/tenants/{tenant_id}/users", one) for one in TENANT_USERS)):
        known = {one["email"]: one["id"] for one in api.call("GET", f"{path}?limit=200")["items"]}
        browser = _Browser(base)
        if user["email"] not in known:
            given = api.call("POST", path, dict(user))["password"]
        elif browser.log_in(user["email"], PASSWORD):
            given = None
        else:  # a run before this one ended in the middle
            given = api.call("POST", f"{path}/{known[user['email']]}/password")["password"]
        if given is not None:
            browser.log_in(user["email"], given)
            browser.choose(given, PASSWORD)
        if browser.needs_second_factor():
            sandbox.call("POST", "/control/authenticator", {"name": user["email"], "secret": browser.set_up_factor()})


def _enter_at_meta(graph: str, url: str) -> None:
    meta = _Api(graph, WHATSAPP["access_token"])
    callback = {"override_callback_uri": url, "verify_token": WHATSAPP["verify_token"]}
    meta.call("POST", f"/v25.0/{WABA_ID}/subscribed_apps", callback)


def _enter_at_genesys(login: str, api_url: str, url: str) -> None:
    client = (GENESYS["client_id"], GENESYS["client_secret"])
    answer = requests.post(
        f"{login}/oauth/token", auth=client, data={"grant_type": "client_credentials"}, timeout=SECONDS
    )
    genesys = _Api(api_url, str(_checked(answer)["access_token"]))
    path = f"/api/v2/conversations/messaging/integrations/open/{INTEGRATION_ID}"
    changes = {
        "name": genesys.call("GET", path)["name"],
        "outboundNotificationWebhookUrl": url,
        "outboundNotificationWebhookSignatureSecretToken": GENESYS["webhook_secret"],
    }
    genesys.call("PATCH", path, changes)


class _Api:
    """JSON calls with a bearer, each of which must succeed."""

    def __init__(self, base: str, key: str) -> None:
        self._base = base
        self._headers = {"Authorization": f"Bearer {key}"}

    def call(self, method: str, path: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
        return _checked(
            requests.request(method, f"{self._base}{path}", json=body, headers=self._headers, timeout=SECONDS)
        )


class _Browser:
    """The portal's forms, filled in as a person would."""

    def __init__(self, base: str) -> None:
        self._base = f"{base}/portal"
        self._session = requests.Session()

    def log_in(self, email: str, password: str) -> bool:
        answer = self._post("/login", "/login", {"email": email, "password": password})
        return answer.status_code == 302

    def choose(self, former: str, password: str) -> None:
        answer = self._post("/account", "/account/password", {"current": former, "new": password, "again": password})
        if answer.status_code != 302:
            raise SeedError(f"the password was not taken: HTTP {answer.status_code}")

    def needs_second_factor(self) -> bool:
        answer = self._session.get(f"{self._base}/account", allow_redirects=False, timeout=SECONDS)
        return answer.headers.get("Location", "").endswith(FACTOR)

    def set_up_factor(self) -> str:
        """The key, which a code of the last half minute has proved: the present one is left for whoever logs in."""
        found = KEY.search(self._session.get(self._base + FACTOR, timeout=SECONDS).text)
        if found is None:
            raise SeedError("the portal shows no key for an authenticator app")
        secret = found[1].replace(" ", "")
        for seconds in (30, 0):
            code = pyotp.TOTP(secret).at(int(time.time()) - seconds)
            if self._post(FACTOR, FACTOR, {"code": code}).status_code == 302:
                return secret
        raise SeedError("the second factor was not taken")

    def _post(self, page: str, form: str, values: dict[str, str]) -> requests.Response:
        """The form of a page, with the token that the page holds."""
        shown = self._session.get(self._base + page, timeout=SECONDS)
        found = CSRF.search(shown.text)
        token = found[1] if found else ""
        return self._session.post(
            self._base + form, data={"csrf_token": token, **values}, allow_redirects=False, timeout=SECONDS
        )


def _checked(answer: requests.Response) -> dict[str, Any]:
    if not answer.ok:
        raise SeedError(f"{answer.request.method} {answer.url} was answered {answer.status_code}: {answer.text[:500]}")
    return dict(answer.json())
