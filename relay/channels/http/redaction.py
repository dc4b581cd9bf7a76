"""A provider's texts and answers as they may be logged and stored: no secrets, nobody's number, a sane length."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Any
from urllib.parse import quote

from relay.channels.text import clean
from relay.core.redaction import MASK, is_secret, without_people, without_secrets

LONGEST = 500
KEPT = 4000
"""So much of a provider's answer is kept with the message."""
LOOKED_AT = 8000
"""So many characters of an answer are looked at; what follows is left out unread."""
DEPTH = 50
CUT = "[...]"

_WHOLE = re.compile(r"(?s).*[\s\"'<>]")
"""Up to the last word's beginning: that word may be the first half of a secret."""


def redact(text: object, secrets: Iterable[str] = (), longest: int = LONGEST) -> str:
    """The text without the given secrets, tokens, phone numbers and user ids; cut to a sane length."""
    found = str(text)
    for secret in secrets:
        if len(secret) >= 4:
            for form in {secret, json.dumps(secret)[1:-1], quote(secret, safe="")}:
                found = found.replace(form, MASK)
    return without_people(without_secrets(found))[:longest]


def kept(answer: Any, secrets: Iterable[str] = (), longest: int = KEPT) -> str | None:
    """A provider's answer as it is kept: JSON in compact form, of anything else the beginning. None: it is empty."""
    if isinstance(answer, str):
        return clean(redact(_beginning(answer, LOOKED_AT), secrets, longest))
    shown = _Reading(tuple(secrets)).value(answer)
    return clean(json.dumps(shown, ensure_ascii=False, separators=(",", ":"))[:longest])


class _Reading:
    """Goes through JSON as far as LOOKED_AT characters and DEPTH levels."""

    def __init__(self, secrets: Sequence[str]) -> None:
        self._secrets = secrets
        self._left = LOOKED_AT

    def value(self, value: Any, name: str = "", depth: int = 0) -> Any:
        self._left -= 8
        if self._left <= 0 or depth > DEPTH:
            return CUT
        if value in (None, "", True, False):
            return value
        if is_secret(name):
            return MASK
        if isinstance(value, dict):
            return {self._text(str(key)): self.value(value[key], str(key), depth + 1) for key in self._some(value)}
        if isinstance(value, list):
            return [self.value(one, name, depth + 1) for one in self._some(value)]
        return self._text(value) if isinstance(value, str) else _number(value)

    def _some(self, values: Iterable[Any]) -> Iterator[Any]:
        for one in values:
            if self._left <= 0:
                return
            yield one

    def _text(self, text: str) -> str:
        shown = redact(_beginning(text, max(0, self._left)), self._secrets, KEPT)
        self._left -= len(text)
        return shown


def _beginning(text: str, longest: int) -> str:
    """A secret that the cut would tear is left out with it: its half would not be known for one."""
    if len(text) <= longest:
        return text
    whole = _WHOLE.match(text[:longest])
    return (whole[0] if whole else "") + CUT


def _number(value: Any) -> Any:
    """Codes and subcodes stay; what has the length of a phone number or an account's id does not."""
    return "[number]" if isinstance(value, (int, float)) and abs(value) >= 10**9 else value
