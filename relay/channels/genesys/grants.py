"""The grants of Genesys' login server: client credentials, an admin's code, a refresh token.

Source: developer centre "Grant - Authorization Code", SDK ApiClient; PKCE is offered [genesys.md 1.3].
"""

from __future__ import annotations

import base64
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, NoReturn
from urllib.parse import urlencode

from relay.channels.base import Account
from relay.channels.genesys.hosts import Hosts
from relay.channels.http.client import HttpResponse, HttpTransport, redact
from relay.channels.http.reading import record
from relay.channels.text import clean
from relay.core.errors import SendError
from relay.core.languages import phrase


@dataclass(frozen=True, slots=True)
class TokenGrant:
    """What the login server gave. `expires_in` as it came."""

    access_token: str = field(repr=False)
    expires_in: Any
    refresh_token: str | None = field(repr=False)


class Grants:
    """The calls to /oauth/token. A failed one raises SendError: nothing has been sent to the platform then."""

    def __init__(self, transport: HttpTransport, hosts: Hosts) -> None:
        self._http = transport
        self._hosts = hosts

    def client(self, account: Account, deadline: float) -> TokenGrant:
        return self._ask(account, {"grant_type": "client_credentials"}, deadline)

    def refresh(self, account: Account, refresh_token: str, deadline: float) -> TokenGrant:
        """A code of invalid_grant says that this refresh token is not the current one, or that none is good."""
        return self._ask(account, {"grant_type": "refresh_token", "refresh_token": refresh_token}, deadline)

    def code(self, account: Account, code: str, redirect_uri: str, verifier: str, deadline: float) -> TokenGrant:
        form = {"grant_type": "authorization_code", "code": code, "redirect_uri": redirect_uri}
        # A code works once: after a lost answer the admin has to log in again.
        return self._ask(account, form | {"code_verifier": verifier}, deadline, repeatable=False)

    def authorize_url(self, account: Account, redirect_uri: str, state: str, challenge: str) -> str:
        """Where an admin's browser goes. Nothing in it is secret."""
        query = {
            "client_id": account.credentials.get("client_id", ""),
            "response_type": "code",
            "redirect_uri": redirect_uri,
            "state": state,
            "code_challenge": challenge,
            "code_challenge_method": "S256",
        }
        return f"{self._hosts.login(account)}/oauth/authorize?{urlencode(query)}"

    def _ask(
        self, account: Account, form: Mapping[str, str], deadline: float, *, repeatable: bool = True
    ) -> TokenGrant:
        answer = self._http.call(
            "POST",
            self._hosts.login(account) + "/oauth/token",
            self._hosts.login_trust(account),
            deadline,
            authorization=_basic(account),
            form=form,
            repeatable=repeatable,
        )
        found = record(answer.data)
        token = clean(found.get("access_token"))
        if answer.status != 200 or not token or not token.isprintable() or not token.isascii():
            _refuse(answer, (*account.credentials.values(), *form.values()))
        return TokenGrant(token, found.get("expires_in"), clean(found.get("refresh_token")))


def _basic(account: Account) -> str:
    client_id, secret = (account.credentials.get(name, "") for name in ("client_id", "client_secret"))
    if not client_id or not secret:
        raise SendError("credentials", "no_client", phrase("the line has no OAuth client"))
    return "Basic " + base64.b64encode(f"{client_id}:{secret}".encode("utf-8", "replace")).decode()


def _refuse(answer: HttpResponse, secrets: tuple[str, ...]) -> NoReturn:
    """Only an explicit answer about the client or its login is a refusal of it; all else is trouble."""
    body = record(answer.data)
    code = clean(body.get("error")) or clean(body.get("code"))
    text = clean(body.get("error_description")) or clean(body.get("description")) or clean(body.get("message"))
    shown = redact(text or f"HTTP {answer.status}", secrets)
    status = answer.status
    if status == 429:
        raise SendError("throttled", code or "http_429", shown, retry_after=answer.retry_after, status=status)
    if code and status in (400, 401, 403):
        refused = phrase("Genesys refuses the OAuth client: %(why)s", why=shown)
        if code == "invalid_grant":
            refused = phrase("Genesys refuses the login: %(why)s", why=shown)
        raise SendError("credentials", code, refused, status=status)
    raise SendError("retry", code or f"http_{status}", phrase("no access token: %(why)s", why=shown), status=status)
