"""What the portal shows of a line that waits for proof, and letting a line go. Without scripts, as a plain browser."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
import requests
from flask import Flask

from db.tenants import onboarding, ownership
from db.tenants.changes import Changes
from db.tenants.onboarding import Line
from relay.checks.line_checks import OwnInstallation
from relay.checks.owners import Owners
from relay.checks.ownership import Ownership
from tests import processes
from tests.portal.client import Person, changes_of, live_line, new_tenant, running_app
from tests.portal.conftest import new_user
from tests.portal.suedlicht import GENESYS, WHATSAPP
from tests.services.emptying import empty
from tests.waiting import PATIENCE
from web.request.web_context import WebContext

STORED = {name: value for name, value in WHATSAPP.items() if name != "app"}


@pytest.fixture(scope="module")
def app(settings_env: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Flask]:
    logs: Path = tmp_path_factory.mktemp("sandbox")
    with processes.sandbox(settings_env, logs), running_app(settings_env) as made:
        yield made


@pytest.fixture
def parts(app: Flask) -> WebContext:
    held: WebContext = app.extensions["relay"]
    return held


@pytest.fixture
def tenant_id(parts: WebContext) -> str:
    with parts.pool.transaction() as cursor:
        empty(cursor, "tenants", "users", "audit_log")
    return new_tenant(parts, "Südlicht")


@pytest.fixture
def person(app: Flask, parts: WebContext, tenant_id: str) -> Callable[[Any], Person]:
    def make(role: Any) -> Person:
        email = f"{uuid4().hex}@suedlicht.example"
        new_user(parts.pool, email, role, None if role == "operator" else tenant_id)
        return Person(app, email)

    return make


@pytest.fixture
def meta_is_silent(app: Flask, settings_env: dict[str, str]) -> Iterator[Callable[[], None]]:
    """Meta answers no look-up; called, it does again."""
    address = f"http://127.0.0.1:{settings_env['SANDBOX_PORT']}/control/faults"
    calls = ["phone_number", "phone_numbers"]
    silent = {"meta": {"error_rate": 1, "error_codes": [4], "calls": calls}}
    assert requests.post(address, json=silent, timeout=PATIENCE).ok

    def again() -> None:
        assert requests.delete(address, timeout=PATIENCE).ok

    yield again
    again()


def base(tenant_id: str) -> str:
    return f"/portal/tenants/{tenant_id}"


def asked_again(parts: WebContext, tenant_id: str) -> Line:
    """What a daemon does when the line's time has come."""
    with parts.pool.transaction() as cursor:
        cursor.execute("UPDATE lines SET ask_at = now() WHERE tenant_id = %s AND ask_at IS NOT NULL", (tenant_id,))
    everybody = Changes(parts.pool, parts.cache.forget_routes)
    ours = OwnInstallation(parts.public_url, parts.meta_app_secrets)
    asking = Ownership(Owners(everybody, parts.cipher, parts.channels, ours))
    for due in ownership.take_due(parts.pool, 60):
        asking.ask_again(due)
    [line] = onboarding.listed(parts.pool, tenant_id)
    return line


def test_the_wizard_says_that_a_line_waits_and_shows_it_live_when_the_proof_comes(
    person: Callable[[Any], Person], parts: WebContext, tenant_id: str, meta_is_silent: Callable[[], None]
) -> None:
    admin = person("admin")
    for step, values in (("genesys", GENESYS), ("whatsapp", WHATSAPP)):
        admin.post(f"{base(tenant_id)}/setup/{step}", {**values, "do": "save"})
    assert admin.post(f"{base(tenant_id)}/setup/live").endswith("/setup/review"), "there is nothing to test yet"
    page = admin.get(f"{base(tenant_id)}/setup/review")
    assert "Not live yet: the relay waits for proof, and goes on asking." in page
    assert 'data-standing="waiting"' in page
    assert "Application request limit reached" in page
    assert "The relay asks again by itself" in admin.get(f"{base(tenant_id)}/lines")
    assert "A line waits for proof" in admin.follow(f"{base(tenant_id)}/lines/live", {})
    assert asked_again(parts, tenant_id).status == "pending"
    assert 'data-standing="waiting"' in admin.get(f"{base(tenant_id)}/setup/standing")
    meta_is_silent()
    assert asked_again(parts, tenant_id).status == "active"
    standing = admin.get(f"{base(tenant_id)}/setup/standing")
    assert "data-standing" not in standing
    assert "A line is live." in standing
    assert "Proved to be Südlicht's" in admin.get(f"{base(tenant_id)}/lines/{asked_again(parts, tenant_id).id}")


def test_the_operator_lets_a_line_go_and_its_people_are_told(
    person: Callable[[Any], Person], parts: WebContext, tenant_id: str
) -> None:
    line = live_line(parts, tenant_id, STORED, GENESYS)
    operator, admin = person("operator"), person("admin")
    found = operator.get(f"/portal/tenants?whose={line.phone_number_id}")
    assert f"{base(tenant_id)}/lines/{line.id}" in found
    assert "No line of any tenant has this ID." in operator.get("/portal/tenants?whose=4711")
    operator.get("/portal/tenants?whose=%00")
    own = f"{base(tenant_id)}/lines/{line.id}"
    assert "Release the line" not in admin.get(own)
    admin.post(f"{own}/release", {"reason": "mine"}, status=403)
    assert "one line of up to 500" in operator.follow(f"{own}/release", {"reason": "a\x01b"})
    page = operator.follow(f"{own}/release", {"reason": "sold to somebody"})
    assert "Somebody else may bring the number" in page
    assert "Release the line" not in page
    assert "Check and go live" not in page
    assert "released already" in operator.follow(f"{own}/release", {})
    assert "Sold to somebody." in admin.get(own)
    assert "The line was released" in admin.get(f"{base(tenant_id)}/notices")
    assert "Released a line" in admin.get(f"{base(tenant_id)}/audit")


def test_a_pair_that_was_released_is_set_up_anew_by_the_wizard(
    person: Callable[[Any], Person], parts: WebContext, tenant_id: str
) -> None:
    line = live_line(parts, tenant_id, STORED, GENESYS)
    ownership.release(changes_of(parts), ownership.RELAY, tenant_id, line.id, "a mistake")
    admin = person("admin")
    page = admin.get(f"{base(tenant_id)}/setup/review")
    assert "A line is live." not in page
    assert admin.post(f"{base(tenant_id)}/setup/live").endswith("/setup/trial")
    [again] = onboarding.listed(parts.pool, tenant_id)
    assert (again.id, again.status) == (line.id, "active")
