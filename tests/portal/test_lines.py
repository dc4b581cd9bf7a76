"""The pages of lines, checks and tenants, as a plain browser gets them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from unittest.mock import ANY
from uuid import uuid4

import pytest
import requests
from flask import Flask

from db.tenants import check_runs, onboarding, registry
from db.tenants.check_runs import DueCheck
from db.tenants.onboarding import Line
from tests import processes
from tests.portal.client import BY, Person, changes_of, live_line, new_tenant, running_app
from tests.portal.conftest import new_user
from tests.portal.suedlicht import GENESYS, WHATSAPP
from tests.services.emptying import empty
from tests.waiting import PATIENCE
from web.request.web_context import WebContext

NUMBER, INTEGRATION = "300000000000009", "22222222-bbbb-4000-8000-000000000009"


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
def line(parts: WebContext) -> Line:
    with parts.pool.transaction() as cursor:
        empty(cursor, "tenants", "users", "audit_log")
    whatsapp = {name: value for name, value in WHATSAPP.items() if name != "app"}
    return live_line(parts, new_tenant(parts, "Südlicht"), whatsapp, GENESYS)


@pytest.fixture
def base(line: Line) -> str:
    return f"/portal/tenants/{line.tenant_id}"


def person(app: Flask, parts: WebContext, role: str, tenant_id: str | None) -> Person:
    email = f"{uuid4().hex}@suedlicht.example"
    new_user(parts.pool, email, role, tenant_id)  # type: ignore[arg-type]
    return Person(app, email)


@pytest.fixture
def admin(app: Flask, parts: WebContext, line: Line) -> Person:
    return person(app, parts, "admin", line.tenant_id)


def settings(parts: WebContext, line: Line) -> dict[str, object]:
    return next(one.settings for one in onboarding.listed(parts.pool, line.tenant_id) if one.id == line.id)


def test_a_line_shows_its_health_and_where_its_webhooks_go(admin: Person, base: str, line: Line) -> None:
    page = admin.get(f"{base}/lines")
    assert line.phone_number_id in page
    # Nobody relays in this test, and the page says so.
    assert "Stopped" in page
    page = admin.get(f"{base}/lines/{line.id}")
    assert f"/webhook/genesys/{line.webhook_key}" in page
    assert "/webhook/meta/" in page


def test_people_see_a_line_s_name_and_not_its_id(admin: Person, parts: WebContext, base: str, line: Line) -> None:
    name = "Südlicht Reisen, +49 30 1234502"
    assert f"{line.phone_number_id}</a></h2>" in admin.get(f"{base}/lines")
    onboarding.activate(changes_of(parts), BY, line.tenant_id, [line.pair], {line.id: name})
    for path in ("lines", f"lines/{line.id}", "checks"):
        assert name in admin.get(f"{base}/{path}"), path
    assert f"{line.phone_number_id}</a></h2>" not in admin.get(f"{base}/lines")


def test_settings_are_kept_and_taken_back(admin: Person, parts: WebContext, base: str, line: Line) -> None:
    given = {"whatsapp_rate_per_second": "20", "unknown_outcome": "give_up", "handset_order_seconds": "1.5"}
    page = admin.follow(f"{base}/lines/{line.id}", given)
    assert "Saved." in page
    assert settings(parts, line) == {
        "whatsapp_rate_per_second": 20,
        "unknown_outcome": "give_up",
        "handset_order_seconds": 1.5,
        "show_typing": False,
    }
    admin.post(f"{base}/lines/{line.id}", {"whatsapp_rate_per_second": "30", "show_typing": "y"})
    assert settings(parts, line) == {"whatsapp_rate_per_second": 30}
    admin.post(f"{base}/lines/{line.id}", {"whatsapp_rate_per_second": "5000"}, status=400)
    assert settings(parts, line) == {"whatsapp_rate_per_second": 30}


def test_a_lines_template_for_late_messages_is_kept_whole(
    admin: Person, parts: WebContext, base: str, line: Line
) -> None:
    given = {"mark_read": "y", "template_name": "reply_waiting", "template_language": "en"}
    written = given | {"template_parameters": "{name}\n\n {text} \n"}
    page = admin.follow(f"{base}/lines/{line.id}", written)
    template = {"name": "reply_waiting", "language": "en", "parameters": ["{name}", "{text}"]}
    assert settings(parts, line) == {"mark_read": True, "show_typing": False, "window_template": template}
    assert "{name}\n{text}" in page


def test_what_a_line_is_beside_other_responders_is_kept_and_taken_back(
    admin: Person, parts: WebContext, base: str, line: Line
) -> None:
    given = {"show_typing": "y", "responder_role": "escalation", "take_over": "y", "end_thread": "ai_agent"}
    page = admin.follow(f"{base}/lines/{line.id}", given)
    assert "Saved." in page and "Escalation partner" in page
    assert settings(parts, line) == {
        "responder_role": "escalation",
        "take_over": True,
        "end_thread": "ai_agent",
    }
    admin.post(f"{base}/lines/{line.id}", {"show_typing": "y"})
    assert settings(parts, line) == {}
    admin.post(f"{base}/lines/{line.id}", {"responder_role": "boss"}, status=400)


def test_what_follows_an_end_is_kept_whole(admin: Person, parts: WebContext, base: str, line: Line) -> None:
    given = {"show_typing": "y", "end_text": "Bye, {name}.\r\nWe are here again tomorrow."}
    template = {"end_template_name": "goodbye", "end_template_language": "en", "end_template_parameters": "{name}"}
    page = admin.follow(f"{base}/lines/{line.id}", given | template)
    assert settings(parts, line) == {
        "end_text": "Bye, {name}.\nWe are here again tomorrow.",
        "end_template": {"name": "goodbye", "language": "en", "parameters": ["{name}"]},
    }
    assert "We are here again tomorrow." in page
    wrong = given | {"end_text": "Bye, {who}"}
    assert "Only {name} is filled in" in admin.post(f"{base}/lines/{line.id}", wrong, status=400)
    wrong = given | template | {"end_template_parameters": "{text}"}
    assert "Only {name} is filled in" in admin.post(f"{base}/lines/{line.id}", wrong, status=400)
    admin.post(f"{base}/lines/{line.id}", {"show_typing": "y"})
    assert settings(parts, line) == {}


@pytest.mark.parametrize(
    ("wrong", "field", "says"),
    [
        ({"template_language": ""}, "template_language", "Name the language"),
        ({"template_name": ""}, "template_name", "Name the template."),
        ({"template_name": "Reply Waiting"}, "template_name", "As Meta writes it"),
        ({"template_parameters": "Dear {customer}"}, "template_parameters", "Only {text} and {name} are filled in"),
        ({"template_parameters": "a\n" * 21}, "template_parameters", "at most 20 parameters"),
    ],
)
def test_what_is_wrong_with_a_template_is_said_beside_its_field(
    admin: Person, parts: WebContext, base: str, line: Line, wrong: dict[str, str], field: str, says: str
) -> None:
    given = {"template_name": "reply_waiting", "template_language": "en", "template_parameters": "{text}"}
    page = admin.post(f"{base}/lines/{line.id}", given | wrong, status=400)
    assert re.findall(r'id="(\w+)-error">([^<]*)', page) == [(field, ANY)]
    assert says in page
    assert settings(parts, line) == {}


def test_a_line_that_never_was_live_is_added_and_removed(
    admin: Person, parts: WebContext, base: str, line: Line
) -> None:
    page = admin.get(f"{base}/lines/new?look=1")
    assert "Südlicht GmbH, +49 89 1234502" in page
    assert "has a line already" in page
    second = admin.post(f"{base}/lines/new", {"phone_number_id": NUMBER, "integration_id": INTEGRATION})
    assert "Not live yet" in admin.get(second)
    taken = admin.post(f"{base}/lines/new", {"phone_number_id": NUMBER, "integration_id": "another"}, status=409)
    assert "already belongs to" in taken
    assert "The line is removed." in admin.follow(f"{second}/remove", {})
    assert "Not removed: an active line cannot be removed." in admin.follow(f"{base}/lines/{line.id}/remove", {})
    assert [one.id for one in onboarding.listed(parts.pool, line.tenant_id)] == [line.id]


def test_a_line_goes_live_only_with_the_providers_yes(admin: Person, parts: WebContext, base: str, line: Line) -> None:
    admin.post(f"{base}/lines/new", {"phone_number_id": NUMBER, "integration_id": INTEGRATION})
    page = admin.follow(f"{base}/lines/live", {})
    assert "Not live." in page
    assert [one.status for one in onboarding.listed(parts.pool, line.tenant_id)] == ["active", "refused"]


def test_a_tenant_is_paused_and_goes_on(admin: Person, parts: WebContext, base: str, line: Line) -> None:
    assert "nothing is sent" in admin.follow(f"{base}/status", {"status": "paused"})
    assert getattr(registry.get(parts.pool, line.tenant_id), "status", None) == "paused"
    admin.post(f"{base}/status", {"status": "active"})
    assert getattr(registry.get(parts.pool, line.tenant_id), "status", None) == "active"


def test_the_checks_say_the_same_as_the_doctor(admin: Person, base: str, line: Line) -> None:
    assert "Not checked on this page yet." in admin.get(f"{base}/checks")
    page = admin.post(f"{base}/checks", status=200)
    assert re.findall(r'data-side="(\w+)"', page) == ["whatsapp", "genesys", "relay"]
    assert "No app is subscribed to the business account" in page
    assert "An app secret is set, so Meta&#39;s webhooks can be verified." in page
    assert 'data-side="genesys"' in admin.post(f"{base}/checks/{line.id}", status=200)


def test_missing_webhook_fields_are_subscribed_to_at_a_button(
    admin: Person, base: str, line: Line, settings_env: dict[str, str]
) -> None:
    """Meta tries the address first; nobody listens there in this test, so its words are shown and nothing changes."""
    account = f"http://127.0.0.1:{settings_env['SANDBOX_PORT']}/control/accounts"
    before = admin.post(f"{base}/checks/{line.id}", status=200)
    assert "Subscribe to all webhook fields" not in before
    number = {"phone_number_id": line.phone_number_id, "fields": ["messages"]}
    assert requests.post(account, json={"whatsapp": number}, timeout=PATIENCE).ok
    page = admin.post(f"{base}/checks/{line.id}", status=200)
    assert "messaging_handovers (conversations that are passed to us or taken from us)" in page
    assert "Subscribe to all webhook fields" in page
    assert "Callback verification failed" in admin.follow(f"{base}/checks/{line.id}/fields", {})


def test_many_lines_come_page_by_page(admin: Person, parts: WebContext, base: str, line: Line) -> None:
    for n in range(20):
        onboarding.create(changes_of(parts), parts.cipher, BY, line.tenant_id, f"4{n:014}", f"integration-{n}")
    page = admin.get(f"{base}/lines")
    assert page.count("<article") == 20
    [more] = re.findall(r'href="([^"]+)" rel="next"', page)
    assert admin.get(more).count("<article") == 1
    assert admin.get(f"{base}/checks").count("data-one") == 20


def test_a_viewer_looks_and_changes_nothing(app: Flask, parts: WebContext, base: str, line: Line) -> None:
    viewer = person(app, parts, "viewer", line.tenant_id)
    page = viewer.get(f"{base}/lines") + viewer.get(f"{base}/lines/{line.id}")
    assert "Add a line" not in page
    assert "<fieldset disabled>" in page, "what is set is shown"
    assert ">Save<" not in page
    assert "Pause" not in page
    for address in (f"lines/{line.id}", f"lines/{line.id}/remove", "lines/new", "lines/live", "status", "checks"):
        viewer.post(f"{base}/{address}", {"status": "paused"}, status=403)
    assert getattr(registry.get(parts.pool, line.tenant_id), "status", None) == "active"


def test_lines_of_another_tenant_do_not_exist(app: Flask, parts: WebContext, base: str, line: Line) -> None:
    other = new_tenant(parts, "Nordwind")
    stranger = person(app, parts, "admin", other)
    for address in ("lines", f"lines/{line.id}", "lines/new", "checks"):
        stranger.get(f"{base}/{address}", status=404)
    stranger.get(f"/portal/tenants/{other}/lines/{line.id}", status=404)
    stranger.post(f"/portal/tenants/{other}/checks/{line.id}", status=404)
    stranger.post(f"/portal/tenants/{other}/lines/{line.id}/remove", status=404)
    stranger.get("/portal/tenants", status=403)


def test_the_operator_sees_all_tenants_and_makes_one(app: Flask, parts: WebContext, base: str, line: Line) -> None:
    operator = person(app, parts, "operator", None)
    page = operator.get("/portal/tenants")
    assert "Südlicht" in page
    assert "1 of 1" in page
    operator.post("/portal/tenants/new", {"name": " "}, status=400)
    address = operator.post("/portal/tenants/new", {"name": "Nordwind", "contact": "Ada"})
    assert "Welcome" in operator.get(operator.get(address, status=302) and f"{address}/welcome")
    assert [(one.name, one.contact) for one in registry.listed(parts.pool)] == [("Südlicht", ""), ("Nordwind", "Ada")]
    operator.get("/portal/tenants?after=nonsense", status=400)


@pytest.mark.parametrize("number", ["0151 1234567", "+0 151 1234567", "12", "9" * 22])
def test_the_test_message_wants_a_number_with_country_code(admin: Person, base: str, number: str) -> None:
    page = admin.post(f"{base}/setup/trial", {"number": number}, status=400)
    assert "country code" in page


def test_the_test_messages_number_may_be_written_as_people_write_it(admin: Person, base: str) -> None:
    waiting = admin.follow(f"{base}/setup/trial", {"number": "0049 151/12 34 56"})
    assert "+49151123456" in waiting
    assert "WhatsApp sends only where its webhook points" in waiting


def test_a_step_of_the_test_at_which_the_message_failed_has_no_tick(app: Flask) -> None:
    steps = [{"name": name, "text": name, "seconds": 1.0} for name in ("stored", "failed")]
    message = {"direction": "outbound", "text": "Hello", "state": "failed", "reason": "nobody there"}
    with app.test_request_context():
        page = app.jinja_env.get_template("portal/setup/steps.html").module.message(  # type: ignore[attr-defined]
            {"message": message, "steps": steps}
        )
    stored, failed = re.findall(r'<li data-step="\w+">(.*?)</li>', page, re.DOTALL)
    assert "#check" in stored
    assert "#check" not in failed


def test_an_answer_that_cannot_be_printed_is_not_sent(admin: Person, base: str) -> None:
    admin.post(f"{base}/setup/trial", {"number": "+49 151 123456"})
    assert "needs a text" in admin.follow(f"{base}/setup/trial/answer", {"text": "a\x00b"})


def test_the_end_of_time_is_a_day_like_any_other(admin: Person, base: str) -> None:
    admin.get(f"{base}/messages?until=9999-12-31")
    admin.get(f"{base}/audit?until=9999-12-31")


def test_what_scheduled_checks_found_stands_with_the_line(
    parts: WebContext, line: Line, admin: Person, base: str
) -> None:
    assert "Scheduled checks" in admin.get(f"{base}/checks") and "none yet" in admin.seen[-1]
    one = {
        "side": "whatsapp",
        "check": "token",
        "level": "refused",
        "text": "the <b>token</b> is refused",
        "advice": "Mend it.",
    }
    for _ in range(3):
        check_runs.put(parts.pool, DueCheck(line.id, line.tenant_id), "refused", 9, [one])
    check_runs.put(parts.pool, DueCheck(line.id, line.tenant_id), "ok", 9, [])
    seen = admin.get(f"{base}/checks")
    for text in (
        "All 9 findings are in order.",
        "3 times the same",
        "The &lt;b&gt;token&lt;/b&gt; is refused.",
        "Mend it.",
    ):
        assert text in seen
