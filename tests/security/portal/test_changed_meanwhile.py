"""A log-in, and a change of password, that were under way while the account was changed: they open nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from uuid import uuid4

import gevent
import psycopg2
import pytest
from flask import Flask

from db.access import passwords, second_factor, sessions, users
from db.access.users import User
from db.pool import Pool
from db.tenants.changes import TakenError
from tests.portal.client import BY, PASSWORD, Person
from tests.portal.conftest import new_user
from tests.waiting import wait_until
from web.request.web_context import WebContext

FORMER = "former horse battery staple"


@pytest.fixture
def ada(pool: Pool) -> User:
    return new_user(pool, f"{uuid4().hex}@relay.example", "operator")


@pytest.fixture
def held(postgres: str) -> Iterator[psycopg2.extensions.connection]:
    """A connection of the test's own, whose transaction others wait for."""
    connection = psycopg2.connect(postgres)
    yield connection
    connection.close()


def new_password(pool: Pool, user: User) -> None:
    users.set_password(pool, BY, user, passwords.hashed(FORMER), must_change=False)


def new_factor(pool: Pool, user: User) -> None:
    second_factor.remove(pool, BY, user)


def disabled_and_let_in(pool: Pool, user: User) -> None:
    version = user.rights_version
    for status in ("disabled", "active"):
        changed = users.change(pool, BY, None, user.id, user.name, user.role, status, None, seen=version)
        version = changed.rights_version


@pytest.mark.parametrize("change", [new_password, new_factor, disabled_and_let_in])
def test_no_session_begins_with_what_was_shown_before_a_change(
    pool: Pool, ada: User, change: Callable[[Pool, User], None]
) -> None:
    new_user(pool, f"{uuid4().hex}@relay.example", "operator")  # Ada is not the last one
    change(pool, ada)
    assert sessions.begin(pool, ada, "a browser") is None
    assert sessions.listed(pool, ada.id) == []
    now = users.by_id(pool, ada.id)
    assert now
    assert sessions.begin(pool, now, "a browser")


def test_a_log_in_under_way_does_not_outlive_the_password(
    app: Flask, ada: User, held: psycopg2.extensions.connection
) -> None:
    """It has read the account, and waits to count its guess, as the password is changed."""
    parts: WebContext = app.extensions["relay"]
    with held, held.cursor() as cursor:
        cursor.execute(
            "UPDATE users SET password_hash = %s, updated_at = now() WHERE id = %s", (passwords.hashed(FORMER), ada.id)
        )
        under_way = gevent.spawn(Person, app, ada.email, PASSWORD)
        wait_until(lambda: _waits(parts.pool), message="the log-in waits")
    person = under_way.get(timeout=30)
    assert person.answer("/portal/account").headers["Location"].startswith("/portal/login")
    assert sessions.listed(parts.pool, ada.id) == []


def test_whoever_knows_the_former_password_does_not_undo_a_reset(pool: Pool, ada: User) -> None:
    token = sessions.begin(pool, ada, "a browser")
    assert token
    session = sessions.held(pool, token)
    assert session
    users.set_password(pool, BY, ada, passwords.hashed(FORMER), must_change=True)
    with pytest.raises(TakenError, match="changed meanwhile"):
        users.set_password(pool, BY, ada, passwords.hashed("x"), must_change=False, session_id=session.id)
    now = users.by_id(pool, ada.id)
    assert now
    assert now.must_change
    assert passwords.matches(now.password_hash, FORMER)


def _waits(pool: Pool) -> bool:
    with pool.autocommit() as cursor:
        cursor.execute("SELECT EXISTS (SELECT 1 FROM pg_locks WHERE NOT granted)")
        return bool(cursor.fetchone()[0])
