"""A tenant as it is, in the shape of its file."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal

from db.conditions import addressees
from db.endpoints import registry as endpoints
from db.endpoints.registry import TenantEndpoint
from db.pool import Pool
from db.sealing import Cipher
from db.tenants import credentials, onboarding, registry, retention
from db.tenants.onboarding import Line
from db.tenants.registry import Tenant
from relay.cli.applying.references import KEPT, SECRET
from relay.cli.applying.schema import FileCredentials
from web.api.tenants.schemas import LineSettings

Side = Literal["whatsapp", "genesys"]
SIDES: tuple[Side, ...] = ("whatsapp", "genesys")


@dataclass(frozen=True, slots=True)
class TenantStanding:
    """Secrets in clear: to compare with, and for nothing else. Released lines are not in it."""

    tenant: Tenant | None = None
    credentials: dict[Side, dict[str, str]] = field(default_factory=dict, repr=False)
    lines: list[Line] = field(default_factory=list)
    line_secrets: dict[str, str] = field(default_factory=dict, repr=False)
    retention: dict[str, int] = field(default_factory=dict)
    endpoints: list[TenantEndpoint] = field(default_factory=list)
    webhook: str | None = field(default=None, repr=False)
    """Where conditions are told to."""


def standing(pool: Pool, cipher: Cipher, tenant: Tenant | None) -> TenantStanding:
    if tenant is None:
        return TenantStanding()
    held = {side: credentials.opened(pool, cipher, tenant.id, side) for side in SIDES}
    webhook = addressees.opened(pool, cipher, tenant.id)
    return TenantStanding(
        tenant,
        {side: _of_file(side, one.values) for side, one in held.items() if one},
        [line for line in onboarding.listed(pool, tenant.id) if line.status != "released"],
        onboarding.webhook_secrets(pool, cipher, tenant.id),
        retention.chosen(pool, tenant.id),
        endpoints.listed(pool, tenant.id),
        webhook[0] if webhook else None,
    )


def find(pool: Pool, tenant_id: str | None, name: str) -> Tenant | None:
    """By id, else by name. Raises LookupError in words."""
    if tenant_id is not None:
        found = registry.get(pool, tenant_id)
        if found is None:
            raise LookupError(f"there is no tenant {tenant_id}")
        return found
    named = registry.named(pool, name)
    if len(named) > 1:
        raise LookupError(f"two tenants are called {name}: write `tenant:` with the id of the one that is meant")
    return named[0] if named else None


def _of_file(side: Side, values: dict[str, str]) -> dict[str, str]:
    """A log-in at Genesys, which the portal makes, has values of its own."""
    return {name: values[name] for name in _fields(side) if values.get(name)}


def _fields(side: Side) -> dict[str, Any]:
    kind = FileCredentials.model_fields[side].annotation
    return dict(kind.__args__[0].model_fields)  # type: ignore[union-attr]


def own_settings(line: Line) -> dict[str, Any]:
    """What people decide; the relay's own notes stand beside it."""
    return {name: line.settings[name] for name in LineSettings.model_fields if name in line.settings}


def as_file(now: TenantStanding) -> dict[str, Any]:
    """Without a secret: each is `kept`."""
    assert now.tenant is not None
    whole = {
        side: {name: KEPT if name in SECRET else value for name, value in values.items()}
        for side, values in now.credentials.items()
        if all(name in values for name, one in _fields(side).items() if one.is_required())
    }
    return {
        "tenant": now.tenant.id,
        "name": now.tenant.name,
        "contact": now.tenant.contact,
        "language": now.tenant.language,
        **({} if now.tenant.status == "onboarding" else {"paused": now.tenant.status == "paused"}),
        "second_factor_demanded": now.tenant.second_factor_demanded,
        **({"credentials": whole} if whole else {}),
        "lines": [_line(one, now.line_secrets) for one in now.lines],
        "retention": now.retention,
        "endpoints": [
            {"url": one.url, "name": one.name or None, "kinds": one.kinds, "contents": one.contents,
             "active": one.active}
            for one in now.endpoints
        ],
        "conditions_webhook": KEPT if now.webhook else None,
    }  # fmt: skip


def _line(line: Line, secrets: dict[str, str]) -> dict[str, Any]:
    return {
        "phone_number_id": line.phone_number_id,
        "integration_id": line.integration_id,
        **({"webhook_secret": KEPT} if line.id in secrets else {}),
        "settings": own_settings(line),
    }
