"""/state: from a contact to its conversation and back (R15, R16)."""

import time
from collections.abc import Callable
from datetime import UTC, datetime
from uuid import UUID, uuid4

import gevent
import pytest
from flask import Flask, g

from db.access import api_keys
from db.audit import Author
from db.contacts import conversations
from db.contacts.seen import SeenPerson
from db.pool import Pool
from db.tenants import onboarding, registry
from db.tenants.changes import Changes
from db.views import audit_search
from db.views.audit_search import AuditSearch
from relay.core.messages import Person
from relay.stores import keys
from tests.api.conftest import OWN_APP_SECRET, Api
from tests.api.test_rotation import active_line
from tests.waiting import PATIENCE
from web.api.access import auth
from web.api.messages import state
from web.api.tenants.webhook_urls import WebhookUrlsOf
from web.request.errors import ApiError
from web.request.principal import Principal
from web.request.web_context import WebContext

WA_ID = "4915112345678"


@pytest.fixture
def line(new_tenant: Callable[..., str], parts: WebContext, pool: Pool) -> tuple[str, str]:
    """(tenant id, line id) of an active line."""
    tenant_id = new_tenant()
    return tenant_id, active_line(parts, pool, tenant_id)


def test_a_mapping_is_made_once_and_found_both_ways(api: Api, line: tuple[str, str], parts: WebContext) -> None:
    tenant_id, line_id = line
    made = api("GET", f"/state/mapping/{WA_ID}?phone_number_id=3001", X_Tenant_ID=tenant_id)
    assert made.status_code == 200
    mapping = made.get_json()
    assert (mapping["wa_id"], mapping["tenant_id"], mapping["line_id"]) == (WA_ID, tenant_id, line_id)
    assert mapping["genesys_conversation_id"] is None
    for key in (keys.mapping(tenant_id, line_id, WA_ID), keys.conversation(tenant_id, mapping["conversation_id"])):
        kept = parts.cache.recall(key)
        assert kept and kept["mapping"]["conversation_id"] == mapping["conversation_id"]
    assert api("GET", f"/state/mapping/{WA_ID}", X_Tenant_ID=tenant_id).get_json() == mapping
    back = api("GET", f"/state/conversation/{mapping['conversation_id']}", X_Tenant_ID=tenant_id).get_json()
    assert (back["wa_id"], back["tenant_id"]) == (WA_ID, tenant_id)
    assert api("GET", f"/state/conversation/{mapping['conversation_id']}").get_json() == back


def test_each_is_a_look_at_somebody(api: Api, line: tuple[str, str], pool: Pool) -> None:
    tenant_id, _ = line
    keys_of = [api_keys.create(pool, Author("test"), tenant_id, "twin", ["state:write", "messages:read"], None)[1]
               for _ in range(2)]  # fmt: skip
    found = api("GET", f"/state/mapping/{WA_ID}", key=keys_of[0]).get_json()["conversation_id"]
    for _ in range(2):  # once from the database or fresh, once from the cache
        assert api("GET", f"/state/conversation/{found}", key=keys_of[1]).status_code == 200
        assert api("GET", f"/state/mapping/{WA_ID}", key=keys_of[1]).status_code == 200
    noted = audit_search.listed(pool, AuditSearch(tenant_id)).items
    seen = [one for one in noted if one.action == "conversation.viewed"]
    assert [one.subject for one in seen] == [found] * 2
    assert len({one.actor for one in seen}) == 2, "two keys of one name"
    assert all(one.actor.startswith("key twin (") for one in seen)


def test_addresses_are_read_as_the_tenant_that_asks(app: Flask, new_tenant: Callable[..., str], pool: Pool) -> None:
    own, other = (
        new_tenant(whatsapp={"app_secret": OWN_APP_SECRET}),
        new_tenant(whatsapp={"app_secret": OWN_APP_SECRET}),
    )
    found = registry.get(pool, own)
    assert found
    for asking, shown in ((own, True), (other, False)):
        with app.test_request_context():
            g.principal = Principal("tenant", "key:x", "key", asking)
            assert WebhookUrlsOf(found).own_app is shown


def test_the_second_answer_comes_from_redis(
    api: Api, line: tuple[str, str], pool: Pool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(state, "FRESH_SECONDS", 60.0)
    tenant_id, _ = line
    first = api("GET", f"/state/mapping/{WA_ID}", X_Tenant_ID=tenant_id).get_json()
    with pool.transaction() as cursor:
        cursor.execute("DELETE FROM contact_aliases")
        cursor.execute("DELETE FROM conversation_mappings")
    assert api("GET", f"/state/mapping/{WA_ID}", X_Tenant_ID=tenant_id).get_json() == first
    path = f"/state/conversation/{first['conversation_id']}"
    assert api("GET", path, X_Tenant_ID=tenant_id).get_json() == first


def test_what_another_version_left_in_redis_is_not_read(api: Api, line: tuple[str, str], parts: WebContext) -> None:
    tenant_id, line_id = line
    first = api("GET", f"/state/mapping/{WA_ID}", X_Tenant_ID=tenant_id).get_json()
    for left in ({"conversation_id": "x"}, {"mapping": {"conversation_id": "x"}, "read_at": time.time()}):
        parts.cache.remember(keys.mapping(tenant_id, line_id, WA_ID), left, 60.0)
        assert api("GET", f"/state/mapping/{WA_ID}", X_Tenant_ID=tenant_id).get_json() == first


def test_what_the_daemon_has_made_is_found(api: Api, line: tuple[str, str], pool: Pool) -> None:
    tenant_id, line_id = line
    person = Person(address=WA_ID, wa_id=WA_ID, bsuid="DE.13491208655302741918")
    made = conversations.find_or_create(pool, tenant_id, line_id, person, 16)
    dialled = (f"+{WA_ID}", "+49%20151%201234-5678", "+49%20(0)151%2012345678", "0049%20151%2012345678")
    for address in (WA_ID, *dialled, "DE.13491208655302741918"):
        found = api("GET", f"/state/mapping/{address}", X_Tenant_ID=tenant_id).get_json()
        assert (found["conversation_id"], found["wa_id"]) == (made.conversation_id, WA_ID)


def test_the_window_of_a_contact(
    api: Api, line: tuple[str, str], pool: Pool, parts: WebContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    tenant_id, line_id = line
    monkeypatch.setattr(state, "FRESH_SECONDS", 60.0)
    made = api("GET", f"/state/mapping/{WA_ID}", X_Tenant_ID=tenant_id).get_json()
    assert (made["window"], made["username"]) == ({"open": None, "until": None}, None)
    paths = (f"/state/mapping/{WA_ID}", f"/state/conversation/{made['conversation_id']}")

    def answers() -> list[tuple[object, ...]]:
        found = [api("GET", path, X_Tenant_ID=tenant_id).get_json() for path in paths]
        return [(one["window"]["open"], one["window"]["until"], one["username"], one["bsuid"]) for one in found]

    def writes(until: float) -> None:
        person = Person(WA_ID, WA_ID, "DE.77", username="kfisher")
        with pool.transaction() as cursor:
            conversations.resolve(cursor, [SeenPerson(tenant_id, line_id, person, window_until=until)], 16)

    writes(ends := float(int(time.time()) + 3600))
    assert answers() == [(None, None, None, None)] * 2, "for a moment Redis answers"
    monkeypatch.setattr(state, "FRESH_SECONDS", 0.0)
    until = datetime.fromtimestamp(ends, UTC)
    told = [(one[0], datetime.fromisoformat(str(one[1])), *one[2:]) for one in answers()]
    assert told == [(True, until, "kfisher", "DE.77")] * 2
    shown = api("GET", f"/api/conversations/{made['conversation_id']}", X_Tenant_ID=tenant_id).get_json()
    [item] = api("GET", "/api/conversations", X_Tenant_ID=tenant_id).get_json()["items"]
    for one in (shown, item):
        assert (one["window"]["open"], one["username"]) == (True, "kfisher")
        assert datetime.fromisoformat(one["window"]["until"]) == until

    with pool.transaction() as cursor:
        cursor.execute(
            "UPDATE conversation_mappings SET window_until = now() - interval '1 second' WHERE id = %s",
            (UUID(made["conversation_id"]),),
        )
    assert [one[0] for one in answers()] == [False] * 2
    # While Redis holds the answer, the window closes by itself.
    monkeypatch.setattr(state, "FRESH_SECONDS", 60.0)
    address = keys.mapping(tenant_id, line_id, WA_ID)
    kept = parts.cache.recall(address)
    assert kept
    for distance in (60, -60):
        mapping = {**kept["mapping"], "window_until": time.time() + distance}
        parts.cache.remember(address, {"mapping": mapping, "read_at": time.time()}, 60.0)
        assert answers()[0][0] is (distance > 0)


def test_a_number_given_up_is_not_answered_from_redis(
    api: Api, line: tuple[str, str], pool: Pool, monkeypatch: pytest.MonkeyPatch
) -> None:
    tenant_id, line_id = line
    monkeypatch.setattr(state, "FRESH_SECONDS", 0.0)
    before = api("GET", f"/state/mapping/{WA_ID}", X_Tenant_ID=tenant_id).get_json()
    changed = Person(WA_ID, "4915100000001", previous=(WA_ID,))
    with pool.transaction() as cursor:
        conversations.resolve(cursor, [SeenPerson(tenant_id, line_id, changed)], 16)
    for address, same in (("4915100000001", True), (WA_ID, False)):
        found = api("GET", f"/state/mapping/{address}", X_Tenant_ID=tenant_id).get_json()
        assert (found["conversation_id"] == before["conversation_id"]) is same


def test_a_contact_without_a_number(api: Api, line: tuple[str, str]) -> None:
    found = api("GET", "/state/mapping/US.13491208655302741918", X_Tenant_ID=line[0]).get_json()
    assert (found["wa_id"], found["bsuid"]) == (None, "US.13491208655302741918")


def test_many_at_once_get_one_conversation(
    app: Flask, api: Api, line: tuple[str, str], settings_env: dict[str, str]
) -> None:
    def ask() -> str:
        found = Api(app, settings_env["ADMIN_API_KEY"])("GET", f"/state/mapping/{WA_ID}", X_Tenant_ID=line[0])
        return str(found.get_json()["conversation_id"])

    running = [gevent.spawn(ask) for _ in range(12)]
    gevent.joinall(running, timeout=PATIENCE)
    assert len({one.get(block=False) for one in running}) == 1


@pytest.mark.parametrize("address", ["abc", "0", "12", "1" * 40, "US.", "us.123", "%00", "49151%0012345"])
def test_what_is_no_address_is_refused(api: Api, line: tuple[str, str], address: str) -> None:
    api.error(api("GET", f"/state/mapping/{address}", X_Tenant_ID=line[0]), 400, "invalid_request")


def test_with_several_lines_the_number_must_be_named(
    api: Api, line: tuple[str, str], parts: WebContext, pool: Pool
) -> None:
    changes = Changes(pool, parts.cache.forget_routes)
    second = onboarding.create(changes, parts.cipher, Author("test"), line[0], "3002", "int-2")
    onboarding.activate(changes, Author("test"), line[0], [second.pair])
    error = api.error(api("GET", f"/state/mapping/{WA_ID}", X_Tenant_ID=line[0]), 400, "line_ambiguous")
    assert "3001, 3002" in error["message"]
    found = api("GET", f"/state/mapping/{WA_ID}?phone_number_id=3002", X_Tenant_ID=line[0]).get_json()
    assert found["line_id"] == second.id


def test_the_tenant_must_be_named_or_follow_from_the_number(api: Api, line: tuple[str, str]) -> None:
    api.error(api("GET", f"/state/mapping/{WA_ID}"), 400, "tenant_missing")
    api.error(api("GET", f"/state/mapping/{WA_ID}", X_Tenant_ID="nobody"), 400, "invalid_request")
    assert api("GET", f"/state/mapping/{WA_ID}?phone_number_id=3001").get_json()["tenant_id"] == line[0]
    api.error(api("GET", f"/state/mapping/{WA_ID}?phone_number_id=3999"), 404, "line_missing")


def test_another_tenant_sees_nothing_of_it(api: Api, line: tuple[str, str], new_tenant: Callable[..., str]) -> None:
    other = new_tenant("Other")
    mapping = api("GET", f"/state/mapping/{WA_ID}", X_Tenant_ID=line[0]).get_json()
    path = f"/state/conversation/{mapping['conversation_id']}"
    api.error(api("GET", path, X_Tenant_ID=other), 404, "not_found")
    api.error(api("GET", f"/state/mapping/{WA_ID}?phone_number_id=3001", X_Tenant_ID=other), 404, "line_missing")
    api.error(api("GET", f"/state/conversation/{uuid4()}", X_Tenant_ID=line[0]), 404, "not_found")


def test_a_key_bound_to_a_tenant_cannot_name_another(app: Flask, api: Api, new_tenant: Callable[..., str]) -> None:
    own, other = new_tenant(), new_tenant("Other")
    with app.test_request_context(headers={"X-Tenant-ID": other}):
        g.principal = Principal("tenant", "key:1", "a key", own)
        for refused in (auth.named_tenant, lambda: auth.admit(other)):
            with pytest.raises(ApiError) as caught:
                refused()
            assert caught.value.status == 404
        assert auth.admit(own) == own
    with app.test_request_context():
        g.principal = Principal("tenant", "key:1", "a key", own)
        assert auth.required_tenant() == own


def test_a_tenant_that_does_not_exist_is_not_an_empty_one(api: Api) -> None:
    api.error(api("GET", "/api/messages", X_Tenant_ID=str(uuid4())), 404, "not_found")
