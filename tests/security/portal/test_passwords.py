"""Passwords that are guessed first are not taken, and one that was handed over does not lie about for ever."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import pytest
import zxcvbn
from flask import Flask

from db.access import passwords, users
from db.access.users import User
from db.pool import Pool
from tests.portal.client import PASSWORD, TOKEN, Person
from tests.portal.conftest import new_user
from tests.portal.rows import House

pytestmark = pytest.mark.usefixtures("nobody_has_tried")

OWN = ("Anna Brandt", "anna.brandt@nordwind.example", "Nordwind Outdoor", "")


@pytest.fixture
def ada(app: Flask, house: House) -> User:
    return new_user(house.pool, f"{uuid4().hex}@nordwind.example", "viewer", house.tenant_id)


@pytest.mark.parametrize(
    ("password", "said"),
    [
        ("short one", "at least 12 characters"),
        ("x" * 129, "at most 128"),
        ("password1234", "common"),
        ("aaaaaaaaaaaaaaaaaaaa", "easy to guess"),
        ("qwertyuiop12", "easy to guess"),
        ("Anna.Brandt@Nordwind", "your own name"),
        ("nordwind-outdoor-2026", "your own name"),
        ("annabrandt1990", "your own name"),
        ("a" * 100 + "Kx7hd9FeeQ2p", "easy to guess"),
    ],
)
def test_what_is_guessed_first_is_no_password(password: str, said: str) -> None:
    told = passwords.weakness(password, OWN)
    assert told is not None
    assert said in told


@pytest.mark.parametrize("password", [PASSWORD, "northwind blows at noon", "nordwind Kx7hd9FeeQ2p"])
def test_what_is_not_is_one(password: str) -> None:
    assert passwords.weakness(password, OWN) is None


@pytest.mark.parametrize("password", ["@4(<[{3$0" * 14, "a1" * 64, "(" * 128])
def test_no_password_is_looked_at_whole(password: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """What zxcvbn takes grows with the square of the length, and more."""
    looked_at = list[str]()
    real = zxcvbn.zxcvbn

    def watched(text: str) -> dict[str, Any]:
        looked_at.append(text)
        found: dict[str, Any] = real(text)
        return found

    monkeypatch.setattr(zxcvbn, "zxcvbn", watched)
    passwords.weakness(password, OWN)
    assert looked_at
    assert max(map(len, looked_at)) <= passwords.JUDGED


def test_the_page_refuses_it_in_plain_words(app: Flask, ada: User, house: House) -> None:
    person = Person(app, ada.email)
    for weak in ("password1234", f"{house.name} {house.name}"):
        page = person.post("/portal/account/password", {"current": PASSWORD, "new": weak, "again": weak}, status=400)
        assert "easy to guess" in page or "your own name" in page
    found = users.by_id(house.pool, ada.id)
    assert found
    assert passwords.matches(found.password_hash, PASSWORD)


def tried(app: Flask, email: str, password: str) -> tuple[int, str]:
    client = app.test_client()
    token = TOKEN.search(client.get("/portal/login").get_data(as_text=True))
    assert token
    form = {"csrf_token": next(filter(None, token.groups())), "email": email, "password": password}
    answer = client.post("/portal/login", data=form)
    return answer.status_code, answer.get_data(as_text=True)


def test_a_password_that_was_handed_over_is_over_after_two_days(
    app: Flask, pool: Pool, house: House, ada: User, admin: Person
) -> None:
    where, email = f"{house.path}/users", f"{uuid4().hex}@nordwind.example"
    page = admin.follow(f"{where}/new", {"name": "Ola", "email": email, "role": "viewer"})
    user = users.by_email(pool, email)
    assert user
    assert user.password_until
    assert round((user.password_until - user.created_at).total_seconds() / 3600) == 48
    password = page.partition('id="once" value="')[2].partition('"')[0]
    with pool.transaction() as cursor:
        cursor.execute("UPDATE users SET password_until = now() WHERE id = %s", (user.id,))
    status, told = tried(app, email, password)
    assert (status, "was good for 48 hours" in told) == (401, True)
    status, told = tried(app, email, "another one")
    assert (status, "was good for 48 hours" in told) == (401, False), "told to nobody who does not know it"
    assert "Password ended unused" in admin.get(where)
    assert "make a new one" in admin.get(f"{where}/{user.id}")
    page = admin.follow(f"{where}/{user.id}/password", {})
    again = page.partition('id="once" value="')[2].partition('"')[0]
    assert tried(app, email, again)[0] == 302


def test_ones_own_password_is_never_over(pool: Pool, ada: User) -> None:
    found = users.by_id(pool, ada.id)
    assert found
    assert (found.password_until, found.password_over) == (None, False)


def test_no_program_chooses_a_password_for_somebody(app: Flask) -> None:
    """So that the rule for new ones is kept in one place."""
    schemas = app.api_doc["components"]["schemas"]  # type: ignore[attr-defined]
    asked = {
        content["schema"]["$ref"].rsplit("/", 1)[1]
        for path in app.api_doc["paths"].values()  # type: ignore[attr-defined]
        for operation in path.values()
        if isinstance(operation, dict)
        for content in operation.get("requestBody", {}).get("content", {}).values()
        if "$ref" in content.get("schema", {})
    }
    assert len(asked) > 5
    assert [name for name in asked if "password" in schemas[name].get("properties", {})] == []
