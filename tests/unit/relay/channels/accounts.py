"""Accounts of made-up tenants. Their secrets are what the tests look for in exceptions and logs."""

from relay.channels.base import Account

PHONE = "4915112345678"
BSUID = "DE.13491208655302741918"
CONTACT = "c0ffee00-0000-4000-8000-000000000009"

WHATSAPP = Account(
    "tenant-1",
    "line-1",
    "300000000000001",
    {
        "phone_number_id": "300000000000001",
        "waba_id": "200000000000001",
        "access_token": "EAAG-test-token-0123456789",
        "app_secret": "app-secret-0123456789",
        "verify_token": "verify-me-please",
    },
)
GENESYS = Account(
    "tenant-1",
    "line-1",
    "22222222-bbbb-4000-8000-000000000001",
    {
        "region": "mypurecloud.de",
        "client_id": "11111111-aaaa-4000-8000-000000000001",
        "client_secret": "client-secret-0123456789",
        "integration_id": "22222222-bbbb-4000-8000-000000000001",
        "webhook_secret": "webhook-secret-0123456789",
    },
)


class Tokens(dict[str, str]):
    """A token cache of one process; `seconds` remembers how long each may live."""

    def __init__(self) -> None:
        super().__init__()
        self.seconds: dict[str, float] = {}

    def set(self, key: str, value: str, seconds: float) -> None:
        self[key] = value
        self.seconds[key] = seconds

    def delete(self, key: str) -> None:
        self.pop(key, None)
