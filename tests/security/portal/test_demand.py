"""A tenant that demands a second factor of its people, and what nobody gets around it by."""

from __future__ import annotations

from uuid import uuid4

import pytest
from flask import Flask

from db.access import users
from db.access.users import User
from db.tenants import registry
from tests.portal import phone
from tests.portal.client import BY, SET_UP, Person, changes_of
from tests.portal.conftest import new_user
from tests.portal.rows import House
from web.request.web_context import WebContext

pytestmark = pytest.mark.usefixtures("nobody_has_tried")


@pytest.fixture
def own(app: Flask) -> House:
    parts: WebContext = app.extensions["relay"]
    return House(parts.pool, f"Tenant {uuid4().hex[:8]}")


def somebody(house: House, role: users.Role) -> User:
    return new_user(house.pool, f"{uuid4().hex}@nordwind.example", role, house.tenant_id)


def demand(app: Flask, house: House) -> None:
    parts: WebContext = app.extensions["relay"]
    registry.demand_second_factor(changes_of(parts), BY, house.tenant_id, True)


def test_a_session_begun_before_the_demand_gets_no_further(app: Flask, own: House) -> None:
    viewer = Person(app, somebody(own, "viewer").email)
    viewer.get(f"{own.path}/dashboard")
    boss = Person(app, somebody(own, "admin").email)
    assert boss.post(f"{own.path}/users/second-factor", {"demanded": "true"}) == f"{own.path}/users"
    for person in (viewer, boss):
        assert person.answer(f"{own.path}/dashboard").headers["Location"] == SET_UP
        assert person.answer("/portal/account").headers["Location"] == SET_UP


def test_whoever_has_set_it_up_goes_on_and_cannot_switch_it_off(app: Flask, own: House) -> None:
    user = somebody(own, "viewer")
    demand(app, own)
    person = Person(app, user.email)  # sets it up, as it is led to
    person.get(f"{own.path}/dashboard")
    assert "needs a second factor" in person.get(person.post("/portal/account/second-factor/remove"))
    found = users.by_id(own.pool, user.id)
    assert found
    assert found.second_factor


def test_a_viewer_decides_nothing_for_the_others(app: Flask, own: House) -> None:
    viewer = Person(app, somebody(own, "viewer").email)
    viewer.post(f"{own.path}/users/second-factor", {"demanded": "true"}, status=403)
    found = registry.get(own.pool, own.tenant_id)
    assert found
    assert not found.second_factor_demanded


def test_nor_does_an_admin_for_another_tenant(app: Flask, own: House, house: House) -> None:
    boss = Person(app, somebody(own, "admin").email)
    boss.post(f"{house.path}/users/second-factor", {"demanded": "true"}, status=404)


def test_a_reset_of_an_admin_for_a_colleague_leads_back_to_the_set_up(app: Flask, own: House) -> None:
    demand(app, own)
    colleague, boss = somebody(own, "viewer"), somebody(own, "admin")
    person, admin = Person(app, colleague.email), Person(app, boss.email)
    assert "is reset" in admin.follow(f"{own.path}/users/{colleague.id}/factor", {})
    person.get("/portal/account", status=302)
    former = phone.accounts[colleague.email].secret
    Person(app, colleague.email)
    assert phone.accounts[colleague.email].secret != former
    found = users.by_id(own.pool, colleague.id)
    assert found
    assert found.second_factor
