"""The addresses that a tenant's admin enters at Meta and at Genesys."""

from __future__ import annotations

from db.tenants import credentials
from db.tenants.onboarding import Line
from db.tenants.registry import Tenant
from web.api.tenants.checks import ours
from web.api.tenants.schemas import LineOut, LineSettings, WebhookUrls
from web.request.context import pool, web_context


class WebhookUrlsOf:
    """One tenant's. A tenant with its own Meta app gets an address of its own for Meta."""

    def __init__(self, tenant: Tenant) -> None:
        own = credentials.opened(pool(), web_context().cipher, tenant.id, "whatsapp")
        secret = own.signing[0] if own is not None and own.signing else ""
        self._ours = ours()
        self.own_app = self._ours.is_own_app(secret)
        self._meta = self._ours.meta_url(tenant.webhook_key, secret)

    def of(self, line: Line) -> WebhookUrls:
        return WebhookUrls(meta=self._meta, genesys=self._ours.genesys_url(line.webhook_key))

    def line(self, line: Line) -> LineOut:
        """The line as the API shows it."""
        return LineOut(
            id=line.id,
            tenant_id=line.tenant_id,
            phone_number_id=line.phone_number_id,
            integration_id=line.integration_id,
            name=line.name,
            status=line.status,
            status_reason=line.status_reason,
            ask_at=line.ask_at,
            proven_at=line.proven_at,
            released_at=line.released_at,
            own_secret=line.own_secret,
            settings=LineSettings(**{n: v for n, v in line.settings.items() if n in LineSettings.model_fields}),
            webhook_urls=self.of(line),
            created_at=line.created_at,
            updated_at=line.updated_at,
        )
