"""tenant_credentials: one sealed object per tenant and side, and what of it may be shown.

When a signing secret changes, the former one stays valid for a day, so that no webhook is refused
while the change travels.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

from psycopg2.extras import Json

from db.audit import Author
from db.cursor import Cursor
from db.pool import Pool
from db.sealing import Cipher
from db.tenants.changes import Changes, NotFoundError

CredentialsType = Literal["whatsapp", "genesys"]
Health = Literal["unknown", "ok", "refused"]

SIGNING = {"whatsapp": "app_secret", "genesys": "webhook_secret"}
SECRET = frozenset(
    {
        "access_token",
        "app_secret",
        "verify_token",
        "client_secret",
        "login_client_secret",
        "refresh_token",
        "webhook_secret",
    }
)
OVERLAP_SECONDS = 24 * 3600
OVERLAP_COUNT = 2
"""With the current one: three per line at most, or one POST would mean too many attempts."""


@dataclass(frozen=True, slots=True)
class StoredCredentials:
    """One side's credentials as they may be shown, and how the provider took them last."""

    type: CredentialsType
    shown: dict[str, Any]
    health: Health
    health_reason: str | None
    health_at: datetime | None
    updated_at: datetime


@dataclass(frozen=True, slots=True)
class Secrets:
    """Opened. `signing` holds the current secret first, then those still valid; all may be empty."""

    values: dict[str, str] = field(repr=False)
    signing: tuple[str, ...] = field(repr=False)


def put(
    changes: Changes, cipher: Cipher, by: Author, tenant_id: str, kind: CredentialsType, values: Mapping[str, str]
) -> StoredCredentials:
    """Replace all of one side's credentials. Repeating it changes nothing but asks for a new check."""
    detail = {"fields": sorted(values)}
    with changes.of(tenant_id, by, "credentials.put", subject=kind, detail=detail) as cursor:
        lock_tenant(cursor, tenant_id)
        cursor.execute("SELECT sealed FROM tenant_credentials WHERE tenant_id = %s AND type = %s", (tenant_id, kind))
        row = cursor.fetchone()
        former = cipher.open(row[0]) if row else {}
        sealed = cipher.seal(rotated(former, dict(values), SIGNING[kind], time.time()))
        cursor.execute(
            """INSERT INTO tenant_credentials (tenant_id, type, sealed, shown) VALUES (%s, %s, %s, %s)
               ON CONFLICT (tenant_id, type) DO UPDATE SET sealed = excluded.sealed, shown = excluded.shown,
                 health = 'unknown', health_reason = NULL, health_at = NULL, updated_at = now()
               RETURNING type, shown, health, health_reason, health_at, updated_at""",
            (tenant_id, kind, sealed, Json(masked(values))),
        )
        stored = StoredCredentials(*cursor.fetchone())
        # What waits for proof is asked about with them at once.
        cursor.execute(
            "UPDATE lines SET ask_at = now(), asked = 0 WHERE tenant_id = %s AND ask_at IS NOT NULL", (tenant_id,)
        )
        return stored


def lock_tenant(cursor: Cursor, tenant_id: str) -> None:
    """Changes of one tenant go one after the other. Raises NotFoundError."""
    cursor.execute("SELECT 1 FROM tenants WHERE id = %s FOR UPDATE", (tenant_id,))
    if cursor.fetchone() is None:
        raise NotFoundError("there is no such tenant")


def get(pool: Pool, tenant_id: str, kind: CredentialsType) -> StoredCredentials | None:
    """What may be shown."""
    with pool.autocommit() as cursor:
        cursor.execute(
            """SELECT type, shown, health, health_reason, health_at, updated_at
               FROM tenant_credentials WHERE tenant_id = %s AND type = %s""",
            (tenant_id, kind),
        )
        row = cursor.fetchone()
    return StoredCredentials(*row) if row else None


def opened(pool: Pool, cipher: Cipher, tenant_id: str, kind: CredentialsType) -> Secrets | None:
    """In clear, for whoever has to use them. Never log or return this."""
    with pool.autocommit() as cursor:
        cursor.execute("SELECT sealed FROM tenant_credentials WHERE tenant_id = %s AND type = %s", (tenant_id, kind))
        row = cursor.fetchone()
    return unsealed(cipher, row[0], SIGNING[kind]) if row else None


def set_health(
    changes: Changes, tenant_id: str, kind: CredentialsType, health: Health, reason: str | None = None
) -> bool:
    """Note how the provider took them; True when that is news, and only then is anybody told."""
    with changes.pool.autocommit() as cursor:
        cursor.execute(
            "SELECT 1 FROM tenant_credentials WHERE tenant_id = %s AND type = %s AND health IS DISTINCT FROM %s",
            (tenant_id, kind, health),
        )
        if cursor.fetchone() is None:
            return False
    detail = {"health": health, "reason": reason}
    with changes.of(tenant_id, Author("relay"), "credentials.health", subject=kind, detail=detail) as cursor:
        cursor.execute(
            """UPDATE tenant_credentials SET health = %s, health_reason = %s, health_at = now()
               WHERE tenant_id = %s AND type = %s""",
            (health, reason, tenant_id, kind),
        )
    return True


class _OtherLogin(Exception):
    """Ends the transaction without a trace: another refresh token is kept, or none."""


def renew_refresh_token(changes: Changes, cipher: Cipher, tenant_id: str, former: str, new: str) -> bool:
    """Put `new` in the place of `former`. False, and nothing changed, when another one is kept, or none."""
    try:
        with changes.of(tenant_id, Author("relay"), "credentials.login_renewed", subject="genesys") as cursor:
            lock_tenant(cursor, tenant_id)
            cursor.execute(
                "SELECT sealed FROM tenant_credentials WHERE tenant_id = %s AND type = 'genesys'", (tenant_id,)
            )
            row = cursor.fetchone()
            held = cipher.open(row[0]) if row else {}
            if held.get("refresh_token") not in (former, new):
                raise _OtherLogin
            cursor.execute(
                "UPDATE tenant_credentials SET sealed = %s WHERE tenant_id = %s AND type = 'genesys'",
                (cipher.seal({**held, "refresh_token": new}), tenant_id),
            )
    except (_OtherLogin, NotFoundError):
        return False
    return True


def reseal(pool: Pool, cipher: Cipher) -> int:
    """Bring everything under the newest key; afterwards the old ones may go. Returns how many."""
    count = 0
    with pool.transaction() as cursor:
        cursor.execute("SELECT tenant_id, type, sealed FROM tenant_credentials FOR UPDATE")
        for tenant_id, kind, sealed in cursor.fetchall():
            cursor.execute(
                "UPDATE tenant_credentials SET sealed = %s WHERE tenant_id = %s AND type = %s",
                (cipher.reseal(sealed), tenant_id, kind),
            )
            count += 1
        cursor.execute("SELECT id, sealed_webhook_secret FROM lines WHERE sealed_webhook_secret IS NOT NULL FOR UPDATE")
        for line_id, sealed in cursor.fetchall():
            cursor.execute(
                "UPDATE lines SET sealed_webhook_secret = %s WHERE id = %s", (cipher.reseal(sealed), line_id)
            )
            count += 1
    return count


def rotated(former: Mapping[str, Any], new: dict[str, Any], name: str, now: float) -> dict[str, Any]:
    """The new object, with the former secrets that stay valid for a while: [secret, until] each."""
    kept = [pair for pair in former.get(f"previous_{name}s", []) if pair[1] > now and pair[0] != new.get(name)]
    current = former.get(name)
    if current and current != new.get(name):
        kept.insert(0, [current, now + OVERLAP_SECONDS])
    return {**new, f"previous_{name}s": kept[:OVERLAP_COUNT]} if kept else new


def unsealed(cipher: Cipher, sealed: str, name: str) -> Secrets:
    """The object inside, and its signing secrets that are valid now. Without a current one there are none."""
    held = cipher.open(sealed)
    previous: Sequence[Any] = held.pop(f"previous_{name}s", [])
    current = held.get(name)
    former = [secret for secret, until in previous if until > time.time()]
    return Secrets(held, tuple(dict.fromkeys([current, *former])) if current else ())


def masked(values: Mapping[str, str]) -> dict[str, Any]:
    """Ids in clear; of the access token its last four characters; of other secrets that they are set."""
    return {name: _shown(name, value) for name, value in values.items() if value}


def _shown(name: str, value: str) -> str:
    if name not in SECRET:
        return value
    return f"****{value[-4:]}" if name == "access_token" and len(value) >= 16 else "****"
