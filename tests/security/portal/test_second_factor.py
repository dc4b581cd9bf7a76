"""A stolen password, a code that somebody looked at, a copied cookie: none of them is enough."""

from __future__ import annotations

import time
from types import SimpleNamespace
from uuid import uuid4

import pyotp
import pytest
from flask import Flask
from werkzeug.test import TestResponse

from db.access import guesses, second_factor, sessions, users
from db.access.users import User
from db.audit import Author
from db.pool import Pool
from db.sealing import Cipher
from tests.portal import phone
from tests.portal.client import PASSWORD, SET_UP, TOKEN, Person
from tests.portal.conftest import new_user
from web.portal.people import entrance
from web.request import limits
from web.request.limits import Limit

pytestmark = pytest.mark.usefixtures("nobody_has_tried")

CODE_PAGE = "/portal/login/code"


@pytest.fixture
def olga(pool: Pool, settings_env: dict[str, str]) -> User:
    """An operator with a phone."""
    user = new_user(pool, f"{uuid4().hex}@relay.example", "operator")
    phone.enrol(pool, settings_env["CREDENTIALS_KEYS"], user)
    return user


class Thief:
    """A browser that sends what it is told to, and follows nothing."""

    def __init__(self, app: Flask) -> None:
        self.client = app.test_client()

    def token(self, path: str) -> str:
        """Of the page's form; nothing where the page has none, or leads elsewhere."""
        found = TOKEN.search(self.client.get(path).get_data(as_text=True))
        return next(filter(None, found.groups())) if found else ""

    def send(self, path: str, token: str | None = None, **form: str) -> TestResponse:
        return self.client.post(path, data={"csrf_token": self.token(path) if token is None else token, **form})

    def knows_the_password(self, user: User) -> Thief:
        answer = self.send("/portal/login", email=user.email, password=PASSWORD)
        assert answer.headers["Location"].startswith(CODE_PAGE)
        return self

    def is_outside(self) -> bool:
        answer = self.client.get("/portal/tenants")
        return answer.status_code == 302 and answer.headers["Location"].startswith("/portal/login")


def at(user: User, steps: int) -> str:
    """The code of so many half minutes from now."""
    return pyotp.TOTP(phone.accounts[user.email].secret).at(int(time.time()) + 30 * steps)


def held(pool: Pool, user: User) -> User:
    found = users.by_id(pool, user.id)
    assert found
    return found


def test_a_password_alone_opens_nothing(app: Flask, pool: Pool, olga: User) -> None:
    thief = Thief(app).knows_the_password(olga)
    assert thief.is_outside()
    assert sessions.listed(pool, olga.id) == []
    assert thief.send(CODE_PAGE, code="000000").status_code == 401
    assert thief.is_outside()


def test_a_code_is_not_good_twice(app: Flask, olga: User) -> None:
    code = at(olga, 0)
    first, second = Thief(app).knows_the_password(olga), Thief(app).knows_the_password(olga)
    assert first.send(CODE_PAGE, code=code).status_code == 302
    assert not first.is_outside()
    assert second.send(CODE_PAGE, code=code).status_code == 401
    assert second.is_outside()


def test_an_older_code_is_not_good_after_a_newer_one(app: Flask, olga: User) -> None:
    assert Thief(app).knows_the_password(olga).send(CODE_PAGE, code=at(olga, 1)).status_code == 302
    assert Thief(app).knows_the_password(olga).send(CODE_PAGE, code=at(olga, 0)).status_code == 401


@pytest.mark.parametrize("steps", [-3, 3])
def test_a_code_of_another_time_is_not_taken(app: Flask, olga: User, steps: int) -> None:
    assert Thief(app).knows_the_password(olga).send(CODE_PAGE, code=at(olga, steps)).status_code == 401


def test_a_recovery_code_is_not_good_twice(app: Flask, pool: Pool, olga: User) -> None:
    code = phone.accounts[olga.email].recovery_codes[0]
    assert Thief(app).knows_the_password(olga).send(CODE_PAGE, code=code.upper()).status_code == 302
    assert second_factor.recovery_codes_left(pool, olga.id) == second_factor.RECOVERY_CODES - 1
    assert Thief(app).knows_the_password(olga).send(CODE_PAGE, code=code).status_code == 401


def test_codes_cannot_be_guessed_with_a_right_password_between_them(
    app: Flask, pool: Pool, olga: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "LOGIN_ACCOUNT", Limit("login-account", 100))
    monkeypatch.setattr(limits, "LOGIN_ADDRESS", Limit("login-address", 100))
    for _ in range(guesses.FREE_FAILURES):
        thief = Thief(app).knows_the_password(olga)
        assert thief.send(CODE_PAGE, code="000000").status_code == 401
    assert held(pool, olga).failures == guesses.FREE_FAILURES
    assert thief.send(CODE_PAGE, code=at(olga, 0)).status_code == 401, "the account is locked"
    assert thief.is_outside()


def test_guesses_of_codes_are_limited_as_those_of_passwords(
    app: Flask, pool: Pool, olga: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(guesses, "FREE_FAILURES", 100)  # the lock is another test's
    monkeypatch.setattr(limits, "LOGIN_ACCOUNT", Limit("login-account", 2))
    thief = Thief(app).knows_the_password(olga)
    assert [thief.send(CODE_PAGE, code="000000").status_code for _ in range(3)] == [401, 401, 429]


def test_half_a_log_in_does_not_outlive_a_new_password(app: Flask, pool: Pool, olga: User) -> None:
    thief = Thief(app).knows_the_password(olga)
    token = thief.token(CODE_PAGE)
    users.set_password(pool, Author("test"), olga, "x", must_change=False)
    assert thief.send(CODE_PAGE, token, code=at(olga, 0)).headers["Location"] == "/portal/login"
    assert thief.is_outside()


def test_half_a_log_in_does_not_wait_for_ever(app: Flask, olga: User, monkeypatch: pytest.MonkeyPatch) -> None:
    thief = Thief(app).knows_the_password(olga)
    token, later = thief.token(CODE_PAGE), time.time() + entrance.SECONDS + 1
    monkeypatch.setattr("web.portal.people.entrance.time", SimpleNamespace(time=lambda: later))
    assert thief.send(CODE_PAGE, token, code=at(olga, 0)).headers["Location"] == "/portal/login"
    assert thief.is_outside()


def test_the_page_for_the_code_shows_nothing_to_strangers(app: Flask) -> None:
    assert Thief(app).client.get(CODE_PAGE).headers["Location"] == "/portal/login"


def test_an_operator_without_a_second_factor_does_nothing_else(app: Flask, pool: Pool) -> None:
    user = new_user(pool, f"{uuid4().hex}@relay.example", "operator")
    thief = Thief(app)
    assert thief.send("/portal/login", email=user.email, password=PASSWORD).status_code == 302
    rules = [one for one in app.url_map.iter_rules() if one.endpoint.startswith("portal.") and not one.arguments]
    pages = {one.rule for one in rules if "GET" in (one.methods or ())} - {
        SET_UP,
        "/portal/login",
        "/portal/login/find",
        CODE_PAGE,
        "/portal/confirm",
    }
    assert len(pages) > 10
    led = {page: thief.client.get(page).headers.get("Location") for page in pages}
    assert set(led.values()) == {SET_UP}, led
    thief.send(SET_UP)  # its form's token is good for other forms
    assert thief.send("/portal/account/recovery-codes").status_code in (302, 400)
    assert held(pool, user).second_factor is False


def test_a_copy_of_the_cookie_is_worth_nothing_once_the_second_factor_is_on(app: Flask, pool: Pool) -> None:
    user = new_user(pool, f"{uuid4().hex}@relay.example", "operator")
    thief = Thief(app)
    thief.send("/portal/login", email=user.email, password=PASSWORD)
    copied = thief.client.get_cookie("relay")
    assert copied
    phone.scan(user.email, thief.client.get(SET_UP).get_data(as_text=True))
    assert thief.send(SET_UP, code=phone.code(user.email)).status_code == 302
    assert not thief.is_outside()
    other = Thief(app)
    other.client.set_cookie("relay", copied.value)
    assert other.is_outside()
    assert len(sessions.listed(pool, user.id)) == 1


def test_the_key_is_neither_in_the_cookie_nor_in_the_database_in_clear(app: Flask, pool: Pool) -> None:
    user = new_user(pool, f"{uuid4().hex}@relay.example", "operator")
    thief = Thief(app)
    thief.send("/portal/login", email=user.email, password=PASSWORD)
    phone.scan(user.email, thief.client.get(SET_UP).get_data(as_text=True))
    secret, cookie = phone.accounts[user.email].secret, thief.client.get_cookie("relay")
    assert cookie
    assert secret not in cookie.decoded_value
    thief.send(SET_UP, code=phone.code(user.email))
    with pool.autocommit() as cursor:
        cursor.execute("SELECT u::text FROM users u WHERE id = %s", (user.id,))
        assert secret not in cursor.fetchone()[0]


def test_an_operator_cannot_switch_the_second_factor_off(app: Flask, pool: Pool, olga: User) -> None:
    person = Person(app, olga.email)
    person.post("/portal/account/second-factor/remove")
    assert held(pool, olga).second_factor


def test_a_key_that_is_gone_opens_the_account_to_nobody(app: Flask, pool: Pool, olga: User) -> None:
    """And is told in words."""
    with pool.transaction() as cursor:
        sealed = Cipher(["A" * 43 + "="]).seal({"secret": phone.accounts[olga.email].secret})
        cursor.execute("UPDATE users SET totp_sealed = %s WHERE id = %s", (sealed, olga.id))
    thief = Thief(app).knows_the_password(olga)
    answer = thief.send(CODE_PAGE, code=at(olga, 0))
    assert answer.status_code == 409
    assert "CREDENTIALS_KEYS" in answer.get_data(as_text=True)
    assert thief.is_outside()


def test_two_who_show_one_code_at_once_do_not_both_get_in(pool: Pool, olga: User, settings_env: dict[str, str]) -> None:
    cipher, code = Cipher([settings_env["CREDENTIALS_KEYS"]]), at(olga, 0)
    assert [second_factor.accept(pool, cipher, olga, code) for _ in range(2)] == [True, False]
