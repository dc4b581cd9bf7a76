"""Which hosts serve an account: its region's, or the configured stand-ins."""

from __future__ import annotations

from relay.channels.base import Account
from relay.channels.genesys.regions import domain_of
from relay.channels.http.client import HttpTransport
from relay.channels.http.origins import TrustedOrigins
from relay.core.errors import SendError


class Hosts:
    """Addresses from the fixed list of regions; GENESYS_LOGIN_URL and GENESYS_API_URL go first."""

    def __init__(self, transport: HttpTransport) -> None:
        self._login = transport.genesys_login_url
        self._api = transport.genesys_api_url
        self._own = transport.genesys_origins

    def login(self, account: Account) -> str:
        return self._login or f"https://login.{_domain(account)}"

    def api(self, account: Account) -> str:
        return self._api or f"https://api.{_domain(account)}"

    def login_trust(self, account: Account) -> TrustedOrigins:
        """What may see the OAuth client's secret."""
        return TrustedOrigins(self._own, self._of_region(account, "login"), tenant_id=account.tenant_id)

    def trust(self, account: Account) -> TrustedOrigins:
        """What may see this account's tokens."""
        return TrustedOrigins(self._own, self._of_region(account, "api", "api-downloads"), tenant_id=account.tenant_id)

    def streams(self, account: Account) -> TrustedOrigins:
        """Where events are told: Genesys names the host, which is one below its region's domain."""
        return TrustedOrigins(self._own, self._of_region(account, ""), tenant_id=account.tenant_id)

    def _of_region(self, account: Account, *names: str) -> tuple[str, ...]:
        """Where stand-ins take every call, an unknown region does not matter."""
        try:
            return tuple(f"{name}.{_domain(account)}" for name in names)
        except SendError:
            if self._login and self._api:
                return ()
            raise


def _domain(account: Account) -> str:
    try:
        return domain_of(account.credentials.get("region", ""))
    except ValueError as error:
        raise SendError("credentials", "unknown_region", str(error)) from None
