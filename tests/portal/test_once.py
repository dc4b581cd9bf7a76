"""What is promised once is done once: a secret shown once, a draft and an answer of one's own."""

from __future__ import annotations

import time

import pytest
from cryptography.fernet import Fernet
from flask import Flask

from db.access import idempotency
from db.sealing import Cipher
from db.tenants import drafts
from db.tenants.changes import TakenError
from tests.portal.rows import House
from web.portal.frame import shown_once
from web.request.web_context import WebContext


@pytest.fixture(scope="module")
def parts(app: Flask) -> WebContext:
    found: WebContext = app.extensions["relay"]
    return found


def test_an_old_copy_of_the_session_shows_no_secret(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    with app.test_request_context():
        shown_once.keep("key", "swordfish")
        assert shown_once.take("key") == "swordfish"
        shown_once.keep("key", "swordfish")
        later = time.time() + shown_once.SECONDS + 1
        monkeypatch.setattr("web.portal.frame.shown_once.time.time", lambda: later)
        assert shown_once.take("key") is None


def test_a_draft_that_no_key_opens_is_not_overwritten(parts: WebContext, house: House) -> None:
    with drafts.changing(parts.pool, parts.cipher, house.tenant_id) as draft:
        draft.values["genesys"] = {"region": "mypurecloud.de"}
    other = Cipher([Fernet.generate_key().decode()])
    with (
        pytest.raises(TakenError, match="put it back"),
        drafts.changing(parts.pool, other, house.tenant_id) as draft,
    ):
        draft.values["genesys"] = {}
    kept = drafts.get(parts.pool, parts.cipher, house.tenant_id)
    assert kept.values == {"genesys": {"region": "mypurecloud.de"}}


def test_who_comes_late_touches_no_answer_of_another_request(parts: WebContext) -> None:
    pool, cipher = parts.pool, parts.cipher
    idempotency.begin(pool, cipher, "owner", "k", b"print")
    with pool.transaction() as cursor:
        cursor.execute("UPDATE idempotency_keys SET created_at = now() - interval '3 minutes' RETURNING created_at")
        first = cursor.fetchone()[0]
    second = idempotency.begin(pool, cipher, "owner", "k", b"print")
    assert not isinstance(second, idempotency.EarlierRequest)
    idempotency.give_up(pool, "owner", "k", first)
    idempotency.finish(pool, cipher, "owner", "k", first, 201, {"of": "the first"})
    running = idempotency.begin(pool, cipher, "owner", "k", b"print")
    assert isinstance(running, idempotency.EarlierRequest) and not running.finished
    idempotency.finish(pool, cipher, "owner", "k", second, 201, {"of": "the second"})
    done = idempotency.begin(pool, cipher, "owner", "k", b"print")
    assert isinstance(done, idempotency.EarlierRequest) and done.answer == {"of": "the second"}
