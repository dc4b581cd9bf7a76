"""Where a provider must not lead the relay, and what strangers must not learn from the log-in."""

from __future__ import annotations

from flask import Flask

from tests.security.openid.issuer import Browser, Issuer, new_key, running
from tests.security.openid.world import NewTenant, token_of
from web.request.web_context import WebContext


def test_a_tenants_issuer_leads_into_no_private_network(
    app: Flask, parts: WebContext, new_tenant: NewTenant, issuer: Issuer
) -> None:
    with running() as inside:
        tenant = new_tenant(inside)
        assert app.test_client().get(f"/portal/login/{tenant.key}").status_code == 502
        assert inside.asked == []
        for name in ("token_endpoint", "jwks_uri", "userinfo_endpoint", "authorization_endpoint"):
            issuer.metadata = {name: f"{inside.url}/secret"}
            parts.openid.tenants._directory._metadata._held.clear()
            assert app.test_client().get(f"/portal/login/{new_tenant().key}").status_code == 502
        assert inside.asked == []


def test_whoever_is_logged_in_is_led_out_to_no_tenants_provider(
    app: Flask, parts: WebContext, issuer: Issuer, new_tenant: NewTenant
) -> None:
    """A link to a hostile tenant's log-in, be it as the page wanted after the own one, ends in the portal."""
    tenant, hostile, browser = new_tenant(), new_tenant(), Browser(app)
    issuer.person(tenant.address("ada"))
    asked = browser.begin(tenant.key, f"?next=/portal/login/{hostile.key}")
    wanted = browser.back(tenant.key, asked).headers["Location"]
    assert wanted == f"/portal/login/{hostile.key}"
    for link in (wanted, "/portal/login/openid"):
        assert browser.client.get(link).headers["Location"] == "/portal/"
    issuer.person(hostile.address("mallory"))
    assert browser.client.get(f"/portal/login/{hostile.key}/callback?state=x&code=y").status_code == 400
    assert tenant.address("ada") in browser.client.get("/portal/account").get_data(as_text=True)


def test_a_description_of_somebody_else_is_not_taken(
    app: Flask, issuer: Issuer, other_issuer: Issuer, new_tenant: NewTenant
) -> None:
    issuer.metadata = {"issuer": other_issuer.url}
    assert app.test_client().get(f"/portal/login/{new_tenant().key}").status_code == 502


def test_a_broken_issuer_is_not_asked_by_every_visitor(app: Flask, issuer: Issuer, new_tenant: NewTenant) -> None:
    issuer.metadata = {"token_endpoint": None}
    tenant = new_tenant()
    for _ in range(5):
        assert app.test_client().get(f"/portal/login/{tenant.key}").status_code == 502
    assert len(issuer.asked) == 1


def test_unknown_keys_make_the_relay_ask_for_new_ones_once(
    app: Flask, parts: WebContext, issuer: Issuer, new_tenant: NewTenant
) -> None:
    tenant, former = new_tenant(), issuer.key
    issuer.person(tenant.address("ada"))
    assert Browser(app).log_in(tenant.key).status_code == 302
    held = next(iter(parts.openid.tenants._directory._keys._held.values()))
    held.at -= 120  # the keys were fetched a while ago
    issuer.key = new_key("two")
    try:
        assert Browser(app).log_in(tenant.key).status_code == 302
        issuer.key = new_key("three")
        for _ in range(3):
            assert Browser(app).log_in(tenant.key).status_code == 403
        assert issuer.asked.count("/keys") == 2
    finally:
        issuer.key = former


def test_nobody_learns_which_tenants_there_are(
    app: Flask, parts: WebContext, issuer: Issuer, new_tenant: NewTenant
) -> None:
    """A made-up log-in address, one whose tenant has no provider, a domain that is not to be found: all the same."""
    hidden = new_tenant()
    found = new_tenant(found_by_domain=True)
    answers = {
        app.test_client().get(path).status_code
        for path in ("/portal/login/nordwind", f"/portal/login/{hidden.id}", "/portal/login/x/callback")
    }
    assert answers == {404}
    form = app.test_client()
    token = token_of(form.get("/portal/login/find").get_data(as_text=True))
    pages = [
        form.post("/portal/login/find", data={"csrf_token": token, "email": email})
        for email in (f"a@{hidden.domain}", "a@nowhere.example")
    ]
    texts = {one.get_data(as_text=True).replace(hidden.domain, "nowhere.example") for one in pages}
    assert len({_without_token(text) for text in texts}) == 1
    shown = form.post("/portal/login/find", data={"csrf_token": token, "email": f"a@{found.domain}"})
    assert shown.status_code == 200
    assert found.key in shown.get_data(as_text=True)


def _without_token(page: str) -> str:
    return page.replace(token_of(page), "")
