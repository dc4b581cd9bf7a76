"""The portal as gunicorn serves it, with a database of its own and a real browser."""

from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from flask import Flask
from playwright.sync_api import Browser, Page, expect

from db.access import passwords, users
from db.audit import Author
from db.pool import Pool
from tests import processes
from tests.browser import context as browser_context
from tests.browser import launched
from tests.portal import phone
from tests.portal.client import PASSWORD, SET_UP, Person, running_app
from tests.portal.rows import House

Login = Callable[..., None]


@pytest.fixture(scope="module")
def pool(postgres: str) -> Iterator[Pool]:
    with Pool(postgres, size=2) as pool:
        yield pool


@pytest.fixture(scope="module")
def web(settings_env: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[processes.Process]:
    logs: Path = tmp_path_factory.mktemp("web")
    with processes.web(settings_env, logs) as running:
        yield running


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    with launched() as browser:
        yield browser


@pytest.fixture
def page(browser: Browser, web: processes.Process, settings_env: dict[str, str]) -> Iterator[Page]:
    """A page that fails its test when the console or the security policy complains."""
    complaints: list[str] = []
    # Without transitions: axe would else measure a colour on its way to another.
    context = browser_context(
        browser,
        viewport={"width": 1300, "height": 900},
        base_url=settings_env["PUBLIC_URL"],
        reduced_motion="reduce",
    )
    page = context.new_page()
    page.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    yield page
    context.close()
    # The browser itself reports an answer that is an error on purpose.
    assert [one for one in complaints if "Failed to load resource" not in one] == []


def new_user(pool: Pool, email: str, role: users.Role, tenant_id: str | None = None) -> users.User:
    """A user who has chosen PASSWORD already."""
    user = users.create(
        pool, Author("test"), tenant_id, email, email.split("@")[0].title(), role, passwords.hashed("x")
    )
    users.set_password(pool, Author("test"), user, passwords.hashed(PASSWORD), must_change=False)
    found = users.by_id(pool, user.id)
    assert found
    return found


@pytest.fixture(scope="module")
def app(settings_env: dict[str, str]) -> Iterator[Flask]:
    """The application itself, for tests that need no browser."""
    with running_app(settings_env) as app:
        yield app


@pytest.fixture(scope="module")
def house(pool: Pool) -> House:
    return House(pool)


@pytest.fixture(scope="module")
def admin(app: Flask, house: House) -> Person:
    new_user(house.pool, "admin@nordwind.example", "admin", house.tenant_id)
    return Person(app, "admin@nordwind.example")


@pytest.fixture(scope="module")
def viewer(app: Flask, house: House) -> Person:
    new_user(house.pool, "viewer@nordwind.example", "viewer", house.tenant_id)
    return Person(app, "viewer@nordwind.example")


def set_up_second_factor(page: Page, email: str) -> None:
    """As a person would, with a phone."""
    expect(page.get_by_label("Code")).to_be_visible()  # it stands below the key: the page is read, not its beginning
    phone.scan(email, page.content())
    page.get_by_label("Code").fill(phone.code(email))
    page.get_by_role("button", name="Switch on").click()
    expect(page.get_by_role("heading", name="Recovery codes")).to_be_visible()
    page.wait_for_load_state()
    phone.write_down(email, page.content())


@pytest.fixture
def login(page: Page) -> Login:
    def log_in(email: str, password: str = PASSWORD, next_page: str = "") -> None:
        page.goto(f"/portal/login{next_page}")
        page.get_by_label("E-mail address").fill(email)
        page.get_by_label("Password").fill(password)
        with page.expect_event("load"):  # what comes next is asked of the page that it leads to, the whole of it
            page.get_by_role("button", name="Log in").click()
        expect(page.get_by_role("heading", name="Log in")).to_have_count(0)
        if urlsplit(page.url).path == "/portal/login/code":
            page.get_by_label("Code").fill(phone.code(email))
            with page.expect_event("load"):
                page.get_by_role("button", name="Log in").click()
        elif urlsplit(page.url).path == SET_UP:
            set_up_second_factor(page, email)
            page.goto(next_page.removeprefix("?next=") or "/portal/")  # the set-up does not lead back there

    return log_in
