"""The refresh grant where a refresh token may change with every use, and processes use it at once.

A new refresh token is shared and then kept for good before its access token is used. Who is told
that his is not good looks first whether somebody else has just replaced it.
"""

from __future__ import annotations

import time
from collections.abc import Callable

import gevent

from relay.channels.base import Account, Token
from relay.channels.genesys.grants import Grants, TokenGrant
from relay.channels.http.client import HttpTransport
from relay.core.errors import SendError, StoreError

ATTEMPTS = 4
PATIENCE = 3.0
"""Seconds that another process is given to keep what it has been granted."""
PAUSE = 0.1
SHARED_SECONDS = 30 * 86_400.0
REMEMBERED = 10_000


class Renewal:
    """Knows the newest refresh token of each login: its own memory, the shared cache, what is kept for good."""

    def __init__(self, transport: HttpTransport, grants: Grants) -> None:
        self._shared = transport.tokens
        self._logins = transport.logins
        self._grants = grants
        self._mine: dict[str, str] = {}

    def renew(
        self, key: str, account: Account, deadline: float, known: Callable[[], Token | None]
    ) -> TokenGrant | Token:
        """A new access token, or the one that another process got meanwhile. Raises SendError."""
        before, tried = known(), []
        for _ in range(ATTEMPTS):
            chosen = next(one for one in (*self._candidates(key, account), None) if one not in tried)
            if chosen is None:
                break
            tried.append(chosen)
            try:
                granted = self._grants.refresh(account, chosen, deadline)
            except SendError as error:
                if error.code != "invalid_grant":
                    raise
                verdict = error
            else:
                self._keep(key, account, chosen, granted)
                return granted
            found = self._wait(key, account, deadline, tried, lambda: _news(known(), before))
            if isinstance(found, Token):
                return found
        raise verdict

    def begin(self, key: str, refresh_token: str) -> None:
        """Share what a login, or a renewal, has just given: whatever was known before is done with."""
        self._mine[key] = refresh_token
        while len(self._mine) > REMEMBERED:
            del self._mine[next(iter(self._mine))]
        self._shared.set(_name(key), refresh_token, SHARED_SECONDS)

    def _candidates(self, key: str, account: Account) -> list[str]:
        """Newest first, as far as anybody can tell. Own memory may be behind that of another process."""
        found = [self._shared.get(_name(key)), self._kept(account), self._mine.get(key)]
        return [one for one in (*found, account.credentials["refresh_token"]) if one]

    def _kept(self, account: Account) -> str | None:
        """What is kept for good; unknown while the database is away."""
        try:
            return self._logins.newest(account.tenant_id) if self._logins and account.tenant_id else None
        except StoreError:
            return None

    def _wait(
        self, key: str, account: Account, deadline: float, tried: list[str], news: Callable[[], Token | None]
    ) -> Token | str | None:
        """Somebody else's token or refresh token, as soon as it is there; None when nobody has one."""
        ends = min(deadline, time.monotonic() + PATIENCE)
        while True:
            token = news()
            if token is not None:
                return token
            untried = [one for one in self._candidates(key, account) if one not in tried]
            if untried:
                return untried[0]
            if time.monotonic() >= ends:
                return None
            gevent.sleep(PAUSE)

    def _keep(self, key: str, account: Account, used: str, granted: TokenGrant) -> None:
        """First where others find it at once, then for good. Raises SendError: without that no token is used."""
        new = granted.refresh_token
        if not new or new == used:
            return
        self.begin(key, new)
        if self._logins is None or not account.tenant_id:
            return
        try:
            for former in dict.fromkeys((used, account.credentials["refresh_token"])):
                if self._logins.renew(account.tenant_id, former, new):
                    return
        except StoreError:
            text = "the renewed login could not be kept, because the database is away"
            raise SendError("retry", "login_not_kept", text) from None


def _name(key: str) -> str:
    return f"{key}:refresh"


def _news(token: Token | None, before: Token | None) -> Token | None:
    return token if token != before else None
