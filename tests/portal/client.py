"""The portal through Flask's test client, for what needs no browser: a session, and the token of every form."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import structlog
from flask import Flask
from werkzeug.test import TestResponse

from conf.loading import load_settings
from db.audit import Author
from db.tenants import credentials, onboarding, registry
from db.tenants.changes import Changes
from db.tenants.onboarding import Line
from tests.log_lines import as_web_logs
from tests.portal import phone
from tests.waiting import wait_until
from web.bootstrap import build_web
from web.request.web_context import WebContext

TOKEN = re.compile(
    r'name="csrf_token" value="([^"]+)"|value="([^"]+)" name="csrf_token"|id="csrf_token"[^>]*value="([^"]+)"'
)
BY = Author("test")

PASSWORD = "correct horse battery staple"
SET_UP = "/portal/account/second-factor"


@contextmanager
def running_app(env: Mapping[str, str]) -> Iterator[Flask]:
    """The application as a web worker builds it."""
    settings = load_settings(dict(env))
    as_web_logs()
    app = build_web(settings)
    parts: WebContext = app.extensions["relay"]
    wait_until(lambda: parts.preparation.done, message="web's preparation")
    try:
        yield app
    finally:
        parts.close()
        structlog.reset_defaults()


class Person:
    """Somebody in a browser without scripts. `seen` is all that was sent to it."""

    def __init__(self, app: Flask, email: str, password: str = PASSWORD) -> None:
        self._client = app.test_client()
        self.seen: list[str] = []
        where = self.post("/portal/login", {"email": email, "password": password}, form_on="/portal/login")
        if where.startswith("/portal/login/code"):
            where = self.post(where, {"code": phone.code(email)}, form_on=where)
        # Whoever needs a second factor is led there; with a password to be changed first, later.
        if self._client.get(where).headers.get("Location") == SET_UP:
            self.set_up_second_factor(email)

    def set_up_second_factor(self, email: str) -> None:
        phone.scan(email, self.get(SET_UP))
        phone.write_down(email, self.follow(SET_UP, {"code": phone.code(email)}, form_on=SET_UP))

    def get(self, path: str, status: int = 200) -> str:
        return self._read(self._client.get(path), status)

    def answer(self, path: str, **headers: str) -> TestResponse:
        """For what is no page."""
        return self._client.get(path, headers=headers)

    def post(self, path: str, form: Mapping[str, Any] | None = None, status: int = 302, form_on: str = "") -> str:
        """Sends a form with the token of the page it is on, and answers where it leads to, or what it shows."""
        answer = self.send(path, form, form_on)
        text = self._read(answer, status)
        return answer.headers["Location"] if 300 <= status < 400 else text

    def send(self, path: str, form: Mapping[str, Any] | None = None, form_on: str = "", **headers: str) -> TestResponse:
        """The same, whatever the answer is."""
        page = self.get(form_on or "/portal/account")
        found = TOKEN.search(page)
        assert found, page
        token = next(filter(None, found.groups()))
        return self._client.post(path, data={"csrf_token": token, **(form or {})}, headers=headers)

    def follow(self, path: str, form: Mapping[str, Any], form_on: str = "") -> str:
        """The page that a form leads to."""
        return self.get(self.post(path, form, form_on=form_on).partition("#")[0])

    def _read(self, answer: TestResponse, status: int) -> str:
        text = answer.get_data(as_text=True)
        self.seen.append(text)
        assert answer.status_code == status, f"{answer.status_code} in place of {status}: {text[-1500:]}"
        return text


def changes_of(parts: WebContext) -> Changes:
    return Changes(parts.pool, parts.cache.forget_routes)


def live_line(parts: WebContext, tenant_id: str, whatsapp: dict[str, str], genesys: dict[str, str]) -> Line:
    """A line of the tenant that is active, without asking anybody."""
    changes = changes_of(parts)
    credentials.put(changes, parts.cipher, BY, tenant_id, "whatsapp", whatsapp)
    credentials.put(changes, parts.cipher, BY, tenant_id, "genesys", genesys)
    number, integration = whatsapp["phone_number_id"], genesys["integration_id"]
    line = onboarding.create(changes, parts.cipher, BY, tenant_id, number, integration)
    return onboarding.activate(changes, BY, tenant_id, [line.pair])[0]


def new_tenant(parts: WebContext, name: str) -> str:
    return registry.create(changes_of(parts), BY, name).id
