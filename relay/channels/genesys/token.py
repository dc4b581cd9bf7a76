"""Access tokens: one per OAuth client, shared between processes, fetched once at a time.

Source: SDK ApiClient.get_client_credentials_token; tokens live 300 to 172,800 seconds.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from gevent.lock import BoundedSemaphore

from relay.channels.base import Account, Login, Token
from relay.channels.genesys.grants import Grants, TokenGrant
from relay.channels.genesys.hosts import Hosts
from relay.channels.genesys.renewal import Renewal
from relay.channels.http.client import HttpTransport
from relay.core.errors import SendError
from relay.core.languages import phrase

EARLY = 300
"""Seconds before its end that a token is no longer used."""
LONGEST_LIFE = 172_800.0
"""Seconds: the longest that an OAuth client can be set to [genesys.md 1.2]."""
REMEMBERED = 10_000
"""Clients: more than a platform has, and a bound for what people type into the wizard."""


class Tokens:
    """The process's tokens. The shared cache spares other processes the fetch; it may be empty.

    Each send needs one: what was asked of the shared cache stays in memory until shortly before its end, until it is
    refused, or until other credentials are asked for.

    Credentials with a `refresh_token` use the refresh grant, all others the client credentials.
    """

    def __init__(self, transport: HttpTransport, hosts: Hosts) -> None:
        self._shared = transport.tokens
        self._grants = Grants(transport, hosts)
        self._renewal = Renewal(transport, self._grants)
        self._mine: dict[str, tuple[Token, float]] = {}
        self._locks: dict[str, BoundedSemaphore] = {}

    def get(self, account: Account, deadline: float) -> str:
        """A token that should still be good. Raises SendError: nothing has been sent then."""
        return self.held(account, deadline).value

    def held(self, account: Account, deadline: float) -> Token:
        """The same with its end."""
        return self._known(account) or self._fetch_once(account, deadline, lambda: self._known(account))

    def fresh(self, account: Account, deadline: float) -> str:
        """A token fetched just now: what an onboarding check wants to see."""
        return self._fetch_once(account, deadline, lambda: None).value

    def login_url(self, account: Account, redirect_uri: str, state: str, challenge: str) -> str:
        return self._grants.authorize_url(account, redirect_uri, state, challenge)

    def login(self, account: Account, code: str, redirect_uri: str, verifier: str, deadline: float) -> Login:
        """Exchange the code that an admin brought back; its access token is kept like any other."""
        began = time.monotonic()
        granted = self._grants.code(account, code, redirect_uri, verifier, deadline)
        if not granted.refresh_token:
            text = "Genesys gave no refresh token, so the login would end with its access token"
            raise SendError("refused", "no_refresh_token", text)
        logged_in = replace(account, credentials={**account.credentials, "refresh_token": granted.refresh_token})
        token = self._keep(logged_in, granted, began)
        self._renewal.begin(_key(logged_in), granted.refresh_token)
        return Login(granted.refresh_token, token.expires_at)

    def drop(self, account: Account, token: str) -> None:
        """Forget a token that was refused, unless somebody has replaced it already."""
        mine = self._mine.get(_own_key(account))
        if mine is not None and mine[0].value == token:
            del self._mine[_own_key(account)]
        shared = self._others(account)
        if shared is not None and shared.value == token:
            self._shared.delete(_key(account))

    def _known(self, account: Account) -> Token | None:
        mine = self._mine.get(_own_key(account))
        if mine is not None and time.monotonic() < mine[1]:
            return mine[0]
        token = self._others(account)
        if token is not None and token.expires_at is not None and token.expires_at > time.time():
            left = min(token.expires_at - time.time(), LONGEST_LIFE)
            self._remember(account, token, time.monotonic() + _useful(left))
        return token

    def _others(self, account: Account) -> Token | None:
        """What any process has got."""
        return _read(self._shared.get(_key(account)))

    def _remember(self, account: Account, token: Token, until: float) -> None:
        """`until`: monotonic time."""
        self._mine[_own_key(account)] = (token, until)
        _bound(self._mine)

    def _fetch_once(self, account: Account, deadline: float, known: Callable[[], Token | None]) -> Token:
        lock = self._locks.setdefault(_key(account), BoundedSemaphore(1))
        if not lock.acquire(timeout=max(0.0, deadline - time.monotonic())):
            raise SendError("retry", "token_timeout", phrase("no access token in time"))
        try:
            return known() or self._fetch(account, deadline)
        finally:
            lock.release()
            _bound(self._locks)

    def _fetch(self, account: Account, deadline: float) -> Token:
        began = time.monotonic()
        if not account.credentials.get("refresh_token"):
            return self._keep(account, self._grants.client(account, deadline), began)
        found = self._renewal.renew(_key(account), account, deadline, lambda: self._others(account))
        return self._keep(account, found, began) if isinstance(found, TokenGrant) else found

    def _keep(self, account: Account, granted: TokenGrant, began: float) -> Token:
        """`began`: monotonic time before the call, so that a slow answer makes no token look younger."""
        life = _life(granted.expires_in)
        seconds = _useful(life)
        token = Token(granted.access_token, int(time.time() - (time.monotonic() - began) + life))
        self._remember(account, token, began + seconds)
        self._shared.set(_key(account), f"{token.expires_at} {token.value}", seconds)
        return token


def _key(account: Account) -> str:
    """Holds the tenant, and changes with the client, its secret and its region; reveals none of them.

    Of a login it does not change when the refresh token does.
    """
    held: Mapping[str, str] = account.credentials
    named = [held.get(name, "") for name in ("region", "client_id", "client_secret")]
    named += ["login"] if held.get("refresh_token") else []
    digest = hashlib.sha256("\n".join(named).encode("utf-8", "replace")).hexdigest()[:32]
    return f"genesys:token:{account.tenant_id}:{digest}"


def _own_key(account: Account) -> str:
    """The same, but of a login it changes with the refresh token: nobody gets a token of who was logged in before."""
    refresh_token = account.credentials.get("refresh_token", "")
    digest = hashlib.sha256(refresh_token.encode("utf-8", "replace")).hexdigest()[:16] if refresh_token else ""
    return f"{_key(account)}:{digest}"


def _read(kept: str | None) -> Token | None:
    """What `_keep` has written; anything else counts as absent."""
    expires_at, _, value = (kept or "").partition(" ")
    return Token(value, int(expires_at)) if value and expires_at.isdigit() else None


def _life(expires_in: object) -> float:
    life = float(expires_in) if isinstance(expires_in, (int, float)) and expires_in > 0 else 600.0
    return min(life, LONGEST_LIFE)


def _useful(life: float) -> float:
    """Until five minutes before its end, or half its life when that is longer."""
    return max(life - EARLY, life / 2)


def _bound(held: dict[str, Any]) -> None:
    while len(held) > REMEMBERED:
        del held[next(iter(held))]
