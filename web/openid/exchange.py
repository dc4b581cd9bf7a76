"""One log-in: there by a link with state, nonce and PKCE, back with a code, and what the code is worth."""

from __future__ import annotations

import hmac
import secrets
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from authlib.oauth2.base import OAuth2Error
from authlib.oauth2.client import OAuth2Client

from web.openid import tokens
from web.openid.calls import Calls
from web.openid.directory import Directory, Metadata
from web.openid.errors import OpenIdError
from web.openid.providers import OpenIdProvider, has_claim

SECONDS = 900
"""How long a person may take at the provider."""
SCOPE = "openid profile email"
STALE = "This log-in was not begun in this browser, or too long ago. Begin it again."


@dataclass(frozen=True, slots=True)
class LoginAttempt:
    """What the browser keeps, sealed, until it comes back. `again`: the user who is to show that they are there."""

    login_key: str
    issuer: str
    state: str
    nonce: str
    verifier: str
    at: float
    wanted: str | None
    again: str | None = None


class OpenIdClient:
    """Everything that a log-in asks of a provider, for those who may call the same addresses."""

    def __init__(self, calls: Calls) -> None:
        self._calls = calls
        self._directory = Directory()

    def admit(self, url: str) -> None:
        """Raises OpenIdError for an address that may not be called."""
        self._calls.admit(url)

    def look(self, issuer: str, tenant_id: str) -> None:
        """Asks the issuer anew what it says of itself. Raises OpenIdError."""
        self._directory.metadata(issuer, self._calls.of(tenant_id), anew=True)

    def begin(
        self, provider: OpenIdProvider, redirect_uri: str, wanted: str | None, again: str | None = None
    ) -> tuple[str, LoginAttempt]:
        """Where the browser goes, and what it keeps. Raises OpenIdError when the issuer does not describe itself."""
        metadata = self._directory.metadata(provider.issuer, self._calls.of(provider.tenant_id))
        begun = LoginAttempt(
            provider.login_key, provider.issuer, secrets.token_urlsafe(24), secrets.token_urlsafe(24),
            secrets.token_urlsafe(48), time.time(), wanted, again,
        )  # fmt: skip
        # Somebody who has to show that they are there is asked for more than the provider's own session. With max_age
        # it has to say when it asked; with 0 some ask for ever.
        extra = {"prompt": "login", "max_age": str(tokens.LEEWAY)} if again else {}
        url, _ = self._client(provider, metadata, redirect_uri).create_authorization_url(
            metadata.authorization_endpoint, begun.state, begun.verifier, nonce=begun.nonce, **extra
        )
        return url, begun

    def finish(
        self, provider: OpenIdProvider, redirect_uri: str, begun: LoginAttempt, given: Mapping[str, str]
    ) -> dict[str, Any]:
        """The claims about whoever came back with `given`, proved. Raises OpenIdError."""
        metadata = self._directory.metadata(provider.issuer, self._calls.of(provider.tenant_id))
        _check_issuer(metadata, given)
        code = given.get("code", "")
        if not code:
            raise OpenIdError("no_code", "The provider sent no code. Begin the log-in again.")
        answer = self._redeemed(self._client(provider, metadata, redirect_uri), metadata, code, begun.verifier)
        claims = self._proved(provider, metadata, begun, answer)
        if begun.again is not None:
            _check_freshness(claims, begun)
        return self._completed(provider, metadata, claims, answer.get("access_token"))

    def _client(self, provider: OpenIdProvider, metadata: Metadata, redirect_uri: str) -> OAuth2Client:
        methods = metadata.token_endpoint_auth_methods_supported
        method = "client_secret_basic" if "client_secret_basic" in methods else "client_secret_post"
        # Many keep a claim such as `groups` for whoever asks for the scope of that name.
        scope = f"{SCOPE} {provider.role_claim}" if provider.role_claim in metadata.scopes_supported else SCOPE
        return OAuth2Client(
            self._calls.of(provider.tenant_id), provider.client_id, provider.client_secret,
            token_endpoint_auth_method=method, scope=scope, redirect_uri=redirect_uri, code_challenge_method="S256",
        )  # fmt: skip

    def _redeemed(self, client: OAuth2Client, metadata: Metadata, code: str, verifier: str) -> dict[str, Any]:
        try:
            return dict(client.fetch_token(metadata.token_endpoint, code=code, code_verifier=verifier))
        except OAuth2Error as error:
            said = error.error if isinstance(error.error, str) and error.error.isidentifier() else "an error"
            raise OpenIdError("token_refused", f"The provider refused the log-in's code ({said[:60]}).") from None
        except (ValueError, TypeError, KeyError):
            raise OpenIdError("bad_answer", "The provider's answer to the log-in's code cannot be read.") from None

    def _proved(
        self, provider: OpenIdProvider, metadata: Metadata, begun: LoginAttempt, answer: Mapping[str, Any]
    ) -> dict[str, Any]:
        token = answer.get("id_token")
        if not isinstance(token, str):
            raise OpenIdError("no_id_token", "The provider sent no ID token.")
        calls = self._calls.of(provider.tenant_id)
        keys, key_id = self._directory.keys(metadata, calls), tokens.key_id(token)
        if key_id is not None and all(key.kid != key_id for key in keys):
            keys = self._directory.keys(metadata, calls, anew=True)
        access_token = answer.get("access_token")
        return tokens.checked(
            token, keys, provider.issuer, provider.client_id, begun.nonce,
            access_token if isinstance(access_token, str) else None,
        )  # fmt: skip

    def _completed(
        self, provider: OpenIdProvider, metadata: Metadata, claims: dict[str, Any], access_token: Any
    ) -> dict[str, Any]:
        """With what a provider keeps for its userinfo endpoint. What the token says counts more."""
        complete = has_claim(provider, claims) and "email" in claims and "email_verified" in claims
        if complete or metadata.userinfo_endpoint is None or not isinstance(access_token, str):
            return claims
        more = self._calls.of(provider.tenant_id).get(metadata.userinfo_endpoint, access_token)
        if more.get("sub") != claims["sub"]:
            raise OpenIdError("other_subject", "The provider's userinfo is about somebody else.")
        return more | claims


def is_ours(begun: LoginAttempt, provider: OpenIdProvider, given: Mapping[str, str]) -> bool:
    """Whether this log-in was begun at this provider in this browser, and not too long ago."""
    if begun.login_key != provider.login_key or begun.issuer != provider.issuer or time.time() - begun.at > SECONDS:
        return False
    return hmac.compare_digest(given.get("state", "").encode("utf-8", "replace"), begun.state.encode())


def _check_issuer(metadata: Metadata, given: Mapping[str, str]) -> None:
    """Answers of one provider are never taken for another's."""
    named = given.get("iss")
    if named is None and not metadata.authorization_response_iss_parameter_supported:
        return
    if named != metadata.issuer:
        raise OpenIdError("other_issuer", "The answer names another issuer.")


def logged_in_at(claims: Mapping[str, Any]) -> float | None:
    """When the person last showed the provider who they are, in seconds; None where it does not say."""
    at = claims.get("auth_time")
    return float(at) if isinstance(at, (int, float)) and not isinstance(at, bool) and 0 <= at < 2**40 else None


def _check_freshness(claims: Mapping[str, Any], begun: LoginAttempt) -> None:
    at = logged_in_at(claims)
    if at is None or at < begun.at - tokens.LEEWAY:
        raise OpenIdError("not_again", "The provider did not ask you to log in again.")
