"""conf.profile: what production refuses, all of it at once and without a value, and what RELAY_INSECURE admits."""

from __future__ import annotations

import base64
import re
import secrets
from pathlib import Path

import pytest
import structlog
from cryptography.fernet import Fernet

from conf import checks, profile
from conf.loading import SettingsError, load_settings
from demo.stack.installation import INSECURE

ROOT = Path(__file__).parents[3]
PRODUCTION = {
    "DATABASE_URL": "postgresql://relay:pw@db.corp.example/relay?sslmode=verify-full",
    "REDIS_URL": "rediss://:pw@cache.corp.example:6379/0",
    "BROKER_URL": "amqps://relay:pw@queue.corp.example:5671/relay",
    "MINIO_ENDPOINT": "files.corp.example:9000",
    "MINIO_ACCESS_KEY": "relay",
    "MINIO_SECRET_KEY": "pw",
    "MINIO_PUBLIC_URL": "https://files.corp.example",
    "PUBLIC_URL": "https://relay.corp.example",
    "SECRET_KEY": secrets.token_hex(32),
    "CREDENTIALS_KEYS": Fernet.generate_key().decode(),
    "ADMIN_API_KEY": secrets.token_hex(16),
    "META_APP_SECRET": "0af31c9e5b7d24681fc3ea90d5b27468",
    "META_VERIFY_TOKEN": secrets.token_urlsafe(24),
    "OIDC_ISSUER": "https://login.corp.example",
    "OIDC_CLIENT_ID": "relay",
    "OIDC_CLIENT_SECRET": "pw",
    "OIDC_ROLES": '{"staff": "operator"}',
}
ZERO_KEY = base64.urlsafe_b64encode(bytes(32)).decode()
PRINTED = re.compile(r"`((?:demo-|EAAG-demo|northwind)[^`]*)`")


def refusals(**changes: str) -> list[tuple[str, str]]:
    """The names of what is refused, each with its variable."""
    try:
        load_settings(PRODUCTION | changes)
    except SettingsError as error:
        return [(_name(problem), problem.split()[0]) for problem in error.problems]
    return []


def _name(problem: str) -> str:
    found = re.search(r"RELAY_INSECURE=([a-z-]+) admits", problem)
    assert found, problem
    return found[1]


def test_what_production_needs_is_enough() -> None:
    assert refusals() == []


def test_secrets_of_any_random_kind_are_strong() -> None:
    for make in (secrets.token_hex, secrets.token_urlsafe):
        for _ in range(10):
            assert refusals(SECRET_KEY=make(32), META_APP_SECRET=secrets.token_hex(16)) == []


@pytest.mark.parametrize(
    ("variable", "value", "name"),
    [
        ("ADMIN_API_KEY", "demo-admin-key", "demo-secrets"),
        ("META_APP_SECRET", "demo-app-secret-nordwind-0001", "demo-secrets"),
        ("META_APP_SECRET", f"{secrets.token_hex(16)}, demo-app-secret-nordwind-0001", "demo-secrets"),
        ("META_VERIFY_TOKEN", "demo-verify-token", "demo-secrets"),
        ("SECRET_KEY", "northwind blows at noon", "demo-secrets"),
        ("SECRET_KEY", secrets.token_hex(15), "weak-secrets"),
        ("SECRET_KEY", "password" * 5, "weak-secrets"),
        ("ADMIN_API_KEY", "0123456789abcdef0123456789abcdef", "weak-secrets"),
        ("META_APP_SECRET", "a" * 32, "weak-secrets"),
        ("META_APP_SECRET", f"{secrets.token_hex(16)},short", "weak-secrets"),
        ("META_VERIFY_TOKEN", "hello", "weak-secrets"),
        ("CREDENTIALS_KEYS", ZERO_KEY, "weak-encryption-key"),
        ("CREDENTIALS_KEYS", f"{Fernet.generate_key().decode()},{ZERO_KEY}", "weak-encryption-key"),
        ("CREDENTIALS_KEYS", base64.urlsafe_b64encode(b"x" * 32).decode(), "weak-encryption-key"),
        ("BROKER_URL", "amqp://guest:guest@127.0.0.1:5672//", "default-passwords"),
        ("BROKER_URL", "amqp://127.0.0.1:5672//", "default-passwords"),
        ("MINIO_ACCESS_KEY", "minioadmin", "default-passwords"),
        ("MINIO_SECRET_KEY", "minioadmin", "default-passwords"),
        ("PUBLIC_URL", "http://relay.corp.example", "http-public-url"),
        ("MINIO_PUBLIC_URL", "http://files.corp.example", "http-files-url"),
        ("MINIO_PUBLIC_URL", "https://relay.corp.example:9000", "files-beside-portal"),
        ("MINIO_PUBLIC_URL", "https://RELAY.corp.example/files", "files-beside-portal"),
        ("DATABASE_URL", "postgresql://relay:pw@db.corp.example/relay", "plain-database"),
        ("DATABASE_URL", "postgresql://relay:pw@db.corp.example/relay?sslmode=require", "plain-database"),
        ("DATABASE_URL", "postgresql://relay:pw@db.corp.example/relay?sslmode=verify-ca", "plain-database"),
        ("DATABASE_URL", "postgresql://relay:pw@localhost,db.corp.example/relay", "plain-database"),
        ("DATABASE_URL", "postgresql://relay:pw@localhost/relay?hostaddr=192.0.2.7", "plain-database"),
        ("DATABASE_URL", "postgresql:///relay?host=192.0.2.7", "plain-database"),
        ("REDIS_URL", "redis://:pw@cache.corp.example:6379/0", "plain-cache"),
        ("REDIS_URL", "rediss://:pw@cache.corp.example:6379/0?ssl_cert_reqs=none", "plain-cache"),
        ("REDIS_URL", "rediss://:pw@cache.corp.example:6379/0?ssl_check_hostname=False", "plain-cache"),
        ("REDIS_URL", "rediss://cache.corp.example/0?ssl_cert_reqs=none&ssl_cert_reqs=required", "plain-cache"),
        ("BROKER_URL", "rediss://queue.corp.example/0?ssl_cert_reqs=required&ssl_cert_reqs=none", "plain-broker"),
        ("BROKER_URL", "amqp://relay:pw@queue.corp.example/relay", "plain-broker"),
        ("BROKER_URL", "redis://:pw@queue.corp.example/1", "plain-broker"),
        ("BROKER_URL", "rediss://:pw@queue.corp.example/1?ssl_cert_reqs=optional", "plain-broker"),
        ("MINIO_SECURE", "false", "plain-files"),
        ("OIDC_ISSUER", "http://login.corp.example", "http-login"),
        ("OIDC_PRIVATE_ORIGINS", "https://a.corp.example,http://b.corp.example", "http-login"),
        ("ENDPOINT_PRIVATE_ORIGINS", "operator=https://a.corp.example,operator=http://b.corp.example", "http-webhooks"),
        ("META_GRAPH_URL", "https://graph.corp.example", "stand-ins"),
        ("GENESYS_LOGIN_URL", "https://login.corp.example", "stand-ins"),
        ("GENESYS_API_URL", "https://api.corp.example", "stand-ins"),
    ],
)
def test_a_weakness_is_refused_unless_it_is_admitted_by_name(variable: str, value: str, name: str) -> None:
    shown = "MINIO_ENDPOINT" if variable == "MINIO_SECURE" else variable
    assert refusals(**{variable: value}) == [(name, shown)]
    assert refusals(**{variable: value, "RELAY_INSECURE": name}) == []
    others = ",".join(other for other in checks.WEAKNESSES if other != name)
    assert refusals(**{variable: value, "RELAY_INSECURE": others}) == [(name, shown)]


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("DATABASE_URL", "postgresql://relay:pw@127.0.0.1:5432/relay"),
        ("DATABASE_URL", "postgresql://relay:pw@[::1]:5432/relay"),
        ("DATABASE_URL", "postgresql://relay@/relay?host=/var/run/postgresql"),
        ("REDIS_URL", "redis://localhost/0"),
        ("REDIS_URL", "unix:///var/run/redis.sock"),
        ("BROKER_URL", "amqp://relay:pw@127.8.8.8/relay"),
        ("BROKER_URL", "redis://127.0.0.1/1"),
    ],
)
def test_a_server_on_this_machine_needs_no_tls(variable: str, value: str) -> None:
    assert refusals(**{variable: value}) == []


def test_a_host_from_the_environment_of_postgresqls_library_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    assert refusals(DATABASE_URL="postgresql:///relay") == []
    monkeypatch.setenv("PGHOST", "db.corp.example")
    assert refusals(DATABASE_URL="postgresql:///relay") == [("plain-database", "DATABASE_URL")]
    assert refusals(DATABASE_URL="postgresql:///relay?sslmode=verify-full") == []


def test_all_reasons_are_given_at_once_beside_what_is_missing_and_wrong() -> None:
    demo = {
        "ADMIN_API_KEY": "demo-admin-key",
        "CREDENTIALS_KEYS": ZERO_KEY,
        "BROKER_URL": "amqp://guest:guest@queue.corp.example//",
        "PUBLIC_URL": "http://relay.corp.example",
        "MINIO_PUBLIC_URL": "http://relay.corp.example:9000",
        "WEB_PORT": "many",
        "SECRET_KEY": "",
    }
    with pytest.raises(SettingsError) as caught:
        load_settings(PRODUCTION | demo)
    assert sorted(problem.split()[0] for problem in caught.value.problems) == sorted(
        [*("ADMIN_API_KEY", "CREDENTIALS_KEYS", "BROKER_URL", "BROKER_URL", "PUBLIC_URL"), "SECRET_KEY", "WEB_PORT"]
        + ["MINIO_PUBLIC_URL"] * 2
    )


def test_a_wrong_name_in_relay_insecure_takes_back_no_right_one() -> None:
    with pytest.raises(SettingsError) as caught:
        load_settings(PRODUCTION | {"PUBLIC_URL": "http://x.example", "RELAY_INSECURE": "http-public-url,plain"})
    (problem,) = caught.value.problems
    assert problem.startswith("RELAY_INSECURE (entry 2) must be")
    assert all(name in problem for name in checks.WEAKNESSES)


def test_no_refusal_shows_a_secret() -> None:
    weak = {
        "SECRET_KEY": "s3cr3ts3cr3ts3cr3ts3cr3ts3cr3ts3cr3t",
        "ADMIN_API_KEY": "s3cr3t-admin",
        "META_APP_SECRET": "s3cr3t-app",
        "META_VERIFY_TOKEN": "s3cr3t-word",
        "CREDENTIALS_KEYS": ZERO_KEY,
        "DATABASE_URL": "postgresql://relay:s3cr3t@db.corp.example/relay",
        "REDIS_URL": "redis://:s3cr3t@cache.corp.example/0",
        "BROKER_URL": "amqp://relay:s3cr3t@queue.corp.example/relay",
    }
    with pytest.raises(SettingsError) as caught:
        load_settings(PRODUCTION | weak)
    assert len(caught.value.problems) == len(weak)
    assert "s3cr3t" not in str(caught.value)
    assert ZERO_KEY not in str(caught.value)


def test_every_secret_that_the_readme_prints_is_known() -> None:
    printed = PRINTED.findall((ROOT / "README.md").read_text())
    assert len(printed) >= 8
    for secret in printed:
        assert ("demo-secrets", "MINIO_SECRET_KEY") in refusals(MINIO_SECRET_KEY=secret), secret


def test_what_is_admitted_is_told_in_the_log() -> None:
    lax = {"PUBLIC_URL": "http://relay.corp.example", "RELAY_INSECURE": INSECURE}
    with structlog.testing.capture_logs() as lines:
        profile.warn(load_settings(PRODUCTION | lax))
    assert [(line["event"], line["log_level"], line["name"]) for line in lines] == [
        ("insecure", "warning", "http-public-url")
    ]


def test_urls_are_completed_so_that_whoever_opens_them_verifies() -> None:
    settings = load_settings(PRODUCTION)
    for url in (settings.redis_url, settings.broker_url):
        assert "ssl_cert_reqs=required" in url
        assert "ssl_check_hostname=true" in url
        assert f"ssl_ca_certs={settings.authorities}" in url
    assert settings.database_url.endswith(f"?sslmode=verify-full&sslrootcert={settings.authorities}")


def test_what_a_url_says_itself_stays() -> None:
    url = "postgresql://relay:pw@db.corp.example/relay?sslmode=verify-full&sslrootcert=/etc/own.pem"
    assert load_settings(PRODUCTION | {"DATABASE_URL": url}).database_url == url
