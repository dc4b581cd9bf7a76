"""A browser that was left open, or a copied cookie, changes neither who gets in nor with which secrets."""

from __future__ import annotations

import html
import re
from uuid import uuid4

import pytest
from flask import Flask

from db.access import sessions, users
from db.pool import Pool
from db.tenants import drafts
from db.views import audit_search
from db.views.audit_search import AuditSearch
from tests.portal import phone
from tests.portal.client import PASSWORD, Person
from tests.portal.conftest import new_user
from tests.portal.rows import House
from web.request.principal import right_of
from web.request.web_context import WebContext

pytestmark = pytest.mark.usefixtures("nobody_has_tried")

HELD = re.compile(r'name="proof_held" value="([^"]+)"')
NEVER_SEEN = "a-secret-that-was-typed"
HARMLESS = {"portal.end_user_session", "portal.end_operator_session", "portal.end_visit"}
"""They take access away, and give none."""


@pytest.fixture
def ada(app: Flask, house: House) -> users.User:
    return new_user(house.pool, f"{uuid4().hex}@nordwind.example", "admin", house.tenant_id)


@pytest.fixture
def person(app: Flask, ada: users.User) -> Person:
    return Person(app, ada.email)


def left_open(pool: Pool, user: users.User) -> None:
    """Eleven minutes go by."""
    with pool.transaction() as cursor:
        cursor.execute("UPDATE sessions SET proved_at = now() - interval '11 minutes' WHERE user_id = %s", (user.id,))


def held_on(page: str) -> str:
    found = HELD.search(page)
    assert found, page
    return html.unescape(found[1])


def test_a_browser_left_open_invites_nobody(house: House, ada: users.User, person: Person) -> None:
    where, email = f"{house.path}/users/new", f"{uuid4().hex}@nordwind.example"
    left_open(house.pool, ada)
    assert person.get(where, 302) == person.get(where, 302)
    page = person.post(where, {"name": "Eve", "email": email, "role": "admin"}, status=403)
    assert "still you" in page
    assert email not in page
    wrong = person.post(where, {"proof": "wrong", "proof_held": held_on(page)}, status=400)
    assert users.by_email(house.pool, email) is None
    person.post(where, {"proof": PASSWORD, "proof_held": held_on(wrong)})
    made = users.by_email(house.pool, email)
    assert made, "what was typed before counts"
    assert (made.name, made.role) == ("Eve", "admin")
    person.get(where)


def test_what_was_typed_counts_too_when_it_was_shown_in_another_window(
    house: House, ada: users.User, person: Person
) -> None:
    where, email = f"{house.path}/users/new", f"{uuid4().hex}@nordwind.example"
    left_open(house.pool, ada)
    held = held_on(person.post(where, {"name": "Ola", "email": email, "role": "viewer"}, status=403))
    asked = f"/portal/confirm?next={where}"
    person.post(asked, {"proof": PASSWORD}, form_on=asked)
    person.post(where, {"proof": "", "proof_held": held})
    assert users.by_email(house.pool, email)


def test_nor_does_it_show_a_form_before_the_question(house: House, ada: users.User, person: Person) -> None:
    left_open(house.pool, ada)
    for page in ("keys/new", "setup/genesys", "setup/whatsapp", "lines/new", "users/new"):
        answer = person.answer(f"{house.path}/{page}")
        assert (answer.status_code, answer.headers["Location"].partition("?")[0]) == (302, "/portal/confirm"), page
    asked = f"/portal/confirm?next={house.path}/keys/new"
    assert person.post(asked, {"proof": "wrong"}, 400, form_on=asked)
    assert person.post(asked, {"proof": PASSWORD}, form_on=asked) == f"{house.path}/keys/new"
    person.get(f"{house.path}/keys/new")


@pytest.mark.parametrize(
    ("where", "form"),
    [
        ("/portal/confirm?next=/portal/", {"proof": "wrong"}),
        ("/portal/account/password", {"current": "wrong", "new": NEVER_SEEN, "again": NEVER_SEEN}),
    ],
)
def test_guesses_of_whoever_found_it_do_not_go_unseen(
    house: House, ada: users.User, person: Person, where: str, form: dict[str, str]
) -> None:
    person.post(where, form, 400)
    told = [one for one in audit_search.listed(house.pool, AuditSearch(house.tenant_id)).items if one.subject == ada.id]
    assert [one.detail["what"] for one in told if one.action == "login.refused"] == ["password"]


def test_the_question_leads_to_no_other_site(house: House, ada: users.User, person: Person) -> None:
    asked = "/portal/confirm?next=//evil.example/portal/"
    assert person.post(asked, {"proof": PASSWORD}, form_on=asked) == "/portal/"


def test_credentials_that_were_typed_too_late_are_not_shown_again_nor_lost(
    app: Flask, house: House, ada: users.User, person: Person
) -> None:
    where = f"{house.path}/setup/genesys"
    left_open(house.pool, ada)
    form = {"region": "mypurecloud.de", "client_secret": NEVER_SEEN, "do": "later"}
    page = person.post(where, form, status=403)
    assert NEVER_SEEN not in page
    parts: WebContext = app.extensions["relay"]
    assert drafted(parts, house) is None
    person.post(where, {"proof": PASSWORD, "proof_held": held_on(page)})
    assert drafted(parts, house) == NEVER_SEEN


def drafted(parts: WebContext, house: House) -> str | None:
    values: dict[str, dict[str, str]] = drafts.get(parts.pool, parts.cipher, house.tenant_id).values
    return values.get("genesys", {}).get("client_secret")


def test_what_somebody_else_typed_or_in_another_form_is_not_taken(app: Flask, house: House, person: Person) -> None:
    other = new_user(house.pool, f"{uuid4().hex}@nordwind.example", "admin", house.tenant_id)
    theirs, email = Person(app, other.email), f"{uuid4().hex}@nordwind.example"
    left_open(house.pool, other)
    form = {"name": "Eve", "email": email, "role": "admin"}
    page = theirs.post(f"{house.path}/users/new", form, status=403)
    with house.pool.transaction() as cursor:
        cursor.execute("UPDATE sessions SET proved_at = now() - interval '11 minutes'")
    proof = {"proof": PASSWORD, "proof_held": held_on(page)}
    assert "fill the form in once more" in person.post(f"{house.path}/users/new", proof, status=400)
    assert "fill the form in once more" in theirs.post(f"{house.path}/keys/new", proof, status=400)
    assert users.by_email(house.pool, email) is None


def test_the_answer_cannot_be_guessed(house: House, ada: users.User, person: Person) -> None:
    left_open(house.pool, ada)
    asked = f"/portal/confirm?next={house.path}/keys/new"
    answers = [person.send(asked, {"proof": f"guess {n}"}).status_code for n in range(8)]
    assert answers[0] == 400
    assert answers[-1] == 429


def test_a_part_of_a_page_is_refused_and_its_script_told_why(house: House, ada: users.User, person: Person) -> None:
    left_open(house.pool, ada)
    answer = person.send(f"{house.path}/setup/genesys", {"do": "test"}, **{"X-Fragment": "1"})
    assert (answer.status_code, answer.headers["X-Proof"]) == (403, "needed")


def test_whoever_has_an_app_may_show_a_code_of_it_once(app: Flask, pool: Pool, settings_env: dict[str, str]) -> None:
    user = new_user(pool, f"{uuid4().hex}@relay.example", "operator")
    phone.enrol(pool, settings_env["CREDENTIALS_KEYS"], user)
    person = Person(app, user.email)
    left_open(pool, user)
    code = phone.code(user.email)
    asked = "/portal/confirm?next=/portal/operators/new"
    assert person.post(asked, {"proof": code}, form_on=asked) == "/portal/operators/new"
    left_open(pool, user)
    assert person.send(asked, {"proof": code}).status_code == 400


def test_every_view_that_changes_users_or_keys_asks(app: Flask) -> None:
    with app.app_context():
        rules = [one for one in app.url_map.iter_rules() if one.endpoint.startswith("portal.")]
        found = {one.endpoint for one in rules if right_of(one.endpoint) == "access:write"} - HARMLESS
    asking = {name for name, view in app.view_functions.items() if getattr(view, "recent", False)}
    assert len(found) >= 5
    assert found - asking == set()
    assert {"portal.set_up_factor", "portal.remove_factor", "portal.renew_recovery_codes"} <= asking
    assert {"portal.setup_genesys", "portal.setup_whatsapp", "portal.add_line", "portal.connect_genesys"} <= asking
    assert {"portal.new_operator", "portal.operator_action", "portal.new_operator_key"} <= asking


def test_a_stolen_session_can_be_ended_alone(app: Flask, house: House, ada: users.User, person: Person) -> None:
    thief = Person(app, ada.email)
    mine, stolen = sorted(sessions.listed(house.pool, ada.id), key=lambda one: one.created_at)
    assert f"/sessions/{stolen.id}/end" in person.get("/portal/account")
    assert f"/sessions/{mine.id}/end" not in person.get("/portal/account"), "this browser has its own way out"
    person.post(f"/portal/account/sessions/{stolen.id}/end")
    thief.get("/portal/account", status=302)
    assert [one.id for one in sessions.listed(house.pool, ada.id)] == [mine.id]


def test_an_admin_ends_a_session_of_his_users_and_of_nobody_else(
    app: Flask, house: House, pool: Pool, ada: users.User, person: Person
) -> None:
    colleague = new_user(pool, f"{uuid4().hex}@nordwind.example", "viewer", house.tenant_id)
    Person(app, colleague.email)
    neighbour = House(pool, "Südlicht")
    stranger = new_user(pool, f"{uuid4().hex}@suedlicht.example", "viewer", neighbour.tenant_id)
    Person(app, stranger.email)
    [own], [foreign] = sessions.listed(pool, colleague.id), sessions.listed(pool, stranger.id)
    person.post(f"{house.path}/users/{colleague.id}/sessions/{foreign.id}/end", status=404)
    person.post(f"{house.path}/users/{stranger.id}/sessions/{foreign.id}/end", status=404)
    assert sessions.listed(pool, stranger.id) == [foreign]
    assert "logged out" in person.follow(f"{house.path}/users/{colleague.id}/sessions/{own.id}/end", {})
    assert sessions.listed(pool, colleague.id) == []
