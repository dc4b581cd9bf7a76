"""Guessed passwords: counted before they are looked at, wherever they are typed. And sessions that end unattended."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from uuid import uuid4

import gevent
import pytest
from flask import Flask
from gevent.monkey import get_original

from db.access import guesses, passwords, sessions, users
from db.access.users import User
from db.audit import Author
from db.pool import Pool
from tests.portal.client import PASSWORD, TOKEN, Person, running_app
from tests.portal.conftest import new_user
from tests.waiting import PATIENCE
from web.request import limits
from web.request import passwords as beside
from web.request.limits import Limit
from web.request.web_context import WebContext

NEW = "another horse battery staple"


@pytest.fixture(scope="module")
def app(settings_env: dict[str, str]) -> Iterator[Flask]:
    with running_app(settings_env) as app:
        yield app


@pytest.fixture(autouse=True)
def nobody_has_tried(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    """And nobody is sent away because a busy machine takes seconds for each password."""
    monkeypatch.setattr(beside, "WAIT_SECONDS", PATIENCE)
    parts: WebContext = app.extensions["relay"]
    parts.cache._redis.client.flushdb()


@pytest.fixture
def two_a_minute(monkeypatch: pytest.MonkeyPatch) -> None:
    """So that nothing comes back before half a minute is over, however long the few log-ins take."""
    monkeypatch.setattr(limits, "LOGIN_ACCOUNT", Limit("login-account", 2))


@pytest.fixture
def ada(pool: Pool) -> User:
    return new_user(pool, f"{uuid4().hex}@relay.example", "operator")


def held(pool: Pool, user: User) -> User:
    found = users.get(pool, None, user.id)
    assert found
    return found


def log_in(app: Flask, email: str, password: str) -> tuple[int, str | None]:
    client = app.test_client()
    token = TOKEN.search(client.get("/portal/login").get_data(as_text=True))
    assert token
    form = {"csrf_token": next(filter(None, token.groups())), "email": email, "password": password}
    answer = client.post("/portal/login", data=form)
    return answer.status_code, answer.headers.get("Retry-After")


def at_once(count: int, work: Callable[[], int]) -> list[int]:
    """Each goes on while another one's password is looked at."""
    running = [gevent.spawn(work) for _ in range(count)]
    gevent.joinall(running, timeout=PATIENCE, raise_error=True)
    return sorted(one.value for one in running)


def change(person: Person, current: str, new: str = NEW, status: int = 400) -> str:
    form = {"current": current, "new": new, "again": new}
    return person.post("/portal/account/password", form, status)


def test_a_worker_goes_on_while_passwords_are_looked_at(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    real, thread = passwords.hashed, get_original("threading", "get_ident")
    inside, most, threads = [0], [0], set()

    def watched(password: str) -> str:
        threads.add(thread())
        inside[0] += 1
        most[0] = max(most[0], inside[0])
        made = real(password)
        inside[0] -= 1
        return made

    monkeypatch.setattr(passwords, "hashed", watched)

    def hashed(n: int) -> str:
        with app.test_request_context(environ_base={"REMOTE_ADDR": f"192.0.2.{n}"}):
            return beside.hashed(str(n))

    running = [gevent.spawn(hashed, n) for n in range(5)]
    gevent.joinall(running, timeout=PATIENCE, raise_error=True)
    assert all(passwords.matches(one.value, str(n)) for n, one in enumerate(running))
    assert thread() not in threads
    assert most[0] <= beside.AT_ONCE


def test_guesses_at_once_get_no_further_than_one_by_one(
    app: Flask, pool: Pool, ada: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(guesses, "FREE_FAILURES", 100)  # the lock is another test's
    real, looked_at = beside.matches, list[str]()

    def watched(stored: str | None, given: str) -> bool:
        looked_at.append(given)
        return real(stored, given)

    monkeypatch.setattr(beside, "matches", watched)
    statuses = at_once(9, lambda: log_in(app, ada.email, "wrong")[0])
    assert statuses == [401] * 5 + [429] * 4
    assert looked_at == ["wrong"] * 5
    assert held(pool, ada).failures == 5


def test_nor_does_the_lock_let_more_of_them_through(
    app: Flask, pool: Pool, ada: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "LOGIN_ACCOUNT", Limit("login-account", 100))
    monkeypatch.setattr(limits, "LOGIN_ADDRESS", Limit("login-address", 100))
    assert at_once(9, lambda: log_in(app, ada.email, "wrong")[0]) == [401] * 9
    assert held(pool, ada).failures == guesses.FREE_FAILURES
    assert log_in(app, ada.email, PASSWORD)[0] == 401, "locked"


def test_right_ones_at_once_lock_nobody_out(app: Flask, pool: Pool, ada: User) -> None:
    assert at_once(4, lambda: log_in(app, ada.email, PASSWORD)[0]) == [302] * 4
    assert (held(pool, ada).failures, held(pool, ada).locked_until) == (0, None)
    assert [log_in(app, ada.email, PASSWORD)[0] for _ in range(6)] == [302] * 6


def test_an_address_is_one_however_it_is_written(app: Flask, pool: Pool, two_a_minute: None) -> None:
    user = new_user(pool, f"{uuid4().hex}@bücher.example", "operator")
    written = (user.email, user.email.upper(), user.email.replace("bücher", "xn--bcher-kva"))
    assert [log_in(app, one, PASSWORD)[0] for one in written] == [302] * 3
    assert log_in(app, "no address at all", PASSWORD)[0] == 401
    assert [log_in(app, one, "wrong")[0] for one in written] == [401] * 2 + [429]


def test_the_refusal_says_when_to_come_back(app: Flask, ada: User, two_a_minute: None) -> None:
    told = [log_in(app, ada.email, "wrong") for _ in range(3)][-1]
    assert told[0] == 429
    assert 1 <= int(told[1] or 0) <= 60


def test_the_current_password_cannot_be_guessed_on_ones_own_page(
    app: Flask, pool: Pool, ada: User, two_a_minute: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(guesses, "FREE_FAILURES", 2)
    person = Person(app, ada.email)
    for _ in range(guesses.FREE_FAILURES):
        assert "not your current password" in change(person, "wrong")
    change(person, PASSWORD, status=429)
    parts: WebContext = app.extensions["relay"]
    parts.cache._redis.client.flushdb()
    assert "not your current password" in change(person, PASSWORD), "the account is locked"
    assert passwords.matches(held(pool, ada).password_hash, PASSWORD)


def test_a_new_password_is_another_one(app: Flask, pool: Pool, ada: User) -> None:
    person = Person(app, ada.email)
    assert "choose another one" in change(person, PASSWORD, PASSWORD)
    change(person, PASSWORD, status=302)
    assert passwords.matches(held(pool, ada).password_hash, NEW)
    assert held(pool, ada).failures == 0


@pytest.mark.parametrize("way_out", ["/portal/logout", "/portal/account/sessions/end"])
def test_whoever_has_to_change_the_password_may_also_leave(app: Flask, pool: Pool, ada: User, way_out: str) -> None:
    users.set_password(pool, Author("test"), ada, passwords.hashed(PASSWORD), must_change=True)
    person = Person(app, ada.email)
    assert person.get("/portal/tenants", 302) == person.get("/portal/operators", 302)
    assert person.post(way_out).endswith("/portal/login")
    assert sessions.listed(pool, ada.id) == []


def test_a_page_left_open_keeps_nobody_logged_in(app: Flask, pool: Pool, ada: User) -> None:
    person = Person(app, ada.email)
    with pool.transaction() as cursor:
        cursor.execute("UPDATE sessions SET seen_at = now() - interval '119 minutes' WHERE user_id = %s", (ada.id,))
    [before] = sessions.listed(pool, ada.id)
    assert person.answer("/portal/account", **{"X-Fragment": "1"}).status_code == 200
    assert sessions.listed(pool, ada.id) == [before]
    person.get("/portal/account")
    assert sessions.listed(pool, ada.id)[0].seen_at > before.seen_at


def test_a_log_in_sweeps_what_is_over(pool: Pool, ada: User) -> None:
    other = new_user(pool, f"{uuid4().hex}@relay.example", "operator")
    sessions.begin(pool, other, "left")
    kept = sessions.begin(pool, other, "kept")
    with pool.transaction() as cursor:
        cursor.execute("UPDATE sessions SET expires_at = now() - interval '1 second' WHERE agent = 'left'")
    for number in range(sessions.PER_USER + 2):
        sessions.begin(pool, ada, str(number))
    with pool.autocommit() as cursor:
        cursor.execute(
            "SELECT count(*) FILTER (WHERE user_id = %s), count(*) FILTER (WHERE agent = 'left') FROM sessions",
            (ada.id,),
        )
        assert cursor.fetchone() == (sessions.PER_USER, 0)
    assert {one.agent for one in sessions.listed(pool, ada.id)} == {str(n + 2) for n in range(sessions.PER_USER)}
    assert kept
    assert sessions.held(pool, kept)
