"""Tenants, credentials and lines through the HTTP API (R6, R7, R8)."""

from collections.abc import Callable
from uuid import uuid4

import pytest

from db.pool import Pool
from tests import log_lines
from tests.api.conftest import GENESYS, OWN_APP_SECRET, SECRETS, TOKEN, VERIFY_TOKEN, WHATSAPP, Api


@pytest.mark.parametrize("base", ["/api/tenants", "/tenants"])
def test_a_tenant_is_made_shown_and_listed(api: Api, base: str) -> None:
    made = api("POST", base, {"name": " Nordwind Outdoor "})
    assert made.status_code == 201
    tenant = made.get_json()
    assert (tenant["name"], tenant["status"]) == ("Nordwind Outdoor", "onboarding")
    shown = api("GET", f"{base}/{tenant['id']}")
    assert shown.status_code == 200
    assert shown.get_json() == tenant
    assert [one["id"] for one in api("GET", base).get_json()["items"]] == [tenant["id"]]


def test_a_tenants_language_is_set_before_it_is_live_and_none_that_is_not_spoken(api: Api) -> None:
    path = f"/api/tenants/{api('POST', '/api/tenants', {'name': 'Nordwind'}).get_json()['id']}"
    assert api("GET", path).get_json()["language"] == "en"
    assert api("PATCH", path, {"language": "pt"}).get_json()["language"] == "pt"
    for wrong in ({"language": "tlh"}, {}):
        assert api("PATCH", path, wrong).status_code == 400
    assert api("GET", path).get_json()["language"] == "pt"


def test_the_list_comes_in_pages(api: Api) -> None:
    ids = [api("POST", "/api/tenants", {"name": f"Tenant {n}"}).get_json()["id"] for n in range(5)]
    first = api("GET", "/api/tenants?limit=3").get_json()
    second = api("GET", f"/api/tenants?limit=3&after={first['next']}").get_json()
    assert [one["id"] for one in first["items"] + second["items"]] == ids
    assert second["next"] is None


@pytest.mark.parametrize("side", ["whatsapp", "genesys"])
def test_credentials_are_taken_and_shown_masked(api: Api, side: str) -> None:
    tenant_id = api("POST", "/api/tenants", {"name": "Nordwind"}).get_json()["id"]
    given = WHATSAPP if side == "whatsapp" else GENESYS
    path = f"/api/tenants/{tenant_id}/{side}/credentials"
    put = api("PUT", path, given)
    assert put.status_code == 200
    assert api("PUT", path, given).status_code == 200
    shown = api("GET", path).get_json()
    assert shown == api("GET", f"/api/tenants/{tenant_id}/credentials?type={side}").get_json()
    assert (shown["type"], shown["tenant_id"], shown["health"]) == (side, tenant_id, "unknown")
    for name in ("phone_number_id", "waba_id", "region", "client_id", "integration_id"):
        assert shown.get(name) == given.get(name)
    if side == "whatsapp":
        assert shown["access_token"] == f"****{TOKEN[-4:]}"


def test_no_secret_leaves_by_any_answer_nor_by_the_log(
    api: Api, new_tenant: Callable[..., str], caplog: pytest.LogCaptureFixture
) -> None:
    with log_lines.captured() as lines:
        tenant_id = new_tenant(whatsapp={"app_secret": OWN_APP_SECRET, "verify_token": VERIFY_TOKEN})
        base = f"/api/tenants/{tenant_id}"
        api("POST", f"{base}/lines", {"phone_number_id": "3", "integration_id": "i", "webhook_secret": VERIFY_TOKEN})
        api("PUT", f"{base}/whatsapp/credentials", WHATSAPP | {"nonsense": TOKEN})
        api("PUT", f"{base}/whatsapp/credentials", WHATSAPP | {"access_token": TOKEN + "\u0000"})
        api("PUT", f"{base}/genesys/credentials", GENESYS | {"region": TOKEN})
        for path in (base, f"{base}/lines", f"{base}/credentials?type=whatsapp", f"{base}/credentials?type=genesys"):
            api("GET", path)
    everything = "\n".join([*api.seen, str(lines), caplog.text])
    assert "/whatsapp/credentials" in str(lines)
    assert [secret for secret in SECRETS if secret in everything] == []


def test_nothing_in_the_database_can_be_read_without_the_key(
    new_tenant: Callable[..., str], api: Api, pool: Pool
) -> None:
    tenant_id = new_tenant()
    line = {"phone_number_id": "3", "integration_id": "i", "webhook_secret": VERIFY_TOKEN}
    assert api("POST", f"/api/tenants/{tenant_id}/lines", line).status_code == 201
    with pool.transaction() as cursor:
        cursor.execute(
            """SELECT (SELECT string_agg(c::text, ' ') FROM tenant_credentials c)
                   || (SELECT string_agg(l::text, ' ') FROM lines l)
                   || (SELECT string_agg(a::text, ' ') FROM audit_log a)"""
        )
        everything = cursor.fetchone()[0]
    assert WHATSAPP["phone_number_id"] in everything
    assert [secret for secret in SECRETS if secret in everything] == []


def test_every_change_is_in_the_audit_log(api: Api, new_tenant: Callable[..., str], pool: Pool) -> None:
    tenant_id = new_tenant()
    api(
        "POST", f"/api/tenants/{tenant_id}/lines", {"phone_number_id": "3", "integration_id": "i"}, X_Request_ID="abc-1"
    )
    with pool.transaction() as cursor:
        cursor.execute("SELECT actor, action, detail FROM audit_log WHERE tenant_id = %s ORDER BY id", (tenant_id,))
        rows = cursor.fetchall()
    assert [(actor, action) for actor, action, _ in rows] == [
        ("operator", "tenant.created"),
        ("operator", "credentials.put"),
        ("operator", "credentials.put"),
        ("operator", "line.put"),
    ]
    assert rows[-1][2]["request_id"] == "abc-1"


def test_a_line_is_made_once_and_names_its_webhook_addresses(
    api: Api, new_tenant: Callable[..., str], settings_env: dict[str, str]
) -> None:
    tenant_id = new_tenant()
    body = {"phone_number_id": "3001", "integration_id": "int-1", "webhook_secret": "a-second-secret"}
    made = api("POST", f"/api/tenants/{tenant_id}/lines", body)
    assert made.status_code == 201
    line = made.get_json()
    again = api("POST", f"/api/tenants/{tenant_id}/lines", body)
    assert (again.status_code, again.get_json()["id"]) == (200, line["id"])
    assert line["webhook_urls"]["meta"] == f"{settings_env['PUBLIC_URL']}/webhook/meta"
    assert line["webhook_urls"]["genesys"].startswith(f"{settings_env['PUBLIC_URL']}/webhook/genesys/")
    assert (line["status"], line["own_secret"]) == ("pending", True)
    listed = api("GET", f"/api/tenants/{tenant_id}/lines").get_json()["items"]
    assert [one["id"] for one in listed] == [line["id"]]


def test_a_line_may_have_its_own_pace(api: Api, new_tenant: Callable[..., str], pool: Pool) -> None:
    path = f"/api/tenants/{new_tenant()}/lines"
    pair = {"phone_number_id": "3", "integration_id": "i"}
    api("POST", path, pair | {"settings": {"whatsapp_rate_per_second": 5}})
    line = api("POST", path, pair | {"settings": {"unknown_outcome": "give_up"}}).get_json()
    assert line["settings"]["whatsapp_rate_per_second"] == 5
    with pool.transaction() as cursor:
        cursor.execute("SELECT settings FROM lines")
        assert cursor.fetchone()[0] == {"whatsapp_rate_per_second": 5, "unknown_outcome": "give_up"}
    error = api.error(api("POST", path, pair | {"settings": {"speed": 5}}), 400, "invalid_request")
    assert [one["field"] for one in error["details"]] == ["settings.speed"]
    api.error(api("POST", path, pair | {"settings": {"whatsapp_rate_per_second": 0}}), 400, "invalid_request")


def test_a_tenant_with_its_own_meta_app_has_its_own_address(api: Api, new_tenant: Callable[..., str]) -> None:
    tenant_id = new_tenant(whatsapp={"app_secret": OWN_APP_SECRET})
    line = api("POST", f"/api/tenants/{tenant_id}/lines", {"phone_number_id": "3", "integration_id": "i"}).get_json()
    head, _, key = line["webhook_urls"]["meta"].rpartition("/")
    assert head.endswith("/webhook/meta")
    assert len(key) >= 32


def test_one_number_is_in_one_line(api: Api, new_tenant: Callable[..., str]) -> None:
    path = f"/api/tenants/{new_tenant()}/lines"
    api("POST", path, {"phone_number_id": "3", "integration_id": "i"})
    api.error(api("POST", path, {"phone_number_id": "3", "integration_id": "j"}), 409, "number_taken")
    api.error(api("POST", path, {"phone_number_id": "4", "integration_id": "i"}), 409, "integration_taken")


def test_a_line_that_never_was_active_can_be_removed(api: Api, new_tenant: Callable[..., str]) -> None:
    tenant_id = new_tenant()
    base = f"/api/tenants/{tenant_id}/lines"
    line = api("POST", base, {"phone_number_id": "3", "integration_id": "i"}).get_json()
    assert api("DELETE", f"{base}/{line['id']}").status_code == 204
    api.error(api("DELETE", f"{base}/{line['id']}"), 404, "not_found")
    assert api("GET", base).get_json() == {"items": []}


@pytest.mark.parametrize(
    ("changed", "field", "says"),
    [
        ({"phone_number_id": None}, "phone_number_id", "string"),
        ({"phone_number_id": ""}, "phone_number_id", "empty"),
        ({"phone_number_id": "1 2"}, "phone_number_id", "space"),
        ({"phone_number_id": "1" * 129}, "phone_number_id", "at most 128"),
        ({"waba_id": "1\u00002"}, "waba_id", "printed"),
        ({"waba_id": "1\ud8002"}, "waba_id", ""),
        ({"access_token": "x\u0000y"}, "access_token", "printed"),
        ({"access_tokken": "x"}, "access_tokken", "not known here"),
    ],
)
def test_what_is_wrong_is_named_field_by_field(
    api: Api, new_tenant: Callable[..., str], changed: dict[str, str | None], field: str, says: str
) -> None:
    answer = api("PUT", f"/api/tenants/{new_tenant()}/whatsapp/credentials", WHATSAPP | changed)
    error = api.error(answer, 400, "invalid_request")
    assert [detail["field"] for detail in error["details"]] == [field]
    assert says in error["details"][0]["message"]
    assert field in error["message"]


def test_a_missing_field_is_named(api: Api, new_tenant: Callable[..., str]) -> None:
    answer = api("PUT", f"/api/tenants/{new_tenant()}/genesys/credentials", {"region": "mypurecloud.de"})
    error = api.error(answer, 400, "invalid_request")
    assert [d["field"] for d in error["details"]] == ["client_id", "client_secret", "integration_id", "webhook_secret"]
    assert {d["message"] for d in error["details"]} == {"is missing"}


@pytest.mark.parametrize("region", ["mypurecloud.de", "eu-central-1", "login.euw2.pure.cloud"])
def test_a_region_is_a_login_domain_or_an_aws_name(api: Api, new_tenant: Callable[..., str], region: str) -> None:
    path = f"/api/tenants/{new_tenant()}/genesys/credentials"
    assert api("PUT", path, GENESYS | {"region": region}).status_code == 200


@pytest.mark.parametrize("region", ["evil.example", "mypurecloud.de.evil.example", "127.0.0.1", "eu-central-9"])
def test_no_other_host_is_a_region(api: Api, new_tenant: Callable[..., str], region: str) -> None:
    answer = api("PUT", f"/api/tenants/{new_tenant()}/genesys/credentials", GENESYS | {"region": region})
    assert "not a Genesys Cloud region" in api.error(answer, 400, "invalid_request")["details"][0]["message"]


def test_an_id_sent_as_a_number_is_taken_as_text(api: Api, new_tenant: Callable[..., str]) -> None:
    path = f"/api/tenants/{new_tenant()}/whatsapp/credentials"
    assert api("PUT", path, WHATSAPP | {"phone_number_id": 106540352242922}).status_code == 200
    assert api("GET", path).get_json()["phone_number_id"] == "106540352242922"


def test_errors_have_one_shape(api: Api) -> None:
    api.error(api("GET", f"/api/tenants/{uuid4()}"), 404, "not_found")
    api.error(api("GET", "/api/tenants/not-a-uuid"), 404, "not_found")
    api.error(api("GET", "/api/nowhere"), 404, "not_found")
    api.error(api("DELETE", "/api/tenants"), 405, "method_not_allowed")
    api.error(api("GET", "/api/tenants?limit=0"), 400, "invalid_request")
    api.error(api("GET", "/api/tenants?lmit=3"), 400, "invalid_request")
    api.error(api("POST", "/api/tenants", ["not", "an", "object"]), 400, "invalid_request")
    api.error(api("POST", "/api/tenants", {"name": "x" * 5_000_000}), 413, "too_large")
    for path in ("whatsapp/credentials", "genesys/credentials", "lines", "complete-onboarding"):
        method = "POST" if path in ("lines", "complete-onboarding") else "PUT"
        body = {"phone_number_id": "3", "integration_id": "i"} if path == "lines" else WHATSAPP | {}
        body = GENESYS if path.startswith("genesys") else body
        api.error(api(method, f"/api/tenants/{uuid4()}/{path}", body), 404, "not_found")


def test_without_a_valid_key_nothing_is_told(api: Api, new_tenant: Callable[..., str]) -> None:
    tenant_id = new_tenant()
    paths = ("/api/tenants", f"/api/tenants/{tenant_id}", "/state/mapping/4915112345678", "/api/messages")
    for path in (*paths, "/api/unknown-numbers", f"/tenants/{tenant_id}/lines"):
        for key in ("wrong", "", "\u00fcber"):
            answer = api("GET", path, key=key or " ")
            api.error(answer, 401, "unauthorised")
            assert answer.headers["WWW-Authenticate"] == "Bearer"
    assert api("POST", "/api/tenants", {"nonsense": 1}, key="wrong").status_code == 401


def test_credentials_that_are_not_there(api: Api) -> None:
    tenant_id = api("POST", "/api/tenants", {"name": "Nordwind"}).get_json()["id"]
    error = api.error(api("GET", f"/api/tenants/{tenant_id}/whatsapp/credentials"), 404, "credentials_missing")
    assert "PUT" in error["message"]
    api.error(api("GET", f"/api/tenants/{tenant_id}/credentials?type=telegram"), 400, "invalid_request")


def test_the_description_is_openapi_3_1_and_names_every_path(api: Api) -> None:
    spec = api("GET", "/openapi.json").get_json()
    assert spec["openapi"].startswith("3.1")
    assert {
        "/api/tenants",
        "/api/tenants/{tenant_id}",
        "/api/tenants/{tenant_id}/whatsapp/credentials",
        "/api/tenants/{tenant_id}/genesys/credentials",
        "/api/tenants/{tenant_id}/credentials",
        "/api/tenants/{tenant_id}/lines",
        "/api/tenants/{tenant_id}/complete-onboarding",
        "/state/mapping/{wa_id}",
        "/state/conversation/{conversation_id}",
        "/api/messages",
        "/api/messages/{message_id}",
        "/api/unknown-numbers",
        "/api/unknown-numbers/{channel}/{line_ref}/replay",
    } <= spec["paths"].keys()
