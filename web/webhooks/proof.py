"""Which secrets sign this body? Tried once each, and not too many: each costs a pass over the body."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from db.lines import LineRoute

SECRETS_TRIED = 8


class Proof:
    """One body and its signature. An empty secret proves nothing."""

    def __init__(self, verify: Callable[[str, bytes, str | None], bool], raw: bytes, signature: str | None) -> None:
        self._verify = verify
        self._raw = raw
        self._signature = signature
        self._tried: dict[str, bool] = {}

    @property
    def given(self) -> bool:
        """One of the secrets tried so far signs this body."""
        return any(self._tried.values())

    def by(self, secrets: Iterable[str]) -> bool:
        """One of these does. False for those beyond the limit."""
        return any(self._try(secret) for secret in secrets if secret)

    def _try(self, secret: str) -> bool:
        if secret not in self._tried:
            if len(self._tried) >= SECRETS_TRIED:
                return False
            self._tried[secret] = self._verify(secret, self._raw, self._signature)
        return self._tried[secret]


def effective_secrets(channel: str, route: LineRoute, app_secrets: tuple[str, ...]) -> tuple[str, ...]:
    """What a line's webhooks may be signed with: the tenant's own, and only without one the operator's app."""
    if channel == "genesys":
        return route.genesys_secrets
    return route.meta_secrets or app_secrets
