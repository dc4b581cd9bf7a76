"""conf.settings: what is accepted, what is refused and in which words; conf/example.env and the docs agree with it."""

import re
import subprocess
import sys
from itertools import pairwise
from pathlib import Path

import pytest
from cryptography.fernet import Fernet
from pydantic import SecretStr, ValidationError

from conf.loading import SettingsError, load_settings
from conf.settings import Settings

ROOT = Path(__file__).parents[3]
EXAMPLE = (ROOT / "conf" / "example.env").read_text()
DOCUMENT = (ROOT / "docs" / "configuration.md").read_text()
# The sandbox reads its own environment: it is no part of production.
NOT_OURS = {"SANDBOX_PORT"}

KEYS = [Fernet.generate_key().decode() for _ in range(2)]
GOOD = {
    "DATABASE_URL": "postgresql://relay:s3cr3t-database@db:5432/relay?sslmode=verify-full",
    "REDIS_URL": "rediss://:s3cr3t-redis@cache:6379/0",
    "BROKER_URL": "amqps://relay:s3cr3t-broker@queue:5671//",
    "MINIO_ENDPOINT": "files:9000",
    "MINIO_ACCESS_KEY": "relay",
    "MINIO_SECRET_KEY": "s3cr3t-files",
    "MINIO_PUBLIC_URL": "https://files.nordwind.test/",
    "PUBLIC_URL": "https://relay.nordwind.test",
    "SECRET_KEY": "s3cr3t-9f2a71c04be85d36a1907cbe5f48d2e6",
    "CREDENTIALS_KEYS": ", ".join(KEYS),
    "ADMIN_API_KEY": "s3cr3t-06be41f7d39c582ab75e90d4c1862f3a",
}
REQUIRED = set(GOOD)


def problems(**changes: str) -> list[str]:
    with pytest.raises(SettingsError) as caught:
        load_settings(GOOD | changes)
    return caught.value.problems


def test_required_settings_alone_are_enough() -> None:
    settings = load_settings(GOOD)
    assert settings.relay_shards == 16
    assert settings.reorder_window_ms == 250
    assert settings.minio_secure is True
    assert settings.meta_graph_url == "https://graph.facebook.com"
    assert settings.genesys_login_url is None
    assert settings.meta_app_secret.get_secret_value() == ""


def test_values_are_typed_and_trimmed() -> None:
    settings = load_settings(GOOD | {"WEB_PORT": " 8001 ", "MINIO_SECURE": "false", "MINIO_ENDPOINT": "localhost:9000"})
    assert (settings.web_port, settings.minio_secure) == (8001, False)
    assert settings.minio_public_url == "https://files.nordwind.test"
    assert [key.get_secret_value() for key in settings.credentials_keys] == KEYS


def test_the_broker_keeps_the_virtual_host_slash() -> None:
    assert load_settings(GOOD).broker_url.partition("?")[0].endswith("5671//")


def test_an_empty_value_counts_as_not_given() -> None:
    assert load_settings(GOOD | {"RELAY_SHARDS": "", "GENESYS_API_URL": " "}).relay_shards == 16
    assert problems(PUBLIC_URL="")[0].startswith("PUBLIC_URL is missing")


def test_a_given_environment_is_not_mixed_with_the_process_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RELAY_SHARDS", "99")
    assert load_settings(GOOD).relay_shards == 16


def test_without_an_argument_the_process_environment_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in (GOOD | {"RELAY_SHARDS": "8"}).items():
        monkeypatch.setenv(name, value)
    assert load_settings().relay_shards == 8


def test_all_that_is_missing_is_named_at_once() -> None:
    with pytest.raises(SettingsError) as caught:
        load_settings({})
    assert {problem.split()[0] for problem in caught.value.problems} == REQUIRED
    assert all("is missing. Example:" in problem for problem in caught.value.problems)


def test_missing_and_wrong_are_reported_together() -> None:
    with pytest.raises(SettingsError) as caught:
        load_settings({name: value for name, value in GOOD.items() if name != "REDIS_URL"} | {"WEB_PORT": "0"})
    assert [problem.split()[0] for problem in caught.value.problems] == ["REDIS_URL", "WEB_PORT"]


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("DATABASE_URL", "mysql://db/relay", "must be a URL that starts with postgresql://"),
        ("DATABASE_URL", "postgresql://relay:x@db:notaport/relay", "a port that is not a number"),
        ("DATABASE_URL", "postgresql://relay:x@db:5432/relay?sslmod=verify-full", "PostgreSQL's library can read"),
        ("DATABASE_URL", "postgresql://relay:50%off@db:5432/relay", "write %25 for %"),
        ("TLS_CA_FILE", "/nowhere/authorities.pem", "names a file that cannot be read"),
        ("TLS_CA_FILE", __file__, "holds no certificate in PEM form"),
        ("RELAY_INSECURE", "plain-cache,everything", "(entry 2) must be 'demo-secrets', 'default-passwords'"),
        ("REDIS_URL", "redis://", "names no host"),
        ("BROKER_URL", "amqp://relay:change-me@queue//", "placeholder"),
        ("BROKER_URL", "amqp://relay:x@127.0.0.1/a;amqp://relay:x@queue/a", "must be one URL"),
        ("MINIO_ENDPOINT", "http://files:9000", "without http://"),
        ("MINIO_ENDPOINT", "files:90000", "a port that is not a number"),
        ("MINIO_ENDPOINT", "files:9000/bucket", "must be host:port"),
        ("MINIO_SECURE", "perhaps", "must be true or false"),
        ("PUBLIC_URL", "relay.nordwind.test", "starts with http:// or https://"),
        ("PUBLIC_URL", "https://relay.nordwind.test?x=1", "scheme, host, port and path only"),
        ("SECRET_KEY", "short", "32 characters at least"),
        ("ADMIN_API_KEY", "CHANGE-ME-PLEASE", "placeholder"),
        ("CREDENTIALS_KEYS", f"{KEYS[0]},abc", "(entry 2) holds a key that is not 32 bytes"),
        ("CREDENTIALS_KEYS", ",", "holds no key"),
        ("RELAY_SHARDS", "0", "must be at least 1"),
        ("RELAY_SHARDS", "many", "must be a whole number"),
        ("MEDIA_URL_SECONDS_INBOUND", "9999999", "must be at most 604800"),
        ("META_GRAPH_VERSION", "25", "does not look like the example"),
        ("LOG_LEVEL", "LOUD", "must be 'DEBUG', 'INFO', 'WARNING' or 'ERROR'"),
        ("GENESYS_API_URL", "api.mypurecloud.de", "starts with http:// or https://"),
    ],
)
def test_a_wrong_value_is_refused_in_plain_words(name: str, value: str, words: str) -> None:
    (problem,) = problems(**{name: value})
    assert problem.startswith(name)
    assert words in problem
    assert f"Example: {name}=" in problem


def test_no_message_ever_shows_a_value() -> None:
    bad = {name: f"!{value}" for name, value in GOOD.items()} | {"SECRET_KEY": "s3cr3t", "ADMIN_API_KEY": "s3cr3t"}
    with pytest.raises(SettingsError) as caught:
        load_settings(bad)
    assert "s3cr3t" not in str(caught.value)
    assert caught.value.__context__ is None
    assert caught.value.__cause__ is None


@pytest.mark.parametrize("login", ["true", "false"])
@pytest.mark.parametrize("name", ["OIDC_ISSUER", "OIDC_CLIENT_ID", "OIDC_CLIENT_SECRET", "OIDC_ROLES"])
@pytest.mark.parametrize("value", ["", "change-me"])
def test_what_is_wrong_with_a_provider_is_told_in_words_as_well(name: str, value: str, login: str) -> None:
    provider = {
        "OIDC_ISSUER": "https://login.nordwind.test",
        "OIDC_CLIENT_ID": "relay",
        "OIDC_CLIENT_SECRET": "s3cr3t-provider",
        "OIDC_ROLES": '{"staff": "operator"}',
        "PASSWORD_LOGIN": login,
    }
    if name == "OIDC_ISSUER" and not value and login == "true":
        return  # nothing is wrong: there is no provider
    said = problems(**(provider | {name: value, "PUBLIC_URL": "http://relay.nordwind.test"}))
    assert any(one.startswith(name if value or name != "OIDC_ISSUER" else "PASSWORD_LOGIN") for one in said)
    assert any(one.startswith("PUBLIC_URL is http") for one in said)
    assert not any("s3cr3t" in one for one in said)


def test_secrets_stay_out_of_the_repr() -> None:
    text = repr(load_settings(GOOD))
    assert "s3cr3t" not in text
    assert not any(key in text for key in KEYS)


def test_settings_cannot_be_changed() -> None:
    with pytest.raises(ValidationError):
        load_settings(GOOD).relay_shards = 3


def _example_values() -> dict[str, str]:
    return dict(re.findall(r"^#?([A-Z][A-Z0-9_]+)=(.*)$", EXAMPLE, re.MULTILINE))


def test_example_env_names_every_setting_and_no_other() -> None:
    assert set(_example_values()) - NOT_OURS == {name.upper() for name in Settings.model_fields}


def test_example_env_shows_the_defaults() -> None:
    values = _example_values()
    for name, field in Settings.model_fields.items():
        if not field.is_required():
            assert values[name.upper()] == _as_text(field.default), name


def test_example_env_explains_every_setting() -> None:
    for before, line in pairwise(EXAMPLE.splitlines()):
        if re.match(r"^#?[A-Z][A-Z0-9_]+=", line):
            assert before.startswith("# "), line


def test_an_example_env_that_nobody_filled_in_is_refused_as_a_whole() -> None:
    filled = dict(re.findall(r"^([A-Z][A-Z0-9_]+)=(.*)$", EXAMPLE, re.MULTILINE))
    with pytest.raises(SettingsError) as caught:
        load_settings(filled)
    assert {problem.split()[0] for problem in caught.value.problems} == REQUIRED
    assert all("placeholder" in problem for problem in caught.value.problems)


def test_the_document_has_a_row_for_every_setting_with_its_default() -> None:
    rows = dict(re.findall(r"^\| `([A-Z0-9_]+)` \| ([^|]*) \|", DOCUMENT, re.MULTILINE))
    assert set(rows) - NOT_OURS == {name.upper() for name in Settings.model_fields}
    for name, field in Settings.model_fields.items():
        expected = "required" if field.is_required() else _as_text(field.default) or "empty"
        assert rows[name.upper()].strip(" `") == expected, name


def _as_text(value: object) -> str:
    match value:
        case None:
            return ""
        case SecretStr():
            return value.get_secret_value()
        case bool():
            return str(value).lower()
        case tuple():
            return ",".join(map(str, value))
        case _:
            return str(value)


def test_a_command_says_nothing_but_what_it_was_asked() -> None:
    """Libraries' warnings about our own settings stood above every command's answer."""
    done = subprocess.run([sys.executable, "-m", "relay", "--version"], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0
    assert done.stderr == ""


@pytest.mark.parametrize("value", ["https://errors.nordwind.test/1", "https://key@errors.nordwind.test/", "key@host/1"])
def test_what_is_no_dsn_is_refused(value: str) -> None:
    [problem] = problems(SENTRY_DSN=value)
    assert "SENTRY_DSN" in problem and value not in problem


def test_an_extra_that_is_missing_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("conf.checks.find_spec", lambda _: None)
    wrong = problems(TRACING_URL="http://collector:4318", SENTRY_DSN="https://key@errors.nordwind.test/1")
    assert [name for name in ("`tracing`", "`errors`") if any(name in one for one in wrong)] == [
        "`tracing`",
        "`errors`",
    ]
