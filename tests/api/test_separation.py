"""One tenant's key, session and ids against everything that belongs to another: nothing is shown, nothing changes.

The routes come from the URL map. A route with an argument, a query or a body that this test does not
know how to fill makes it fail: whoever adds a route says here what another tenant's id for it is.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

import pytest
from flask import Flask
from werkzeug.routing import AnyConverter, Rule
from werkzeug.test import TestResponse

from db.access import api_keys, openid, passwords, sessions, user_news, users
from db.access.openid import ProviderSettings
from db.audit import Author
from db.contacts import erasures
from db.endpoints import log, registry
from db.pool import Pool
from db.tenants import templates
from relay.core.templates.listed import ListedTemplate, TemplateShape
from tests.api.test_rotation import active_line
from tests.integration.rows import sent_message
from web.request.principal import ROLES, right_of
from web.request.web_context import WebContext

PASSWORD = "correct horse battery staple"
OPEN = ("/webhook/", "/health/", "/metrics", "/openapi.json", "/docs", "/static/", "/bootstrap/", "/portal/static/")
"""Not a tenant's: proved by signatures, or the same for everybody."""


@dataclass
class Tenant:
    id: str
    line_id: str
    conversation_id: str
    message_id: str
    user_id: str
    key_id: str
    session_id: str
    news_id: str
    replay_id: str
    template: str
    endpoint_id: str
    event_id: str
    erasure_id: str
    key: str = field(repr=False)
    email: str
    marks: tuple[str, ...]
    """What only this tenant's data hold, and no request of this test names."""


@pytest.fixture
def make(parts: WebContext, pool: Pool, new_tenant: Callable[..., str]) -> Callable[[str], Tenant]:
    def tenant(name: str) -> Tenant:
        by, mark = Author("test"), f"mark{uuid4().hex}"
        tenant_id = new_tenant(f"{name} {mark}")
        number = f"30{uuid4().int % 10**10}"
        line_id = active_line(parts, pool, tenant_id, number, uuid4().hex)
        message = sent_message(pool, line_id, provider_id=f"wamid.{mark}")
        with pool.transaction() as cursor:
            cursor.execute(
                "UPDATE message_tracking SET state = 'dead', content = jsonb_set(content, '{text}', to_jsonb(%s::text))"
                " WHERE id = %s", (f"text {mark}", message.id),
            )  # fmt: skip
            cursor.execute(
                "UPDATE conversation_mappings SET name = %s WHERE id = %s", (f"contact {mark}", message.conversation_id)
            )
            cursor.execute(
                """INSERT INTO replays (id, tenant_id, state, started_by, total) VALUES (%s, %s, 'done', %s, 1)
                   RETURNING id::text""",
                (str(uuid4()), tenant_id, mark),
            )
            replay_id = cursor.fetchone()[0]
        user = users.create(pool, by, tenant_id, f"{mark}@x.example", f"user {mark}", "admin", "x")
        users.set_password(pool, by, user, passwords.hashed(PASSWORD), must_change=False)
        said = ProviderSettings(f"provider {mark}", "https://login.x.example", mark, "groups", ("admins",), ())
        openid.put(pool, parts.cipher, by, tenant_id, said, mark, mark)
        openid.set_domains(pool, by, tenant_id, [f"{mark}.example"])
        key, secret = api_keys.create(pool, by, tenant_id, f"key {mark}", sorted(ROLES["admin"]), None)
        now = users.by_id(pool, user.id)
        assert now
        sessions.begin(pool, now, "a browser")
        [session] = sessions.listed(pool, user.id)
        with pool.transaction() as cursor:
            user_news.tell(cursor, user.id, "password", by)
        template = ListedTemplate(f"order_{number}", "en", "APPROVED", "UTILITY", shape=TemplateShape(f"Hello {mark}"))
        templates.store(pool, templates.begin(pool, tenant_id, line_id, 60), number, [template], whole=True)
        endpoint = registry.create(
            pool,
            parts.cipher,
            by,
            tenant_id,
            mark,
            url=f"https://{mark}.example/in",
            name=mark,
            kinds=[],
            contents=False,
        )
        [news] = user_news.waiting(pool, user.id, "00000000-0000-4000-8000-000000000000")
        return Tenant(
            tenant_id,
            line_id,
            message.conversation_id,
            message.id,
            user.id,
            key.id,
            session.id,
            news.id,
            replay_id,
            template.name,
            endpoint.id,
            log.test(pool, by, tenant_id, endpoint.id),
            erasures.begin(pool, parts.cipher, parts.signers, by, tenant_id, f"31{uuid4().int % 10**10}").id,
            secret,
            user.email,
            (mark,),
        )

    return tenant


def rows(pool: Pool, tenant: Tenant) -> dict[str, list[str]]:
    """All that PostgreSQL holds of a tenant, except that somebody was there."""
    limited, found = pool.of_tenant(tenant.id), {}
    with pool.autocommit() as cursor:
        cursor.execute("SELECT relname FROM pg_class WHERE relkind = 'r' AND relforcerowsecurity ORDER BY relname")
        names = [row[0] for row in cursor.fetchall()]
    for name in names:
        with limited.autocommit() as cursor:
            cursor.execute(f"SELECT t::text FROM {name} t ORDER BY 1")
            found[name] = [row[0] for row in cursor.fetchall()]
    return found


ARGUMENTS: dict[str, Callable[[Tenant], str]] = {
    "tenant_id": lambda one: one.id,
    "line_id": lambda one: one.line_id,
    "conversation_id": lambda one: one.conversation_id,
    "message_id": lambda one: one.message_id,
    "user_id": lambda one: one.user_id,
    "key_id": lambda one: one.key_id,
    "session_id": lambda one: one.session_id,
    "replay_id": lambda one: one.replay_id,
    "last": lambda one: one.news_id,
    "name": lambda one: one.template,
    "endpoint_id": lambda one: one.endpoint_id,
    "event_id": lambda one: one.event_id,
    "erasure_id": lambda one: one.erasure_id,
    "departed_id": lambda one: one.id,
    "language": lambda one: "en",
    "currency": lambda one: "EUR",
    "valid_from": lambda one: "2026-10-01",
    "version": lambda one: "v25.0",
    "phone_number_id": lambda one: "3001",
    "wa_id": lambda one: "4915112345678",
    "channel": lambda one: "whatsapp",
    "line_ref": lambda one: "3001",
    "ref": lambda one: "3001",
    "item_id": lambda one: "1",
    "part": lambda one: "recent",
    "rest": lambda one: "nowhere",
}
"""What each argument of a path, field of a body, or parameter of a query is, when it is this tenant's."""


@dataclass(frozen=True)
class Call:
    method: str
    path: str
    foreign: bool
    """Another tenant's id stands in the path."""
    body: Any = None


def routes(app: Flask) -> Iterator[tuple[Rule, str]]:
    for rule in app.url_map.iter_rules():
        if rule.rule.startswith(OPEN) or right_of_rule(app, rule) == "public":
            continue
        for method in sorted((rule.methods or set()) - {"OPTIONS", "HEAD"}):
            yield rule, method


def right_of_rule(app: Flask, rule: Rule) -> str | None:
    with app.app_context():
        return right_of(rule.endpoint)


def calls(app: Flask, asking: Tenant, other: Tenant) -> Iterator[Call]:
    """Every route and method with the other's ids, and with the other's below one's own tenant."""
    for rule, method in routes(app):
        words = {name: min(one.items) for name, one in rule._converters.items() if isinstance(one, AnyConverter)}
        unknown = rule.arguments - ARGUMENTS.keys() - words.keys()
        assert not unknown, f"{rule.rule}: tell ARGUMENTS what another tenant's {unknown} is"
        owners = [other] if rule.arguments - words.keys() <= {"tenant_id"} else [other, asking]
        for owner in owners:
            values = words | {name: ARGUMENTS[name](other) for name in rule.arguments - words.keys()}
            if "tenant_id" in values:
                values["tenant_id"] = owner.id
            foreign = any(value in ids(other) for value in values.values())
            _, path = rule.build(values) or ("", "")
            query = "&".join(
                f"{name}={ARGUMENTS[name](other)}" for name in ("conversation_id", "line_id", "message_id")
            )
            search = f"{query}&reference={other.message_id}&q=contact"
            if method == "GET":
                yield Call(method, path, foreign)
                yield Call(method, f"{path}?{search}", foreign)
            else:
                yield Call(method, path, foreign, body_of(app, rule, method, other))


def ids(one: Tenant) -> set[str]:
    return {one.id, one.line_id, one.conversation_id, one.message_id, one.user_id, one.key_id, one.session_id} | {
        one.endpoint_id,
        one.event_id,
        one.erasure_id,
    }


def body_of(app: Flask, rule: Rule, method: str, other: Tenant) -> Any:
    """A body that the schema takes, with the other's ids in it; for a page's form all its ids."""
    described = app.api_doc["paths"].get(re.sub(r"<(?:[^:>]+:)?([^>]+)>", r"{\1}", rule.rule), {})  # type: ignore[attr-defined]
    content = described.get(method.lower(), {}).get("requestBody", {}).get("content", {})
    schema = content.get("application/json", {}).get("schema")
    if schema is not None:
        return sample(schema, app.api_doc["components"]["schemas"], other)  # type: ignore[attr-defined]
    return {name: value(other) for name, value in ARGUMENTS.items()} | {"ids": other.message_id, "all": "true"}


def sample(schema: dict[str, Any], known: dict[str, Any], other: Tenant, name: str = "") -> Any:
    if "$ref" in schema:
        return sample(known[schema["$ref"].rsplit("/", 1)[1]], known, other, name)
    if name in ARGUMENTS and schema.get("type", "string") == "string":
        return ARGUMENTS[name](other)
    for combined in ("anyOf", "oneOf", "allOf"):
        if combined in schema:
            return sample(schema[combined][0], known, other, name)
    if "enum" in schema or "const" in schema:
        return schema.get("const", (schema.get("enum") or [None])[0])
    match schema.get("type"):
        case "object":
            return {key: sample(value, known, other, key) for key, value in schema.get("properties", {}).items()}
        case "array":
            return [sample(schema["items"], known, other, {"ids": "message_id"}.get(name, name))]
        case "boolean":
            return True
        case "integer" | "number":
            return schema.get("minimum", 1)
    return other.message_id if schema.get("format") == "uuid" else "x" * max(1, schema.get("minLength", 1))


def shown(answer: TestResponse, other: Tenant) -> bool:
    body = answer.get_data().decode(errors="replace")  # an archive is no text
    return any(mark in body for mark in other.marks)


@pytest.fixture(autouse=True)
def unlimited(app: Flask) -> Iterator[None]:
    """A refusal for asking too often would look like one for being somebody else."""
    app.config["RATE_LIMITED"] = False
    yield
    app.config["RATE_LIMITED"] = True


def test_another_tenants_key_reaches_nothing(app: Flask, pool: Pool, make: Callable[[str], Tenant]) -> None:
    one, other = make("One"), make("Other")
    before, client, asked = rows(pool, other), app.test_client(), 0
    for call in calls(app, one, other):
        for named in ({}, {"X-Tenant-ID": other.id}):
            headers = {"Authorization": f"Bearer {one.key}"} | named
            answer = client.open(call.path, method=call.method, json=call.body, headers=headers)
            assert not shown(answer, other), f"{call} shows what is another tenant's"
            assert answer.status_code not in (429, 500, 503), f"{call}: {answer.get_data(as_text=True)}"
            if call.foreign and not call.path.startswith("/portal"):
                assert answer.status_code >= 400, f"{call} answered {answer.status_code}"
            asked += 1
    assert rows(pool, other) == before
    assert asked > 100


def test_another_tenants_session_reaches_nothing(app: Flask, pool: Pool, make: Callable[[str], Tenant]) -> None:
    one, other = make("One"), make("Other")
    before, client, asked = rows(pool, other), app.test_client(), 0
    for call in calls(app, one, other):
        token = log_in(client, one)
        form = None if call.body is None else call.body | {"csrf_token": token}
        answer = client.open(call.path, method=call.method, data=form)
        assert not shown(answer, other), f"{call} shows what is another tenant's"
        assert answer.status_code not in (429, 500, 503), f"{call}: {answer.get_data(as_text=True)}"
        if call.foreign:
            assert answer.status_code >= 400, f"{call} answered {answer.status_code}"
        asked += 1
    assert rows(pool, other) == before
    assert asked > 50


def test_the_same_walk_with_ones_own_key_and_session_shows_much(
    app: Flask, pool: Pool, make: Callable[[str], Tenant]
) -> None:
    """Or the tests above would pass on a server that shows nobody anything."""
    one, client = make("One"), app.test_client()
    headers = {"Authorization": f"Bearer {one.key}"}
    seen = {"key": 0, "session": 0}
    for call in calls(app, one, one):
        if call.method == "GET":
            seen["key"] += shown(client.get(call.path, headers=headers), one)
            log_in(client, one)
            seen["session"] += shown(client.get(call.path), one)
    assert min(seen.values()) > 10, seen


def log_in(client: Any, one: Tenant) -> str:
    """The token for this session's forms; logs in anew where the walk has logged out."""
    page = client.get("/portal/account")
    if page.status_code == 302:
        form = {"email": one.email, "password": PASSWORD, "csrf_token": csrf(client.get("/portal/login"))}
        assert client.post("/portal/login", data=form).status_code == 302
        page = client.get("/portal/account")
    return csrf(page)


def csrf(page: TestResponse) -> str:
    found = re.search(r'name="csrf_token"[^>]*value="([^"]+)"', page.get_data(as_text=True))
    assert found, page.get_data(as_text=True)
    return found.group(1)
