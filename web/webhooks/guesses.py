"""Webhook addresses hold keys, and Meta's handshake shows a token: whoever guesses at them is told nothing for a while.

A right address is never refused: providers call all tenants from the same addresses, so that one tenant's wrong calls
must not silence the others. So who owns a key is asked first, at the price of a look-up; nobody guesses 192 bits. A
body's signature is no guess.
"""

from __future__ import annotations

import hashlib

from flask import Blueprint, Response, request

from web.request import limits
from web.request.errors import ApiError


def guard(webhook: Blueprint) -> None:
    """For a blueprint whose GET shows a token."""
    webhook.before_request(_before)
    webhook.after_request(_after)


def nobodys() -> ApiError:
    """What to answer at an address that nobody has. Raises ApiError 429 where too many were asked for."""
    limits.may_guess(limits.WEBHOOK_KEYS, limits.address())
    limits.guessed(limits.WEBHOOK_KEYS, limits.address())
    return ApiError(404, "not_found", "there is no such webhook address")


def _before() -> None:
    """Raises ApiError 429."""
    if request.method == "GET":
        limits.may_guess(limits.VERIFY_TOKENS, _handshake())


def _after(response: Response) -> Response:
    if request.method == "GET" and response.status_code == 403:
        limits.guessed(limits.VERIFY_TOKENS, _handshake())
    return response


def _handshake() -> str:
    """Per address that is called, too: what is wrong at one tenant's keeps no other from shaking hands."""
    called = hashlib.sha256(request.path.encode("utf-8", "replace")).hexdigest()[:16]
    return f"{limits.address()}:{called}"
