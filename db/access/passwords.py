"""Passwords: argon2id with the library's own parameters, and what a new one must be."""

from __future__ import annotations

import re
import secrets
from base64 import b64encode
from collections.abc import Iterable

from argon2 import PasswordHasher
from argon2.exceptions import Argon2Error, InvalidHashError
from argon2.low_level import ARGON2_VERSION

SHORTEST = 12
LONGEST = 128
STRONG = 3
"""Of 4, as zxcvbn judges: more than 100 million guesses."""
JUDGED = 40
"""So many characters are looked at: the time it takes grows with their square."""
READINGS = 16
"""Of the signs that stand for letters, as in p@$$w0rd. All ways to read a password are tried, and there may be
thousands: of further signs it is not asked which letter they are."""
NO_WORD = re.compile(r"[\W_]+")
SHORTEST_WORD = 4
"""Shorter ones stand in many a good password by chance."""


def _filler(length: int) -> str:
    return b64encode(bytes(length)).decode().rstrip("=")


_hasher = PasswordHasher()
# Checked when there is no such user, so that the answer takes as long as for one there is. Of the right form, and of no
# password that anybody could find: to make a true one would take as long as all else that web imports from here.
_COSTS = f"m={_hasher.memory_cost},t={_hasher.time_cost},p={_hasher.parallelism}"
_NOBODY = f"$argon2id$v={ARGON2_VERSION}${_COSTS}${_filler(_hasher.salt_len)}${_filler(_hasher.hash_len)}"


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


def weakness(password: str, own: Iterable[str] = ()) -> str | None:
    """What is wrong with a new password, in a sentence; None when nothing is.

    `own`: names and addresses of whoever chooses it. What is left of the password without their words has to be
    strong by itself.
    """
    if not SHORTEST <= len(password) <= LONGEST:
        return f"Take at least {SHORTEST} characters, and at most {LONGEST}."
    judged = password[:JUDGED]
    left = _without(judged, own)
    why = _easy(left)
    if why is None:
        return None
    if left != judged and _easy(judged) is None:
        return "Much of it is your own name, address or organisation, which is tried first. Use other words."
    return why


def _without(password: str, own: Iterable[str]) -> str:
    words = {word for text in own for word in NO_WORD.split(text) if len(word) >= SHORTEST_WORD}
    # The longest first: one may be the beginning of another.
    known = "|".join(map(re.escape, sorted(words, key=len, reverse=True)))
    return re.sub(known, "", password, flags=re.IGNORECASE).strip() if known else password


def _easy(password: str) -> str | None:
    if not password:
        return "This is easy to guess. Use several words that nobody would put together."
    from zxcvbn import zxcvbn  # its lists of words take long to import, and are needed for new passwords only

    found = zxcvbn(_with_few_readings(password))
    if found["score"] >= STRONG:
        return None
    said = found["feedback"]
    hints = " ".join(filter(None, [said["warning"], *said["suggestions"][:1]]))
    return f"This is easy to guess. {hints or 'Add another word or two.'}"


def _with_few_readings(password: str) -> str:
    kept = ""
    for sign in dict.fromkeys(password):
        if _readings(kept + sign) > READINGS:
            password = password.replace(sign, "~")
        else:
            kept += sign
    return password


def _readings(signs: str) -> int:
    """At most: each sign is one of its letters, each letter is written with one of its signs."""
    from zxcvbn.matching import L33T_TABLE

    found = 1
    for letters in ([letter for letter, own in L33T_TABLE.items() if sign in own] for sign in signs):
        found *= max(1, len(letters))
    for own in L33T_TABLE.values():
        found *= max(1, len(set(own) & set(signs)))
    return found
