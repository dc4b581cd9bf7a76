"""lines: from what a webhook or the daemon holds (a provider's id, a URL's key, a line) to its secrets.

Lines are made and activated in `db.tenants.onboarding`. These look-ups run before a tenant is known; their
results are secret: cached sealed, never logged.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Literal
from uuid import UUID

from db.pool import Pool
from db.sealing import Cipher
from db.tenants.changes import NUMBER
from db.tenants.credentials import Secrets, unsealed
from relay.core.languages import DEFAULT

REF_COLUMN = {"whatsapp": "phone_number_id", "genesys": "integration_id"}
NOTHING = Secrets({}, ())

ROUTE = """
SELECT l.id, l.tenant_id, t.status, l.phone_number_id, l.integration_id, l.webhook_key, t.webhook_key,
       w.sealed, g.sealed, l.sealed_webhook_secret, t.language
FROM lines l JOIN tenants t ON t.id = l.tenant_id
LEFT JOIN tenant_credentials w ON w.tenant_id = l.tenant_id AND w.type = 'whatsapp'
LEFT JOIN tenant_credentials g ON g.tenant_id = l.tenant_id AND g.type = 'genesys'
WHERE l.status = 'active' AND """


@dataclass(frozen=True, slots=True)
class LineRoute:
    """An active line as a webhook sees it. Secrets: the current one first.

    No `meta_secrets` means that the tenant has no app secret of its own: META_APP_SECRET counts.
    """

    line_id: str
    tenant_id: str
    tenant_status: str
    phone_number_id: str
    integration_id: str
    webhook_key: str = field(repr=False)
    tenant_webhook_key: str = field(repr=False)
    verify_token: str | None = field(repr=False)
    meta_secrets: tuple[str, ...] = field(repr=False)
    genesys_secrets: tuple[str, ...] = field(repr=False)
    account_id: str | None = None
    """Of the tenant's WhatsApp business account, as its credentials say."""
    language: str = DEFAULT
    """The tenant's."""


def effective_secrets(
    channel: Literal["whatsapp", "genesys"], route: LineRoute, app_secrets: tuple[str, ...]
) -> tuple[str, ...]:
    """What a line's webhooks may be signed with: the tenant's own, and only without one the operator's app."""
    if channel == "genesys":
        return route.genesys_secrets
    return route.meta_secrets or app_secrets


@dataclass(frozen=True, slots=True)
class LineAccounts:
    """Both sides of a line, ready to be called, in clear. Of the signing secrets only what a check compares."""

    tenant_id: str
    line_id: str
    tenant_status: str
    line_status: str
    whatsapp: dict[str, str] = field(repr=False)
    genesys: dict[str, str] = field(repr=False)
    settings: dict[str, Any]
    language: str = DEFAULT
    """The tenant's."""


def route_by_ref(pool: Pool, cipher: Cipher, channel: Literal["whatsapp", "genesys"], ref: str) -> LineRoute | None:
    """The active line that owns a phone_number_id or an integration id."""
    found = _routes(pool, cipher, f"l.{REF_COLUMN[channel]} = %s", ref)
    return found[0] if found else None


def routes_by_refs(
    pool: Pool, cipher: Cipher, channel: Literal["whatsapp", "genesys"], refs: Sequence[str]
) -> dict[str, LineRoute]:
    """The active lines among these ids, by id: one statement, however many there are."""
    found = _routes(pool, cipher, f"l.{REF_COLUMN[channel]} = ANY(%s)", [ref for ref in refs if "\x00" not in ref])
    return {getattr(route, REF_COLUMN[channel]): route for route in found}


def route_by_line_key(pool: Pool, cipher: Cipher, webhook_key: str) -> LineRoute | None:
    """The active line behind /webhook/genesys/<line key>."""
    found = _routes(pool, cipher, "l.webhook_key = %s", webhook_key)
    return found[0] if found else None


def route_of_tenant(pool: Pool, cipher: Cipher, tenant_id: str) -> LineRoute | None:
    """The tenant's first active line: where news of its account are listed, which name no number."""
    first = "(SELECT f.id FROM lines f WHERE f.tenant_id = %s AND f.status = 'active' ORDER BY f.id LIMIT 1)"
    found = _routes(pool, cipher, f"l.id = {first}", tenant_id)
    return found[0] if found else None


def route_of_number(pool: Pool, cipher: Cipher, tenant_id: str, number: str) -> LineRoute | None:
    """The tenant's active line whose number has these digits, as WhatsApp wrote it when the line went live."""
    found = _routes(pool, cipher, f"l.tenant_id = %s AND {NUMBER} = %s", tenant_id, number)
    return found[0] if found else None


def route_of_account(pool: Pool, cipher: Cipher, account_id: str, number: str = "") -> LineRoute | None:
    """The active line at which news of a WhatsApp account are told: that of `number`, by its digits, if one is named.

    Whose the account is, its owner's credentials say, and Meta, which listed its templates to them. Where several
    tenants have it, only a number decides.
    """
    listed = "l.tenant_id IN (SELECT t.tenant_id FROM template_lists t WHERE t.waba_id = %s)"
    found = _routes(pool, cipher, f"{listed} AND %s IN ('', {NUMBER})", account_id, number)
    if number and len(found) != 1:
        found = _routes(pool, cipher, listed, account_id)
    own = [route for route in found if route.account_id == account_id]
    return own[0] if len({route.tenant_id for route in own}) == 1 else None


def route_of_line(pool: Pool, cipher: Cipher, line_id: str) -> LineRoute | None:
    """The line of this id while it is active; None for what is no id, too."""
    found = _routes(pool, cipher, "l.id::text = %s", line_id)
    return found[0] if found else None


def _routes(pool: Pool, cipher: Cipher, condition: str, *values: str | list[str]) -> list[LineRoute]:
    if any("\x00" in value for value in values):  # PostgreSQL takes no NUL, and no line has one
        return []
    with pool.autocommit() as cursor:
        cursor.execute(f"{ROUTE} {condition} ORDER BY l.id", values)
        rows = cursor.fetchall()
    return [_route(cipher, row) for row in rows]


def _route(cipher: Cipher, row: Sequence[Any]) -> LineRoute:
    line_id, tenant_id, status, phone, integration, key, tenant_key, whatsapp, genesys, own, language = row
    meta = _opened(cipher, whatsapp, "app_secret")
    line = _opened(cipher, own or genesys, "webhook_secret")
    return LineRoute(
        line_id=str(line_id),
        tenant_id=str(tenant_id),
        tenant_status=status,
        phone_number_id=phone,
        integration_id=integration,
        webhook_key=key,
        tenant_webhook_key=tenant_key,
        verify_token=meta.values.get("verify_token"),
        meta_secrets=meta.signing,
        genesys_secrets=line.signing,
        account_id=meta.values.get("waba_id"),
        language=language,
    )


def is_only_one(pool: Pool, line_id: str) -> bool:
    """Whether its tenant has no line with another integration, whatever the lines' status."""
    with pool.autocommit() as cursor:
        cursor.execute(
            """SELECT NOT EXISTS (SELECT 1 FROM lines o WHERE o.tenant_id = l.tenant_id
                                  AND o.integration_id IS DISTINCT FROM l.integration_id)
               FROM lines l WHERE l.id = %s""",
            (UUID(line_id),),
        )
        row = cursor.fetchone()
    return bool(row and row[0])


def accounts(pool: Pool, cipher: Cipher, line_id: str) -> LineAccounts | None:
    """What the daemon needs to call both providers for a line, whatever its status."""
    with pool.autocommit() as cursor:
        cursor.execute(
            """SELECT l.tenant_id, t.status, l.status, l.phone_number_id, l.integration_id, l.settings,
                      w.sealed, g.sealed, l.sealed_webhook_secret, t.language
               FROM lines l JOIN tenants t ON t.id = l.tenant_id
               LEFT JOIN tenant_credentials w ON w.tenant_id = l.tenant_id AND w.type = 'whatsapp'
               LEFT JOIN tenant_credentials g ON g.tenant_id = l.tenant_id AND g.type = 'genesys'
               WHERE l.id = %s""",
            (UUID(line_id),),
        )
        row = cursor.fetchone()
    if row is None:
        return None
    tenant_id, tenant_status, line_status, phone, integration, settings, whatsapp, genesys, own, language = row
    signing = _opened(cipher, own or genesys, "webhook_secret").signing
    return LineAccounts(
        tenant_id=str(tenant_id),
        line_id=line_id,
        tenant_status=tenant_status,
        line_status=line_status,
        whatsapp=_callable(cipher, whatsapp, "app_secret", {"phone_number_id": phone}),
        genesys=_callable(cipher, genesys, "webhook_secret", {"integration_id": integration})
        | ({"webhook_secret": signing[0]} if signing else {}),
        settings=settings,
        language=language,
    )


def _callable(cipher: Cipher, sealed: str | None, signing: str, ids: dict[str, str]) -> dict[str, str]:
    """Credentials of the tenant with the line's own ids in place of the tenant's first ones."""
    values = _opened(cipher, sealed, signing).values
    return {name: value for name, value in values.items() if name not in (signing, "verify_token")} | ids


def _opened(cipher: Cipher, sealed: str | None, signing: str) -> Secrets:
    return unsealed(cipher, sealed, signing) if sealed else NOTHING
