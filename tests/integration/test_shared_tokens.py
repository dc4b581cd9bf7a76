"""Genesys' access tokens in several processes on a real Redis: fetched by one, remembered by all, forgotten in time."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import replace
from typing import Any

import pytest
import redis
from cryptography.fernet import Fernet

from db.sealing import Cipher
from relay.channels.base import Account
from relay.channels.genesys import GenesysChannel, create
from relay.channels.http.client import HttpTransport
from relay.stores.cache import Cache
from tests.unit.relay.channels.accounts import GENESYS
from tests.unit.relay.channels.genesys.test_client import ANY, MESSAGE, TOKEN, Login, soon
from tests.unit.relay.channels.servers import Served, answer, routes, serving
from tests.waiting import PATIENCE

LOGGED_IN = replace(GENESYS, credentials={**GENESYS.credentials, "refresh_token": "refresh-0123456789"})
Process = Callable[[], GenesysChannel]


class Providers:
    """Genesys, and processes that share a Redis: each has a cache, a memory and connections of its own."""

    def __init__(self, served: Served, redis_url: str, stack: ExitStack) -> None:
        self._served = served
        self._redis_url = redis_url
        self._stack = stack
        self._cipher = Cipher([Fernet.generate_key().decode()])

    def process(self) -> GenesysChannel:
        cache = Cache(self._redis_url, self._cipher)
        self._stack.callback(cache.close)
        urls: Any = {"genesys_login_url": self._served.url + "/login", "genesys_api_url": self._served.url + "/api"}
        return create(HttpTransport(cache, **urls, request_seconds=PATIENCE))

    def used(self) -> list[str]:
        """The tokens of the calls so far, by their last digit."""
        given = (one.headers.get("authorization", "") for one in self._served.asked)
        return [one[-1] for one in given if one.startswith("Bearer ")]


@pytest.fixture
def raw(redis_url: str) -> Iterator[redis.Redis]:
    with redis.Redis.from_url(redis_url) as client:
        client.flushall()
        yield client


class LoginOfPeople(Login):
    """The same, and with each token a new refresh token."""

    def __call__(self, _: Served, sock: Any, __: Any) -> bool:
        self.given += 1
        named = {"access_token": f"token-{self.given:010}", "refresh_token": f"refresh-{self.given:010}"}
        return answer(sock, named | {"token_type": "bearer", "expires_in": self.expires_in})


@pytest.fixture
def login() -> Login:
    return LoginOfPeople()


@pytest.fixture
def providers(login: Login, redis_url: str, raw: redis.Redis) -> Iterator[Providers]:
    with serving(routes({TOKEN: login, ANY: login.guarded({"id": "7f3c"})})) as served, ExitStack() as stack:
        yield Providers(served, redis_url, stack)


def reads(raw: redis.Redis) -> int:
    found: Any = raw.info("commandstats")
    return int(found.get("cmdstat_get", {}).get("calls", 0))


def test_a_token_of_another_process_is_asked_of_redis_once(
    providers: Providers, login: Login, raw: redis.Redis
) -> None:
    providers.process().send(MESSAGE, GENESYS, soon())
    other = providers.process()
    other.send(MESSAGE, GENESYS, soon())
    before = reads(raw)
    for _ in range(20):
        other.send(MESSAGE, GENESYS, soon())
    assert (reads(raw) - before, login.given) == (0, 1)


def test_it_is_forgotten_when_it_is_refused_and_the_next_one_shared(providers: Providers, login: Login) -> None:
    first, second = providers.process(), providers.process()
    for process in (first, second):
        process.send(MESSAGE, GENESYS, soon())
    login.oldest_good = 2
    for process in (first, second, second):
        process.send(MESSAGE, GENESYS, soon())
    assert login.given == 2
    assert providers.used() == ["1", "1", "1", "2", "1", "2", "2"]


@pytest.mark.parametrize(("life", "useful"), [(300, 150), (900, 600), (86400, 86100)])
def test_it_is_not_remembered_up_to_its_end(providers: Providers, login: Login, life: int, useful: int) -> None:
    login.expires_in = life
    providers.process().send(MESSAGE, GENESYS, soon())
    other = providers.process()
    other.send(MESSAGE, GENESYS, soon())
    [(_, until)] = other._client.tokens._mine.values()
    assert 0 < until - time.monotonic() <= useful


@pytest.mark.parametrize("name", ["client_id", "client_secret", "region"])
def test_other_credentials_get_another_token(providers: Providers, login: Login, name: str) -> None:
    process = providers.process()
    process.send(MESSAGE, GENESYS, soon())
    changed = "usw2.pure.cloud" if name == "region" else "changed-0123456789"
    process.send(MESSAGE, replace(GENESYS, credentials={**GENESYS.credentials, name: changed}), soon())
    assert (login.given, providers.used()) == (2, ["1", "2"])


def test_who_logs_in_anew_does_not_get_the_former_ones_token(providers: Providers, login: Login) -> None:
    first, second = providers.process(), providers.process()
    for process in (first, second):
        process.send(MESSAGE, LOGGED_IN, soon())
    again = _anew(first)
    second.send(MESSAGE, again, soon())
    assert (login.given, providers.used()) == (2, ["1", "1", "2"])


def _anew(process: GenesysChannel) -> Account:
    """Somebody comes back from Genesys with a code."""
    granted = process._client.tokens.login(LOGGED_IN, "code-0123456789", "https://relay.test/back", "verifier", soon())
    return replace(LOGGED_IN, credentials={**LOGGED_IN.credentials, "refresh_token": granted.refresh_token})
