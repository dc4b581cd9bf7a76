"""WCAG, as far as a program can tell: axe-core over every page there is, light and dark, with something on each."""

from __future__ import annotations

import base64
import io
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit

import pytest
from axe_playwright_python.base import AXE_SCRIPT
from flask import Flask
from playwright.sync_api import Page, expect
from werkzeug.routing import Map, Rule

from db.access import api_keys, openid
from db.access.lineage import Maker
from db.access.openid import ProviderSettings
from db.audit import Author
from db.conditions import addressees
from db.conditions.addressees import MailWishes
from db.conditions.mail_links import MailLinks
from db.contacts import erasures
from db.endpoints import log
from db.endpoints import registry as endpoints
from db.mailbox import notices, replays
from db.mailbox.dead_letters import DeadLetterSelection
from db.mailbox.notices import NewNotice
from db.pool import Pool
from db.tenants import templates, unknown_lines
from db.tenants.templates import DueList
from db.tenants.unknown_lines import Signer
from relay.core.messages import Media
from relay.stores.objects import MEDIA_INBOUND
from tests.portal import phone
from tests.portal.client import PASSWORD
from tests.portal.conftest import Login, new_user
from tests.portal.rows import House
from tests.portal.test_templates import LISTED
from web.request.web_context import WebContext

pytestmark = pytest.mark.browser

OPERATOR = "axe@relay.example"
PIXEL = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)
ALL = {"type": "tag", "values": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]}
COLOURS = {"type": "rule", "values": ["color-contrast", "link-in-text-block"]}
"""What may differ between light and dark."""
BAD = ("serious", "critical")
RUN = """async ([theme, options, bad]) => {
  document.documentElement.dataset.bsTheme = theme;
  const { violations } = await axe.run(document, options);
  return violations.filter(({ impact }) => bad.includes(impact)).map(({ id, help, nodes }) =>
    ({ id, help, at: nodes.slice(0, 3).map(({ html }) => html.slice(0, 160)) }));
}"""
OUTSIDE = ("/docs",)
"""Pages beside the portal's."""
ELSEWHERE = {
    "portal.home": "leads to the overview or the dashboard",
    "portal.login": "looked at before the log-in",
    "portal.login_code": "leads to the log-in; looked at on its way, as the recovery codes are",
    "portal.recovery_codes": "leads to the account, once the codes were shown",
    "portal.begin_openid": "leads to the provider",
    "portal.confirm_openid": "leads to the provider, or nowhere",
    "portal.end_openid": "comes back from the provider",
    "portal.connect_genesys": "leads to the log-in at Genesys",
    "portal.connected_genesys": "comes back from the log-in at Genesys",
    "/portal/tenants/<uuid:tenant_id>/setup": "leads to the step that was left",
    "portal.unknown_body": "gives a file",
    "portal.conversation_table": "gives a file",
    "portal.person": "gives a file",
}
"""Views, or rules, that answer with no page of their own to whoever is logged in, and what they do instead."""

ASKING = ("/portal/confirm",)

Samples = dict[str, tuple[str, ...]]


@pytest.fixture(scope="module")
def samples(pool: Pool, app: Flask) -> Samples:
    """Values for every part of an address; `endpoint:part` where one view needs its own."""
    house = House(pool)
    parts: WebContext = app.extensions["relay"]
    key = f"{house.tenant_id}/2026/11/23/picture"
    parts.objects.put(MEDIA_INBOUND, key, io.BytesIO(PIXEL), len(PIXEL), "image/png")
    picture = Media("image", "image/png", caption="The zip", size=len(PIXEL), bucket=MEDIA_INBOUND, object_key=key)
    row = house.say("4915111", "My parcel has not arrived", name="Ada Brandt", media=picture)
    house.call(row, 1, "retry", http_status=503, code="503", detail="Service down", answer="{}")
    for state in ("sent", "delivered", "failed", "dead", "unknown", "ignored", "read"):
        house.say("4915111", f"This is {state}", "outbound", state, reason="a reason in words")
    house.say("4915222", "Given up", "inbound", "dead", reason="a reason in words")
    by = Author("test")
    user, operator = (
        new_user(pool, "v@nordwind.example", "viewer", house.tenant_id),
        new_user(pool, OPERATOR, "operator"),
    )
    own, _ = api_keys.create(pool, by, house.tenant_id, "Shop", ["messages:read"], None)
    made_with_it = Author("key Shop", maker=Maker("key", own.id, generation=1))
    api_keys.create(pool, made_with_it, house.tenant_id, "Till", ["messages:read"], None)
    operators, _ = api_keys.create(pool, by, None, "Monitor", ["tenants:read"], None)
    items: list[tuple[str, str, int, dict[str, object]]] = [
        ("399", "4915112345678", 0, {"text": {"body": "Hello?"}}),
        ("", "", 0, {"unreadable": "<"}),
    ]
    unknown_lines.keep(pool, "whatsapp", Signer("a" * 32, house.tenant_id), items, datetime.now(UTC), "nobody's")
    said = ProviderSettings("Nordwind", "https://login.nordwind.example", "relay", "groups", ("admins",), ("viewers",))
    openid.put(pool, parts.cipher, by, house.tenant_id, said, "secret", "a-key")
    with pool.transaction() as cursor:
        row_of = (house.tenant_id, house.line_id, "whatsapp")
        notices.keep(cursor, [NewNotice(*row_of, "account_update", "news", {"n": "x" * 500}, row.key.time)])
        cursor.execute(
            """INSERT INTO message_prices VALUES (%s, %s, date_trunc('month', now() AT TIME ZONE 'UTC')::date, 'DE',
               'service', 'free_customer_service', '', 640)""",
            (house.line_id, house.tenant_id),
        )
    endpoint = endpoints.create(
        pool, parts.cipher, by, house.tenant_id, "x", url="https://crm.example/in", name="CRM", kinds=[], contents=True
    )
    event = log.test(pool, by, house.tenant_id, endpoint.id)
    addressees.wish(pool, user.id, house.tenant_id, MailWishes(True, None, None, "UTC"))
    told, links = addressees.wishes(pool, user.id), MailLinks(parts.signers, "")
    assert told and told.addressee_id
    now = datetime.now(UTC)
    with house.pool.transaction() as cursor:
        cursor.execute("INSERT INTO template_lists (tenant_id) VALUES (%s)", (house.tenant_id,))
    templates.store(house.pool, DueList(house.tenant_id, house.line_id, now, now), "200", LISTED, whole=True)
    return {
        "departed_id": _departed(house.pool),
        "tenant_id": (house.tenant_id,),
        "name": (LISTED[0].name,),
        "language": (LISTED[0].language,),
        "line_id": (house.line_id,),
        "conversation_id": (row.conversation_id,),
        "message_id": (row.id,),
        "user_id": (user.id,),
        "portal.operator:user_id": (operator.id,),
        "key_id": (own.id,),
        "endpoint_id": (endpoint.id,),
        "event_id": (event,),
        "portal.revoke_operator_key:key_id": (operators.id,),
        "channel": ("whatsapp",),
        "ref": ("399",),
        "erasure_id": (erasures.begin(pool, parts.cipher, parts.signers, by, house.tenant_id, "4915333").id,),
        "replay_id": (replays.start(pool, by, DeadLetterSelection(house.tenant_id)).id,),
        "step": ("welcome", "organisation", "genesys", "whatsapp", "review"),
        "portal.confirm_mail:token": (links.confirm(told.addressee_id, user.email).rpartition("/")[2],),
        "portal.leave_mail:token": (links.leave(told.addressee_id, user.email).rpartition("/")[2],),
        "portal.dashboard_part:part": ("figures", "lines", "recent"),
        "portal.overview_part:part": ("totals", "tenants", "daemons"),
    }


def _departed(pool: Pool) -> tuple[str, ...]:
    """A tenant that is closed, and one that is deleted."""
    with pool.transaction() as cursor:
        cursor.execute(
            """INSERT INTO tenant_deletions (tenant_id, name, refs, since, begins_at, begun_at, stage, counts, ended_at)
               VALUES (gen_random_uuid(), 'Nordwind', '{}', now(), now(), NULL, 'closed', '{}', NULL),
                 (gen_random_uuid(), '', '{}', now(), now(), now(), 'done', '{"objects": 7, "lines": 1}', now())
               RETURNING tenant_id::text"""
        )
        return tuple(row[0] for row in cursor.fetchall())


def _addresses(rule: Rule, samples: Samples) -> list[str]:
    """The rule with the samples of each part. A part that has none fails the test: give it one above."""
    found = [rule.rule]
    for part in sorted(rule.arguments - set(rule.defaults or ())):
        values = samples.get(f"{rule.endpoint}:{part}") or samples.get(part)
        assert values, f"{rule.rule} has no sample for {part}"
        found = [re.sub(rf"<(?:[^>]*:)?{part}>", value, one) for one in found for value in values]
    return found


def _pages(app: Flask, samples: Samples) -> list[str]:
    """The address of every view that answers to GET."""
    rules = [rule for rule in app.url_map.iter_rules() if "GET" in (rule.methods or ())]
    ours = [rule for rule in rules if rule.endpoint.startswith("portal.") or rule.rule in OUTSIDE]
    shown = [rule for rule in ours if not {rule.rule, rule.endpoint} & ELSEWHERE.keys()]
    return sorted({one for rule in shown for one in _addresses(rule, samples)})


def _findings(page: Page, address: str) -> list[str]:
    """What axe has to say, light and dark. A part of a page, or a file, is no page."""
    answer = page.goto(address)
    assert answer is not None
    if address not in ASKING and urlsplit(page.url).path in ASKING:  # the walk has taken more than ten minutes
        page.get_by_label("Your password").fill(PASSWORD)
        page.get_by_role("button", name="Go on").click()
        answer = page.goto(address)
        assert answer is not None
    assert (answer.status, urlsplit(page.url).path) == (200, address)
    if address in OUTSIDE:  # drawn by a script
        page.wait_for_load_state("networkidle")
    if not answer.headers["content-type"].startswith("text/html") or page.locator("html[lang]").count() == 0:
        return []
    return [*_axe(page, "light", ALL), *_axe(page, "dark", COLOURS)]


def _axe(page: Page, theme: str, only: Mapping[str, object]) -> list[str]:
    """What it finds. Run without the library's own call, which reads the half megabyte of axe once more each time."""
    if not page.evaluate("'axe' in window"):
        page.evaluate(AXE_SCRIPT)
    options = {"resultTypes": ["violations"], "runOnly": only, "preload": False, "elementRef": False}
    bad: list[dict[str, Any]] = page.evaluate(RUN, [theme, options, BAD])
    where = f"{urlsplit(page.url).path} ({theme})"
    return [f"{where} {one['id']}: {one['help']}: {one['at']}" for one in bad]


def test_every_page_is_accessible(page: Page, app: Flask, samples: Samples, login: Login) -> None:
    found = _findings(page, "/portal/login")
    login(OPERATOR)
    page.emulate_media(reduced_motion="reduce")
    pages = _pages(app, samples)
    assert len(pages) > 40
    for address in pages:
        found += _findings(page, address)
    assert found == [], "\n".join(found)


def test_the_pages_on_the_way_in_are_accessible(page: Page, pool: Pool, app: Flask, login: Login) -> None:
    email = "way-in@relay.example"
    new_user(pool, email, "operator")
    found = []

    def type_in(label: str, text: str, button: str) -> None:
        page.get_by_label(label).fill(text)
        with page.expect_event("load"):
            page.get_by_role("button", name=button).click()

    def looked_at() -> None:
        found.extend([*_axe(page, "light", ALL), *_axe(page, "dark", COLOURS)])

    page.goto("/portal/login")
    page.get_by_label("E-mail address").fill(email)
    type_in("Password", PASSWORD, "Log in")
    expect(page).to_have_url("/portal/account/second-factor")
    looked_at()
    phone.scan(email, page.content())
    type_in("Code", phone.code(email), "Switch on")
    looked_at()
    phone.write_down(email, page.content())
    page.context.clear_cookies()
    page.goto("/portal/login")
    page.get_by_label("E-mail address").fill(email)
    type_in("Password", PASSWORD, "Log in")
    expect(page).to_have_url("/portal/login/code")
    looked_at()
    assert found == [], "\n".join(found)


def test_a_page_that_nobody_can_reach_fails(page: Page, app: Flask, samples: Samples, login: Login) -> None:
    [rule] = Map([Rule("/portal/tenants/<uuid:tenant_id>/weather/<place>", endpoint="portal.weather")]).iter_rules()
    with pytest.raises(AssertionError, match="no sample for place"):
        _addresses(rule, samples)
    login(OPERATOR)
    with pytest.raises(AssertionError):
        _findings(page, "/portal/weather")


def test_what_few_can_read_is_found(page: Page) -> None:
    page.goto("/portal/login")
    page.evaluate("document.querySelector('h1').style = 'color: #bbb; background: #ccc'")
    assert "color-contrast" in "".join(_axe(page, "light", COLOURS))


def test_the_keyboard_gets_past_the_navigation(page: Page, samples: Samples, login: Login) -> None:
    login(OPERATOR, next_page=f"?next=/portal/tenants/{samples['tenant_id'][0]}/messages")
    page.keyboard.press("Tab")
    page.locator(":focus").press("Enter")
    content = page.locator("#content")
    expect(content).to_be_focused()
    content.press("Tab")
    expect(page.locator("[name=q]")).to_be_focused()
