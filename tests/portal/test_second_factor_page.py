"""The second factor in a real browser: its set-up, the log-in with it, and the question before something changes."""

from __future__ import annotations

from uuid import uuid4

import pytest
from playwright.sync_api import Page, expect

from db.access import users
from db.access.users import User
from db.pool import Pool
from tests.portal import phone
from tests.portal.client import PASSWORD, SET_UP
from tests.portal.conftest import Login, new_user, set_up_second_factor
from tests.portal.rows import House

pytestmark = pytest.mark.browser


@pytest.fixture
def operator(pool: Pool) -> User:
    return new_user(pool, f"{uuid4().hex}@relay.example", "operator")


def enter(page: Page, email: str, password: str = PASSWORD) -> None:
    page.goto("/portal/login")
    page.get_by_label("E-mail address").fill(email)
    page.get_by_label("Password").fill(password)
    with page.expect_event("load"):
        page.get_by_role("button", name="Log in").click()


def left_open(pool: Pool, user: User) -> None:
    with pool.transaction() as cursor:
        cursor.execute("UPDATE sessions SET proved_at = now() - interval '11 minutes' WHERE user_id = %s", (user.id,))


def test_the_set_up_shows_its_picture_and_takes_only_the_right_code(page: Page, operator: User) -> None:
    enter(page, operator.email)
    expect(page).to_have_url(SET_UP)
    expect(page.get_by_role("alert")).to_contain_text("everything else opens afterwards")
    picture = page.get_by_role("img", name="QR code")
    assert picture.evaluate("image => image.complete && image.naturalWidth > 100"), "the page's policy lets it be drawn"
    key = page.get_by_label("Key").input_value()
    page.get_by_label("Code").fill("12")
    page.get_by_role("button", name="Switch on").click()
    expect(page.get_by_text("This is not the code")).to_be_visible()
    assert page.get_by_label("Key").input_value() == key, "the app that has scanned it is still right"
    set_up_second_factor(page, operator.email)
    expect(page.get_by_label("Your 10 codes")).to_have_value("\n".join(phone.accounts[operator.email].recovery_codes))
    page.get_by_role("link", name="I have kept them").click()
    expect(page.get_by_role("heading", name="Overview")).to_be_visible()
    page.goto("/portal/account/recovery-codes")
    expect(page).to_have_url("/portal/account")


def test_the_log_in_asks_for_a_code_and_leads_where_one_wanted(page: Page, operator: User) -> None:
    enter(page, operator.email)
    set_up_second_factor(page, operator.email)
    page.context.clear_cookies()
    page.goto("/portal/operators")
    page.get_by_label("E-mail address").fill(operator.email)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Log in").click()
    expect(page.get_by_label("Code")).to_be_focused()
    page.get_by_label("Code").fill(phone.code(operator.email))
    page.keyboard.press("Enter")
    expect(page).to_have_url("/portal/operators")


def test_switched_on_and_off_by_somebody_who_need_not(page: Page, pool: Pool, house: House, login: Login) -> None:
    user = new_user(pool, f"{uuid4().hex}@nordwind.example", "viewer", house.tenant_id)
    login(user.email, next_page="?next=/portal/account")
    page.get_by_role("link", name="Set up").click()
    set_up_second_factor(page, user.email)
    page.goto("/portal/account")
    expect(page.get_by_text("10 recovery codes left.")).to_be_visible()
    page.on("dialog", lambda dialog: dialog.accept())
    page.get_by_role("button", name="Switch off").click()
    expect(page.get_by_text("Your second factor is off.")).to_be_visible()
    found = users.by_id(pool, user.id)
    assert found
    assert not found.second_factor


def test_a_wizard_left_open_asks_and_goes_on_with_what_was_typed(
    page: Page, pool: Pool, house: House, login: Login
) -> None:
    """Also when its test runs by script."""
    user = new_user(pool, f"{uuid4().hex}@nordwind.example", "admin", house.tenant_id)
    login(user.email, next_page=f"?next={house.path}/setup/genesys")
    page.get_by_label("Client ID", exact=True).fill("typed-before-the-question")
    left_open(pool, user)
    page.get_by_role("button", name="Test").click()
    expect(page.get_by_role("heading", name="Is it still you?")).to_be_visible()
    page.get_by_label("Your password").fill("wrong")
    page.get_by_role("button", name="Go on").click()
    expect(page.get_by_text("This is not right.")).to_be_visible()
    page.get_by_label("Your password").fill(PASSWORD)
    page.get_by_role("button", name="Go on").click()
    expect(page.get_by_label("Client ID", exact=True)).to_have_value("typed-before-the-question")


def test_the_pages_about_people_fit_on_a_phone(page: Page, pool: Pool, house: House, login: Login) -> None:
    user = new_user(pool, f"{uuid4().hex}@nordwind.example", "admin", house.tenant_id)
    login(user.email)
    page.set_viewport_size({"width": 360, "height": 800})
    for path in (f"{house.path}/users", f"{house.path}/users/{user.id}", "/portal/account", SET_UP, "/portal/confirm"):
        page.goto(path)
        assert page.evaluate("document.documentElement.scrollWidth") <= 360, path
