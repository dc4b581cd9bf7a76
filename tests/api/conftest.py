"""The application as gunicorn would serve it, on real servers, asked through Flask's test client."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import structlog
from flask import Flask
from werkzeug.test import TestResponse

from conf.loading import load_settings
from db.pool import Pool
from tests import processes
from tests.log_lines import as_web_logs
from tests.services.emptying import empty
from tests.waiting import wait_until
from web.bootstrap import build_web
from web.request.web_context import WebContext

META_SECRET = "demo-app-secret-nordwind-0001"
TOKEN = "EAAG-demo-token-nordwind"
CLIENT_SECRET = "demo-client-secret-nordwind"
WEBHOOK_SECRET = "demo-webhook-secret-nordwind"
OWN_APP_SECRET = "an-app-secret-of-the-tenants-own"
VERIFY_TOKEN = "a-verify-token-of-the-tenant"
SECRETS = (META_SECRET, TOKEN, CLIENT_SECRET, WEBHOOK_SECRET, OWN_APP_SECRET, VERIFY_TOKEN)

WHATSAPP = {
    "phone_number_id": "300000000000001",
    "waba_id": "200000000000001",
    "access_token": TOKEN,
    "app_secret": META_SECRET,
    "verify_token": "demo-verify-token",
}
GENESYS = {
    "region": "mypurecloud.de",
    "client_id": "11111111-aaaa-4000-8000-000000000001",
    "client_secret": CLIENT_SECRET,
    "integration_id": "22222222-bbbb-4000-8000-000000000001",
    "webhook_secret": WEBHOOK_SECRET,
}


class Api:
    """Asks as the operator, and remembers all that came back."""

    def __init__(self, app: Flask, key: str) -> None:
        self._client = app.test_client()
        self._key = key
        self.seen: list[str] = []

    def __call__(
        self, method: str, path: str, body: Any = None, key: str | None = None, **headers: str
    ) -> TestResponse:
        sent = {"Authorization": f"Bearer {key or self._key}"} | {n.replace("_", "-"): v for n, v in headers.items()}
        answer = self._client.open(path, method=method, json=body, headers=sent)
        self.seen.append(answer.get_data(as_text=True))
        return answer

    def error(self, answer: TestResponse, status: int, code: str) -> dict[str, Any]:
        """The error inside, after a look at its shape."""
        assert answer.status_code == status, answer.get_data(as_text=True)
        error: dict[str, Any] = answer.get_json()["error"]
        assert error.keys() == {"code", "message", "details", "request_id"}
        assert error["code"] == code
        assert error["request_id"] == answer.headers["X-Request-ID"]
        return error


@pytest.fixture(scope="module")
def app(settings_env: dict[str, str]) -> Iterator[Flask]:
    settings = load_settings(settings_env)
    as_web_logs()
    made = build_web(settings)
    parts: WebContext = made.extensions["relay"]
    wait_until(lambda: parts.preparation.done, message="web's preparation")
    yield made
    parts.close()
    structlog.reset_defaults()


@pytest.fixture
def parts(app: Flask) -> WebContext:
    held: WebContext = app.extensions["relay"]
    return held


@pytest.fixture
def pool(parts: WebContext) -> Pool:
    """An empty database and an empty cache, and nobody has guessed."""
    with parts.pool.transaction() as cursor:
        empty(
            cursor, "tenants", "unknown_lines", "unknown_quotas", "audit_log", "message_tracking", "message_events",
            "idempotency_keys",
        )  # fmt: skip
    parts.cache._redis.client.flushdb()
    parts.bucket._local.clear()
    return parts.pool


@pytest.fixture
def api(app: Flask, pool: Pool, settings_env: dict[str, str]) -> Api:
    return Api(app, settings_env["ADMIN_API_KEY"])


@pytest.fixture
def new_tenant(api: Api) -> Callable[..., str]:
    """Makes a tenant with both sides' credentials; answers with its id."""

    def make(
        name: str = "Nordwind", whatsapp: dict[str, str] | None = None, genesys: dict[str, str] | None = None
    ) -> str:
        tenant_id: str = api("POST", "/api/tenants", {"name": name}).get_json()["id"]
        assert (
            api("PUT", f"/api/tenants/{tenant_id}/whatsapp/credentials", WHATSAPP | (whatsapp or {})).status_code == 200
        )
        assert api("PUT", f"/api/tenants/{tenant_id}/genesys/credentials", GENESYS | (genesys or {})).status_code == 200
        return tenant_id

    return make


@pytest.fixture(scope="module")
def sandbox(settings_env: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[processes.Process]:
    """The stand-ins for both providers."""
    logs: Path = tmp_path_factory.mktemp("sandbox")
    with processes.sandbox(settings_env, logs) as running:
        yield running
