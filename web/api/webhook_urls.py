"""The addresses that a tenant's admin enters at Meta and at Genesys."""

from __future__ import annotations

from db import credentials
from db.onboarding import Line
from db.tenants import Tenant
from web.api.schemas import LineOut, LineSettings, WebhookUrls
from web.context import parts, pool


class WebhookUrlsOf:
    """One tenant's. A tenant with its own Meta app gets an address of its own for Meta."""

    def __init__(self, tenant: Tenant) -> None:
        held = parts()
        self._base = held.public_url
        own = credentials.opened(pool(), held.cipher, tenant.id, "whatsapp")
        self.own_app = own is not None and bool(own.signing) and own.signing[0] not in held.meta_app_secrets
        self._meta = f"{self._base}/webhook/meta" + (f"/{tenant.webhook_key}" if self.own_app else "")

    def of(self, line: Line) -> WebhookUrls:
        return WebhookUrls(meta=self._meta, genesys=f"{self._base}/webhook/genesys/{line.webhook_key}")

    def line(self, line: Line) -> LineOut:
        """The line as the API shows it."""
        return LineOut(
            id=line.id,
            tenant_id=line.tenant_id,
            phone_number_id=line.phone_number_id,
            integration_id=line.integration_id,
            status=line.status,
            status_reason=line.status_reason,
            own_secret=line.own_secret,
            settings=LineSettings(**{n: v for n, v in line.settings.items() if n in LineSettings.model_fields}),
            webhook_urls=self.of(line),
            created_at=line.created_at,
            updated_at=line.updated_at,
        )
