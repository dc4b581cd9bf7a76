"""Users, operators, API keys, audit log, unknown numbers: who may do what, and what is shown once."""

from __future__ import annotations

import re
import zlib
from datetime import UTC, datetime, timedelta

import pytest
from flask import Flask

from db import audit
from db.access import api_keys, guesses, sessions, users
from db.access.guesses import Source
from db.audit import Author
from db.pool import Pool
from db.tenants import unknown_lines
from db.tenants.unknown_lines import Signer
from db.views import audit_search
from db.views.audit_search import AuditSearch
from tests.portal.client import Person
from tests.portal.conftest import new_user
from tests.portal.rows import House
from web.request.web_context import WebContext

SECRET = re.compile(r'id="once" value="([^"]+)"')


@pytest.fixture(scope="module")
def operator(app: Flask, house: House) -> Person:
    new_user(house.pool, "ops@relay.example", "operator")
    return Person(app, "ops@relay.example")


def _user(house: House, email: str) -> users.User:
    found = users.by_email(house.pool, email)
    assert found is not None
    return found


def test_an_invited_user_logs_in_with_the_password_that_was_shown_once(app: Flask, admin: Person, house: House) -> None:
    form = {"name": "Ola Nordmann", "email": "Ola@Nordwind.Example", "role": "viewer"}
    where = admin.post(f"{house.path}/users/new", form)
    [password] = SECRET.findall(admin.get(where))
    assert not SECRET.findall(admin.get(where))
    made = _user(house, "ola@nordwind.example")
    assert (made.role, made.must_change, made.tenant_id) == ("viewer", True, house.tenant_id)
    assert Person(app, made.email, password).get("/portal/account")
    assert "Ola Nordmann" in admin.get(f"{house.path}/users")


@pytest.mark.parametrize(
    ("form", "said"),
    [
        ({"name": "", "email": "x@nordwind.example", "role": "viewer"}, "Say what this person is called."),
        ({"name": "X\r\nY", "email": "x@nordwind.example", "role": "viewer"}, "cannot be printed"),
        ({"name": "X", "email": "nonsense", "role": "viewer"}, "This is not an e-mail address: "),
        ({"name": "X", "email": "admin@nordwind.example", "role": "viewer"}, "user with this address already"),
        ({"name": "X", "email": "x@nordwind.example", "role": "operator"}, "Not a valid choice"),
    ],
)
def test_an_invitation_that_cannot_be_says_why(admin: Person, house: House, form: dict[str, str], said: str) -> None:
    assert said in admin.post(f"{house.path}/users/new", form, status=400)
    assert users.by_email(house.pool, "x@nordwind.example") is None


def test_an_admin_says_which_lines_somebody_is_for(admin: Person, house: House) -> None:
    form = {"name": "Li", "email": "li@nordwind.example", "role": "admin", "reach": "some"}
    assert "Choose at least one of these lines" in admin.post(f"{house.path}/users/new", form, status=400)
    where = admin.post(f"{house.path}/users/new", form | {"lines": house.line_id})
    made = _user(house, "li@nordwind.example")
    assert made.line_ids == (house.line_id,)
    assert f'value="{house.line_id}" id="line-1" checked' in admin.get(where)
    kept = {"name": "Li", "role": "viewer", "status": "active"}
    admin.post(where, kept)
    assert _user(house, made.email).line_ids == (house.line_id,)
    admin.post(where, kept | {"reach": "all"})
    assert _user(house, made.email).line_ids is None
    lines = [one.detail.get("lines") for one in audit_search.listed(house.pool, AuditSearch(house.tenant_id)).items
             if one.subject == made.id]  # fmt: skip
    assert lines == [None, [house.line_id], [house.line_id]]


def test_who_saves_what_he_saw_before_somebody_narrowed_it_saves_nothing(admin: Person, house: House) -> None:
    other = new_user(house.pool, "rio@nordwind.example", "admin", house.tenant_id)
    where, rights = (
        f"{house.path}/users/{other.id}",
        {"name": "Kim", "role": "admin", "status": "active", "reach": "all"},
    )
    [seen] = re.findall(r'name="seen" type="hidden" value="(\d+)"', admin.get(where))
    admin.follow(where, rights | {"seen": seen, "reach": "some", "lines": house.line_id})
    assert "somebody else has changed these rights" in admin.follow(where, rights | {"seen": seen})
    assert _user(house, other.email).line_ids == (house.line_id,)


def test_a_viewer_changes_nobody_and_sees_no_users(viewer: Person, house: House) -> None:
    viewer.get(f"{house.path}/users", status=403)
    viewer.get(f"{house.path}/users/new", status=403)
    own = _user(house, "viewer@nordwind.example")
    viewer.post(f"{house.path}/users/{own.id}", {"name": "V", "role": "admin", "status": "active"}, status=403)
    assert _user(house, own.email).role == "viewer"


def test_a_change_of_rights_logs_out_and_ones_own_stay(app: Flask, admin: Person, house: House) -> None:
    other = new_user(house.pool, "pia@nordwind.example", "viewer", house.tenant_id)
    browser = Person(app, other.email)
    page = admin.follow(f"{house.path}/users/{other.id}", {"name": "Pia", "role": "admin", "status": "active"})
    assert "Saved." in page
    assert _user(house, other.email).role == "admin"
    browser.get("/portal/account", status=302)
    own = _user(house, "admin@nordwind.example")
    admin.post(f"{house.path}/users/{own.id}", {"name": "Boss", "role": "viewer", "status": "disabled"})
    kept = _user(house, own.email)
    assert (kept.name, kept.role, kept.status) == ("Boss", "admin", "active")


def test_new_password_log_out_and_unlock(app: Flask, admin: Person, house: House) -> None:
    other = new_user(house.pool, "kim@nordwind.example", "viewer", house.tenant_id)
    Person(app, other.email)
    assert "1 browser logged out." in admin.follow(f"{house.path}/users/{other.id}/logout", {})
    assert sessions.listed(house.pool, other.id) == []
    for number in range(guesses.STRANGERS_FREE_FAILURES):
        guesses.begin(house.pool, other.id, Source(f"network:{number}", known=False))
    assert "locked until" in admin.get(f"{house.path}/users/{other.id}")
    assert "Unlocked." in admin.follow(f"{house.path}/users/{other.id}/unlock", {})
    assert _user(house, other.email).locked_until is None
    [password] = SECRET.findall(admin.follow(f"{house.path}/users/{other.id}/password", {}))
    assert Person(app, other.email, password).get("/portal/account")


def test_another_tenants_people_and_operators_do_not_exist(admin: Person, house: House, pool: Pool) -> None:
    neighbour = House(pool, "Südlicht")
    other = new_user(pool, "admin@suedlicht.example", "admin", neighbour.tenant_id)
    boss = new_user(pool, "boss@relay.example", "operator")
    for user in (other, boss):
        admin.get(f"{house.path}/users/{user.id}", status=404)
        admin.post(f"{house.path}/users/{user.id}/password", status=404)
        admin.get(f"/portal/operators/{user.id}", status=403)
    admin.get(f"{neighbour.path}/users", status=404)
    admin.get("/portal/operators", status=403)


def test_a_key_is_shown_once_and_revoked_after_a_question(admin: Person, house: House) -> None:
    form = {"name": "Shop", "days": "30", "scopes": ["messages:read", "messages:send"]}
    page = admin.follow(f"{house.path}/keys/new", form)
    [secret] = SECRET.findall(page)
    key = api_keys.by_secret(house.pool, secret)
    assert key is not None
    assert (key.tenant_id, key.scopes) == (house.tenant_id, ["messages:read", "messages:send"])
    assert key.expires_at is not None
    assert key.expires_at < datetime.now(UTC) + timedelta(days=31)
    assert secret not in admin.get(f"{house.path}/keys")
    assert "cannot be brought back" in admin.get(f"{house.path}/keys/{key.id}/revoke")
    assert "admits nobody any more" in admin.follow(f"{house.path}/keys/{key.id}/revoke", {})
    assert api_keys.by_secret(house.pool, secret) is None


def test_a_key_for_some_lines_is_made_on_the_page(admin: Person, house: House) -> None:
    form = {"name": "Till", "days": "30", "reach": "some", "lines": house.line_id, "scopes": ["messages:read"]}
    refused = admin.post(f"{house.path}/keys/new", form | {"scopes": ["access:read"]}, status=400)
    assert "A key for some lines cannot have access:read." in refused
    [secret] = SECRET.findall(admin.follow(f"{house.path}/keys/new", form))
    key = api_keys.by_secret(house.pool, secret)
    assert key is not None
    assert key.line_ids == (house.line_id,)


def test_nobody_makes_a_key_for_more_than_he_may(admin: Person, house: House) -> None:
    form = {"name": "Thief", "days": "30", "scopes": ["tokens:read"]}
    assert "tokens:read" not in admin.get(f"{house.path}/keys/new")
    assert "not a valid choice" in admin.post(f"{house.path}/keys/new", form, status=400).lower()
    assert "Choose at least one." in admin.post(f"{house.path}/keys/new", {"name": "N", "days": "30"}, status=400)


def test_operators_and_their_keys_have_the_same_pages(operator: Person, house: House) -> None:
    where = operator.post("/portal/operators/new", {"name": "Nils", "email": "nils@relay.example", "role": "operator"})
    assert SECRET.findall(operator.get(where))
    assert _user(house, "nils@relay.example").tenant_id is None
    page = operator.follow("/portal/operator/keys/new", {"name": "Monitor", "days": "90", "scopes": ["tenants:read"]})
    assert SECRET.findall(page)
    assert "nils@relay.example" in operator.get("/portal/operators")
    assert "Monitor" not in operator.get(f"{house.path}/keys")


def test_the_overview_names_tenants_in_trouble_first(operator: Person, admin: Person, house: House) -> None:
    with house.pool.transaction() as cursor:
        cursor.execute(
            """INSERT INTO tenant_credentials (tenant_id, type, sealed, shown, health)
               VALUES (%s, 'genesys', '', '{}', 'refused')""",
            (house.tenant_id,),
        )
    House(house.pool, "Aachen, in no trouble")
    page = operator.get("/portal/overview/tenants")
    assert "Genesys refuses the credentials." in page
    assert page.index(">Nordwind<") < page.index("Aachen, in no trouble")
    page = operator.get("/portal/overview")
    assert "No daemon of the relay is running." in page
    admin.get("/portal/overview", status=403)


# Audit log


def _lines(pool: Pool, tenant_id: str, count: int, action: str, days: int) -> None:
    with pool.transaction() as cursor:
        for n in range(count):
            audit.record(cursor, Author(f"robot {n}"), action, tenant_id=tenant_id)
        cursor.execute(
            "UPDATE audit_log SET at = now() - make_interval(days => %s) WHERE action = %s AND tenant_id = %s",
            (days, action, tenant_id),
        )


def test_the_audit_log_is_searched_in_bounded_stretches(
    pool: Pool, operator: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = House(pool, "Audited")
    with pool.transaction() as cursor:
        cursor.execute("DELETE FROM audit_log WHERE tenant_id = %s", (other.tenant_id,))
    for action, days in (("line.put", 9), ("line.removed", 5), ("credentials.put", 1)):
        _lines(pool, other.tenant_id, 4, action, days)
    limited = pool.of_tenant(other.tenant_id)

    def found(**wanted: object) -> list[str]:
        return [one.action for one in audit_search.listed(limited, AuditSearch(other.tenant_id, **wanted)).items]  # type: ignore[arg-type]

    assert found(until=datetime.now(UTC) - timedelta(days=3))[0] == "line.removed"
    assert found(until=datetime.now(UTC) - timedelta(days=7))[0] == "line.put"
    assert found(until=datetime.now(UTC) - timedelta(days=90)) == []
    assert found(actor="ROBOT 3") == ["credentials.put", "line.removed", "line.put"]
    monkeypatch.setattr(audit_search, "STRETCH", 5)
    page, seen = audit_search.listed(limited, AuditSearch(other.tenant_id, actions=["line.put"]), 2), 0
    assert page.searched_to is not None, "short, and it says why"
    for _ in range(6):
        seen += len(page.items)
        if page.next is None:
            break
        page = audit_search.listed(limited, AuditSearch(other.tenant_id, actions=["line.put"], before=page.next), 2)
    assert (seen, page.next) == (4, None)


def test_the_audit_log_shows_words_and_filters(admin: Person, viewer: Person, operator: Person, house: House) -> None:
    page = admin.get(f"{house.path}/audit?group=people")
    assert "Invited a user" in page
    assert "Made an API key" not in page
    assert "Nothing matches" in admin.get(f"{house.path}/audit?actor=nobody-at-all")
    assert "Invited a user" in operator.get("/portal/audit")
    viewer.get(f"{house.path}/audit", status=403)


def test_a_search_of_the_audit_log_says_how_far_it_went(
    admin: Person, house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    admin.get(f"{house.path}/audit")
    monkeypatch.setattr(audit_search, "STRETCH", 1)
    for actor in ("nobody-at-all", "admin@"):
        page = admin.get(f"{house.path}/audit?actor={actor}")
        assert "Searched back to" in page
        assert "Search further back" in page


# Unknown numbers


def test_unknown_numbers_are_shown_and_kept_until_a_line_owns_them(operator: Person, admin: Person, pool: Pool) -> None:
    signer = Signer("a" * 32, None)
    item = ("399", "4915112345678", 0, {"text": {"body": "Hello?"}, "access_token": "EAAGsecretsecret"})
    unknown_lines.keep(pool, "whatsapp", signer, [item], datetime.now(UTC), "no active line has this id")
    unreadable = ("", "", 0, {"unreadable": "<html>", "length": 6})
    unknown_lines.keep(
        pool, "genesys", signer, [unreadable], datetime.now(UTC), "rightly signed, but not readable as JSON"
    )
    page = operator.get("/portal/unknown-numbers")
    assert "399" in page
    assert "1 from Genesys" in page
    page = operator.get("/portal/unknown-numbers/whatsapp/399")
    assert "Hello?" in page
    assert "EAAGsecretsecret" not in page
    assert "&lt;html&gt;" in operator.get("/portal/unknown-numbers/genesys")
    refused = operator.post("/portal/unknown-numbers/whatsapp/399/replay", status=409)
    assert "complete the onboarding of its tenant first" in refused
    operator.get("/portal/unknown-numbers/whatsapp/400", status=404)
    admin.get("/portal/unknown-numbers", status=403)


def test_what_came_for_a_number_is_relayed_once_a_line_has_it(operator: Person, app: Flask, pool: Pool) -> None:
    house = House(pool, "Late")
    parts: WebContext = app.extensions["relay"]
    with pool.transaction() as cursor:
        cursor.execute("UPDATE lines SET phone_number_id = '398' WHERE id = %s", (house.line_id,))
    items = [("398", "4915112345678", n, {"id": n}) for n in range(3)]
    of_operator = Signer(parts.signers.digest(parts.meta_app_secret), None)
    unknown_lines.keep(pool, "whatsapp", of_operator, items, datetime.now(UTC), "no active line has this id")
    other = House(pool, "Somebody Else")
    stranger = Signer("b" * 32, other.tenant_id)
    unknown_lines.keep(pool, "whatsapp", stranger, items[:1], datetime.now(UTC), "no active line has this id")
    page = operator.follow("/portal/unknown-numbers/whatsapp/398/replay", {})
    assert "3 items relayed." in page
    assert "1 item stay" in page
    assert "Somebody Else" in page
    assert house.audited("unknown.replayed")[0]["count"] == 3
    assert [one.tenant for one in unknown_lines.waiting(pool, "whatsapp", "398", 10)] == ["Somebody Else"]
    page = operator.follow("/portal/unknown-numbers/whatsapp/398/delete", {"signer": stranger.digest})
    assert "1 item deleted." in page
    assert unknown_lines.count(pool, "whatsapp", "398") == 0


def test_a_body_that_was_kept_whole_can_be_had_as_it_came(operator: Person, pool: Pool) -> None:
    raw = zlib.compress(b"[" * 1000)
    row = ("", "", 0, {"unreadable": "[[[", "length": 1000})
    unknown_lines.keep(pool, "whatsapp", Signer("a" * 32, None), [row], datetime.now(UTC), "rightly signed", raw=raw)
    [kept] = [one for one in unknown_lines.waiting(pool, "whatsapp", "", 100) if one.whole]
    assert f"/portal/unknown-numbers/whole/{kept.id}" in operator.get("/portal/unknown-numbers/whatsapp")
    assert operator.get(f"/portal/unknown-numbers/whole/{kept.id}") == "[" * 1000
    operator.get("/portal/unknown-numbers/whole/9223372036854775807", status=404)


def test_a_tenant_is_told_when_the_operator_was_in_it(admin: Person, operator: Person, house: House) -> None:
    said = house.say("4915111111111", "Hello", name="Ada Brandt")
    assert "was here" not in admin.get(f"{house.path}/dashboard")
    admin.get(f"{house.path}/conversations/{said.conversation_id}")
    assert "was here" not in admin.get(f"{house.path}/dashboard"), "its own people are no visitors"
    operator.get(f"{house.path}/conversations/{said.conversation_id}")
    page = admin.get(f"{house.path}/dashboard")
    assert "The operator of this installation was here" in page and "ops@relay.example" in page
    assert "was here" not in operator.get(f"{house.path}/dashboard"), "to its own people it says so"
    log = admin.get(f"{house.path}/audit?group=operator")
    assert "Looked at a conversation" in log and ">Operator</span>" in log
    assert "admin@nordwind.example" not in log.partition("<tbody>")[2]


def test_an_operator_is_let_in_by_the_tenants_admins_or_by_a_reason_that_they_read(
    admin: Person, operator: Person, house: House
) -> None:
    chats, visits = f"{house.path}/conversations", f"{house.path}/visits"
    admin.post(f"{visits}/rule", {"rule": "consent"})
    try:
        operator.get(chats, status=302)
        refused = operator.get(visits)
        assert "only when it allows it" in refused and "Let me in, and tell them" in refused
        assert "Say it in 10 to 300" in operator.post(f"{visits}/force", {"reason": "now"}, status=400)
        operator.post(f"{visits}/allow", {"hours": "1"}, status=403)
        admin.post(f"{visits}/allow", {"hours": "8"})
        operator.get(chats)
        operator.post(f"{visits}/end", {}, status=403)
        admin.post(f"{visits}/end", {})
        operator.get(chats, status=302)
        operator.post(f"{visits}/force", {"reason": "Messages are being lost"})
        operator.get(chats)
        assert "Messages are being lost" in admin.get(f"{house.path}/dashboard")
        operator.post(f"{visits}/rule", {"rule": "always"}, status=403)
    finally:
        admin.post(f"{visits}/rule", {"rule": "always"})
    operator.get(chats)
