"""The application over a large database. Redis is the broker too: nothing is sent here."""

from __future__ import annotations

import secrets
import time
from collections.abc import Iterator
from uuid import uuid4

import pytest
import structlog
from flask import Flask

from conf.loading import load_settings
from conf.logging import configure
from db.access import passwords, users
from db.audit import Author
from db.daemons import shards
from db.pool import Pool
from db.views import hours
from demo.stack import Redis
from relay.core.redaction import redacted
from tests.scale import generate
from tests.scale.reads import LARGEST
from tests.services.databases import SHARDS
from web.bootstrap import build_web
from web.request.web_context import WebContext

PASSWORD = secrets.token_hex(16)
CREDENTIALS = {"region": "mypurecloud.de", "client_id": "c", "client_secret": "s", "access_token": "t"}
PEOPLE = {"operator": "operator@example.com", "admin": "admin@example.com"}


@pytest.fixture(scope="module")
def broker_url(redis_server: Redis) -> str:
    return redis_server.url(3)


@pytest.fixture(scope="module")
def filled(postgres: str) -> Iterator[Pool]:
    """100,000 conversations and 1,000,000 messages, their hours counted, a daemon alive."""
    began = time.monotonic()
    generate.fill(postgres, conversations=100_000, messages=1_000_000)
    print(f"\ngenerated in {time.monotonic() - began:.0f} s")
    with Pool(postgres) as pool:
        while hours.count_due(pool):
            pass
        with pool.transaction() as cursor:
            daemon_id = str(uuid4())
            shards.renew(cursor, daemon_id, "nobody", 3600)
            shards.take(cursor, daemon_id, SHARDS)
        hashed = passwords.hashed(PASSWORD)
        for role, email in PEOPLE.items():
            tenant_id = None if role == "operator" else LARGEST
            user = users.create(pool, Author("scale"), tenant_id, email, role, role, hashed)  # type: ignore[arg-type]
            users.set_password(pool, Author("scale"), user, hashed, must_change=False)
        yield pool


@pytest.fixture(scope="module")
def app(settings_env: dict[str, str], filled: Pool) -> Iterator[Flask]:
    configure(redacted, "ERROR", "json")
    made = build_web(load_settings(settings_env))
    parts: WebContext = made.extensions["relay"]
    with filled.transaction() as cursor:
        cursor.execute("UPDATE tenant_credentials SET sealed = %s", (parts.cipher.seal(CREDENTIALS),))
    made.config["RATE_LIMITED"] = False
    yield made
    structlog.reset_defaults()
    parts.close()
