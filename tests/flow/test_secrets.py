"""Nothing the relay writes down or answers holds a secret in clear: logs, errors, metrics, pages, database, Redis.

A full run with the documented demo credentials, at the most talkative log level, with everything that goes wrong.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote, urlsplit

import psycopg2
import pytest
import redis
import requests

from demo import seed
from tests.flow.chat import Chat
from tests.flow.installation import Installation, Line
from tests.waiting import wait_until

SECONDS = 30


@dataclass
class Findings:
    """Where each text came from, and what must not stand in any of them."""

    texts: dict[str, str] = field(default_factory=dict)
    secrets: dict[str, str] = field(default_factory=dict)

    def add(self, name: str, text: str) -> None:
        self.texts[f"{len(self.texts)} {name}"] = text

    def leaks(self) -> list[str]:
        found = []
        for name, secret in self.secrets.items():
            forms = {secret, quote(secret, safe=""), base64.b64encode(secret.encode()).decode()}
            found += [f"{name} in {where}" for where, text in self.texts.items() if any(f in text for f in forms)]
        return found


@pytest.fixture(scope="module")
def own_settings() -> dict[str, str]:
    return {"LOG_LEVEL": "DEBUG", "LOG_FORMAT": "json"}


@pytest.fixture(scope="module")
def installation(own_installation: Installation) -> Installation:
    """Its own: all that it holds is read."""
    return own_installation


@pytest.fixture(scope="module")
def seeded(installation: Installation) -> seed.Seeded:
    return seed.seed(installation.env)


@pytest.fixture
def line(installation: Installation, seeded: seed.Seeded) -> Line:
    [found] = installation.rows("SELECT id FROM lines WHERE tenant_id = %s", seeded.tenant_id)
    return Line(str(found["id"]), seeded.tenant_id, seed.PHONE_NUMBER_ID, seed.INTEGRATION_ID)


@pytest.fixture
def findings(installation: Installation) -> Findings:
    env, found = installation.env, Findings()
    for side, values in (("whatsapp", seed.WHATSAPP), ("genesys", seed.GENESYS)):
        for name in {"access_token", "app_secret", "verify_token", "client_secret", "webhook_secret"} & values.keys():
            found.secrets[f"{side} {name}"] = values[name]
    client = f"{seed.GENESYS['client_id']}:{seed.GENESYS['client_secret']}"
    found.secrets["genesys client"] = client
    for name in ("ADMIN_API_KEY", "SECRET_KEY", "CREDENTIALS_KEYS", "MINIO_SECRET_KEY"):
        found.secrets[name] = env[name]
    for name in ("DATABASE_URL", "BROKER_URL"):
        found.secrets[f"password of {name}"] = urlsplit(env[name]).password or "no-password-at-all"
    found.secrets["password of the demo's users"] = seed.PASSWORD
    return found


def test_a_full_run_leaves_no_secret_in_clear(
    installation: Installation, line: Line, findings: Findings, capsys: pytest.CaptureFixture[str]
) -> None:
    traffic(installation, line)
    key = tokens_and_keys(installation, line, findings)
    wrong_requests(installation, line, findings, key)
    pages(installation, line, findings)
    refused_credentials(installation, line, findings)

    for process in (installation.web, installation.daemon):
        findings.add(f"log of {process.name}", process.output())
    for port in ("WEB_PORT", "METRICS_PORT"):
        findings.add(
            f"metrics of {port}",
            requests.get(f"http://127.0.0.1:{installation.env[port]}/metrics", timeout=SECONDS).text,
        )
    for name, text in database(installation.env["DATABASE_URL"]):
        findings.add(f"table {name}", text)
    findings.add("Redis", cache(installation.env["REDIS_URL"]))

    everything = "\n".join(findings.texts.values())
    for known in (seed.PHONE_NUMBER_ID, "webhook_not_proved", "relay_", "Nordwind", "relay:cache:"):
        assert known in everything, f"{known} is no secret and should have been found"
    with capsys.disabled():
        size = len(everything) / 1e6
        print(f"\n  {len(findings.secrets)} secrets searched for in {len(findings.texts)} texts, {size:.1f} MB")
    assert findings.leaks() == []


def traffic(installation: Installation, line: Line) -> None:
    chat = Chat(installation, line, "4915112345678").opened()
    sent = [chat.writes(type="image", sample="image"), chat.answers("Good day"), chat.answers(sample="document")]
    for source in sent:
        wait_until(lambda: installation.state(source) in ("sent", "delivered", "read"), SECONDS, "the message")  # noqa: B023


def tokens_and_keys(installation: Installation, line: Line, findings: Findings) -> str:
    """What is told in clear on purpose is a secret everywhere else."""
    for kind in ("genesys", "whatsapp"):
        answer = call(installation, "GET", "/auth/token", line, headers={"X-Credential-Type": kind})
        findings.secrets[f"{kind} token"] = answer.json()["access_token"]
    made = call(
        installation, "POST", f"/api/tenants/{line.tenant_id}/keys", line, {"name": "k", "scopes": ["messages:read"]}
    )
    assert made.status_code == 201, made.text
    findings.secrets["API key"] = made.json()["key"]
    return str(made.json()["key"])


def wrong_requests(installation: Installation, line: Line, findings: Findings, key: str) -> None:
    """Errors about bodies, headers and addresses that hold secrets."""
    path, base = f"/api/tenants/{line.tenant_id}", installation.env["PUBLIC_URL"]
    wrong: list[tuple[str, str, Any]] = [
        ("PUT", f"{path}/whatsapp/credentials", seed.WHATSAPP | {"phone_number_id": ""}),
        ("PUT", f"{path}/genesys/credentials", seed.GENESYS | {"unknown": seed.GENESYS["client_secret"]}),
        ("PUT", f"{path}/genesys/credentials", [seed.GENESYS]),
        ("GET", f"{path}/credentials?type={seed.WHATSAPP['access_token']}", None),
        ("GET", f"{path}/whatsapp/credentials", None),
        ("GET", f"{path}/genesys/credentials", None),
    ]
    for method, address, body in wrong:
        findings.add(f"{method} {address}", call(installation, method, address, line, body).text.replace(address, ""))
    for header in (key + "x", seed.WHATSAPP["access_token"]):
        answer = requests.get(base + path, headers={"Authorization": f"Bearer {header}"}, timeout=SECONDS)
        findings.add("wrong key", answer.text)
    for hook in ("/webhook/meta", "/webhook/genesys"):
        answer = requests.post(
            base + hook, b'{"object": 1', headers={"X-Hub-Signature-256": "sha256=" + "0" * 64}, timeout=SECONDS
        )
        findings.add(hook, answer.text)
    handshake = {"hub.mode": "subscribe", "hub.verify_token": seed.WHATSAPP["verify_token"] + "x", "hub.challenge": "1"}
    findings.add("handshake", requests.get(f"{base}/webhook/meta", handshake, timeout=SECONDS).text)


def pages(installation: Installation, line: Line, findings: Findings) -> None:
    """Every page that the navigation of an operator and of an admin leads to."""
    base = installation.env["PUBLIC_URL"]
    for email in (user["email"] for user in (seed.OPERATOR, *seed.TENANT_USERS)):
        browser = requests.Session()
        form = browser.get(f"{base}/portal/login", timeout=SECONDS).text
        token = re.search(r'name="csrf_token"[^>]*value="([^"]+)"', form)
        assert token
        browser.post(
            f"{base}/portal/login",
            {"email": email, "password": seed.PASSWORD, "csrf_token": token.group(1)},
            headers={"Referer": f"{base}/portal/login"},
            timeout=SECONDS,
        )
        if email == seed.OPERATOR["email"]:
            shows_the_code(installation, browser, findings)
        findings.secrets[f"cookie of {email}"] = browser.cookies["relay"]
        start = browser.get(f"{base}/portal/tenants/{line.tenant_id}/dashboard", timeout=SECONDS)
        assert start.ok, start.text
        for address in sorted(set(re.findall(r'href="(/portal/[^"#]+)"', start.text))):
            findings.add(f"page {address} for {email}", browser.get(base + address, timeout=SECONDS).text)


def shows_the_code(installation: Installation, browser: requests.Session, findings: Findings) -> None:
    sandbox = installation.env["META_GRAPH_URL"].removesuffix("/graph")
    [app] = requests.get(f"{sandbox}/control/authenticator", timeout=SECONDS).json()["codes"]
    findings.secrets["the key of the operator's second factor"] = app["secret"]
    page = f"{installation.env['PUBLIC_URL']}/portal/login/code"
    token = re.search(r'name="csrf_token"[^>]*value="([^"]+)"', browser.get(page, timeout=SECONDS).text)
    assert token
    answer = browser.post(page, {"code": app["code"], "csrf_token": token[1]}, timeout=SECONDS)
    assert not answer.url.startswith(page), answer.text


def refused_credentials(installation: Installation, line: Line, findings: Findings) -> None:
    """Both providers refuse us, and say so in their own words."""
    for side, values in (("whatsapp", seed.WHATSAPP), ("genesys", seed.GENESYS)):
        wrong = {
            name: f"{value}-wrong" if name in ("access_token", "client_secret") else value
            for name, value in values.items()
        }
        call(installation, "PUT", f"/api/tenants/{line.tenant_id}/{side}/credentials", line, wrong)
    chat = Chat(installation, line, "4915112345678")
    chat.writes("refused"), chat.answers("refused")
    answer = call(installation, "POST", f"/api/tenants/{line.tenant_id}/complete-onboarding", line)
    assert answer.status_code == 409
    findings.add("complete-onboarding", answer.text)
    sql = "SELECT count(*) AS n FROM tenant_credentials WHERE health = 'refused'"
    wait_until(lambda: installation.rows(sql)[0]["n"] == 2, SECONDS, "both sides to be refused")


def call(
    installation: Installation,
    method: str,
    path: str,
    line: Line,
    body: Any = None,
    headers: dict[str, str] | None = None,
) -> requests.Response:
    sent = {"Authorization": f"Bearer {installation.env['ADMIN_API_KEY']}", "X-Tenant-ID": line.tenant_id} | (
        headers or {}
    )
    return requests.request(method, installation.env["PUBLIC_URL"] + path, json=body, headers=sent, timeout=SECONDS)


def database(url: str) -> Iterator[tuple[str, str]]:
    """Every row of every table as text."""
    with psycopg2.connect(url) as connection, connection.cursor() as cursor:
        cursor.execute("SELECT relname FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace")
        for (name,) in cursor.fetchall():
            cursor.execute(f"SELECT t::text FROM {name} t")
            yield name, "\n".join(row[0] for row in cursor.fetchall())


def cache(url: str) -> str:
    """Every key of Redis with what it holds."""
    with redis.Redis.from_url(url) as client:
        return "\n".join(f"{key!r} {value!r}" for key in client.scan_iter() for value in [_value(client, key)])


def _value(client: redis.Redis, key: bytes) -> Any:
    kind = client.type(key)
    return client.get(key) if kind == b"string" else client.hgetall(key) if kind == b"hash" else kind
