"""In which language a page is: its reader's, else their tenant's; before the log-in as the browser wishes."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from flask import Flask

from db.access import users
from db.tenants import registry
from tests.portal.client import BY, Person, changes_of
from tests.portal.rows import House

ACCOUNT = "/portal/account"


@pytest.fixture(autouse=True)
def english_again(app: Flask, house: House, admin: Person) -> Iterator[None]:
    yield
    registry.set_language(changes_of(app.extensions["relay"]), BY, house.tenant_id, "en")
    users.set_language(house.pool, _reader(house).id, None)


def _reader(house: House) -> users.User:
    found = users.by_email(house.pool, "admin@nordwind.example")
    assert found
    return found


def test_a_page_is_in_english_unless_somebody_says_otherwise(admin: Person) -> None:
    text = admin.get(ACCOUNT)
    assert '<html lang="en"' in text
    assert "Language</h2>" in text


def test_a_tenants_people_read_its_language_whatever_their_browser_wishes(
    app: Flask, house: House, admin: Person
) -> None:
    registry.set_language(changes_of(app.extensions["relay"]), BY, house.tenant_id, "de")
    text = admin.answer(ACCOUNT, **{"Accept-Language": "es"}).text
    assert '<html lang="de"' in text
    assert "Sprache</h2>" in text


def test_ones_own_language_goes_before_the_tenants(app: Flask, house: House, admin: Person) -> None:
    registry.set_language(changes_of(app.extensions["relay"]), BY, house.tenant_id, "de")
    text = admin.follow("/portal/account/language", {"language": "pt"})
    assert '<html lang="pt"' in text
    assert "Idioma</h2>" in text
    assert '<html lang="de"' in admin.follow("/portal/account/language", {"language": ""})


def test_a_language_that_is_not_spoken_here_is_refused(admin: Person) -> None:
    admin.post("/portal/account/language", {"language": "tlh"}, status=400)


@pytest.mark.parametrize(
    ("wishes", "language"),
    [("de-AT,de;q=0.9,en;q=0.8", "de"), ("fr,pt-BR;q=0.5,en;q=0.4", "pt"), ("fr", "en"), ("es;q=0, ;;,*", "en")],
)
def test_before_the_log_in_a_page_is_as_the_browser_wishes(app: Flask, wishes: str, language: str) -> None:
    answer = app.test_client().get("/portal/login", headers={"Accept-Language": wishes})
    assert f'<html lang="{language}"' in answer.text
