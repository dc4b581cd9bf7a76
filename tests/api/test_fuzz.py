"""Everything that the description promises, asked with whatever it allows and much that it does not.

Schemathesis makes the requests from /openapi.json; known ids are put among them, so that they reach beyond 404.
No answer is a 5xx, each has a declared status, its schema and its headers.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from typing import Any
from uuid import uuid4

import pytest
import schemathesis
from flask import Flask
from gevent.lock import BoundedSemaphore
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from schemathesis import checks
from schemathesis.generation import GenerationMode

from db.access import api_keys, openid, users
from db.access.openid import ProviderSettings
from db.audit import Author
from db.contacts import erasures
from db.endpoints import log, registry
from db.mailbox import replays
from db.mailbox.dead_letters import DeadLetterSelection
from db.pool import Pool
from db.tenants import deletions, onboarding
from db.tenants.changes import Changes
from db.whole import whole
from tests import processes
from tests.api.conftest import GENESYS, WHATSAPP, Api
from tests.api.test_rotation import active_line
from tests.integration.rows import sent_message
from tests.portal.client import changes_of
from web.actions import sends
from web.request.principal import ROLES
from web.request.web_context import WebContext

pytestmark = pytest.mark.slow

CHECKS = [
    checks.not_a_server_error,
    checks.status_code_conformance,
    checks.content_type_conformance,
    checks.response_headers_conformance,
    checks.response_schema_conformance,
]
PROVIDER = {
    "name": "N",
    "issuer": "https://login.n.example",
    "client_id": "relay",
    "client_secret": "a-secret-of-the-client",
    "admin_values": ["admins"],
}
EXAMPLES = {"operator": 10, "admin": 4, "nobody": 1}
SETTINGS: dict[str, Any] = {
    "database": None,
    "deadline": None,
    "derandomize": True,
    "phases": (Phase.explicit, Phase.generate),
    "suppress_health_check": list(HealthCheck),
}


@pytest.fixture
def world(parts: WebContext, pool: Pool, new_tenant: Callable[..., str], sandbox: processes.Process) -> dict[str, Any]:
    """Ids that exist, and keys of every kind."""
    by, tenant_id = Author("test"), new_tenant()
    line_id = active_line(parts, pool, tenant_id, WHATSAPP["phone_number_id"], GENESYS["integration_id"])
    spare = onboarding.create(changes_of(parts), parts.cipher, by, tenant_id, "300000000000099", "spare-integration")
    messages = [sent_message(pool, line_id, "outbound", provider_id=f"wamid.{n}") for n in range(3)]
    with pool.transaction() as cursor:
        cursor.execute("UPDATE message_tracking SET state = 'dead', failed_at = now() WHERE id = %s", (messages[0].id,))
        cursor.execute("UPDATE message_tracking SET state = 'record' WHERE id = %s", (messages[1].id,))
        cursor.execute("INSERT INTO template_lists (tenant_id) VALUES (%s)", (tenant_id,))
        listed = "INSERT INTO templates VALUES (%s, 'order_update', 'en', 'APPROVED', 'UTILITY', 'GREEN')"
        cursor.execute(listed, (tenant_id,))
    user = users.create(pool, by, tenant_id, "ada@nordwind.example", "Ada", "viewer", "x")
    key, _ = api_keys.create(pool, by, tenant_id, "another", ["messages:read"], None)
    operator = users.create(pool, by, None, "olga@demo.example", "Olga", "operator", "x")
    operator_key, _ = api_keys.create(pool, by, None, "operator's", ["messages:read"], None)
    _, secret = api_keys.create(pool, by, tenant_id, "admin", sorted(ROLES["admin"] | {"tokens:read"}), None)
    said = ProviderSettings("Nordwind", "https://login.nordwind.example", "relay", "groups", ("admins",), ())
    openid.put(pool, parts.cipher, by, tenant_id, said, "a-secret-of-the-client", "a-key")
    replay = replays.start(pool, by, DeadLetterSelection(tenant_id))
    first, second = (endpoint(parts, pool, tenant_id, name) for name in ("first", "second"))
    return {
        "replay_id": replay.id,
        "leaving_id": new_tenant(),
        "closed": closed(pool, new_tenant()),
        "closed_too": closed(pool, new_tenant()),
        "erasure_id": erasures.begin(pool, parts.cipher, parts.signers, by, tenant_id, "491701112223").id,
        "admin": secret,
        "tenant_id": tenant_id,
        "line_id": line_id,
        "spare_line_id": spare.id,
        "endpoint_id": first,
        "spare_endpoint_id": second,
        "event_id": log.test(pool, by, tenant_id, first),
        "conversation_id": messages[2].conversation_id,
        "message_ids": [one.id for one in messages],
        "user_id": user.id,
        "key_id": key.id,
        "operator_id": operator.id,
        "operator_key_id": operator_key.id,
    }


def closed(pool: Pool, tenant_id: str) -> deletions.TenantDeletion:
    with whole(pool) as one:
        return deletions.close(Changes(one, lambda _: None), Author("test"), tenant_id)


def endpoint(parts: WebContext, pool: Pool, tenant_id: str, name: str) -> str:
    url = f"https://{name}.example/in"
    made = registry.create(
        pool, parts.cipher, Author("test"), tenant_id, "s", url=url, name=name, kinds=[], contents=False
    )
    return made.id


@pytest.fixture
def quick(app: Flask, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """No daemon runs, so no outcome is worth waiting for: as if others waited in all places. And more is asked than
    anybody may."""
    monkeypatch.setattr(sends, "_waits", BoundedSemaphore(0))
    app.config["RATE_LIMITED"] = False
    yield
    app.config["RATE_LIMITED"] = True


def put_in(case: Any, world: dict[str, Any], choose: random.Random) -> None:
    """Known ids in the place of made-up ones, most of the time."""
    known = {
        "tenant_id": world["tenant_id"],
        "line_id": world["line_id"],
        "conversation_id": world["conversation_id"],
        "message_id": choose.choice(world["message_ids"]),
        "user_id": world["user_id"],
        "key_id": world["key_id"],
        "wa_id": "4915112345678",
        "replay_id": world["replay_id"],
        "erasure_id": world["erasure_id"],
        "endpoint_id": world["endpoint_id"],
        "event_id": world["event_id"],
        "currency": "EUR",
        "valid_from": "2026-10-01",
        "name": "order_update",
    }
    if case.operation.path.startswith(("/api/users", "/api/keys")):
        known |= {"user_id": world["operator_id"], "key_id": world["operator_key_id"]}
    if case.operation.method.upper() == "DELETE":  # the first one is needed by what comes after
        known["endpoint_id"] = world["spare_endpoint_id"]
    if case.operation.path.endswith("/release"):  # the other one is needed by what comes after
        known["line_id"] = world["spare_line_id"]
    if "/departure" in case.operation.path:
        known |= departing(case, world)
    for name in case.path_parameters or {}:
        if name in known and choose.random() < 0.9:
            case.path_parameters[name] = known[name]
    if "version" in (case.path_parameters or {}):  # anything else is no address of ours
        case.path_parameters |= {"version": "v25.0", "phone_number_id": WHATSAPP["phone_number_id"]}
    if case.query:
        case.query.pop("wait", None)
    if case.operation.path in ("/whatsapp/send", "/genesys/messages/inbound"):
        case.query = {**(case.query or {}), "wait": 0}
    put_in_body(case, known, choose)


def departing(case: Any, world: dict[str, Any]) -> dict[str, Any]:
    """Tenants of their own: the other one is needed by what comes after."""
    method = case.operation.method.upper()
    if method == "GET" or case.operation.path.endswith("/deletion"):
        return {"tenant_id": world["closed"].tenant_id, "typed": world["closed"].name}
    return {"tenant_id": world["closed_too"].tenant_id if method == "DELETE" else world["leaving_id"]}


def put_in_body(case: Any, known: dict[str, Any], choose: random.Random) -> None:
    """A body that is likely to be taken, half of the time."""
    if case.operation.path.endswith("}/messages") and choose.random() < 0.5:
        text = {"body": seed_word(choose)}
        case.body = {"messaging_product": "whatsapp", "to": known["wa_id"], "type": "text", "text": text}
    elif case.operation.path.endswith("}/media") and choose.random() < 0.5:
        case.body = {"type": "text/plain", "file": seed_word(choose).encode()}
    elif case.operation.path.endswith("/deletion") and choose.random() < 0.5:
        case.body = {"name": known["typed"]}
    elif isinstance(case.body, dict) and case.operation.path.endswith("/openid") and choose.random() < 0.5:
        case.body = dict(PROVIDER)
    elif isinstance(case.body, dict) and choose.random() < 0.5:
        fitting = {
            "ids": [known["message_id"]],
            "to": known["wa_id"],
            "from": known["wa_id"],
            "email": f"{seed_word(choose)}@nordwind.example",
            "region": "mypurecloud.de",
            "contact": f"49151{choose.randrange(10**7):07}",
            "url": f"https://{seed_word(choose)}.example/in",
            "csv": "valid_from,currency,countries,category,rate\n2026-10-01,EUR,DE,utility,0.05\n",
            "phone_number_id": WHATSAPP["phone_number_id"],
        }
        case.body |= {name: value for name, value in fitting.items() if name in case.body}
        if "to" in case.body or "from" in case.body:
            case.body = {name: case.body[name] for name in ("to", "from") if name in case.body} | {
                "text": seed_word(choose)
            }


def seed_word(choose: random.Random) -> str:
    return f"w{choose.randrange(10**9)}"


def walk(app: Flask, key: str | None, world: dict[str, Any], examples: int) -> dict[str, set[int]]:
    """Ask every operation; answers with the statuses that each gave. All that is wrong is told together."""
    schema = schemathesis.openapi.from_wsgi("/openapi.json", app)
    seen: dict[str, set[int]] = {}
    wrong: list[str] = []
    for found in schema.get_all_operations():
        operation: Any = found.ok()  # type: ignore[union-attr]
        label = f"{operation.method.upper()} {operation.path}"
        try:
            seen[label] = asked(operation, key, world, examples)
        except (AssertionError, BaseExceptionGroup) as error:
            wrong.append(f"{label}: {'; '.join(map(str, getattr(error, 'exceptions', [error])))}")
    assert not wrong, "\n\n".join(wrong)
    return seen


def asked(operation: Any, key: str | None, world: dict[str, Any], examples: int) -> set[int]:
    """The statuses that one operation gave."""
    statuses: set[int] = set()

    @settings(max_examples=examples, **SETTINGS)
    @given(
        case=st.one_of(
            operation.as_strategy(generation_mode=GenerationMode.POSITIVE),
            operation.as_strategy(generation_mode=GenerationMode.NEGATIVE),
        ),
        seed=st.integers(0, 2**32),
    )
    def ask(case: Any, seed: int) -> None:
        choose = random.Random(seed)
        put_in(case, world, choose)
        headers = {} if key is None else {"Authorization": f"Bearer {key}"}
        if key is not None and "{tenant_id}" not in operation.path and choose.random() < 0.9:
            headers["X-Tenant-ID"] = world["tenant_id"]
        answer = case.call_and_validate(checks=CHECKS, headers=headers)
        assert answer.status_code < 500
        statuses.add(answer.status_code)

    ask()
    return statuses


def test_the_operators_key(
    app: Flask, world: dict[str, Any], quick: None, settings_env: dict[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    seen = walk(app, settings_env["ADMIN_API_KEY"], world, EXAMPLES["operator"])
    assert len(seen) > 50
    untried = [label for label, statuses in seen.items() if not any(status < 300 for status in statuses)]
    with capsys.disabled():
        print(f"\n{len(seen)} operations; only refusals from: {', '.join(untried)}")
    assert len(untried) <= 14, (
        "what needs a state that cannot be left (one replay at a time, one line less), a value that is seldom hit on, "
        "somebody who listens where Meta tries our address, or a token of Meta's that the walk has not changed"
    )


def test_a_tenant_admins_key(app: Flask, world: dict[str, Any], quick: None) -> None:
    seen = walk(app, world["admin"], world, EXAMPLES["admin"])
    assert any(200 in statuses for statuses in seen.values())


def test_no_key_gets_nowhere(app: Flask, world: dict[str, Any], quick: None) -> None:
    for label, statuses in walk(app, None, world, EXAMPLES["nobody"]).items():
        assert statuses <= {401}, label


DEEP = "[" * 50_000 + "]" * 50_000
BODIES = [
    b"",
    b"null",
    b"[]",
    b'"text"',
    b'"{\\"name\\": \\"in a string\\"}"',
    b"{",
    b"\xff\xfe",
    b'{"name": 1e999}',
    b'{"name": NaN}',
    b'{"name": -Infinity}',
    b'{"name": ' + b"9" * 5_000 + b"}",
    b'{"name": "\\u0000"}',
    b'{"name": "\\ud800"}',
    b'{"name": {"name": {"name": []}}}',
    b'{"name": ' + DEEP.encode() + b"}",
    DEEP.encode(),
    b'{"name": "a", "name": "b", "surprise": true}',
    b"{" + b'"a":1,' * 10_000 + b'"b":1}',
]
TYPES = ["application/json", "text/plain", "application/x-www-form-urlencoded", "multipart/form-data", "", "a/b;c=\x80"]


def test_bodies_that_nobody_sends(app: Flask, api: Api, world: dict[str, Any], quick: None) -> None:
    """Every operation that takes a body, as the operator."""
    paths = api("GET", "/openapi.json").get_json()["paths"]
    every = [(path, method, one) for path, methods in paths.items() for method, one in methods.items()]
    taking = [(path, method) for path, method, one in every if "requestBody" in one]
    assert len(taking) > 15
    client, key = app.test_client(), api._key
    for path, method in taking:
        for name in ("tenant_id", "line_id", "user_id", "key_id"):
            path = path.replace(f"{{{name}}}", world[name])
        path = path.replace("{message_id}", world["message_ids"][0])
        for number, body in enumerate(BODIES):
            headers = {"Authorization": f"Bearer {key}", "X-Tenant-ID": world["tenant_id"]}
            kind = TYPES[number % len(TYPES)] if number % 2 else "application/json"
            answer = client.open(path, method=method.upper(), data=body, headers=headers, content_type=kind)
            assert answer.status_code < 500, (path, body[:60], answer.get_data(as_text=True))
            if answer.status_code >= 400:
                assert answer.get_json()["error"]["request_id"], (path, body[:60])


@pytest.mark.parametrize(
    "header", ["Authorization", "X-Tenant-ID", "Idempotency-Key", "X-Credential-Type", "X-Request-ID"]
)
@pytest.mark.parametrize("value", ["", "\x80\xff", "a" * 8_000, str(uuid4()), "Bearer \x00", "..%2f", "{}"])
def test_headers_that_nobody_sends(app: Flask, api: Api, world: dict[str, Any], header: str, value: str) -> None:
    for method, path in (("GET", "/auth/token"), ("POST", "/api/tenants"), ("GET", "/api/messages")):
        headers = {"Authorization": f"Bearer {api._key}", "X-Tenant-ID": world["tenant_id"]} | {header: value}
        try:
            answer = app.test_client().open(path, method=method, headers=headers, json={"name": "N"})
        except ValueError:
            continue  # no client could send this
        assert answer.status_code < 500, answer.get_data(as_text=True)
