"""Access tokens that the login server has issued."""

import secrets
import time
from dataclasses import dataclass

from sandbox.bounded import BoundedDict


@dataclass(slots=True)
class Token:
    value: str
    client_id: str
    expires: float
    revoked: bool = False

    @property
    def expired(self) -> bool:
        return self.revoked or time.time() >= self.expires


class Tokens:
    def __init__(self) -> None:
        self._tokens: BoundedDict[str, Token] = BoundedDict(50_000)
        self.codes: BoundedDict[str, tuple[str, str]] = BoundedDict(1000)

    def issue(self, client_id: str, seconds: int) -> Token:
        token = Token(secrets.token_urlsafe(64), client_id, time.time() + seconds)
        self._tokens[token.value] = token
        return token

    def get(self, value: str) -> Token | None:
        return self._tokens.get(value)

    def revoke_all(self) -> None:
        for token in self._tokens.values():
            token.revoked = True
