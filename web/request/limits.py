"""How often somebody may ask: per key, per tenant, per person, per address. Shared by all workers through Redis.

While Redis is away each worker counts by itself. Health, metrics and webhooks at their right addresses are never
limited. An address is an IPv4 address or an IPv6 /64; what may be guessed is looked at while it has guesses left.
"""

from __future__ import annotations

from dataclasses import dataclass

from flask import Flask, current_app, g, request

from web.request import devices
from web.request.context import web_context
from web.request.errors import ApiError
from web.request.networks import network_of
from web.request.principal import principal


@dataclass(frozen=True, slots=True)
class Limit:
    """`per_minute` may be used up at once, and comes back by the second."""

    name: str
    per_minute: int


API = Limit("api", 600)
TENANT = Limit("tenant", 3000)
"""All keys of one tenant together, who makes as many as it likes."""
PORTAL = Limit("portal", 1200)
"""Pages that keep themselves fresh ask often."""
STRANGERS = Limit("stranger", 60)
"""Requests of one address without a valid key. Beyond them the right key is not looked at either."""
WEBHOOK_KEYS = Limit("webhook-key", 60)
"""Webhook addresses that nobody has, asked for by one address."""
VERIFY_TOKENS = Limit("verify-token", 20)
"""Wrong verify tokens of one address at one webhook address."""
WAITS = Limit("waits", 60)
"""Sends of one tenant that wait for their outcome; further ones are answered at once."""
ENDPOINT_TESTS = Limit("endpoint-test", 6)
"""Tests of one endpoint."""
LOGIN_ADDRESS = Limit("login-address", 10)
LOGIN_ACCOUNT = Limit("login-account", 5)
"""One account, from one device or network."""
LOGIN_STRANGERS = Limit("login-strangers", 20)
"""One account, from all devices together that it does not know.

Passwords that were wrong, at the log-in and where one is changed; a right one costs none of these."""
RIGHT_ONES = Limit("login-right", 60)
"""Right passwords and codes of one account: each costs as much as a wrong one. What others guess does not count."""
NEW_PASSWORDS = Limit("new-password", 20)
"""New passwords of one person that are judged: that takes longer than anything else here."""
TEST_MESSAGES = Limit("test-message", 6)
"""Tests of one person that leave for a mail server or a webhook."""
MAIL_LINKS = Limit("mail-link", 20)
"""Links of mails that one address opened and that are no good."""
LOGIN_PROVIDER = Limit("login-provider", 30)
"""Steps of one address in log-ins through OpenID providers, which are asked by them."""


def register(app: Flask) -> None:
    """The portal's limits; the API asks for its own once it knows who it is."""
    app.config.setdefault("RATE_LIMITED", True)
    app.before_request_funcs.setdefault("portal", []).append(_portal)


def api() -> None:
    """One more request of the asking key, and of its tenant. Raises ApiError 429."""
    _spend(API, principal().id)
    tenant_id = principal().tenant_id
    if tenant_id is not None:
        _spend(TENANT, tenant_id)


def may_try_a_key() -> None:
    """Before a key is compared with anything. Raises ApiError 429, whether or not it is the right one."""
    may_guess(STRANGERS, address())


def stranger() -> None:
    """One more request without a valid key."""
    guessed(STRANGERS, address())


def may_guess(limit: Limit, who: str) -> None:
    """Raises ApiError 429 where too many were wrong. Compare right after it: nothing is waited for in between."""
    if not current_app.config["RATE_LIMITED"]:
        return
    wait = web_context().bucket.wait(_key(limit, who), limit.per_minute / 60, limit.per_minute)
    if wait > 0:
        raise _too_many(wait, "too many tries; wait as long as Retry-After says")


def guessed(limit: Limit, who: str) -> None:
    """It was wrong."""
    if current_app.config["RATE_LIMITED"]:
        web_context().bucket.count(_key(limit, who), limit.per_minute / 60, limit.per_minute)


def guess(email: str) -> None:
    """One more password for this account: taken before it is looked at, so that guesses at once are counted too.

    Raises ApiError 429. Whoever was right gets it back by `guessed_right`.
    """
    may_guess(RIGHT_ONES, devices.account_of(email))
    taken: list[tuple[Limit, str]] = []
    for limit, who in _guessing(email):
        wait = _taken(limit, who)
        if wait is not None:
            _give_back(taken)
            raise _too_many(wait, "too many wrong passwords; wait a minute and try again")
        taken.append((limit, who))


def guessed_right(email: str) -> None:
    _give_back(_guessing(email))
    guessed(RIGHT_ONES, devices.account_of(email))


def new_password() -> None:
    """One more for the asking person to be judged. Raises ApiError 429."""
    _spend(NEW_PASSWORDS, principal().id)


def test_message() -> None:
    """One more to see whether it arrives, of all that the people of a tenant send. Raises ApiError 429.

    Whoever may make users could else have as many mails sent as they make: addresses are not proved.
    """
    _spend(TEST_MESSAGES, principal().tenant_id or principal().id)


def may_test_an_endpoint(endpoint_id: str) -> None:
    """One more test of it. Raises ApiError 429."""
    _spend(ENDPOINT_TESTS, endpoint_id)


def granted(limit: Limit, who: str) -> bool:
    """Whether there is one left of this limit, which is taken then."""
    return _taken(limit, who) is None


def stranger_at_login() -> None:
    """One more step of a log-in through a provider. Raises ApiError 429."""
    _spend(LOGIN_PROVIDER, address())


def may_wait() -> bool:
    """Whether one more send of the asking tenant may wait for its outcome."""
    return granted(WAITS, principal().tenant_id or principal().id)


def _portal() -> None:
    if "principal" in g:  # the pages before the log-in count guesses
        _spend(PORTAL, principal().id)


def _guessing(email: str) -> list[tuple[Limit, str]]:
    source, account = devices.asking(email), devices.account_of(email)
    own = (LOGIN_ACCOUNT, f"{account}:{source.digest.hex()}")
    # What others guess, be it from the same network, keeps nobody from a device of their own.
    return [own] if source.known else [(LOGIN_ADDRESS, address()), own, (LOGIN_STRANGERS, account)]


def _give_back(taken: list[tuple[Limit, str]]) -> None:
    if current_app.config["RATE_LIMITED"]:
        for limit, who in taken:
            web_context().bucket.give_back(_key(limit, who))


def _spend(limit: Limit, who: str) -> None:
    wait = _taken(limit, who)
    if wait is not None:
        raise _over(limit, wait)


def _taken(limit: Limit, who: str) -> float | None:
    """None: granted. Else after how many seconds it is worth asking again."""
    if not current_app.config["RATE_LIMITED"]:
        return None
    granted = web_context().bucket.take(_key(limit, who), limit.per_minute / 60, limit.per_minute)
    return None if granted.count else granted.wait_seconds


def _over(limit: Limit, wait: float) -> ApiError:
    return _too_many(wait, f"more than {limit.per_minute} requests a minute; wait as long as Retry-After says")


def _too_many(seconds: float, text: str) -> ApiError:
    return ApiError(429, "too_many_requests", text, retry_after=max(seconds, 1.0))


def _key(limit: Limit, who: str) -> str:
    return f"web-{limit.name}:{who}"


def address() -> str:
    """Who asks, as limits count: an IPv4 address or an IPv6 /64."""
    return network_of(request.remote_addr)
