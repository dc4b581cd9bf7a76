"""Refresh tokens of an admin's login, kept in PostgreSQL, shared through Redis, taken by the sandbox once each."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import gevent
import pytest
import redis
import requests

from conf.loading import load_settings
from conf.settings import Settings
from db.audit import Author
from db.migrate import migrate
from db.pool import Pool
from db.tenants import credentials, registry
from db.tenants.changes import Changes
from relay.channels.base import Account, Channel
from relay.channels.genesys import renewal
from relay.clients import build_changes, build_channels, build_cipher
from relay.core.errors import SendError
from relay.stores.cache import Cache
from tests import processes
from tests.waiting import PATIENCE

TARGET = "http://127.0.0.1:9/return"
HELD = {
    "region": "mypurecloud.de",
    "client_id": "11111111-aaaa-4000-8000-000000000002",
    "client_secret": "demo-client-secret-suedlicht",
    "integration_id": "22222222-bbbb-4000-8000-000000000002",
    "webhook_secret": "demo-webhook-secret-suedlicht",
    "login_client_id": "11111111-aaaa-4000-8000-000000000003",
    "login_client_secret": "demo-login-secret-suedlicht",
}


@pytest.fixture(scope="module")
def settings(settings_env: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Settings]:
    logs: Path = tmp_path_factory.mktemp("logins")
    migrate(settings_env["DATABASE_URL"], int(settings_env["RELAY_SHARDS"]))
    with processes.sandbox(settings_env, logs):
        yield load_settings(settings_env)


@pytest.fixture
def changes(settings: Settings) -> Iterator[Changes]:
    with Pool(settings.database_url) as pool, redis.Redis.from_url(settings.redis_url) as client:
        client.flushdb()
        yield build_changes(pool, Cache(settings.redis_url, build_cipher(settings)))


@pytest.fixture
def account(settings: Settings, changes: Changes) -> Account:
    """A tenant whose admin has logged in, as it is stored."""
    tenant_id = registry.create(changes, Author("test"), "Südlicht").id
    account = Account(tenant_id, "", HELD["integration_id"], HELD)
    channel = genesys(settings, changes)
    url = channel.login_url(account, TARGET, "s", "")
    back = requests.post(url.replace("code_challenge=&code_challenge_method=S256", ""), {"answer": "allow"},
                         allow_redirects=False, timeout=PATIENCE)  # fmt: skip
    code = parse_qs(urlsplit(back.headers["Location"]).query)["code"][0]
    token = channel.login(account, code, TARGET, "", soon()).refresh_token
    logged_in = replace(account, credentials={**HELD, "refresh_token": token})
    stored = credentials.put(
        changes, build_cipher(settings), Author("test"), tenant_id, "genesys", logged_in.credentials
    )
    assert (stored.shown["refresh_token"], stored.shown["login_client_secret"]) == ("****", "****")
    return logged_in


def genesys(settings: Settings, changes: Changes) -> Channel:
    """As another process would have it: nothing in its memory."""
    return build_channels(settings, Cache(settings.redis_url, build_cipher(settings)), changes)["genesys"]


def soon() -> float:
    return time.monotonic() + PATIENCE


def forget(settings: Settings, pattern: str) -> None:
    with redis.Redis.from_url(settings.redis_url) as client:
        for key in client.scan_iter(pattern):
            if pattern == "*" or not key.endswith(b":refresh"):
                client.delete(key)


def kept(settings: Settings, changes: Changes, account: Account) -> str | None:
    held = credentials.opened(changes.pool, build_cipher(settings), account.tenant_id, "genesys")
    return held.values.get("refresh_token") if held else None


@pytest.mark.parametrize("forgotten", ["*genesys:token*", "*"], ids=["access tokens", "all of Redis"])
def test_renewed_again_and_again_by_processes_with_old_credentials(
    settings: Settings, changes: Changes, account: Account, forgotten: str
) -> None:
    seen = {kept(settings, changes, account)}
    for _ in range(3):
        forget(settings, forgotten)
        assert genesys(settings, changes).offers(account, soon())
        seen.add(kept(settings, changes, account))
    assert len(seen) == 4


def test_two_processes_at_once(settings: Settings, changes: Changes, account: Account) -> None:
    for _ in range(3):
        forget(settings, "*genesys:token*")
        both = [gevent.spawn(genesys(settings, changes).offers, account, soon()) for _ in range(2)]
        gevent.joinall(both, timeout=PATIENCE)
        assert all(one.get(block=False) for one in both)


def test_a_newer_login_is_not_overwritten(settings: Settings, changes: Changes, account: Account) -> None:
    cipher = build_cipher(settings)
    assert not credentials.renew_refresh_token(changes, cipher, account.tenant_id, "of long ago", "of somebody")
    assert kept(settings, changes, account) == account.credentials["refresh_token"]
    former = account.credentials["refresh_token"]
    assert credentials.renew_refresh_token(changes, cipher, account.tenant_id, former, "newer")
    assert credentials.renew_refresh_token(changes, cipher, account.tenant_id, former, "newer")
    assert kept(settings, changes, account) == "newer"
    assert not credentials.renew_refresh_token(changes, cipher, "00000000-0000-4000-8000-000000000000", "a", "b")


def test_a_login_that_was_ended(
    settings: Settings, changes: Changes, account: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(renewal, "PATIENCE", 0.1)  # nobody else will bring another one
    forget(settings, "*genesys:token*")
    url = f"{settings.genesys_login_url}".removesuffix("/genesys/login")
    assert requests.post(f"{url}/control/accounts/logins/end", timeout=PATIENCE).status_code == 204
    with pytest.raises(SendError, match="invalid_grant"):
        genesys(settings, changes).offers(account, soon())
