"""What issuers say of themselves: their addresses and their keys, kept for a while."""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from joserfc.errors import JoseError
from joserfc.jwk import JWKRegistry, Key
from pydantic import BaseModel, Field, ValidationError

from web.openid.calls import Calls
from web.openid.errors import OpenIdError

KEPT_SECONDS = 3600.0
FAILED_SECONDS = 15.0
"""Whoever asks again and again at a broken issuer's log-in does not make the relay ask there each time."""
RENEW_SECONDS = 60.0
"""A token with an unknown key makes the keys be fetched anew, so often at most."""
OF_ASKER = "name_slow"
"""What says nothing about the issuer: whoever asked has other names that hang. Others may ask there."""
ISSUERS = 256
KEYS = 100
KEY_TYPES = ("RSA", "EC", "OKP")

Kept = TypeVar("Kept")


class Metadata(BaseModel):
    """The part of a discovery document that is used here."""

    issuer: str = Field(max_length=500)
    authorization_endpoint: str = Field(max_length=2000)
    token_endpoint: str = Field(max_length=2000)
    jwks_uri: str = Field(max_length=2000)
    userinfo_endpoint: str | None = Field(None, max_length=2000)
    token_endpoint_auth_methods_supported: list[str] = Field(default=["client_secret_basic"], max_length=50)
    scopes_supported: list[str] = Field(default=[], max_length=200)
    authorization_response_iss_parameter_supported: bool = False


@dataclass
class _Entry(Generic[Kept]):
    at: float
    value: Kept | OpenIdError


class _Store(Generic[Kept]):
    """The ISSUERS newest values, failures included."""

    def __init__(self) -> None:
        self._held: OrderedDict[str, _Entry[Kept]] = OrderedDict()

    def get(self, name: str, make: Callable[[], Kept], newer_than: float | None = None) -> Kept:
        """The value of this name, made anew when it is too old or older than `newer_than`."""
        entry, now = self._held.get(name), time.monotonic()
        if entry is not None:
            lasts = FAILED_SECONDS if isinstance(entry.value, OpenIdError) else KEPT_SECONDS
            if now - entry.at > lasts or (newer_than is not None and entry.at < newer_than):
                entry = None
        if entry is None:
            entry = _Entry(now, _tried(make))
            self._keep(name, entry)
        if isinstance(entry.value, OpenIdError):
            raise OpenIdError(entry.value.code, str(entry.value))
        return entry.value

    def _keep(self, name: str, entry: _Entry[Kept]) -> None:
        if isinstance(entry.value, OpenIdError) and entry.value.code == OF_ASKER:
            return
        self._held[name] = entry
        self._held.move_to_end(name)
        while len(self._held) > ISSUERS:
            self._held.popitem(last=False)


class Directory:
    """One for those who may call the same addresses. `calls`: those of whoever asks."""

    def __init__(self) -> None:
        self._metadata: _Store[Metadata] = _Store()
        self._keys: _Store[list[Key]] = _Store()

    def metadata(self, issuer: str, calls: Calls, *, anew: bool = False) -> Metadata:
        """Raises OpenIdError."""
        newer = time.monotonic() if anew else None
        return self._metadata.get(issuer, lambda: _fetched(issuer, calls), newer)

    def keys(self, metadata: Metadata, calls: Calls, *, anew: bool = False) -> list[Key]:
        """The issuer's keys for signatures; `anew` when a token names one that is not among them."""
        newer = time.monotonic() - RENEW_SECONDS if anew else None
        return self._keys.get(metadata.jwks_uri, lambda: _usable(calls.get(metadata.jwks_uri)), newer)


def _fetched(issuer: str, calls: Calls) -> Metadata:
    document = calls.get(issuer.rstrip("/") + "/.well-known/openid-configuration")
    try:
        found = Metadata.model_validate(document)
    except ValidationError:
        raise OpenIdError("bad_metadata", "The provider's description of itself is not complete.") from None
    if found.issuer != issuer:
        text = "The provider names another issuer than the one entered. Enter it exactly as the provider writes it."
        raise OpenIdError("other_issuer", text)
    for url in (found.authorization_endpoint, found.token_endpoint, found.jwks_uri, found.userinfo_endpoint):
        if url is not None:
            calls.admit(url)
    return found


def _tried(make: Callable[[], Kept]) -> Kept | OpenIdError:
    try:
        return make()
    except OpenIdError as error:
        return error


def _usable(document: dict[str, Any]) -> list[Key]:
    """Public keys that sign; what cannot be read is left out."""
    listed = document.get("keys")
    if not isinstance(listed, list) or len(listed) > KEYS:
        raise OpenIdError("bad_keys", "The provider's list of keys cannot be used.")
    return [key for key in map(_key, listed) if key is not None]


def _key(value: Any) -> Key | None:
    if not isinstance(value, dict) or value.get("kty") not in KEY_TYPES or value.get("use", "sig") != "sig":
        return None
    try:
        return JWKRegistry.import_key(value)
    except (JoseError, ValueError, TypeError, KeyError):
        return None
