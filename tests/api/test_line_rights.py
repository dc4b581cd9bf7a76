"""Rights per line: whoever is for line A finds nothing of line B, nor of what is the tenant's as a whole.

The walk is that of test_separation: every route, with everything of line B and of the tenant in path, query and body.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from uuid import uuid4

import pytest
from flask import Flask

from db.access import api_keys, passwords, users
from db.audit import Author
from db.pool import Pool
from tests.api.conftest import Api
from tests.api.test_rotation import active_line
from tests.api.test_separation import PASSWORD, Tenant, calls, log_in, make, rows, unlimited
from tests.integration.rows import sent_message
from web.request.principal import OF_LINES, ROLES, right_of
from web.request.web_context import WebContext

__all__ = ["make", "unlimited"]
BY = Author("test")


@dataclass
class House:
    """`limited` is somebody for line A with a key of the same kind; `whole` has all that is beside line A."""

    limited: Tenant
    whole: Tenant

    @property
    def hidden(self) -> tuple[str, ...]:
        whole = self.whole
        ids = (
            whole.line_id,
            whole.conversation_id,
            whole.message_id,
            whole.key_id,
            whole.endpoint_id,
            whole.erasure_id,
        )
        return (*whole.marks, *ids)


@pytest.fixture
def house(parts: WebContext, pool: Pool, make: Callable[[str], Tenant]) -> House:
    whole = make("One")
    with pool.transaction() as cursor:
        # What every line needs is no secret: name and templates.
        cursor.execute("UPDATE tenants SET name = 'One' WHERE id = %s", (whole.id,))
        cursor.execute("UPDATE templates SET described = NULL WHERE tenant_id = %s", (whole.id,))
    line_id = active_line(parts, pool, whole.id, f"30{uuid4().int % 10**10}", uuid4().hex)
    mark = f"own{uuid4().hex}"
    message = sent_message(pool, line_id, provider_id=f"wamid.{mark}")
    with pool.transaction() as cursor:
        cursor.execute("UPDATE message_tracking SET state = 'dead', failed_at = now() WHERE id = %s", (message.id,))
        cursor.execute("UPDATE conversation_mappings SET name = %s WHERE id = %s", (mark, message.conversation_id))
    email = f"{mark}@x.example"
    user = users.create(pool, BY, whole.id, email, "Ada", "admin", "x", [line_id])
    users.set_password(pool, BY, user, passwords.hashed(PASSWORD), must_change=False)
    key, secret = api_keys.create(pool, BY, whole.id, "a key", sorted(ROLES["admin"]), None, [line_id])
    limited = replace(
        whole, line_id=line_id, conversation_id=message.conversation_id, message_id=message.id, user_id=user.id,
        key_id=key.id, key=secret, email=email, marks=(mark,),
    )  # fmt: skip
    return House(limited, whole)


def untouched(pool: Pool, house: House) -> dict[str, list[str]]:
    """All rows in which something hidden stands."""
    return {
        name: [row for row in found if any(one in row for one in house.hidden)]
        for name, found in rows(pool, house.whole).items()
        if name != "audit_log"
    }


def test_a_key_for_a_line_reaches_nothing_of_another(app: Flask, pool: Pool, house: House) -> None:
    before, client, headers = (
        untouched(pool, house),
        app.test_client(),
        {"Authorization": f"Bearer {house.limited.key}"},
    )
    for call in calls(app, house.limited, house.whole):
        answer = client.open(call.path, method=call.method, json=call.body, headers=headers)
        text = answer.get_data().decode(errors="replace")
        assert not any(mark in text for mark in house.whole.marks), f"{call} shows what is another line's"
        assert answer.status_code not in (429, 500, 503), f"{call}: {text}"
    assert untouched(pool, house) == before


def test_a_person_for_a_line_reaches_nothing_of_another(app: Flask, pool: Pool, house: House) -> None:
    before, client = untouched(pool, house), app.test_client()
    token = log_in(client, house.limited)
    for call in calls(app, house.limited, house.whole):
        form = None if call.body is None else call.body | {"csrf_token": token}
        answer = client.open(call.path, method=call.method, data=form)
        if "/portal/login" in answer.headers.get("Location", ""):  # this walk has logged out
            token = log_in(client, house.limited)
        text = answer.get_data().decode(errors="replace")
        assert not any(mark in text for mark in house.whole.marks), f"{call} shows what is another line's"
        assert answer.status_code not in (429, 500, 503), f"{call}: {text}"
    assert untouched(pool, house) == before


def test_their_own_line_is_shown_and_no_id_of_another(app: Flask, house: House) -> None:
    client, headers = app.test_client(), {"Authorization": f"Bearer {house.limited.key}"}
    log_in(client, house.limited)
    seen = {"key": 0, "session": 0}
    for call in calls(app, house.limited, house.limited):
        if call.method != "GET" or "?" not in call.path:
            continue
        for way, text in (
            ("key", client.get(call.path, headers=headers).get_data().decode(errors="replace")),
            ("session", client.get(call.path).get_data().decode(errors="replace")),
        ):
            # The ids of the tenant's own things stand in the path of this walk.
            told = [one for one in house.hidden if one in text and one not in call.path]
            assert not told, f"{call} tells {told}"
            seen[way] += house.limited.marks[0] in text
    assert min(seen.values()) > 5, seen


def test_a_direct_id_of_another_line_is_not_found(app: Flask, api: Api, house: House) -> None:
    whole, key = house.whole, house.limited.key
    for path in (
        f"/api/messages/{whole.message_id}",
        f"/api/messages/{whole.message_id}/payload",
        f"/api/conversations/{whole.conversation_id}",
        f"/api/conversations/{whole.conversation_id}/export",
        f"/api/dead-letters/{whole.message_id}",
        f"/api/tenants/{whole.id}/lines/{whole.line_id}/templates",
    ):
        assert api("GET", path, key=key).status_code == 404, path
        own = path.replace(whole.message_id, house.limited.message_id)
        own = own.replace(whole.conversation_id, house.limited.conversation_id)
        own = own.replace(whole.line_id, house.limited.line_id)
        assert api("GET", own, key=key).status_code in (200, 404 if own.endswith("/payload") else 200), own


def test_what_is_the_tenants_as_a_whole_takes_rights_for_all_lines(app: Flask, api: Api, house: House) -> None:
    for path in ("endpoints", "retention", "whatsapp/credentials", "former-secrets"):
        api.error(
            api("GET", f"/api/tenants/{house.whole.id}/{path}", key=house.limited.key), 403, "all_lines_needed"
        )  # fmt: skip


def test_a_replay_of_somebody_for_a_line_is_of_that_line(api: Api, house: House) -> None:
    begun = api("POST", "/api/dead-letters/replays", {}, key=house.limited.key)
    assert begun.status_code == 202
    assert begun.get_json()["line_id"] == house.limited.line_id
    other = api("POST", "/api/dead-letters/replays", {"line_id": house.whole.line_id}, key=house.limited.key)
    assert other.status_code == 404


def test_a_key_for_lines_is_made_with_scopes_that_are_about_lines(api: Api, house: House) -> None:
    path, lines = f"/api/tenants/{house.whole.id}/keys", [house.limited.line_id]
    made = api("POST", path, {"name": "a", "scopes": sorted(OF_LINES), "line_ids": lines})
    assert (made.status_code, made.get_json()["line_ids"]) == (201, lines)
    refused = api("POST", path, {"name": "a", "scopes": ["access:write"], "line_ids": lines})
    api.error(refused, 400, "invalid_request")
    strange = api("POST", path, {"name": "a", "scopes": ["messages:read"], "line_ids": [str(uuid4())]})
    assert strange.status_code == 404
    api.error(
        api("POST", "/api/keys", {"name": "a", "scopes": ["messages:read"], "line_ids": lines}), 400, "invalid_request"
    )


def test_other_lines_count_at_once_and_end_the_keys_made_with_the_former_ones(
    app: Flask, api: Api, pool: Pool, house: House, parts: WebContext
) -> None:
    whole, client = house.whole, app.test_client()
    log_in(client, whole)
    page = f"/portal/tenants/{whole.id}/messages/{whole.message_id}"
    assert client.get(page).status_code == 200
    user = users.by_id(pool, whole.user_id)
    assert user
    maker = replace(BY, maker=replace(BY.maker, kind="user", id=user.id, rights_version=user.rights_version))
    _, secret = api_keys.create(pool, maker, whole.id, "theirs", ["messages:read"], None)
    assert api("GET", "/api/messages", key=secret).status_code == 200
    changed = api(
        "PATCH", f"/api/tenants/{whole.id}/users/{whole.user_id}", {"line_ids": [house.limited.line_id]}
    )  # fmt: skip
    assert changed.get_json()["line_ids"] == [house.limited.line_id]
    assert api("GET", "/api/messages", key=secret).status_code == 401
    log_in(client, whole)
    assert client.get(page).status_code == 404
    api("PATCH", f"/api/tenants/{whole.id}/users/{whole.user_id}", {"name": "Somebody"})
    assert users.by_id(pool, whole.user_id).line_ids == (house.limited.line_id,)  # type: ignore[union-attr]
    api("PATCH", f"/api/tenants/{whole.id}/users/{whole.user_id}", {"line_ids": None})
    log_in(client, whole)
    assert client.get(page).status_code == 200


def test_whoever_is_for_a_line_that_is_gone_can_be_shut_out(api: Api, house: House) -> None:
    tenant, pair = f"/api/tenants/{house.whole.id}", {"phone_number_id": uuid4().hex, "integration_id": uuid4().hex}
    line_id = api("POST", f"{tenant}/lines", pair).get_json()["id"]
    person = {"email": f"{uuid4().hex}@x.example", "name": "Ada", "role": "admin", "line_ids": [line_id]}
    user = api("POST", f"{tenant}/users", person).get_json()
    one = f"{tenant}/users/{user.get('id') or user['user']['id']}"
    assert api("DELETE", f"{tenant}/lines/{line_id}").status_code == 204
    disabled = api("PATCH", one, {"status": "disabled"})
    assert (disabled.status_code, disabled.get_json().get("status")) == (200, "disabled")
    assert api("PATCH", one, {"line_ids": [line_id, str(uuid4())]}).status_code == 404


def test_nobody_for_some_lines_gets_into_a_view_that_does_not_say_so(app: Flask) -> None:
    with app.app_context():
        marked = {rule.endpoint for rule in app.url_map.iter_rules() if _per_line(app, rule.endpoint)}
        assert len(marked) > 50
        assert {right_of(one) for one in marked} <= OF_LINES | {"anyone"}


def _per_line(app: Flask, endpoint: str) -> bool:
    return bool(getattr(app.view_functions[endpoint], "per_line", False))
