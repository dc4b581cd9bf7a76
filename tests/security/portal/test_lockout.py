"""Strangers lock out themselves and nobody else, and are bounded all the same, from however many networks they come."""

from __future__ import annotations

from http.cookies import SimpleCookie
from uuid import uuid4

import pytest
from flask import Flask
from flask.testing import FlaskClient

from db.access import guesses, users
from db.access.guesses import Source
from db.access.users import User
from db.audit import Author
from db.pool import Pool
from tests.portal.client import PASSWORD, TOKEN
from tests.portal.conftest import new_user
from tests.portal.rows import House
from tests.waiting import PATIENCE
from web.request import limits
from web.request import passwords as beside
from web.request.limits import Limit

pytestmark = pytest.mark.usefixtures("nobody_has_tried")

HOME, ELSEWHERE = "192.0.2.1", "198.51.100.7"


@pytest.fixture(autouse=True)
def the_machine_is_fast_enough(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody is sent away because it takes seconds for each password."""
    monkeypatch.setattr(beside, "WAIT_SECONDS", PATIENCE)


@pytest.fixture
def no_limits_by_the_minute(monkeypatch: pytest.MonkeyPatch) -> None:
    """So that the locks alone decide."""
    for name in ("LOGIN_ACCOUNT", "LOGIN_ADDRESS", "LOGIN_STRANGERS"):
        monkeypatch.setattr(limits, name, Limit(getattr(limits, name).name, 1000))


@pytest.fixture
def ada(pool: Pool, house: House) -> User:
    return new_user(pool, f"{uuid4().hex}@nordwind.example", "viewer", house.tenant_id)


def log_in(client: FlaskClient, email: str, password: str, address: str = HOME) -> int:
    """Logs in, and out again: what stays is the device."""
    origin = {"REMOTE_ADDR": address}
    page = client.get("/portal/login", environ_base=origin)
    token = TOKEN.search(page.get_data(as_text=True))
    assert token, page.status_code
    form = {"csrf_token": next(filter(None, token.groups())), "email": email, "password": password}
    status = client.post("/portal/login", data=form, environ_base=origin).status_code
    client.delete_cookie("relay")
    return status


def wrong(app: Flask, user: User, count: int, address: str = ELSEWHERE) -> list[int]:
    return [log_in(app.test_client(), user.email, "wrong", address) for _ in range(count)]


@pytest.fixture
def known(app: Flask, ada: User) -> FlaskClient:
    """A device on which Ada has logged in before."""
    client = app.test_client()
    assert log_in(client, ada.email, PASSWORD) == 302
    return client


@pytest.mark.usefixtures("no_limits_by_the_minute")
def test_strangers_do_not_lock_a_person_out_of_a_device_of_their_own(
    app: Flask, pool: Pool, ada: User, known: FlaskClient
) -> None:
    assert wrong(app, ada, guesses.FREE_FAILURES + 2) == [401] * (guesses.FREE_FAILURES + 2)
    assert log_in(app.test_client(), ada.email, PASSWORD, ELSEWHERE) == 401, "the stranger's network is locked"
    assert log_in(known, ada.email, PASSWORD, ELSEWHERE) == 302, "the device is known, wherever it is"
    assert log_in(app.test_client(), ada.email, PASSWORD, "203.0.113.9") == 302, "another network is not locked"


def test_nor_do_they_by_asking_often(app: Flask, ada: User, known: FlaskClient) -> None:
    """From the very same network, too: behind one address of a company sit many."""
    statuses = wrong(app, ada, 12, HOME)
    assert statuses[-1] == 429
    assert log_in(known, ada.email, PASSWORD, HOME) == 302


@pytest.mark.usefixtures("no_limits_by_the_minute")
def test_a_password_is_not_found_from_many_networks(
    app: Flask, pool: Pool, ada: User, known: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(guesses, "STRANGERS_FREE_FAILURES", 4)
    looked_at, real = list[str](), beside.matches

    def watched(stored: str | None, given: str) -> bool:
        if stored is not None:
            looked_at.append(given)
        return real(stored, given)

    monkeypatch.setattr(beside, "matches", watched)
    for number in range(8):
        assert log_in(app.test_client(), ada.email, f"wrong {number}", f"2001:db8:0:{number}::1") == 401
    assert looked_at == [f"wrong {number}" for number in range(4)]
    assert log_in(app.test_client(), ada.email, PASSWORD, "2001:db8:1::1") == 401, "unknown devices wait"
    assert log_in(known, ada.email, PASSWORD, "2001:db8:1::1") == 302
    with pool.autocommit() as cursor:
        cursor.execute("SELECT count(*) FROM login_guesses WHERE user_id = %s", (ada.id,))
        assert cursor.fetchone() == (4,), "what is not looked at leaves no row"


@pytest.mark.usefixtures("no_limits_by_the_minute")
def test_the_rightful_person_coming_in_forgives_strangers_nothing(
    app: Flask, pool: Pool, ada: User, known: FlaskClient
) -> None:
    wrong(app, ada, 3)
    assert log_in(known, ada.email, "mistyped") == 401
    assert log_in(known, ada.email, PASSWORD) == 302
    held = users.by_id(pool, ada.id)
    assert held
    assert held.failures == 3


@pytest.mark.usefixtures("no_limits_by_the_minute")
def test_a_device_is_known_to_its_own_accounts_only(app: Flask, pool: Pool, ada: User, house: House) -> None:
    thief = new_user(pool, f"{uuid4().hex}@nordwind.example", "viewer", house.tenant_id)
    client = app.test_client()
    assert log_in(client, thief.email, PASSWORD, ELSEWHERE) == 302
    assert [log_in(client, ada.email, "wrong", ELSEWHERE) for _ in range(guesses.FREE_FAILURES)] == [401] * 5
    [lock] = guesses.locks(pool, ada.id)
    assert not lock.known
    assert log_in(client, ada.email, PASSWORD, ELSEWHERE) == 401


@pytest.mark.usefixtures("no_limits_by_the_minute")
def test_a_stolen_device_cookie_gives_no_more_guesses_than_the_device_had(
    app: Flask, pool: Pool, ada: User, known: FlaskClient
) -> None:
    cookie = known.get_cookie("relay-device")
    assert cookie
    copies = [app.test_client() for _ in range(guesses.FREE_FAILURES + 1)]
    for copy in copies:
        copy.set_cookie("relay-device", cookie.value)
    assert [log_in(one, ada.email, "wrong", ELSEWHERE) for one in copies[1:]] == [401] * guesses.FREE_FAILURES
    assert log_in(copies[0], ada.email, PASSWORD, ELSEWHERE) == 401, "that device is locked"
    assert log_in(app.test_client(), ada.email, PASSWORD) == 302, "the person gets in without it"


@pytest.mark.usefixtures("no_limits_by_the_minute")
def test_a_device_cookie_is_not_made_up(app: Flask, ada: User) -> None:
    for value in ("", "x", "WyJ4IixbXV0.x.y", "[]", "é"):
        client = app.test_client()
        client.set_cookie("relay-device", value)
        assert log_in(client, ada.email, "wrong", ELSEWHERE) == 401
    assert log_in(app.test_client(), ada.email, PASSWORD, ELSEWHERE) == 401, "all of them were one unknown network"


def test_the_device_cookie_says_nothing_about_anybody(app: Flask, ada: User) -> None:
    client, origin = app.test_client(), {"REMOTE_ADDR": HOME}
    token = TOKEN.search(client.get("/portal/login").get_data(as_text=True))
    assert token
    form = {"csrf_token": next(filter(None, token.groups())), "email": ada.email, "password": PASSWORD}
    answer = client.post("/portal/login", data=form, environ_base=origin)
    [line] = [one for one in answer.headers.getlist("Set-Cookie") if one.startswith("relay-device=")]
    cookie = SimpleCookie(line)["relay-device"]
    assert (cookie["httponly"], cookie["samesite"], cookie["path"]) == (True, "Lax", "/")
    assert ada.email.partition("@")[0] not in cookie.value
    assert ada.id not in cookie.value


def test_no_count_outlives_a_day(pool: Pool, ada: User) -> None:
    for number in range(3):
        guesses.begin(pool, ada.id, Source(f"network:{number}", known=False))
    with pool.transaction() as cursor:
        cursor.execute("UPDATE login_guesses SET last_at = now() - interval '25 hours'")
        cursor.execute("UPDATE users SET failed_at = now() - interval '25 hours' WHERE id = %s", (ada.id,))
    guess = guesses.begin(pool, ada.id, Source("network:0", known=False))
    assert guess
    assert (guess.failures, guess.of_strangers) == (1, 1)
    with pool.autocommit() as cursor:
        cursor.execute("SELECT count(*) FROM login_guesses WHERE user_id = %s", (ada.id,))
        assert cursor.fetchone() == (1,)


def test_unlocking_lets_every_device_try_again(pool: Pool, ada: User) -> None:
    for source in (Source("network:1", known=False), Source("device:1", known=True)):
        for _ in range(guesses.FREE_FAILURES):
            assert guesses.begin(pool, ada.id, source)
        assert guesses.begin(pool, ada.id, source) is None
    assert {lock.known for lock in guesses.locks(pool, ada.id)} == {True, False}
    guesses.unlock(pool, Author("test"), ada)
    assert guesses.locks(pool, ada.id) == []
    assert guesses.begin(pool, ada.id, Source("network:1", known=False))
