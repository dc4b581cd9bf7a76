"""Secrets at rest: JSON objects inside MultiFernet tokens. The newest key seals, every key opens."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import orjson
from cryptography.fernet import Fernet, InvalidToken, MultiFernet


class SealError(RuntimeError):
    """None of CREDENTIALS_KEYS opens this value. The value itself is never named."""


class Cipher:
    """Seals and opens with `keys`, newest first. Never print what `open` returns."""

    def __init__(self, keys: Iterable[str]) -> None:
        self._fernet = MultiFernet([Fernet(key) for key in keys])

    def seal(self, value: Mapping[str, Any]) -> str:
        return self._fernet.encrypt(orjson.dumps(dict(value))).decode()

    def open(self, sealed: str) -> dict[str, Any]:
        """The object inside. Raises SealError when it was sealed with a key that is gone, or altered."""
        try:
            opened: dict[str, Any] = orjson.loads(self._fernet.decrypt(sealed.encode()))
        except InvalidToken:
            raise SealError(
                "none of CREDENTIALS_KEYS opens this value; was a key removed too early? Put it back, behind the newest"
            ) from None
        return opened

    def reseal(self, sealed: str) -> str:
        """The same value under the newest key."""
        try:
            return self._fernet.rotate(sealed.encode()).decode()
        except InvalidToken:
            raise SealError(
                "none of CREDENTIALS_KEYS opens this value; was a key removed too early? Put it back, behind the newest"
            ) from None
