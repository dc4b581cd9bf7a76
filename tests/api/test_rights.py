"""Every endpoint says who may, and a key that may only look changes nothing. The routes come from the URL map."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import uuid4

from flask import Flask

from db.access import api_keys
from db.audit import Author
from db.pool import Pool
from tests.api.conftest import Api
from web.request.principal import OPERATOR, ROLES, SCOPES, right_of, scope_of

OPEN = ("/webhook/", "/health/", "/metrics", "/openapi.json", "/docs", "/static/", "/bootstrap/", "/portal/")

KNOWN = {"channel": "whatsapp", "line_ref": "whatsapp", "version": "v25.0"}


def routes(app: Flask) -> list[tuple[str, str, str]]:
    """(method, path with ids made up, endpoint) of the API."""
    found = []
    for rule in app.url_map.iter_rules():
        if not rule.rule.startswith(OPEN):
            values = {name: KNOWN.get(name) or str(uuid4()) for name in rule.arguments}
            _, path = rule.build(values) or ("", "")
            found += [(one, path, rule.endpoint) for one in (rule.methods or set()) - {"HEAD", "OPTIONS"}]
    return found


def test_every_endpoint_says_who_may(app: Flask) -> None:
    with app.app_context():
        unmarked = sorted({endpoint for _, _, endpoint in routes(app) if right_of(endpoint) is None})
    assert unmarked == []
    assert len(routes(app)) > 60


def test_nothing_is_for_every_key_of_the_operator(app: Flask) -> None:
    with app.app_context():
        marks = {endpoint: (right_of(endpoint), scope_of(endpoint)) for _, _, endpoint in routes(app)}
    assert [endpoint for endpoint, mark in marks.items() if mark == (OPERATOR, None)] == []
    # A session has all rights of its role and no key's scopes: what is the operator's in the portal names none.
    assert {right for right, _ in marks.values()} <= {*SCOPES, OPERATOR}


def test_an_operators_key_does_what_it_was_made_for_and_no_more(app: Flask, api: Api, pool: Pool) -> None:
    keys = {scope: api_keys.create(pool, Author("test"), None, scope, [scope], None)[1] for scope in SCOPES}
    wrong: list[Any] = []
    with app.app_context():
        marks = {endpoint: {right_of(endpoint), scope_of(endpoint)} for _, _, endpoint in routes(app)}
    for method, path, endpoint in routes(app):
        for scope, key in keys.items():
            refused = api(method, path, {}, key=key).status_code == 403
            if refused != (marks[endpoint] - {OPERATOR, None} != {scope}):
                wrong.append((method, path, scope, refused))
    assert wrong == []


def test_what_changes_something_takes_more_than_a_scope_for_reading(app: Flask) -> None:
    with app.app_context():
        asked = {(method, path): right_of(endpoint) for method, path, endpoint in routes(app) if method != "GET"}
    assert [one for one, right in asked.items() if str(right).endswith(":read")] == []


def test_a_viewers_key_changes_nothing(app: Flask, api: Api, pool: Pool, new_tenant: Callable[..., str]) -> None:
    _, viewer = api_keys.create(pool, Author("test"), new_tenant(), "viewer", sorted(ROLES["viewer"]), None)
    allowed = [
        (method, path)
        for method, path, _ in routes(app)
        if method != "GET" and api(method, path, {}, key=viewer).status_code != 403
    ]
    assert allowed == []


def test_each_scope_opens_its_own_endpoints_only(
    app: Flask, api: Api, pool: Pool, new_tenant: Callable[..., str]
) -> None:
    tenant_id = new_tenant()
    keys = {scope: api_keys.create(pool, Author("test"), tenant_id, scope, [scope], None)[1] for scope in SCOPES}
    wrong: list[Any] = []
    with app.app_context():
        rights = {endpoint: right_of(endpoint) for _, _, endpoint in routes(app)}
    for method, path, endpoint in routes(app):
        for scope, key in keys.items():
            # A path of another tenant is 404 for whoever gets past the right.
            refused = api(method, path, {}, key=key).status_code == 403
            if refused != (rights[endpoint] != scope):
                wrong.append((method, path, scope, refused))
    assert wrong == []
    assert OPERATOR in rights.values()


def test_without_a_valid_key_nobody_gets_in(app: Flask, api: Api) -> None:
    app.config["RATE_LIMITED"] = False
    try:
        for method, path, _ in routes(app):
            assert app.test_client().open(path, method=method, json={}).status_code == 401, path
            assert api(method, path, {}, key="wgr_" + "x" * 43).status_code == 401, path
    finally:
        app.config["RATE_LIMITED"] = True
