"""R43: log in, protected pages, sessions that end when they should."""

from __future__ import annotations

from collections.abc import Iterator
from uuid import uuid4

import pytest
import redis
from playwright.sync_api import Page, expect

from db.access import guesses, passwords, sessions, users
from db.access.users import User
from db.audit import Author
from db.pool import Pool
from tests.portal import phone
from tests.portal.client import PASSWORD
from tests.portal.conftest import Login, new_user

pytestmark = pytest.mark.browser


def guess(page: Page, email: str, password: str) -> None:
    page.get_by_label("E-mail address").fill(email)
    page.get_by_label("Password").fill(password)
    with page.expect_event("load"):  # the guess before has left the same words on the page
        page.get_by_role("button", name="Log in").click()
    expect(page.get_by_text("do not belong together")).to_be_visible()


@pytest.fixture
def operator(pool: Pool, settings_env: dict[str, str]) -> User:
    user = new_user(pool, f"{uuid4().hex}@relay.example", "operator")
    phone.enrol(pool, settings_env["CREDENTIALS_KEYS"], user)
    return user


@pytest.fixture(autouse=True)
def nobody_left(pool: Pool) -> Iterator[None]:
    yield
    with pool.transaction() as cursor:
        cursor.execute("DELETE FROM users")


def test_a_page_asks_for_the_log_in_and_comes_back(page: Page, operator: User, login: Login) -> None:
    page.goto("/portal/account")
    expect(page).to_have_url("/portal/login?next=/portal/account")
    login(operator.email, next_page="?next=/portal/account")
    expect(page.get_by_role("heading", name="Your account")).to_be_visible()
    cookies = {cookie["name"]: cookie for cookie in page.context.cookies()}
    assert cookies.keys() == {"relay", "relay-device"}
    assert all(cookie["httpOnly"] and cookie["sameSite"] == "Lax" for cookie in cookies.values())


def test_after_logging_out_the_old_cookie_is_worth_nothing(page: Page, operator: User, login: Login) -> None:
    login(operator.email, next_page="?next=/portal/account")
    kept = page.context.cookies()
    page.get_by_role("button", name="your account").click()
    page.get_by_role("button", name="Log out", exact=True).click()
    expect(page.get_by_text("You are logged out.")).to_be_visible()
    page.context.add_cookies(kept)  # type: ignore[arg-type]
    page.goto("/portal/account")
    expect(page.get_by_role("heading", name="Log in")).to_be_visible()


def test_the_log_in_leads_to_no_other_site(page: Page, operator: User, login: Login) -> None:
    login(operator.email, next_page="?next=//evil.example/portal/")
    assert page.url.startswith(page.context.request.get("/portal/login").url.rsplit("/portal", 1)[0])


def test_five_wrong_passwords_lock_the_account(page: Page, pool: Pool, operator: User, redis_url: str) -> None:
    page.goto("/portal/login")
    for _ in range(guesses.FREE_FAILURES):
        guess(page, operator.email, "wrong")
    with redis.Redis.from_url(redis_url) as client:
        client.flushdb()  # the limit on asking too often would refuse it as well
    guess(page, operator.email, PASSWORD)
    held = users.get(pool, None, operator.id)
    assert held is not None
    assert len(guesses.locks(pool, operator.id)) == 1
    assert held.failures == guesses.FREE_FAILURES


def test_a_password_of_somebody_elses_choice_has_to_be_changed_first(page: Page, pool: Pool, login: Login) -> None:
    given = passwords.generated()
    users.create(pool, Author("test"), None, "new@relay.example", "New", "operator", passwords.hashed(given))
    login("new@relay.example", given)
    expect(page).to_have_url("/portal/account")
    page.get_by_label("Current password").fill(given)
    page.get_by_label("New password", exact=True).fill(PASSWORD)
    page.get_by_label("New password again").fill(PASSWORD)
    page.get_by_role("button", name="Change password").click()
    expect(page.get_by_text("Your password is changed.")).to_be_visible()


def test_a_session_ended_by_somebody_else_is_over_at_once(page: Page, pool: Pool, operator: User, login: Login) -> None:
    login(operator.email)
    sessions.end_all(pool, Author("test"), operator)
    page.goto("/portal/account")
    expect(page.get_by_role("heading", name="Log in")).to_be_visible()


def test_a_form_without_its_token_is_refused(page: Page, operator: User, login: Login) -> None:
    login(operator.email)
    answer = page.request.post("/portal/account/sessions/end")
    assert answer.status == 400
    page.goto("/portal/account")
    expect(page.get_by_role("heading", name="Your account")).to_be_visible()
