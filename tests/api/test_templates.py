"""Templates through the API: read from Meta, listed, described, and looked at before they are sent."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from db.audit import Author
from db.pool import Pool
from db.tenants import onboarding, templates
from db.tenants.changes import Changes
from relay.core.templates.news import TemplateNews
from tests.api.conftest import GENESYS, WHATSAPP, Api
from tests.processes import Process
from web.request.web_context import WebContext

BY = Author("test")
PICTURE = {"type": "image", "url": "https://shop.example/order.jpg"}


@pytest.fixture
def line(parts: WebContext, pool: Pool, new_tenant: Callable[..., str], sandbox: Process) -> str:
    """The path of an active line."""
    tenant_id = new_tenant()
    number, integration = WHATSAPP["phone_number_id"], GENESYS["integration_id"]
    changes = Changes(pool, lambda _: None)
    made = onboarding.create(changes, parts.cipher, BY, tenant_id, number, integration)
    onboarding.activate(changes, BY, tenant_id, [made.pair])
    return f"/api/tenants/{tenant_id}/lines/{made.id}"


def tenant_of(line: str) -> str:
    return line.split("/")[3]


def test_templates_are_read_and_listed_in_pages(api: Api, line: str) -> None:
    assert api("GET", f"{line}/templates").get_json() == {
        "items": [], "next": None, "fetched_at": None, "trouble": None,
    }  # fmt: skip
    read = api("POST", f"{line}/templates/read").get_json()
    assert (read["count"], read["trouble"]) == (13, None)
    first = api("GET", f"{line}/templates?limit=7").get_json()
    rest = api("GET", f"{line}/templates?limit=7&after={first['next']}").get_json()
    names = [(one["name"], one["language"]) for one in (*first["items"], *rest["items"])]
    assert (len(names), names, rest["next"]) == (13, sorted(names), None)
    found = api("GET", f"{line}/templates?category=AUTHENTICATION&status=APPROVED&q=code").get_json()["items"]
    assert [one["name"] for one in found] == ["login_code"]


def test_nobody_reads_them_again_and_again(api: Api, line: str) -> None:
    api("POST", f"{line}/templates/read")
    api.error(api("POST", f"{line}/templates/read"), 409, "read_already")


def test_who_may_not_list_them_is_told_why(api: Api, line: str) -> None:
    other = WHATSAPP | {"access_token": "EAAG-nobody-knows-this"}
    api("PUT", f"/api/tenants/{tenant_of(line)}/whatsapp/credentials", other)
    read = api("POST", f"{line}/templates/read").get_json()
    assert "does not list the templates with this access token" in read["trouble"]
    assert "EAAG" not in read["trouble"]


def test_a_template_is_described_with_its_news(api: Api, pool: Pool, line: str) -> None:
    api("POST", f"{line}/templates/read")
    told = TemplateNews("status", WHATSAPP["waba_id"], "order_update", "en", 1.0, value="PAUSED", title="FIRST_PAUSE")
    with pool.transaction() as cursor:
        templates.tell(cursor, [(tenant_of(line), told)])
    found = api("GET", f"{line}/templates/order_update").get_json()
    assert [(one["language"], one["status"]) for one in found["languages"]] == [("de", "APPROVED"), ("en", "PAUSED")]
    assert found["languages"][1]["shape"]["header"]["format"] == "IMAGE"
    assert found["news"][0]["text"].startswith("it is paused for 3 hours")
    api.error(api("GET", f"{line}/templates/nothing"), 404, "not_found")


def sending(**template: Any) -> dict[str, Any]:
    return {
        "to": "4915112345678",
        "type": "template",
        "template": {"name": "order_update", "language": "en"} | template,
    }


def test_what_does_not_fit_is_refused_before_it_is_a_message(api: Api, pool: Pool, line: str) -> None:
    api("POST", f"{line}/templates/read")
    asked = sending(parameters=["Ada\nBrandt"], header={"text": "x"})
    error = api.error(api("POST", "/whatsapp/send?wait=0", asked, X_Tenant_ID=tenant_of(line)), 400, "template_mistake")
    assert [one["field"] for one in error["details"]] == [
        "template.header", "template.parameters", "template.parameters", "template.urls",
    ]  # fmt: skip
    assert "{{1}} in the body of the template order_update (en) holds a line break" in error["message"]
    checked = api("POST", f"{line}/templates/check", {"template": asked["template"]}).get_json()
    assert (checked["listed"], [one["text"] for one in checked["mistakes"]]) == (
        True, [one["message"] for one in error["details"]],
    )  # fmt: skip
    with pool.transaction() as cursor:
        cursor.execute("SELECT count(*) FROM message_tracking")
        assert cursor.fetchone()[0] == 0


def test_what_fits_or_is_not_listed_goes_out(api: Api, line: str) -> None:
    tenant = {"X_Tenant_ID": tenant_of(line)}
    whole = sending(parameters=["Ada", "4711"], header=PICTURE, urls={"1": "4711"})
    assert api("POST", "/whatsapp/send?wait=0", sending(), **tenant).status_code == 202
    api("POST", f"{line}/templates/read")
    assert api("POST", "/whatsapp/send?wait=0", whole, **tenant).status_code == 202
    assert api("POST", "/whatsapp/send?wait=0", sending(name="made_today"), **tenant).status_code == 202
    unknown = api("POST", f"{line}/templates/check", {"template": {"name": "made_today", "language": "en"}}).get_json()
    assert unknown == {"listed": False, "mistakes": []}


def test_cards_and_the_end_of_an_offer_are_filled_in_too(api: Api, line: str) -> None:
    tenant = {"X_Tenant_ID": tenant_of(line)}
    api("POST", f"{line}/templates/read")
    card = {"header": {"url": "https://shop.example/a.jpg"}, "parameters": ["49"], "urls": {"1": "4711"}}
    season = sending(name="new_season", parameters=["Ada"], cards=[card, card])
    assert api("POST", "/whatsapp/send?wait=0", season, **tenant).status_code == 202
    season["template"]["cards"][1] = {"parameters": ["49", "1"]}
    error = api.error(api("POST", "/whatsapp/send?wait=0", season, **tenant), 400, "template_mistake")
    assert [one["field"] for one in error["details"]] == ["template.cards"] * 3
    assert "needs a picture on its card 2" in error["message"]
    offer = sending(name="weekend_offer", parameters=["Ada"], header=PICTURE, urls={"0": "SAVE20", "1": "wa"})
    error = api.error(api("POST", "/whatsapp/send?wait=0", offer, **tenant), 400, "template_mistake")
    assert [one["field"] for one in error["details"]] == ["template.offer_ends"]
    offer["template"]["offer_ends"] = "2036-12-24T18:00:00+01:00"
    assert api("POST", "/whatsapp/send?wait=0", offer, **tenant).status_code == 202
    offer["template"]["offer_ends"] = "2036-12-24T18:00:00"
    error = api.error(api("POST", "/whatsapp/send?wait=0", offer, **tenant), 400, "invalid_request")
    assert error["details"][0]["field"] == "template.offer_ends"


def test_metas_own_template_object_is_looked_at_too(api: Api, line: str) -> None:
    tenant, number = {"X_Tenant_ID": tenant_of(line)}, WHATSAPP["phone_number_id"]
    api("POST", f"{line}/templates/read")
    body: dict[str, Any] = {"type": "body", "parameters": [{"type": "text", "text": "Ada\nBrandt"}]}
    named = {"name": "follow_up", "language": {"code": "en"}, "components": [body]}
    message = {"messaging_product": "whatsapp", "to": "4915112345678", "type": "template", "template": named}
    sent = {"message": message}
    error = api.error(api("POST", "/whatsapp/send?wait=0", sent, **tenant), 400, "template_mistake")
    assert [one["field"] for one in error["details"]] == ["message.template.parameters"]
    refused = api("POST", f"/v25.0/{number}/messages", message, **tenant)
    error = refused.get_json()["error"]
    assert (refused.status_code, error["code"]) == (400, 132000)
    assert "{{1}} in the body of the template follow_up (en) holds a line break" in error["error_data"]["details"]
    for change, code in (({"language": {"code": "fr"}}, 132001), ({"name": "order_update"}, 132012)):
        error = api("POST", f"/v25.0/{number}/messages", message | {"template": named | change}, **tenant).get_json()
        assert error["error"]["code"] == code
    body["parameters"][0]["text"] = "Ada"
    assert api("POST", "/whatsapp/send?wait=0", sent, **tenant).status_code == 202


def test_a_repeat_is_the_same_message_whatever_became_of_the_template(api: Api, pool: Pool, line: str) -> None:
    tenant = {"X_Tenant_ID": tenant_of(line)}
    asked = {"to": "4915112345678", "type": "template", "template": {"name": "hello_again", "language": "en"}}
    first = api("POST", "/whatsapp/send?wait=0", asked, Idempotency_Key="one-and-the-same", **tenant).get_json()
    api("POST", f"{line}/templates/read")
    told = TemplateNews("status", WHATSAPP["waba_id"], "hello_again", "en", 1.0, value="PAUSED")
    with pool.transaction() as cursor:
        templates.tell(cursor, [(tenant_of(line), told)])
    again = api("POST", "/whatsapp/send?wait=0", asked, Idempotency_Key="one-and-the-same", **tenant)
    assert again.get_json().get("id") == first.get("id"), (again.get_json(), first)
    api.error(api("POST", "/whatsapp/send?wait=0", asked, Idempotency_Key="another", **tenant), 400, "template_mistake")


@pytest.mark.parametrize("query", ["after=x", "after=%00", "limit=0", "status=a%20b", "q=%25"])
def test_odd_questions_are_answered_in_words(api: Api, line: str, query: str) -> None:
    assert api("GET", f"{line}/templates?{query}").status_code == 400
