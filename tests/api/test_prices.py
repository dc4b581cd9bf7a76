"""What messages cost, and rate cards: by the API."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import date

import pytest

from db.access import api_keys
from db.audit import Author
from db.pool import Pool
from db.views import audit_search
from db.views.audit_search import AuditSearch
from tests.api.conftest import Api
from tests.api.test_rotation import active_line
from web.actions.prices import months, this_month
from web.request.web_context import WebContext

HEAD = "valid_from,currency,market,countries,category,rate\n"


@pytest.fixture(autouse=True)
def no_cards(pool: Pool) -> Iterator[None]:
    yield
    with pool.transaction() as cursor:
        cursor.execute("DELETE FROM rate_cards")


def counted(pool: Pool, line_id: str, *rows: tuple[str, str, str, int], month: date | None = None) -> None:
    """Country, category, type and how many; the last ones as a group of statuses leaves them."""
    with pool.transaction() as cursor:
        for place, (country, category, kind, total) in enumerate(rows):
            table = "message_prices_new" if place == len(rows) - 1 else "message_prices"
            cursor.execute(
                f"INSERT INTO {table} SELECT id, tenant_id, %s, %s, %s, %s, '', %s FROM lines WHERE id = %s",
                (month or this_month(), country, category, kind, total, line_id),
            )


def test_a_tenants_month_with_a_card_of_two_dates(
    api: Api, parts: WebContext, pool: Pool, new_tenant: Callable[..., str]
) -> None:
    tenant_id = new_tenant()
    first, second = (active_line(parts, pool, tenant_id, f"310{n}", f"int-310{n}") for n in range(2))
    now, before = months()[:2]
    rows = ("DE", "utility", "regular", 10), ("FR", "utility", "regular", 5), ("DE", "utility", "regular", 2)
    for month in (now, before):
        counted(pool, first, *rows, month=month)
    counted(pool, second, ("DE", "service", "free_customer_service", 640), ("DE", "marketing", "regular", 1))
    card = (
        f"{HEAD}{before},EUR,Germany,DE,utility,0.05\n{before},EUR,Other,*,utility,0.02\n{now},EUR,,DE,utility,0.06\n"
    )
    uploaded = api("POST", "/api/rate-cards", {"csv": card}).get_json()["items"]
    assert [(one["currency"], one["valid_from"], one["rates"]) for one in uploaded] == [
        ("EUR", f"{now}", 1),
        ("EUR", f"{before}", 2),
    ]
    path = f"/api/tenants/{tenant_id}/prices"
    found = api("GET", path).get_json()
    assert (found["month"], found["time_zone"], found["currency"]) == (f"{now:%Y-%m}", "UTC", "EUR")
    assert found["card_valid_from"] == f"{now}"
    assert (found["messages"], found["cost"], found["without_rate"]) == (658, "0.72", 6)
    assert found["free_tier"] == [{"line_id": second, "used": 640, "of": 1000}]
    mine = [one for one in found["items"] if one["line_id"] == first]
    assert [(one["country"], one["messages"], one["rate"], one["cost"]) for one in mine] == [
        ("DE", 12, "0.06", "0.72"),
        ("FR", 5, None, None),
    ]
    earlier = api("GET", f"{path}?month={before:%Y-%m}").get_json()
    assert (earlier["cost"], earlier["card_valid_from"]) == ("0.70", f"{before}")
    assert api("GET", f"{path}?line_id={second}").get_json()["messages"] == 641
    assert api("GET", f"{path}?currency=USD").get_json()["currency"] == "EUR"


def test_the_operator_sees_all_tenants(api: Api, parts: WebContext, pool: Pool, new_tenant: Callable[..., str]) -> None:
    tenants = [new_tenant(f"Shop {n}") for n in range(2)]
    for n, tenant_id in enumerate(tenants):
        line_id = active_line(parts, pool, tenant_id, f"320{n}", f"int-320{n}")
        counted(pool, line_id, ("DE", "utility", "regular", 100 + n), ("DE", "service", "regular", 1))
    found = api("GET", "/api/prices").get_json()
    mine = {one["tenant_id"]: one["messages"] for one in found["items"] if one["category"] == "utility"}
    assert {tenant_id: mine[tenant_id] for tenant_id in tenants} == {tenants[0]: 100, tenants[1]: 101}
    assert {one["line_id"] for one in found["items"]} == {None}
    assert found["free_tier"] == []


def test_who_may_see_them(api: Api, parts: WebContext, pool: Pool, new_tenant: Callable[..., str]) -> None:
    tenant_id, other = new_tenant(), new_tenant("Other")
    counted(pool, active_line(parts, pool, tenant_id, "3301", "int-3301"), ("DE", "service", "regular", 3))
    key = api_keys.create(pool, Author("test"), tenant_id, "k", ["messages:read", "tenants:write"], None)[1]
    own = f"/api/tenants/{tenant_id}/prices"
    assert api("GET", own, key=key).get_json()["messages"] == 3
    api.error(api("GET", f"/api/tenants/{other}/prices", key=key), 404, "not_found")
    api.error(api("GET", "/api/prices", key=key), 403, "forbidden")
    for method in ("GET", "POST"):
        api.error(
            api(method, "/api/rate-cards", {"csv": HEAD} if method == "POST" else None, key=key), 403, "forbidden"
        )
    blind = api_keys.create(pool, Author("test"), tenant_id, "k", ["tenants:read"], None)[1]
    api.error(api("GET", own, key=blind), 403, "forbidden")


@pytest.mark.parametrize("month", ["2026-13", "2019-01", "2099-01", "november", "2026-1"])
def test_a_month_that_nothing_can_be_known_of(api: Api, new_tenant: Callable[..., str], month: str) -> None:
    api.error(api("GET", f"/api/tenants/{new_tenant()}/prices?month={month}"), 400, "invalid_request")


def test_a_card_with_faults_is_refused_whole_and_each_is_named(api: Api, pool: Pool) -> None:
    now = this_month()
    wrong = f'{HEAD}{now},EUR,,DE,utility,0.05\n{now},EUR,,UK,utility,0.05\n{now},EUR,,FR,utility,"0,05"\n'
    error = api.error(api("POST", "/api/rate-cards", {"csv": wrong}), 400, "invalid_request")
    assert [(one["line"], one["column"]) for one in error["details"]] == [(3, "countries"), (4, "rate")]
    assert error["message"].startswith("Line 3, column countries: ")
    assert api("GET", "/api/rate-cards").get_json() == {"items": []}


def test_the_same_date_replaces_and_a_card_can_be_deleted(api: Api, pool: Pool) -> None:
    now = this_month()
    for rate in ("0.05", "0.06"):
        api("POST", "/api/rate-cards", {"csv": f"{HEAD}{now},EUR,,DE,utility,{rate}\n{now},USD,,DE,utility,1\n"})
    assert len(api("GET", "/api/rate-cards").get_json()["items"]) == 2
    assert api("DELETE", f"/api/rate-cards/EUR/{now}").status_code == 204
    api.error(api("DELETE", f"/api/rate-cards/EUR/{now}"), 404, "not_found")
    assert [one["currency"] for one in api("GET", "/api/rate-cards").get_json()["items"]] == ["USD"]
    actions = [one.action for one in audit_search.listed(pool, AuditSearch(None)).items]
    assert {"rate_card.uploaded", "rate_card.deleted"} <= set(actions)


def test_a_comparison_without_an_answer_of_meta_says_so(
    api: Api, parts: WebContext, pool: Pool, new_tenant: Callable[..., str]
) -> None:
    tenant_id, other = new_tenant(), new_tenant("Other")
    line_id = active_line(parts, pool, tenant_id, "3401", "int-3401")
    path = f"lines/{line_id}/prices/comparison"
    error = api.error(api("GET", f"/api/tenants/{tenant_id}/{path}"), 503, "provider_unavailable")
    assert "Try again in a minute" in error["message"]
    api.error(api("GET", f"/api/tenants/{other}/{path}"), 404, "not_found")
