"""Webhook addresses hold keys, and Meta's handshake shows a token: whoever guesses at them is sent away for a while.

A right address is never refused: providers call all tenants from the same addresses, so that one tenant's wrong calls
must not silence the others. A body's signature is no guess.
"""

from __future__ import annotations

import hashlib
from typing import Literal

from flask import Blueprint, Response, request

from web import limits
from web.context import parts

KINDS: dict[str, Literal["line-key", "tenant-key"]] = {"webhook_meta": "tenant-key", "webhook_genesys": "line-key"}


def guard(webhook: Blueprint) -> None:
    """For a blueprint whose addresses end in `<key>`."""
    webhook.before_request(_before)
    webhook.after_request(_after)


def _before() -> None:
    """Raises ApiError 429."""
    key = _key()
    if request.method == "GET":
        limits.may_guess(limits.VERIFY_TOKENS, _handshake())
    elif key and not parts().lines.knows(KINDS[str(request.blueprint)], key):
        limits.may_guess(limits.WEBHOOK_KEYS, limits.address())


def _after(response: Response) -> Response:
    if request.method == "GET" and response.status_code == 403:
        limits.guessed(limits.VERIFY_TOKENS, _handshake())
    elif request.method == "POST" and _key() and response.status_code == 404:
        limits.guessed(limits.WEBHOOK_KEYS, limits.address())
    return response


def _key() -> str:
    return str((request.view_args or {}).get("key", ""))


def _handshake() -> str:
    """Per address that is called, too: what is wrong at one tenant's keeps no other from shaking hands."""
    called = hashlib.sha256(request.path.encode("utf-8", "replace")).hexdigest()[:16]
    return f"{limits.address()}:{called}"
