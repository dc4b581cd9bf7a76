"""Signing secrets that change: the former one stays valid for a day."""

import time
from collections.abc import Callable

import pytest
from cryptography.fernet import Fernet

from db.audit import Author
from db.pool import Pool
from db.sealing import Cipher, SealError
from db.tenants import credentials, lines, onboarding
from db.tenants.changes import Changes
from db.tenants.credentials import OVERLAP_SECONDS, rotated
from tests.api.conftest import GENESYS, WHATSAPP, Api
from web.request.web_context import WebContext


def active_line(parts: WebContext, pool: Pool, tenant_id: str, number: str = "3001", integration: str = "int-1") -> str:
    changes, by = Changes(pool, parts.cache.forget_routes), Author("test")
    line = onboarding.create(changes, parts.cipher, by, tenant_id, number, integration)
    onboarding.activate(changes, by, tenant_id, [line.pair])
    return line.id


def test_old_and_new_are_valid_side_by_side(
    api: Api, new_tenant: Callable[..., str], parts: WebContext, pool: Pool
) -> None:
    tenant_id = new_tenant(whatsapp={"app_secret": "app-1"}, genesys={"webhook_secret": "hook-1"})
    active_line(parts, pool, tenant_id)
    for n in (2, 2, 3):
        api("PUT", f"/api/tenants/{tenant_id}/whatsapp/credentials", WHATSAPP | {"app_secret": f"app-{n}"})
        api("PUT", f"/api/tenants/{tenant_id}/genesys/credentials", GENESYS | {"webhook_secret": f"hook-{n}"})
    route = lines.route_by_ref(pool, parts.cipher, "whatsapp", "3001")
    assert route
    assert route.meta_secrets == ("app-3", "app-2", "app-1")
    assert route.genesys_secrets == ("hook-3", "hook-2", "hook-1")


def test_after_a_day_the_former_secret_is_void() -> None:
    now = time.time()
    after = rotated({"app_secret": "old"}, {"app_secret": "new"}, "app_secret", now)
    assert after["previous_app_secrets"] == [["old", now + OVERLAP_SECONDS]]
    later = rotated(after, {"app_secret": "new"}, "app_secret", now + OVERLAP_SECONDS + 1)
    assert later == {"app_secret": "new"}


def test_going_back_to_the_former_secret_keeps_both_once() -> None:
    first = rotated({"app_secret": "a"}, {"app_secret": "b"}, "app_secret", 0.0)
    back = rotated(first, {"app_secret": "a"}, "app_secret", 1.0)
    assert back["app_secret"] == "a"
    assert [secret for secret, _ in back["previous_app_secrets"]] == ["b"]


def test_without_an_own_app_secret_the_platforms_counts(
    api: Api, new_tenant: Callable[..., str], parts: WebContext, pool: Pool
) -> None:
    tenant_id = new_tenant()
    active_line(parts, pool, tenant_id)
    without = {name: value for name, value in WHATSAPP.items() if name != "app_secret"}
    api("PUT", f"/api/tenants/{tenant_id}/whatsapp/credentials", without)
    route = lines.route_by_ref(pool, parts.cipher, "whatsapp", "3001")
    assert route
    assert route.meta_secrets == ()


def test_a_lines_own_secret_rotates_too(
    api: Api, new_tenant: Callable[..., str], parts: WebContext, pool: Pool
) -> None:
    tenant_id = new_tenant()
    active_line(parts, pool, tenant_id)
    for secret in ("line-1", "line-2"):
        body = {"phone_number_id": "3001", "integration_id": "int-1", "webhook_secret": secret}
        assert api("POST", f"/api/tenants/{tenant_id}/lines", body).status_code == 200
    route = lines.route_by_ref(pool, parts.cipher, "genesys", "int-1")
    assert route
    assert route.genesys_secrets == ("line-2", "line-1")


def test_the_daemon_gets_what_it_calls_with_and_the_lines_own_ids(
    new_tenant: Callable[..., str], parts: WebContext, pool: Pool
) -> None:
    line_id = active_line(parts, pool, new_tenant())
    accounts = lines.accounts(pool, parts.cipher, line_id)
    assert accounts
    assert (accounts.whatsapp["phone_number_id"], accounts.genesys["integration_id"]) == ("3001", "int-1")
    assert accounts.whatsapp["access_token"] == WHATSAPP["access_token"]
    assert not {"app_secret", "verify_token"} & accounts.whatsapp.keys()
    assert WHATSAPP["access_token"] not in repr(accounts)


def test_health_is_news_only_once(new_tenant: Callable[..., str], parts: WebContext, pool: Pool) -> None:
    tenant_id, changes = new_tenant(), Changes(pool, parts.cache.forget_routes)
    assert credentials.set_health(changes, tenant_id, "genesys", "refused", "invalid_client")
    assert not credentials.set_health(changes, tenant_id, "genesys", "refused", "invalid_client")
    stored = credentials.get(pool, tenant_id, "genesys")
    assert stored
    assert (stored.health, stored.health_reason) == ("refused", "invalid_client")


def test_the_daemons_are_told_of_every_change(api: Api, new_tenant: Callable[..., str], pool: Pool) -> None:
    tenant_id = new_tenant()
    listener = pool.connection()
    try:
        listener.autocommit = True
        with listener.cursor() as cursor:
            cursor.execute("LISTEN relay_tenants")
            api("PUT", f"/api/tenants/{tenant_id}/whatsapp/credentials", WHATSAPP)
            api("PUT", f"/api/tenants/{tenant_id}/whatsapp/credentials", {"nonsense": 1})
            cursor.execute("SELECT 1")
        assert [notice.payload for notice in listener.notifies] == [tenant_id]
    finally:
        listener.close()


def test_everything_can_be_brought_under_a_new_key(
    new_tenant: Callable[..., str], parts: WebContext, pool: Pool
) -> None:
    tenant_id = new_tenant()
    assert credentials.reseal(pool, parts.cipher) == 2
    opened = credentials.opened(pool, parts.cipher, tenant_id, "whatsapp")
    assert opened
    assert opened.values["access_token"] == WHATSAPP["access_token"]
    stranger = Cipher([Fernet.generate_key().decode()])
    with pytest.raises(SealError) as caught:
        credentials.opened(pool, stranger, tenant_id, "whatsapp")
    assert WHATSAPP["access_token"] not in str(caught.value)
