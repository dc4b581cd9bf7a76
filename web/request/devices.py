"""Devices that people have logged in on: known by a signed cookie, so that strangers' guesses lock nobody out of them.

The cookie opens nothing. It says that somebody logged in here before, and gives this device a count of wrong passwords
of its own; a stolen one gives the thief no more guesses than that.
"""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass

from flask import Response, after_this_request, current_app, request
from itsdangerous import BadData, URLSafeTimedSerializer

from db.access import users
from db.access.guesses import Source
from web.request.context import web_context
from web.request.networks import network_of

SECONDS = 180 * 86400
ACCOUNTS = 10
"""The last ones that logged in on one device."""


@dataclass(frozen=True, slots=True)
class Device:
    """`name` is random; `accounts` are digests."""

    name: str
    accounts: tuple[str, ...]


def account_of(email: str) -> str:
    """An e-mail address as counts name it: neither Redis nor a cookie is a place for people's addresses."""
    try:
        meant = users.address(email)
    except ValueError:
        meant = email.lower()
    return hashlib.sha256(meant.encode("utf-8", "replace")).hexdigest()[:32]


def asking(email: str) -> Source:
    """Where a guess for this account comes from: a device it knows, or else a network."""
    device = _shown()
    if device is not None and account_of(email) in device.accounts:
        return Source(f"device:{device.name}", known=True)
    return Source(f"network:{network_of(request.remote_addr)}", known=False)


def remember(email: str) -> None:
    """Somebody has logged in here, with all that it takes."""
    device, account = _shown(), account_of(email)
    accounts = [account, *(one for one in (device.accounts if device else ()) if one != account)][:ACCOUNTS]
    signed = _signer().dumps([device.name if device else secrets.token_urlsafe(16), accounts])

    @after_this_request
    def keep(response: Response) -> Response:
        secure = bool(current_app.config["SESSION_COOKIE_SECURE"])
        response.set_cookie(
            _cookie(), str(signed), max_age=SECONDS, path="/", secure=secure, httponly=True, samesite="Lax"
        )
        return response


def _shown() -> Device | None:
    try:
        name, accounts = _signer().loads(request.cookies.get(_cookie(), ""), max_age=SECONDS)
    except BadData:
        return None
    return Device(str(name), tuple(accounts))


def _signer() -> URLSafeTimedSerializer:
    return URLSafeTimedSerializer(
        web_context().secret_key, salt="relay device", signer_kwargs={"digest_method": hashlib.sha256}
    )


def _cookie() -> str:
    return "__Host-relay-device" if current_app.config["SESSION_COOKIE_SECURE"] else "relay-device"
