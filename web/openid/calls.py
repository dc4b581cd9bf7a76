"""Calls to an issuer, through the client and the guard of all calls to the outside."""

from __future__ import annotations

import time
from collections.abc import Mapping
from copy import copy
from typing import Any, Self
from urllib.parse import parse_qsl, urlencode

from authlib.oauth2.auth import ClientAuth

from relay.channels.base import TokenCache
from relay.channels.http.client import HttpResponse, HttpTransport
from relay.channels.http.origins import Origin, TrustedOrigins, origin_of
from relay.core.errors import SendError
from web.openid.errors import OpenIdError

SECONDS = 10.0
"""One call. A log-in makes four at most."""


class Calls:
    """`inside`: origins that the operator has named, where http and private addresses are allowed."""

    def __init__(self, tokens: TokenCache, inside: frozenset[Origin]) -> None:
        self._http = HttpTransport(tokens, request_seconds=SECONDS)
        self.inside = inside
        self._tenant_id = ""

    def of(self, tenant_id: str | None) -> Self:
        """The same for one tenant's provider, None: the operator's. Whatever hosts it names, it has one share of the
        look-ups of names.
        """
        limited = copy(self)
        limited._tenant_id = tenant_id or ""
        return limited

    def admit(self, url: str) -> None:
        """Raises OpenIdError for an address that may not be called, nor be shown to a browser."""
        try:
            TrustedOrigins(self.inside).admit(url)
        except SendError as error:
            raise OpenIdError("address_refused", f"An address of the provider cannot be used: {error.text}.") from None

    def get(self, url: str, bearer: str | None = None) -> dict[str, Any]:
        """The JSON object there. Raises OpenIdError."""
        answer = self._call("GET", url, None, None if bearer is None else f"Bearer {bearer}")
        if answer.status != 200:
            raise OpenIdError("bad_answer", f"The provider answered {answer.status} in place of what was asked.")
        if not isinstance(answer.data, dict):
            raise OpenIdError("bad_answer", "The provider answered something that is no JSON object.")
        return answer.data

    def post(self, url: str, data: Mapping[str, str], headers: Mapping[str, str], auth: ClientAuth) -> TokenAnswer:
        """What Authlib asks of its session."""
        url, sent, body = auth.prepare("POST", url, dict(headers), urlencode(data))
        return TokenAnswer(self._call("POST", url, dict(parse_qsl(body)), sent.get("Authorization")))

    def _call(self, method: str, url: str, form: Mapping[str, str] | None, authorization: str | None) -> HttpResponse:
        try:
            trust = TrustedOrigins(self.inside, (origin_of(url).host,), named=True, tenant_id=self._tenant_id)
            deadline = time.monotonic() + SECONDS
            return self._http.call(method, url, trust, deadline, authorization=authorization, form=form)
        except SendError as error:
            raise OpenIdError(error.code, f"The provider could not be asked: {error.text}.") from None
        finally:
            # Issuers are without number: nobody keeps connections to them.
            self._http.close()


class TokenAnswer:
    """An answer as Authlib reads one."""

    def __init__(self, answer: HttpResponse) -> None:
        self.status_code = answer.status
        self._data = answer.data

    def json(self) -> Any:
        if self._data is None:
            raise ValueError("no JSON")
        return self._data

    def raise_for_status(self) -> None:
        if self.status_code >= 400:
            raise OpenIdError(
                "token_refused", f"The provider answered {self.status_code} when it was asked for a token."
            )
