"""New passwords, and right ones without end, cost time on purpose: nobody else waits for somebody's."""

from __future__ import annotations

from uuid import uuid4

import pytest
from flask import Flask
from zxcvbn import matching

from db.access import passwords
from tests.portal.client import PASSWORD, TOKEN, Person
from tests.portal.conftest import new_user
from tests.portal.rows import House
from web.request import limits
from web.request.web_context import WebContext

ALL_SIGNS = "4@8({[<3691!|7$5+%20"


@pytest.fixture(autouse=True)
def nobody_has_tried(app: Flask) -> None:
    parts: WebContext = app.extensions["relay"]
    parts.cache._redis.client.flushdb()


@pytest.mark.parametrize("password", [ALL_SIGNS * 2, "".join(f"{sign}x" for sign in ALL_SIGNS)])
def test_a_new_password_is_read_in_few_ways(password: str) -> None:
    """One of forty characters took four seconds."""
    judged = passwords._with_few_readings(password)
    ways = matching.enumerate_l33t_subs(matching.relevant_l33t_subtable(judged, matching.L33T_TABLE))
    assert len(ways) <= passwords.READINGS
    assert passwords.weakness(password) is None


def test_words_with_signs_for_letters_are_still_seen_through() -> None:
    assert passwords._with_few_readings("p@$$w0rd") == "p@$$w0rd"
    assert passwords.weakness("p@$$w0rd1234")


def test_new_passwords_of_one_person_are_judged_so_often_a_minute(app: Flask, house: House) -> None:
    person = Person(app, new_user(house.pool, f"{uuid4().hex}@nordwind.example", "viewer", house.tenant_id).email)
    weak = {"current": "x", "new": "password1234", "again": "password1234"}
    for _ in range(limits.NEW_PASSWORDS.per_minute):
        person.post("/portal/account/password", weak, status=400)
    assert person.send("/portal/account/password", weak).status_code == 429


def test_right_passwords_of_one_account_are_looked_at_so_often_a_minute(app: Flask, house: House) -> None:
    ada, ben = (new_user(house.pool, f"{uuid4().hex}@nordwind.example", "viewer", house.tenant_id) for _ in "ab")
    with app.test_request_context():
        for _ in range(limits.RIGHT_ONES.per_minute):
            limits.guessed_right(ada.email)
    client = app.test_client()
    found = TOKEN.search(client.get("/portal/login").get_data(as_text=True))
    assert found
    form = {"csrf_token": next(filter(None, found.groups())), "email": ada.email, "password": PASSWORD}
    assert client.post("/portal/login", data=form).status_code == 429
    Person(app, ben.email).get("/portal/account")
