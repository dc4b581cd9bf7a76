"""A new password or key, carried over the redirect after its form and shown once: sealed, in its maker's session."""

from __future__ import annotations

from flask import session

from web.context import parts

NAME = "once"


def keep(thing: str, secret: str) -> None:
    """For the next page about `thing` that this browser asks for."""
    session[NAME] = parts().cipher.seal({"thing": thing, "secret": secret})


def take(thing: str) -> str | None:
    """The secret, if it was made for this page a moment ago. Afterwards nobody can look it up."""
    sealed = session.pop(NAME, None)
    if sealed is None:
        return None
    try:
        held = parts().cipher.open(sealed)
    except (RuntimeError, ValueError):  # sealed with a key that is gone meanwhile
        return None
    return str(held["secret"]) if held.get("thing") == thing else None
