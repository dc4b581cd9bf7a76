"""The pages of endpoints: named, tried, changed, switched off, deleted; the secret is seen once."""

from __future__ import annotations

import re

from db.endpoints import outbox
from tests.portal.client import Person
from tests.portal.rows import House

NEW = {"url": "https://hooks.shop.example/in", "name": "CRM", "kinds": ["message.received", "message.failed"]}


def test_an_endpoint_from_its_making_to_its_end(house: House, admin: Person) -> None:
    page = f"{house.path}/endpoints"
    assert "No endpoints yet" in admin.get(page)
    one = admin.post(f"{page}/new", NEW, form_on=f"{page}/new")
    seen = admin.get(one)
    assert re.search(r"whsec_[A-Za-z0-9+/=]{40,}", seen)
    assert "message.received, message.failed" in seen
    assert "whsec_" not in admin.get(one)
    event = admin.post(f"{one}/test", {}, form_on=one)
    assert "Not posted yet" in admin.get(event)
    assert "endpoint.test" in admin.get(f"{one}?state=waiting")
    with house.pool.transaction() as cursor:
        cursor.execute("UPDATE endpoint_events SET expires_at = now()")
        outbox.give_up_old(cursor)
    dead = admin.get(f"{one}?state=dead")
    assert "a day is over" in dead
    admin.post(f"{one}/replay", {}, form_on=f"{one}?state=dead")
    assert "endpoint.test" in admin.get(f"{one}?state=waiting")
    admin.post(f"{one}/secret", {}, form_on=one)
    assert "whsec_" in admin.get(one)
    admin.post(f"{one}/edit", NEW | {"name": "Till", "contents": "y"}, form_on=f"{one}/edit")
    assert "with contents" in admin.get(one)
    admin.post(f"{one}/switch", {"active": "false"}, form_on=one)
    assert "Switched off" in admin.get(page)
    assert "Till" in admin.get(page)
    admin.post(f"{one}/delete", {}, form_on=one)
    assert "No endpoints yet" in admin.get(page)


def test_an_address_that_is_never_called_is_refused_beside_its_field(house: House, admin: Person) -> None:
    page = f"{house.path}/endpoints/new"
    answer = admin.post(page, NEW | {"url": "http://hooks.shop.example/in"}, 400, form_on=page)
    assert "It has to be https:// and a public host" in answer
