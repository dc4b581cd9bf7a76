"""Whom a provider must not speak for: operators, other tenants' people, whoever it has not verified or given a role."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import pytest
from flask import Flask

from db.access import openid_people, users
from db.tenants import deletions
from db.tenants.changes import Changes
from db.whole import whole
from tests.portal.client import BY
from tests.security.openid.issuer import Browser, Issuer
from tests.security.openid.world import NewTenant, everybody, new_user, refusals
from web.request import limits
from web.request import refusals as refusals_of_web
from web.request.web_context import WebContext

OPERATOR = "olga@relay.example"


def test_a_tenants_provider_does_not_log_in_as_the_operator(
    app: Flask, parts: WebContext, issuer: Issuer, new_tenant: NewTenant
) -> None:
    """Not even when the operator's domain were its own by mistake."""
    tenant, browser = new_tenant(), Browser(app)
    operator = new_user(parts.pool, f"{uuid4().hex}@{tenant.domain}", "operator", None)
    before = everybody(parts.pool)
    issuer.person(operator.email, groups=("admins", "operators", "operator"))
    assert browser.log_in(tenant.key).status_code == 403
    assert not browser.logged_in()
    assert everybody(parts.pool) == before
    assert refusals(parts.pool)[-1] == "address_taken"
    assert openid_people.identity_of(parts.pool, operator.id) is None


def test_a_tenants_provider_does_not_log_in_as_another_tenants_user(
    app: Flask, parts: WebContext, issuer: Issuer, other_issuer: Issuer, new_tenant: NewTenant
) -> None:
    hostile, victim, browser = new_tenant(), new_tenant(other_issuer), Browser(app)
    user = new_user(parts.pool, victim.address("vera"), "admin", victim.id)
    before = everybody(parts.pool)
    issuer.person(user.email)  # another tenant's domain
    assert browser.log_in(hostile.key).status_code == 403
    same_domain = new_user(parts.pool, hostile.address("walter"), "admin", victim.id)
    issuer.person(same_domain.email)  # another tenant's user, whose address is in this one's domain
    assert browser.log_in(hostile.key).status_code == 403
    assert not browser.logged_in()
    del before
    assert openid_people.identity_of(parts.pool, user.id) is None
    assert openid_people.identity_of(parts.pool, same_domain.id) is None


def test_the_same_issuer_and_subject_are_two_people_at_two_tenants(
    app: Flask, parts: WebContext, issuer: Issuer, new_tenant: NewTenant
) -> None:
    """A tenant that enters another's issuer is told of people, and lets them into itself only."""
    one, other = new_tenant(), new_tenant()
    issuer.person(one.address("ada"), "subject-1")
    first = Browser(app)
    assert first.log_in(one.key).status_code == 302
    issuer.person(other.address("ada"), "subject-1")
    second = Browser(app)
    assert second.log_in(other.key).status_code == 302
    places = [users.by_email(parts.pool, one.address("ada")), users.by_email(parts.pool, other.address("ada"))]
    assert [user and user.tenant_id for user in places] == [one.id, other.id]
    assert second.client.get(f"/portal/tenants/{one.id}").status_code == 404


def test_the_issuer_of_operators_makes_none_when_a_tenant_has_entered_it(
    app: Flask, parts: WebContext, other_issuer: Issuer, new_tenant: NewTenant
) -> None:
    other_issuer.person(OPERATOR, "olga", ("operators",))
    operator = Browser(app)
    assert operator.log_in("openid").status_code == 302
    tenant, browser = new_tenant(other_issuer), Browser(app)
    other_issuer.person(OPERATOR, "olga", ("operators", "admins"))
    assert browser.log_in(tenant.key).status_code == 403
    assert browser.client.get("/portal/overview").status_code == 302
    held = users.by_email(parts.pool, OPERATOR)
    assert held is not None
    assert (held.role, held.tenant_id) == ("operator", None)


def test_nobody_new_gets_into_a_closed_tenant(
    app: Flask, parts: WebContext, issuer: Issuer, new_tenant: NewTenant
) -> None:
    """Its provider still vouches for whomever it likes; that it is closed does not end with somebody new."""
    tenant = new_tenant()
    with whole(parts.pool) as one:
        deletions.close(Changes(one, lambda _: None), BY, tenant.id)
    before = everybody(parts.pool)
    issuer.person(tenant.address("nora"))
    browser = Browser(app)
    assert browser.log_in(tenant.key).status_code == 403
    assert not browser.logged_in()
    assert everybody(parts.pool) == before
    assert refusals(parts.pool)[-1] == "closed"


@pytest.mark.parametrize(
    "claims",
    [{"email_verified": False}, {"email_verified": None}, {"email_verified": "no"}, {"email_verified": 1}],
    ids=str,
)
def test_an_address_that_nobody_verified_opens_nothing(
    app: Flask, parts: WebContext, issuer: Issuer, new_tenant: NewTenant, claims: dict[str, Any]
) -> None:
    tenant, browser = new_tenant(), Browser(app)
    user = new_user(parts.pool, tenant.address("vera"), "admin", tenant.id)
    issuer.person(user.email, **claims)
    issuer.userinfo = {"sub": user.email}
    assert browser.log_in(tenant.key).status_code == 403
    assert openid_people.identity_of(parts.pool, user.id) is None
    assert refusals(parts.pool)[-1] == "no_address"


def test_an_address_outside_of_the_tenants_domains_opens_nothing(
    app: Flask, parts: WebContext, issuer: Issuer, new_tenant: NewTenant
) -> None:
    tenant, browser = new_tenant(), Browser(app)
    for address in (f"ada@sub.{tenant.domain}", f"ada@{tenant.domain}.evil.example", "ada@gmail.example"):
        issuer.person(address)
        assert browser.log_in(tenant.key).status_code == 403
        assert users.by_email(parts.pool, address) is None


def test_an_address_given_to_somebody_else_at_the_provider_opens_nothing(
    app: Flask, parts: WebContext, issuer: Issuer, new_tenant: NewTenant
) -> None:
    tenant, browser = new_tenant(), Browser(app)
    issuer.person(tenant.address("ada"), "the-first-ada")
    assert Browser(app).log_in(tenant.key).status_code == 302
    issuer.person(tenant.address("ada"), "the-second-ada")
    assert browser.log_in(tenant.key).status_code == 403
    assert refusals(parts.pool)[-1] == "address_taken"
    # Whoever is bound is known by the subject, whatever the address says.
    issuer.person(tenant.address("ada.brandt"), "the-first-ada")
    assert Browser(app).log_in(tenant.key).status_code == 302
    assert users.by_email(parts.pool, tenant.address("ada.brandt")) is None


def test_userinfo_about_somebody_else_opens_nothing(
    app: Flask, parts: WebContext, issuer: Issuer, new_tenant: NewTenant
) -> None:
    tenant, browser = new_tenant(), Browser(app)
    issuer.claims = {"sub": "ada"}
    told = {"email": tenant.address("ada"), "email_verified": True, "groups": ["admins"]}
    issuer.userinfo = told | {"sub": "vera"}
    assert browser.log_in(tenant.key).status_code == 403
    assert refusals(parts.pool)[-1] == "other_subject"
    issuer.userinfo = told | {"sub": "ada"}
    assert browser.log_in(tenant.key).status_code == 302


def test_without_a_role_nobody_comes_in_and_whoever_lost_it_is_out(
    app: Flask, parts: WebContext, issuer: Issuer, new_tenant: NewTenant
) -> None:
    tenant, browser, later = new_tenant(), Browser(app), Browser(app)
    issuer.person(tenant.address("ada"))
    assert browser.log_in(tenant.key).status_code == 302
    for groups in ([], ["strangers"], "adminsx", {"admins": True}, None):
        issuer.person(tenant.address("ada"), groups=())
        issuer.claims["groups"] = groups
        issuer.userinfo = {"sub": tenant.address("ada")}
        answer = later.log_in(tenant.key)
        assert answer.status_code == 403
        assert "Ada Brandt, extension 12" in answer.get_data(as_text=True)
    assert refusals(parts.pool)[-1] == "no_role"
    assert not browser.logged_in()


def test_people_whom_a_provider_makes_up_fill_no_audit_log(
    app: Flask, parts: WebContext, issuer: Issuer, new_tenant: NewTenant
) -> None:
    tenant, browser = new_tenant(), Browser(app)
    app.config["RATE_LIMITED"] = True
    try:
        with app.test_request_context():
            for _ in range(refusals_of_web.OF_TENANT.per_minute):
                assert limits.granted(refusals_of_web.OF_TENANT, tenant.id)
        before = len(refusals(parts.pool))
        issuer.person(tenant.address("nobody"), groups=())
        assert browser.log_in(tenant.key).status_code == 403
    finally:
        app.config["RATE_LIMITED"] = False
    assert len(refusals(parts.pool)) == before


def test_a_changed_role_ends_the_sessions_with_the_former_one(
    app: Flask, parts: WebContext, issuer: Issuer, new_tenant: NewTenant
) -> None:
    tenant, former, now = new_tenant(), Browser(app), Browser(app)
    issuer.person(tenant.address("ada"))
    assert former.log_in(tenant.key).status_code == 302
    issuer.person(tenant.address("ada"), groups=("viewers",))
    assert now.log_in(tenant.key).status_code == 302
    assert not former.logged_in()
    assert now.logged_in()
    user = users.by_email(parts.pool, tenant.address("ada"))
    assert user is not None
    assert user.role == "viewer"


def test_whoever_is_disabled_here_stays_out(
    app: Flask, parts: WebContext, issuer: Issuer, new_tenant: NewTenant
) -> None:
    tenant, browser = new_tenant(), Browser(app)
    issuer.person(tenant.address("ada"))
    assert browser.log_in(tenant.key).status_code == 302
    user = users.by_email(parts.pool, tenant.address("ada"))
    assert user is not None
    users.change(parts.pool, BY, tenant.id, user.id, user.name, user.role, "disabled", None, seen=user.rights_version)
    assert browser.log_in(tenant.key).status_code == 403
    assert not browser.logged_in()
