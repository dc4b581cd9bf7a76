"""What reached the lines and is no contact's message, what is wrong with them, and what their checks found."""

from collections.abc import Callable

from db.access import api_keys
from db.audit import Author
from db.conditions import standing
from db.mailbox import notices
from db.mailbox.notices import NewNotice
from db.pool import Pool
from db.tenants import check_runs
from db.tenants.check_runs import DueCheck
from db.views import audit_search
from db.views.audit_search import AuditSearch
from tests.api.conftest import Api
from tests.api.test_rotation import active_line
from web.request.web_context import WebContext


def test_a_tenants_notices(api: Api, parts: WebContext, pool: Pool, new_tenant: Callable[..., str]) -> None:
    tenant_id, other = new_tenant(), new_tenant("Other")
    lines = [active_line(parts, pool, tenant_id, f"300{n}", f"int-{n}") for n in range(2)]
    foreign = active_line(parts, pool, other, "3009", "int-9")
    with pool.transaction() as cursor:
        for n in range(3):
            item = {"n": n, "access_token": "hidden"}
            notices.keep(
                cursor, [NewNotice(tenant_id, lines[n % 2], "whatsapp", "account_update", "why", item, 1.79e9 + n)]
            )
        notices.keep(cursor, [NewNotice(other, foreign, "genesys", "unreadable", "why", {"n": 9}, 1.79e9)])
    path = f"/api/tenants/{tenant_id}/notices"
    first = api("GET", f"{path}?limit=2").get_json()
    second = api("GET", f"{path}?limit=2&before={first['next']}").get_json()
    found = first["items"] + second["items"]
    assert [(one["payload"], one["line_id"]) for one in found] == [
        ({"n": n, "access_token": "[secret]"}, lines[n % 2]) for n in (2, 1, 0)
    ]
    assert second["next"] is None
    assert (found[0]["channel"], found[0]["kind"], found[0]["reason"]) == ("whatsapp", "account_update", "why")
    assert [one["line_id"] for one in api("GET", f"{path}?line_id={lines[1]}").get_json()["items"]] == [lines[1]]
    assert api("GET", f"{path}?line_id={foreign}").get_json()["items"] == []
    api.error(api("GET", f"{path}?before=nonsense"), 400, "invalid_request")
    assert "notices.listed" in [one.action for one in audit_search.listed(pool, AuditSearch(tenant_id)).items]


def test_who_may_see_them(api: Api, parts: WebContext, pool: Pool, new_tenant: Callable[..., str]) -> None:
    tenant_id, other = new_tenant(), new_tenant("Other")
    line_id = active_line(parts, pool, tenant_id)
    with pool.transaction() as cursor:
        notices.keep(cursor, [NewNotice(tenant_id, line_id, "whatsapp", "unreadable", "why", {"n": 1}, 1.79e9)])

    def ask(scopes: list[str], whose: str = tenant_id) -> object:
        key = api_keys.create(pool, Author("test"), whose, "k", scopes, None)[1]
        return api("GET", f"/api/tenants/{tenant_id}/notices", key=key)

    assert ask(["messages:read"]).get_json()["items"][0]["payload"] is None  # type: ignore[attr-defined]
    assert ask(["messages:read", "payloads:read"]).get_json()["items"][0]["payload"] == {"n": 1}  # type: ignore[attr-defined]
    api.error(ask(["tenants:read"]), 403, "forbidden")  # type: ignore[arg-type]
    api.error(ask(["messages:read"], other), 404, "not_found")  # type: ignore[arg-type]


def test_what_is_wrong_and_what_checks_found_is_answered_to_whoever_may_see_the_line(
    api: Api, parts: WebContext, pool: Pool, new_tenant: Callable[..., str]
) -> None:
    tenant_id, other = new_tenant(), new_tenant("Other")
    own, second = (active_line(parts, pool, tenant_id, f"300{n}", f"int-{n}") for n in range(2))
    foreign = active_line(parts, pool, other, "3009", "int-9")
    finding = {"side": "genesys", "check": "integration", "level": "refused", "text": "no", "advice": "mend it"}
    for line_id, whose in ((own, tenant_id), (second, tenant_id), (foreign, other)):
        check_runs.put(pool, DueCheck(line_id, whose), "refused", 9, [finding])
    with pool.transaction() as cursor:
        cursor.execute("UPDATE tenant_credentials SET health = 'refused' WHERE type = 'genesys'")
        cursor.execute("UPDATE condition_round SET due_at = now()")
    while standing.evaluate(pool, 10):
        pass
    found = api("GET", f"/api/tenants/{tenant_id}/conditions").get_json()
    kinds = {(one["kind"], one["line_id"]) for one in found["open"]}
    assert {("line_refused", own), ("line_refused", second), ("credentials_refused", None)} <= kinds
    assert (found["items"], found["next"]) == ([], None)
    [run] = api("GET", f"/api/tenants/{tenant_id}/lines/{own}/checks").get_json()["items"]
    assert (run["worst"], run["looked"], run["times"], run["findings"]) == ("refused", 9, 1, [finding])
    api.error(api("GET", f"/api/tenants/{tenant_id}/lines/{foreign}/checks"), 404, "not_found")
    api.error(api("GET", f"/api/tenants/{tenant_id}/conditions?before=nonsense"), 400, "invalid_request")

    key = api_keys.create(pool, Author("test"), tenant_id, "k", ["tenants:read"], None, [own])[1]
    limited = api("GET", f"/api/tenants/{tenant_id}/conditions", key=key).get_json()
    assert {one["line_id"] for one in limited["open"]} == {own}
    api.error(api("GET", f"/api/tenants/{tenant_id}/lines/{second}/checks", key=key), 404, "not_found")
