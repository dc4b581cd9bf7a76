"""What the login server has issued: access tokens, codes of the authorize page, refresh tokens."""

import base64
import hashlib
import secrets
import time
from dataclasses import dataclass

from sandbox.bounded import BoundedDict


@dataclass(slots=True)
class IssuedToken:
    value: str
    client_id: str
    expires: float
    user: bool = False
    """Of an admin's login: it sets things up and cannot send customers' messages."""
    revoked: bool = False

    @property
    def expired(self) -> bool:
        return self.revoked or time.time() >= self.expires


@dataclass(frozen=True, slots=True)
class Code:
    """Good once, for the client, the address and the PKCE verifier that it was made for."""

    client_id: str
    redirect_uri: str
    challenge: str | None

    def fits(self, client_id: str, redirect_uri: str, verifier: str | None) -> bool:
        return (client_id, redirect_uri) == (self.client_id, self.redirect_uri) and self._proved(verifier)

    def _proved(self, verifier: str | None) -> bool:
        if self.challenge is None:
            return True
        digest = hashlib.sha256((verifier or "").encode()).digest()
        return base64.urlsafe_b64encode(digest).rstrip(b"=").decode() == self.challenge


class IssuedTokens:
    def __init__(self) -> None:
        self._tokens: BoundedDict[str, IssuedToken] = BoundedDict(50_000)
        self._refresh: BoundedDict[str, str] = BoundedDict(10_000)
        self.codes: BoundedDict[str, Code] = BoundedDict(1000)

    def issue(self, client_id: str, seconds: int, *, user: bool = False) -> IssuedToken:
        token = IssuedToken(secrets.token_urlsafe(64), client_id, time.time() + seconds, user)
        self._tokens[token.value] = token
        return token

    def issue_code(self, code: Code) -> str:
        value = secrets.token_urlsafe(24)
        self.codes[value] = code
        return value

    def issue_refresh(self, client_id: str) -> str:
        value = secrets.token_urlsafe(32)
        self._refresh[value] = client_id
        return value

    def take_refresh(self, value: str, client_id: str) -> bool:
        """A refresh token works once: the answer brings the next one."""
        return self._refresh.get(value) == client_id and self._refresh.pop(value, None) is not None

    def end_logins(self) -> None:
        """No refresh token is good any more."""
        self._refresh.clear()

    def get(self, value: str) -> IssuedToken | None:
        return self._tokens.get(value)

    def revoke_all(self) -> None:
        for token in self._tokens.values():
            token.revoked = True
