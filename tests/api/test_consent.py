"""A tenant that lets operators look in only by consent: their programs and people see nothing of what people wrote."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from flask import Flask

from db import audit
from db.audit import Author
from db.conditions import standing
from db.pool import Pool
from db.tenants import visits
from db.tenants.changes import TakenError
from tests.api.conftest import Api
from tests.api.test_separation import Call, Tenant, calls, make, rows, shown, unlimited
from web.request.principal import OPERATOR, right_of

__all__ = ["make", "unlimited"]
BY, OPS = Author("ada@nordwind.example"), Author("ops@relay.example", operator=True)
CHANGED = {"audit_log", "tenants"}


@pytest.fixture
def closed(pool: Pool, make: Callable[[str], Tenant]) -> Tenant:
    one = make("One")
    with pool.transaction() as cursor:
        cursor.execute("UPDATE tenants SET name = 'One' WHERE id = %s", (one.id,))  # which is no secret
    visits.choose(pool, BY, one.id, by_consent=True)
    return one


def test_an_operators_program_reaches_nothing_that_people_wrote(
    app: Flask, pool: Pool, api: Api, make: Callable[[str], Tenant], closed: Tenant
) -> None:
    open_one = make("Two")
    before = {name: found for name, found in rows(pool, closed).items() if name not in CHANGED}
    for call in calls(app, open_one, closed):
        if call.path.startswith("/portal") or _of_the_installation(app, call):
            continue
        for named in ({}, {"X_Tenant_ID": closed.id}, {"X_Tenant_ID": open_one.id}):
            answer = api(call.method, call.path, call.body, **named)
            assert not shown(answer, closed), f"{call} with {named} shows what is the tenant's"
            assert answer.status_code not in (429, 500), f"{call}: {answer.get_data(as_text=True)}"
    assert {name: found for name, found in rows(pool, closed).items() if name not in CHANGED} == before


def _of_the_installation(app: Flask, call: Call) -> bool:
    """What shows no one tenant's, and what an operator may do without consent."""
    endpoint, values = app.url_map.bind("").match(call.path.partition("?")[0], call.method)
    marked = getattr(app.view_functions[endpoint], "without_consent", False)
    with app.app_context():
        return (right_of(endpoint) == OPERATOR and "tenant_id" not in values) or (marked and call.method != "GET")


def test_a_visit_lets_operators_in_until_it_ends(api: Api, pool: Pool, closed: Tenant) -> None:
    path = f"/api/messages/{closed.message_id}"
    for named in ({}, {"X_Tenant_ID": closed.id}):
        api.error(api("GET", path, **named), 403, "consent_missing")
    assert api("GET", path, key=closed.key).status_code == 200, "the tenant's own programs go on"
    visits.allow(pool, BY, closed.id, 8)
    assert api("GET", path).status_code == 200
    assert visits.end(pool, BY, closed.id) and not visits.end(pool, BY, closed.id)
    api.error(api("GET", path), 403, "consent_missing")
    visits.allow(pool, BY, closed.id, 1)
    with pool.transaction() as cursor:
        cursor.execute("UPDATE tenants SET visit_until = now() WHERE id = %s", (closed.id,))
    api.error(api("GET", path), 403, "consent_missing")
    visits.choose(pool, BY, closed.id, by_consent=False)
    assert api("GET", path).status_code == 200
    assert _told(pool, closed) == ["visits.consent", "visit.allowed", "visit.ended", "visit.allowed", "visits.always"]


def test_without_consent_an_operator_sees_how_it_stands_and_pauses_it(api: Api, closed: Tenant) -> None:
    tenant = f"/api/tenants/{closed.id}"
    for path in (tenant, f"{tenant}/lines", f"{tenant}/prices", f"{tenant}/lines/{closed.line_id}/catch-up"):
        assert api("GET", path).status_code == 200, path
    assert api("PATCH", tenant, {"status": "paused"}).get_json()["status"] == "paused"
    for path in ("users", "keys", "audit", "endpoints", "erasures", "whatsapp/credentials"):
        api.error(api("GET", f"{tenant}/{path}"), 403, "consent_missing")


def test_no_consent_is_needed_to_close_a_tenant_nor_to_take_it_back(api: Api, closed: Tenant) -> None:
    """Once it is closed nobody is left who could consent."""
    departure = f"/api/tenants/{closed.id}/departure"
    assert api("POST", departure, {}).status_code == 202
    assert api("GET", departure).status_code == 200
    assert api("POST", f"{departure}/deletion", {"name": "One"}).status_code == 202
    assert api("DELETE", departure).status_code == 204


def test_an_operator_that_lets_itself_in_is_told_of_at_once(pool: Pool, api: Api, closed: Tenant) -> None:
    visits.force(pool, OPS, closed.id, "Messages are being lost, nobody answers.")
    assert api("GET", f"/api/messages/{closed.message_id}").status_code == 200
    while standing.evaluate(pool, 10):
        pass
    [told] = [one for one in standing.open_ones(pool, closed.id) if one.kind == "visit_forced"]
    assert told.detail == "ops@relay.example: Messages are being lost, nobody answers"
    assert _told(pool, closed)[-1] == "visit.forced"
    held = visits.standing(pool, closed.id)
    assert held and held.forced and not held.closed
    visits.end(pool, BY, closed.id)
    api.error(api("GET", f"/api/messages/{closed.message_id}"), 403, "consent_missing")


def test_where_operators_look_in_anyway_nothing_is_allowed_or_forced(pool: Pool, make: Callable[[str], Tenant]) -> None:
    one = make("One")
    for ask in (lambda: visits.allow(pool, BY, one.id, 1), lambda: visits.force(pool, OPS, one.id, "x" * 20)):
        with pytest.raises(TakenError):
            ask()


def _told(pool: Pool, one: Tenant) -> list[str]:
    with pool.transaction() as cursor:
        cursor.execute(
            "SELECT action, detail ? %s FROM audit_log WHERE tenant_id = %s AND action LIKE 'visit%%' ORDER BY id",
            (audit.BY_OPERATOR, one.id),
        )
        found = cursor.fetchall()
    assert all(by_operator == (action == "visit.forced") for action, by_operator in found)
    return [action for action, _ in found]
