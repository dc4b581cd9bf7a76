"""Passwords: argon2id with the library's own parameters, and what a new one must be."""

from __future__ import annotations

import secrets

from argon2 import PasswordHasher
from argon2.exceptions import Argon2Error, InvalidHashError

SHORTEST = 12
LONGEST = 128
_hasher = PasswordHasher()
# Checked when there is no such user, so that the answer takes as long as for one there is.
_NOBODY = _hasher.hash(secrets.token_urlsafe(16))


def hashed(password: str) -> str:
    return _hasher.hash(password)


def matches(stored: str | None, password: str) -> bool:
    """Whether it is the password. Takes the same time for nobody's, and for what is too long to be one."""
    try:
        right = _hasher.verify(stored or _NOBODY, password[:LONGEST])
    except (Argon2Error, InvalidHashError):
        return False
    return right and stored is not None and len(password) <= LONGEST


def generated() -> str:
    """One that is told once and has to be changed at the first log-in."""
    return secrets.token_urlsafe(12)
