"""A new password or key, carried over the redirect after its form and shown once: sealed, in its maker's session."""

from __future__ import annotations

import time

from flask import session

from db.sealing import SealError
from web.request.context import web_context

NAME = "once"
SECONDS = 300
"""The session is a cookie: an old copy of it must not show the secret for ever."""


def keep(thing: str, secret: str) -> None:
    """For the next page about `thing` that this browser asks for."""
    session[NAME] = web_context().cipher.seal({"thing": thing, "secret": secret, "until": time.time() + SECONDS})


def take(thing: str) -> str | None:
    """The secret, if it was made for this page a moment ago. Afterwards nobody can look it up."""
    sealed = session.pop(NAME, None)
    if sealed is None:
        return None
    try:
        held = web_context().cipher.open(sealed)
    except SealError:  # sealed with a key that is gone meanwhile
        return None
    fits = held.get("thing") == thing and time.time() < held.get("until", 0)
    return str(held["secret"]) if fits else None
