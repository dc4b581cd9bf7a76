"""Every address of the application that can be looked at, found in its URL map, with samples in place of its ids."""

from __future__ import annotations

import re
from collections.abc import Iterator
from urllib.parse import quote

from flask import Flask
from flask.testing import FlaskClient
from werkzeug.routing import AnyConverter, Rule

from db.access import api_keys, users
from db.audit import Author
from db.pool import Pool
from db.views import history
from db.views.history import MessageSelection
from tests.portal.client import Person
from tests.scale.conftest import PASSWORD, PEOPLE
from tests.scale.generate import line_id
from tests.scale.reads import BUSY, LARGEST

# What answers to others, asks a provider, or ends a session.
LEFT_OUT = ("/docs/", "/webhook/", "/health/", "/metrics", "/portal/logout", "/auth/")
ASKING_META = "/prices/comparison"
# What lists and searches are asked with; added to the plain address.
QUERIES = {
    "/api/tenants/<uuid:tenant_id>/credentials": ["?type=whatsapp"],
    "/api/messages": [
        "?state=failed&state=dead",
        "?direction=outbound&limit=200",
        "?q=%2B491500",
        "?reference=source.5",
    ],
    "/api/conversations": ["?q=anna", "?q=%2B491500", "?trouble=true", "?limit=200"],
    "/portal/tenants/<uuid:tenant_id>/messages": ["?state=failed", "?q=%2B491500"],
    "/portal/tenants/<uuid:tenant_id>/conversations": ["?q=anna", "?q=%2B491500"],
}


def samples(pool: Pool) -> dict[str, str]:
    """By the name of an address' part. A part without a sample is reported, not skipped in silence."""
    key, _ = api_keys.create(pool, Author("scale"), LARGEST, "scale", ["messages:read"], None)
    admin = users.by_email(pool, PEOPLE["admin"])
    assert admin is not None
    return {
        "tenant_id": LARGEST,
        "line_id": line_id(0),
        "conversation_id": BUSY,
        "message_id": history.listed(pool, MessageSelection(LARGEST, states=["dead"]), 1).items[0].id,
        "user_id": admin.id,
        "key_id": key.id,
        "wa_id": "491500000000",
        "channel": "whatsapp",
        "line_ref": "1",
        "ref": "1",
        "part": "figures",
    }


def addresses(app: Flask, known: dict[str, str]) -> Iterator[tuple[str, str | None]]:
    """(rule, address); the address is None where a sample is missing."""
    for rule in sorted(app.url_map.iter_rules(), key=lambda rule: rule.rule):
        file = rule.endpoint.rpartition(".")[2] == "static"
        asks = rule.rule.startswith(LEFT_OUT) or rule.rule.endswith(ASKING_META)
        if file or "GET" not in (rule.methods or ()) or asks:
            continue
        plain = _address(rule, known)
        yield rule.rule, plain
        for query in QUERIES.get(rule.rule, []):
            yield f"{rule.rule}{query}", f"{plain}{query}"


def _address(rule: Rule, known: dict[str, str]) -> str | None:
    """A part that takes one of a few words gets the last of them."""
    words = {name: sorted(one.items)[-1] for name, one in rule._converters.items() if isinstance(one, AnyConverter)}
    given = known | words | dict(rule.defaults or {})
    if not rule.arguments <= given.keys():
        return None
    return re.sub(r"<(?:[^<>]+:)?([^<>:]+)>", lambda part: quote(given[part[1]]), rule.rule)


def logged_in(app: Flask, email: str) -> FlaskClient:
    """A browser after the log-in."""
    return Person(app, email, PASSWORD)._client
