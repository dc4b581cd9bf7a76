"""What a provider's answer must not do: log somebody in whom it does not prove, or in another browser, or twice."""

from __future__ import annotations

import base64
import hmac
import time
from collections.abc import Callable
from hashlib import sha256
from typing import Any

import pytest
from flask import Flask
from joserfc import jws, jwt
from joserfc.jwk import OctKey

from db.access import openid_people, users
from tests.security.openid.issuer import Browser, Issuer, code_for, new_key, part, signed
from tests.security.openid.world import NewTenant, everybody, refusals
from web.request.web_context import WebContext


def by_another_key(issuer: Issuer, claims: dict[str, Any]) -> str:
    key = new_key("one")
    return jwt.encode({"alg": "RS256", "kid": "one"}, claims, key)


def unsigned(_: Issuer, claims: dict[str, Any]) -> str:
    return f"{part({'alg': 'none'})}.{part(claims)}."


def with_the_public_key_as_secret(issuer: Issuer, claims: dict[str, Any]) -> str:
    head = f"{part({'alg': 'HS256', 'kid': 'one'})}.{part(claims)}"
    signature = hmac.new(issuer.key.as_pem(private=False), head.encode(), sha256).digest()
    return f"{head}.{base64.urlsafe_b64encode(signature).rstrip(b'=').decode()}"


def with_the_clients_secret(issuer: Issuer, claims: dict[str, Any]) -> str:
    return jwt.encode({"alg": "HS256"}, claims, OctKey.import_key(issuer.client_secret), algorithms=["HS256"])


def changed(**claims: Any) -> Callable[[Issuer, dict[str, Any]], str]:
    def make(issuer: Issuer, held: dict[str, Any]) -> str:
        left = {name: value for name, value in (held | claims).items() if value is not None}
        return signed(issuer, left)

    return make


def nested_without_end(issuer: Issuer, _: dict[str, Any]) -> str:
    deep = b"[" * 20_000 + b"]" * 20_000
    return jws.serialize_compact({"alg": "RS256", "kid": "one"}, deep, issuer.key)


HOSTILE = {
    "signed by another key": by_another_key,
    "not signed at all": unsigned,
    "signed with the public key as a secret": with_the_public_key_as_secret,
    "signed with the client's secret": with_the_clients_secret,
    "for another log-in": changed(nonce="another"),
    "for no log-in": changed(nonce=None),
    "for another client": changed(aud="somebody-else"),
    "for another client, by ours": changed(aud="somebody-else", azp="relay"),
    "for two clients, and made for the other": changed(aud=["relay", "other"], azp="other"),
    "for two clients, and made for nobody": changed(aud=["relay", "other"]),
    "for nobody": changed(aud=None),
    "of another issuer": changed(iss="https://accounts.example"),
    "of no issuer": changed(iss=None),
    "over": changed(exp=int(time.time()) - 3600),
    "without an end": changed(exp=None),
    "from the future": changed(iat=int(time.time()) + 3600),
    "not valid yet": changed(nbf=int(time.time()) + 3600),
    "about nobody": changed(sub=None),
    "about an empty name": changed(sub=""),
    "about a number": changed(sub=7),
    "bound to another access token": changed(at_hash="AAAA"),
    "no token": lambda _issuer, _claims: "not.a.token",
    "nested without end": nested_without_end,
    "endless": lambda issuer, claims: signed(issuer, claims | {"x": "x" * 70_000}),
}


@pytest.mark.parametrize("kind", HOSTILE)
def test_a_token_that_proves_nothing_logs_nobody_in(
    app: Flask, parts: WebContext, issuer: Issuer, new_tenant: NewTenant, kind: str
) -> None:
    tenant, browser = new_tenant(), Browser(app)
    issuer.person(tenant.address("ada"))
    issuer.token = HOSTILE[kind]
    before = everybody(parts.pool)
    answer = browser.log_in(tenant.key)
    assert answer.status_code == 403, answer.get_data(as_text=True)
    assert not browser.logged_in()
    assert everybody(parts.pool) == before
    assert refusals(parts.pool)[-1] == "bad_token"


def test_a_right_token_logs_in(app: Flask, parts: WebContext, issuer: Issuer, new_tenant: NewTenant) -> None:
    """Or the tests of wrong ones would pass on a relay that lets nobody in."""
    tenant, browser = new_tenant(), Browser(app)
    issuer.person(tenant.address("ada"), name="Ada Brandt")
    answer = browser.log_in(tenant.key)
    assert answer.status_code == 302, answer.get_data(as_text=True)
    assert browser.logged_in()
    user = users.by_email(parts.pool, tenant.address("ada"))
    assert user is not None
    assert (user.tenant_id, user.role, user.name, user.password_hash) == (tenant.id, "admin", "Ada Brandt", None)
    assert openid_people.identity_of(parts.pool, user.id) == (tenant.id, issuer.url, tenant.address("ada"))


def test_a_log_in_comes_back_once(app: Flask, issuer: Issuer, parts: WebContext, new_tenant: NewTenant) -> None:
    """Not even with the cookie that the browser had before."""
    tenant, browser = new_tenant(), Browser(app)
    issuer.person(tenant.address("ada"))
    asked = browser.begin(tenant.key)
    kept = browser.client.get_cookie("relay")
    assert kept is not None
    assert browser.back(tenant.key, asked).status_code == 302
    thief = Browser(app)
    thief.client.set_cookie("relay", kept.value)
    assert thief.back(tenant.key, asked).status_code == 403
    assert not thief.logged_in()
    assert refusals(parts.pool)[-1] == "repeated"


def test_a_log_in_begun_elsewhere_ends_nowhere(app: Flask, issuer: Issuer, new_tenant: NewTenant) -> None:
    """Else somebody could log others in as himself, by a link."""
    tenant, attacker, victim = new_tenant(), Browser(app), Browser(app)
    issuer.person(tenant.address("ada"))
    asked = attacker.begin(tenant.key)
    assert victim.back(tenant.key, asked).status_code == 400
    own = victim.begin(tenant.key)
    assert victim.back(tenant.key, own, state=asked["state"]).status_code == 400
    assert not victim.logged_in()
    assert issuer.forms == []


def test_one_providers_answer_is_not_taken_for_anothers(
    app: Flask, issuer: Issuer, other_issuer: Issuer, new_tenant: NewTenant
) -> None:
    """Begun at one, answered at the address of the other: no code is shown to either."""
    one, other, browser = new_tenant(), new_tenant(other_issuer), Browser(app)
    asked = browser.begin(one.key)
    assert browser.back(other.key, asked).status_code == 400
    # Nor at one whose issuer is the same.
    assert browser.back(new_tenant().key, browser.begin(one.key)).status_code == 400
    asked = browser.begin(one.key)
    assert browser.back(one.key, asked, iss=other_issuer.url).status_code == 403
    assert (issuer.forms, other_issuer.forms) == ([], [])


def test_each_provider_has_an_exact_redirect_uri_of_its_own(
    app: Flask, parts: WebContext, issuer: Issuer, new_tenant: NewTenant
) -> None:
    one, other = new_tenant(), new_tenant()
    found = {key: Browser(app).begin(key)["redirect_uri"] for key in (one.key, other.key)}
    assert found == {key: f"{parts.public_url}/portal/login/{key}/callback" for key in (one.key, other.key)}
    # Whatever host a request names.
    answer = app.test_client().get(f"/portal/login/{one.key}", headers={"Host": "evil.example"})
    assert "evil.example" not in answer.headers["Location"]


def test_a_code_is_worth_nothing_without_this_browsers_verifier(
    app: Flask, issuer: Issuer, new_tenant: NewTenant
) -> None:
    tenant, thief, victim = new_tenant(), Browser(app), Browser(app)
    issuer.person(tenant.address("ada"))
    stolen = code_for(victim.begin(tenant.key))
    assert thief.back(tenant.key, thief.begin(tenant.key), code=stolen).status_code == 403
    assert not thief.logged_in()
