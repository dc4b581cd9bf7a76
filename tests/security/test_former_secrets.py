"""A signing secret that somebody else knows does not sign on for a day: it is ended at once, in every web process."""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Callable, Iterator

import pytest
from flask import Flask

from conf.loading import load_settings
from db.audit import Author
from db.pool import Pool
from db.tenants import former_secrets, onboarding
from db.tenants.changes import Changes
from db.views import audit_search
from db.views.audit_search import AuditSearch
from tests.api.conftest import GENESYS, WHATSAPP, Api
from tests.api.test_rotation import active_line
from tests.waiting import wait_until
from web.bootstrap import build_web
from web.request.web_context import WebContext

NUMBER, INTEGRATION = "300000000000001", "22222222-bbbb-4000-8000-000000000001"


@pytest.fixture
def other_process(settings_env: dict[str, str], parts: WebContext) -> Iterator[Flask]:
    """A second web worker, with a memory of its own."""
    made = build_web(load_settings(settings_env))
    own: WebContext = made.extensions["relay"]
    wait_until(lambda: own.preparation.done, message="web's preparation")
    yield made
    own.publisher.close()
    own.cache.close()
    own.pool.close()


@pytest.fixture
def tenant_id(api: Api, pool: Pool, parts: WebContext, new_tenant: Callable[..., str]) -> str:
    """Its secrets have been replaced: what was `stolen` signs for a day more."""
    made = new_tenant(whatsapp={"app_secret": "stolen-app-secret"}, genesys={"webhook_secret": "stolen-hook-secret"})
    active_line(parts, pool, made, NUMBER, INTEGRATION)
    api("PUT", f"/api/tenants/{made}/whatsapp/credentials", WHATSAPP | {"app_secret": "new-app-secret"})
    api("PUT", f"/api/tenants/{made}/genesys/credentials", GENESYS | {"webhook_secret": "new-hook-secret"})
    parts.lines._known.clear()  # of another test's tenant with the same number
    return made


def posted(app: Flask, secret: str, n: int = 0) -> int:
    """A webhook of Meta's with a message, signed."""
    message = {"id": f"wamid.{n}", "from": "4915", "timestamp": "1700000000", "type": "text", "text": {"body": "x"}}
    value = {"messaging_product": "whatsapp", "metadata": {"phone_number_id": NUMBER}, "messages": [message]}
    entry = {"id": WHATSAPP["waba_id"], "changes": [{"field": "messages", "value": value}]}
    raw = json.dumps({"object": "whatsapp_business_account", "entry": [entry]}).encode()
    headers = {"X-Hub-Signature-256": "sha256=" + hmac.new(secret.encode(), raw, hashlib.sha256).hexdigest()}
    return app.test_client().post("/webhook/meta", data=raw, headers=headers).status_code


def test_a_stolen_secret_does_not_sign_on_in_any_web_process(
    app: Flask, other_process: Flask, api: Api, tenant_id: str
) -> None:
    assert [posted(one, "stolen-app-secret") for one in (app, other_process)] == [200, 200], "the day of grace"
    ended = api("DELETE", f"/api/tenants/{tenant_id}/former-secrets?side=whatsapp").get_json()["items"]
    assert [(one["side"], one["line_id"]) for one in ended] == [("whatsapp", None)]
    for process in (app, other_process):
        wait_until(lambda one=process: posted(one, "stolen-app-secret") == 401, message="the end of the stolen secret")  # type: ignore[misc]
        assert posted(process, "new-app-secret") == 200
    left = api("GET", f"/api/tenants/{tenant_id}/former-secrets").get_json()["items"]
    assert [one["side"] for one in left] == ["genesys"], "the other side's was not asked for"


def test_no_copy_of_it_stays_in_redis(app: Flask, api: Api, parts: WebContext, tenant_id: str) -> None:
    client = parts.cache._redis.client
    client.delete(*client.scan_iter("relay:route:*:fence"))  # half a minute after the change
    assert posted(app, "stolen-app-secret") == 200
    assert "stolen-app-secret" in copies(parts)
    api("DELETE", f"/api/tenants/{tenant_id}/former-secrets")
    assert "stolen-app-secret" not in copies(parts)


def copies(parts: WebContext) -> str:
    client = parts.cache._redis.client
    names = [name for name in client.scan_iter("relay:route:*") if not name.endswith(":fence")]
    return str([parts.cache.recall(name) for name in names])


def test_nor_does_that_of_a_single_line(api: Api, pool: Pool, parts: WebContext, tenant_id: str) -> None:
    changes, by = Changes(pool, parts.cache.forget_routes), Author("test")
    for secret in ("stolen-line-secret", "new-line-secret"):
        onboarding.create(changes, parts.cipher, by, tenant_id, NUMBER, INTEGRATION, secret)
    before = api("GET", f"/api/tenants/{tenant_id}/former-secrets").get_json()["items"]
    assert [(one["side"], one["phone_number_id"]) for one in before] == [
        ("genesys", None),
        ("genesys", NUMBER),
        ("whatsapp", None),
    ]
    assert len(api("DELETE", f"/api/tenants/{tenant_id}/former-secrets").get_json()["items"]) == 3
    route = parts.lines.by_refs("genesys", [INTEGRATION], certain=True)[INTEGRATION]
    assert route
    assert (route.meta_secrets, route.genesys_secrets) == (("new-app-secret",), ("new-line-secret",))


def test_the_end_of_a_secret_does_not_go_unseen_and_tells_none(api: Api, pool: Pool, tenant_id: str) -> None:
    api("DELETE", f"/api/tenants/{tenant_id}/former-secrets?side=genesys")
    [line] = [
        one
        for one in audit_search.listed(pool, AuditSearch(tenant_id)).items
        if one.action == "credentials.former_ended"
    ]
    assert (line.subject, line.detail["ended"], line.actor) == ("genesys", 1, "operator")
    assert "stolen" not in "".join(api.seen)


def test_another_tenant_does_not_end_it(
    api: Api, pool: Pool, parts: WebContext, new_tenant: Callable[..., str]
) -> None:
    one, other = new_tenant("One"), new_tenant("Other", whatsapp={"app_secret": "first"})
    api("PUT", f"/api/tenants/{other}/whatsapp/credentials", WHATSAPP | {"app_secret": "second"})
    key = api("POST", f"/api/tenants/{one}/keys", {"name": "k", "scopes": ["tenants:write"]}).get_json()["key"]
    api.error(api("DELETE", f"/api/tenants/{other}/former-secrets", key=key), 404, "not_found")
    assert len(former_secrets.valid(pool, parts.cipher, other)) == 1
