"""complete-onboarding (R9) against both stand-ins, and who may own a number (R10, R11)."""

from collections.abc import Callable, Iterator
from typing import Any

import gevent
import pytest
import requests

from db.audit import Author
from db.pool import Pool
from db.tenants import lines, onboarding
from db.tenants.changes import Changes, TakenError
from db.tenants.onboarding import LineIds
from tests.api.conftest import GENESYS, OWN_APP_SECRET, WHATSAPP, Api
from tests.processes import Process, frozen
from tests.waiting import PATIENCE
from web.request.web_context import WebContext
from web.webhooks.lines import LineDirectory

NUMBER, INTEGRATION = WHATSAPP["phone_number_id"], GENESYS["integration_id"]


@pytest.fixture
def control(sandbox: Process, settings_env: dict[str, str]) -> Iterator[Callable[[str, str, Any], Any]]:
    base = f"http://127.0.0.1:{settings_env['SANDBOX_PORT']}/control"

    def ask(method: str, path: str, body: Any = None) -> Any:
        answer = requests.request(method, base + path, json=body, timeout=PATIENCE)
        assert answer.ok, answer.text
        return answer.json() if answer.content else None

    yield ask
    ask("DELETE", "/faults", None)


def complete(api: Api, tenant_id: str) -> Any:
    return api("POST", f"/api/tenants/{tenant_id}/complete-onboarding")


def owner(parts: WebContext, number: str = NUMBER) -> str | None:
    found = lines.route_by_ref(parts.pool, parts.cipher, "whatsapp", number)
    return found.tenant_id if found else None


def test_one_number_and_one_integration_are_paired_and_go_live(
    api: Api, new_tenant: Callable[..., str], sandbox: Process, settings_env: dict[str, str], parts: WebContext
) -> None:
    tenant_id = new_tenant()
    answer = complete(api, tenant_id)
    assert answer.status_code == 200, answer.get_data(as_text=True)
    found = answer.get_json()
    assert (found["id"], found["status"]) == (tenant_id, "active")
    [line] = found["lines"]
    assert (line["phone_number_id"], line["integration_id"], line["status"]) == (NUMBER, INTEGRATION, "active")
    assert line["webhook_urls"]["meta"] == f"{settings_env['PUBLIC_URL']}/webhook/meta"
    assert {f["side"] for f in line["findings"] if f["level"] == "ok"} == {"whatsapp", "genesys"}
    again = complete(api, tenant_id).get_json()
    assert [one["id"] for one in again["lines"]] == [line["id"]]
    assert api("GET", f"/api/tenants/{tenant_id}").get_json()["status"] == "active"
    for side in ("whatsapp", "genesys"):
        assert api("GET", f"/api/tenants/{tenant_id}/credentials?type={side}").get_json()["health"] == "ok"
    route = lines.route_by_ref(parts.pool, parts.cipher, "genesys", INTEGRATION)
    assert route
    assert (route.tenant_id, route.line_id) == (tenant_id, line["id"])


def test_a_line_that_goes_live_is_called_as_whatsapp_calls_its_number(
    api: Api, new_tenant: Callable[..., str], sandbox: Process
) -> None:
    tenant_id = new_tenant()
    complete(api, tenant_id)
    [line] = api("GET", f"/api/tenants/{tenant_id}/lines").get_json()["items"]
    assert line["name"] == "Nordwind Outdoor, +49 30 1234501"


def test_completing_again_tells_what_whatsapp_calls_the_number_by_now(
    api: Api, new_tenant: Callable[..., str], sandbox: Process, parts: WebContext
) -> None:
    tenant_id = new_tenant()
    line_id = complete(api, tenant_id).get_json()["lines"][0]["id"]
    changes = Changes(parts.pool, lambda *_: None)
    onboarding.configure(changes, Author("test"), tenant_id, line_id, {"name": "Nordwind before"})
    complete(api, tenant_id)
    [line] = api("GET", f"/api/tenants/{tenant_id}/lines").get_json()["items"]
    assert line["name"] == "Nordwind Outdoor, +49 30 1234501"


def test_missing_credentials_are_named(api: Api) -> None:
    tenant_id = api("POST", "/api/tenants", {"name": "Nordwind"}).get_json()["id"]
    api("PUT", f"/api/tenants/{tenant_id}/whatsapp/credentials", WHATSAPP)
    error = api.error(complete(api, tenant_id), 409, "credentials_missing")
    assert [one["field"] for one in error["details"]] == ["genesys"]


@pytest.mark.parametrize(
    ("side", "changed", "check"),
    [
        ("whatsapp", {"access_token": "EAAG-a-token-that-meta-refuses"}, "token"),
        ("whatsapp", {"phone_number_id": "399999999999999"}, "number"),
        ("genesys", {"client_secret": "wrong-secret"}, "token"),
        ("genesys", {"integration_id": "22222222-bbbb-4000-8000-00000000ffff"}, "integration"),
    ],
)
def test_an_explicit_no_refuses_and_mending_it_helps(
    api: Api, new_tenant: Callable[..., str], sandbox: Process, parts: WebContext, side: str, changed: Any, check: str
) -> None:
    tenant_id = new_tenant(**{side: changed})
    error = api.error(complete(api, tenant_id), 409, "onboarding_refused")
    refused = [(one["side"], one["check"]) for one in error["details"] if one["level"] == "refused"]
    assert all(one["advice"] for one in error["details"] if one["level"] != "ok")
    assert (side, check) in refused
    assert {one for one, _ in refused} == {side}
    assert "then complete the onboarding again" in error["message"]
    assert api("GET", f"/api/tenants/{tenant_id}").get_json()["status"] == "onboarding"
    shown = api("GET", f"/api/tenants/{tenant_id}/credentials?type={side}").get_json()
    assert shown["health"] == "refused"
    assert shown["health_reason"]
    assert owner(parts) is None
    good = WHATSAPP if side == "whatsapp" else GENESYS
    assert api("PUT", f"/api/tenants/{tenant_id}/{side}/credentials", good).status_code == 200
    found = complete(api, tenant_id)
    assert found.status_code == 200, found.get_data(as_text=True)
    assert [one["status"] for one in found.get_json()["lines"]] == ["active"]


def test_a_wrong_app_secret_is_said_in_words_and_holds_nobody_up(
    api: Api, new_tenant: Callable[..., str], sandbox: Process
) -> None:
    """DESIGN 10: activation is refused for token, number and integration; webhooks are refused by themselves."""
    found = complete(api, new_tenant(whatsapp={"app_secret": OWN_APP_SECRET}))
    assert found.status_code == 200, found.get_data(as_text=True)
    [secret] = [one for one in found.get_json()["lines"][0]["findings"] if one["check"] == "app_secret"]
    assert (secret["level"], "App settings > Basic" in secret["advice"]) == ("refused", True)


def test_a_live_line_is_not_taken_down_by_a_providers_bad_hour(
    api: Api, new_tenant: Callable[..., str], control: Callable[..., Any], parts: WebContext
) -> None:
    tenant_id = new_tenant()
    assert complete(api, tenant_id).status_code == 200
    broken = {"error_rate": 1.0, "error_codes": [500], "calls": ["oauth_token", "integrations", "phone_number"]}
    control("POST", "/faults", {"meta": broken, "genesys": broken})
    found = complete(api, tenant_id)
    assert found.status_code == 200, found.get_data(as_text=True)
    [line] = found.get_json()["lines"]
    assert {f["side"] for f in line["findings"] if f["level"] == "warning"} == {"whatsapp", "genesys"}
    assert (line["status"], line["ask_at"], owner(parts)) == ("active", None, tenant_id)


@pytest.mark.slow
def test_providers_that_hang_hold_nobody_up_for_long(
    api: Api, new_tenant: Callable[..., str], sandbox: Process
) -> None:
    tenant_id = new_tenant()
    with frozen(sandbox):
        found = complete(api, tenant_id)
    assert found.status_code == 202, found.get_data(as_text=True)
    [line] = found.get_json()["lines"]
    assert {f["level"] for f in line["findings"]} == {"warning"}
    assert line["status"] == "pending"


def test_a_line_made_by_hand_is_used_and_may_have_its_own_secret(
    api: Api, new_tenant: Callable[..., str], sandbox: Process, parts: WebContext
) -> None:
    tenant_id = new_tenant()
    body = {"phone_number_id": NUMBER, "integration_id": INTEGRATION, "webhook_secret": "of-this-line"}
    line = api("POST", f"/api/tenants/{tenant_id}/lines", body).get_json()
    assert [one["id"] for one in complete(api, tenant_id).get_json()["lines"]] == [line["id"]]
    route = lines.route_by_ref(parts.pool, parts.cipher, "genesys", INTEGRATION)
    assert route
    assert route.genesys_secrets == ("of-this-line",)


def test_of_two_tenants_with_one_number_the_second_is_told(
    api: Api, new_tenant: Callable[..., str], sandbox: Process, parts: WebContext
) -> None:
    first, second = new_tenant("First"), new_tenant("Second")
    assert complete(api, first).status_code == 200
    error = api.error(complete(api, second), 409, "number_taken")
    assert "First" not in str(error)
    assert first not in str(error)
    assert owner(parts) == first
    assert api("GET", f"/api/tenants/{second}").get_json()["status"] == "onboarding"


def test_at_the_same_moment_exactly_one_wins(parts: WebContext, new_tenant: Callable[..., str], pool: Pool) -> None:
    changes, by = Changes(pool, parts.cache.forget_routes), Author("test")
    made = []
    for name in "abcdef":
        tenant_id = new_tenant(name)
        line = onboarding.create(changes, parts.cipher, by, tenant_id, "9", f"integration-{name}")
        made.append((tenant_id, line.pair))

    def go(tenant_id: str, pair: LineIds) -> bool:
        try:
            onboarding.activate(changes, by, tenant_id, [pair])
        except TakenError:
            return False
        return True

    running = [gevent.spawn(go, *one) for one in made]
    gevent.joinall(running, timeout=PATIENCE)
    assert [one.get(block=False) for one in running].count(True) == 1
    with pool.transaction() as cursor:
        cursor.execute("SELECT count(*) FROM tenants WHERE status = 'active'")
        assert cursor.fetchone()[0] == 1


def test_a_change_is_seen_at_once_whatever_was_cached(
    api: Api, new_tenant: Callable[..., str], sandbox: Process, parts: WebContext
) -> None:
    directory = LineDirectory(parts.pool, parts.cipher, parts.cache, fresh_seconds=0.0)
    tenant_id = new_tenant()
    assert directory.by_ref("whatsapp", NUMBER) is None  # "unknown" is remembered too
    assert complete(api, tenant_id).status_code == 200
    route = directory.by_ref("whatsapp", NUMBER)
    assert route
    assert directory.by_ref("whatsapp", NUMBER) == route  # from Redis
    other = WHATSAPP | {"app_secret": "another-secret-of-the-app"}
    assert api("PUT", f"/api/tenants/{tenant_id}/whatsapp/credentials", other).status_code == 200
    after = directory.by_ref("whatsapp", NUMBER)
    assert after
    assert after.meta_secrets == ("another-secret-of-the-app", *route.meta_secrets)
