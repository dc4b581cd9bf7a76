"""Nobody's password, second factor or keys change behind their back."""

from __future__ import annotations

import re
from uuid import uuid4

import pytest
from flask import Flask

from db.access import api_keys, passwords, second_factor, user_news, users
from db.access.lineage import Maker
from db.access.users import User
from db.audit import Author
from db.pool import Pool
from tests.portal import phone
from tests.portal.client import PASSWORD, Person
from tests.portal.conftest import new_user
from tests.portal.rows import House

pytestmark = pytest.mark.usefixtures("nobody_has_tried")

NEW = "another horse battery staple"
TITLE = "What has changed about your log-in"
READ = re.compile(r'action="(/portal/account/news/[^"]+)"')


@pytest.fixture
def ada(app: Flask, house: House) -> User:
    return new_user(house.pool, f"{uuid4().hex}@nordwind.example", "admin", house.tenant_id)


def told(person: Person, page: str = "/portal/account") -> str:
    """What the box says, without what was written into the page around it."""
    text = person.get(page)
    return text.partition(TITLE)[2].partition("</form>")[0]


def test_a_password_that_somebody_changed_in_another_browser(app: Flask, ada: User) -> None:
    thief = Person(app, ada.email)
    form = {"current": PASSWORD, "new": NEW, "again": NEW}
    thief.post("/portal/account/password", form)
    assert told(thief) == "", "whoever did it knows"
    owner = Person(app, ada.email, NEW)
    assert "Your password was changed" in told(owner)
    assert "by <bdi>yourself</bdi>" in told(owner)
    assert "Werkzeug" in told(owner), "the browser it came from"


def test_a_password_and_a_second_factor_that_an_admin_reset(
    app: Flask, ada: User, house: House, settings_env: dict[str, str]
) -> None:
    other = new_user(house.pool, f"{uuid4().hex}@nordwind.example", "viewer", house.tenant_id)
    phone.enrol(house.pool, settings_env["CREDENTIALS_KEYS"], other)
    admin = Person(app, ada.email)
    admin.post(f"{house.path}/users/{other.id}/factor")
    box = told(Person(app, other.email))
    assert "Your second factor was taken away" in box
    assert ada.email in box
    assert told(admin) == "", "it is not the admin's account"


def test_a_second_factor_that_somebody_else_set_up(app: Flask, pool: Pool, ada: User) -> None:
    thief = Person(app, ada.email)
    thief.set_up_second_factor(ada.email)
    second_factor.remove(pool, Author("command line"), ada)
    box = told(Person(app, ada.email))
    assert "A second factor was set up for your account" in box
    assert "by <bdi>command line</bdi>" in box


def test_one_that_was_demanded_is_no_news(app: Flask, pool: Pool) -> None:
    user = new_user(pool, f"{uuid4().hex}@relay.example", "operator")
    Person(app, user.email)
    assert told(Person(app, user.email)) == ""
    assert user.email in phone.accounts


def test_keys_made_in_somebodys_name_and_revoked(app: Flask, pool: Pool, house: House, ada: User) -> None:
    thief, owner = Person(app, ada.email), Person(app, ada.email)
    thief.post(f"{house.path}/keys/new", {"name": "Way back in", "days": "30", "scopes": ["messages:read"]})
    assert told(thief) == ""
    assert "An API key was made in your name: <bdi>Way back in</bdi>" in told(owner)
    [key] = api_keys.of_user(pool, ada.id)
    made_with = Author("key", maker=Maker("key", key.id, generation=1))
    child, _ = api_keys.create(pool, made_with, house.tenant_id, "Child of it", ["messages:read"], None)
    api_keys.revoke(pool, Author("somebody"), house.tenant_id, child.id)
    box = told(owner)
    assert "Child of it" in box
    assert "An API key of yours was revoked" in box


def test_an_operators_key_in_a_tenant_is_made_all_the_same(app: Flask, house: House) -> None:
    """The tenant's rows do not show who the operator is, so there is nobody to be told."""
    user = new_user(house.pool, f"{uuid4().hex}@relay.example", "operator")
    operator = Person(app, user.email)
    operator.post(f"{house.path}/keys/new", {"name": "Ours", "days": "30", "scopes": ["messages:read"]})
    assert [key.name for key in api_keys.of_user(house.pool, user.id)] == ["Ours"]


def test_a_recovery_code_that_was_used(app: Flask, pool: Pool, settings_env: dict[str, str], ada: User) -> None:
    phone.enrol(pool, settings_env["CREDENTIALS_KEYS"], ada)
    entry = phone.accounts[ada.email]
    cipher = app.extensions["relay"].cipher
    assert second_factor.accept(pool, cipher, ada, entry.recovery_codes.pop())
    assert "recovery codes was used" in told(Person(app, ada.email))


def test_news_stay_until_they_are_read(app: Flask, pool: Pool, ada: User, house: House) -> None:
    users.set_password(pool, Author("somebody"), ada, passwords.hashed(PASSWORD), must_change=False)
    owner = Person(app, ada.email)
    page = f"{house.path}/messages"
    for _ in range(2):
        assert "Your password was changed" in told(owner, page)
    [action] = READ.findall(owner.get(page))
    assert owner.post(action) == page
    assert told(owner) == ""


def test_nobody_reads_the_news_of_somebody_else(app: Flask, pool: Pool, ada: User, house: House) -> None:
    other = new_user(house.pool, f"{uuid4().hex}@nordwind.example", "viewer", house.tenant_id)
    with pool.transaction() as cursor:
        user_news.tell(cursor, other.id, "password", Author("somebody"))
    [news] = user_news.waiting(pool, other.id, str(uuid4()))
    Person(app, ada.email).post(f"/portal/account/news/{news.id}/read")
    assert user_news.waiting(pool, other.id, str(uuid4())) == [news]


def test_no_more_are_kept_than_somebody_reads(pool: Pool, ada: User) -> None:
    for number in range(user_news.KEPT + 5):
        with pool.transaction() as cursor:
            user_news.tell(cursor, ada.id, "key_created", Author("somebody"), thing=f"key {number}")
    kept = [one.thing for one in user_news.waiting(pool, ada.id, str(uuid4()))]
    assert kept == [f"key {number}" for number in reversed(range(5, user_news.KEPT + 5))]
