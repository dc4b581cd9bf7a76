"""Access tokens of the client credentials grant: one per client, shared, fetched once at a time.

Source: SDK ApiClient.get_client_credentials_token; tokens live 300 to 172,800 seconds.
"""

from __future__ import annotations

import base64
import hashlib
import time
from typing import NoReturn

from gevent.lock import BoundedSemaphore

from relay.channels.base import Account
from relay.channels.genesys.hosts import Hosts
from relay.channels.http import Answer, HttpTransport, redact
from relay.channels.reading import record
from relay.channels.text import clean
from relay.core.errors import SendError

EARLY = 300
LONGEST_LIFE = 172_800.0
"""Seconds: the longest that an OAuth client can be set to [genesys.md 1.2]."""
"""Seconds before its end that a token is no longer used."""


class Tokens:
    """The process's tokens. The shared cache spares other processes the fetch; it may be empty."""

    def __init__(self, transport: HttpTransport, hosts: Hosts) -> None:
        self._http = transport
        self._hosts = hosts
        self._mine: dict[str, tuple[str, float]] = {}
        self._locks: dict[str, BoundedSemaphore] = {}

    def get(self, account: Account, deadline: float) -> str:
        """A token that should still be good. Raises SendError: nothing has been sent then."""
        key = _key(account)
        return self._known(key) or self._fetch_once(key, account, deadline)

    def fresh(self, account: Account, deadline: float) -> str:
        """A token fetched just now: what an onboarding check wants to see."""
        return self._fetch(_key(account), account, deadline)

    def drop(self, account: Account, token: str) -> None:
        """Forget a token that was refused, unless somebody has replaced it already."""
        key = _key(account)
        if self._mine.get(key, ("", 0.0))[0] == token:
            del self._mine[key]
        if self._http.tokens.get(key) == token:
            self._http.tokens.delete(key)

    def _known(self, key: str) -> str | None:
        token, until = self._mine.get(key, ("", 0.0))
        return token if token and time.monotonic() < until else self._http.tokens.get(key)

    def _fetch_once(self, key: str, account: Account, deadline: float) -> str:
        lock = self._locks.setdefault(key, BoundedSemaphore(1))
        if not lock.acquire(timeout=max(0.0, deadline - time.monotonic())):
            raise SendError("retry", "token_timeout", "no access token in time")
        try:
            return self._known(key) or self._fetch(key, account, deadline)
        finally:
            lock.release()

    def _fetch(self, key: str, account: Account, deadline: float) -> str:
        began = time.monotonic()
        answer = self._http.call(
            "POST",
            self._hosts.login(account) + "/oauth/token",
            self._hosts.login_trust(account),
            deadline,
            authorization=_basic(account),
            form={"grant_type": "client_credentials"},
            repeatable=True,
        )
        token = clean(record(answer.data).get("access_token"))
        if answer.status != 200 or not token or not token.isprintable() or not token.isascii():
            _refuse(answer, account)
        seconds = _useful_life(record(answer.data).get("expires_in"))
        self._mine[key] = (token, began + seconds)
        self._http.tokens.set(key, token, seconds)
        return token


def _key(account: Account) -> str:
    """Holds the tenant, and changes with the client, its secret and its region; reveals none of them."""
    named = "\n".join(account.credentials.get(name, "") for name in ("region", "client_id", "client_secret"))
    return f"genesys:token:{account.tenant_id}:{hashlib.sha256(named.encode('utf-8', 'replace')).hexdigest()[:32]}"


def _basic(account: Account) -> str:
    client_id, secret = (account.credentials.get(name, "") for name in ("client_id", "client_secret"))
    if not client_id or not secret:
        raise SendError("credentials", "no_client", "the line has no OAuth client")
    return "Basic " + base64.b64encode(f"{client_id}:{secret}".encode("utf-8", "replace")).decode()


def _useful_life(expires_in: object) -> float:
    """Until five minutes before its end, or half its life when that is longer."""
    life = float(expires_in) if isinstance(expires_in, (int, float)) and expires_in > 0 else 600.0
    life = min(life, LONGEST_LIFE)
    return max(life - EARLY, life / 2)


def _refuse(answer: Answer, account: Account) -> NoReturn:
    """Only an explicit answer about the client is a refusal of it; all else is trouble."""
    body = record(answer.data)
    code = clean(body.get("error")) or clean(body.get("code"))
    text = clean(body.get("error_description")) or clean(body.get("description")) or clean(body.get("message"))
    shown = redact(text or f"HTTP {answer.status}", account.credentials.values())
    status = answer.status
    if status == 429:
        raise SendError("throttled", code or "http_429", shown, retry_after=answer.retry_after, status=status)
    if code and status in (400, 401, 403):
        raise SendError("credentials", code, f"Genesys refuses the OAuth client: {shown}", status=status)
    raise SendError("retry", code or f"http_{status}", f"no access token: {shown}", status=status)
