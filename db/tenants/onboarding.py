"""lines as an admin makes them: one WhatsApp number paired with one Genesys integration, then activated.

What webhooks and the daemon ask of the same table is in `db.tenants.lines`; how a line waits for proof, and is let go,
in `db.tenants.ownership`.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal, NamedTuple

import psycopg2.errors
from psycopg2.extras import Json

from db.audit import Author
from db.mailbox.messages import new_id
from db.pool import Pool
from db.sealing import Cipher
from db.tenants import bounds
from db.tenants.changes import Changes, NotFoundError, TakenError
from db.tenants.credentials import lock_tenant, rotated

LineStatus = Literal["pending", "active", "refused", "released"]
COLUMNS = (
    "id, tenant_id, phone_number_id, integration_id, webhook_key, status, status_reason, "
    "settings, created_at, updated_at, sealed_webhook_secret IS NOT NULL, ask_at, proven_at, released_at"
)


class LineIds(NamedTuple):
    """What was looked at of a line: only a line that still has these ids is concerned by what was found."""

    line_id: str
    phone_number_id: str
    integration_id: str


@dataclass(frozen=True, slots=True)
class Line:
    """As it may be shown to its tenant. `paired` lines were made by complete-onboarding itself."""

    id: str
    tenant_id: str
    phone_number_id: str
    integration_id: str
    webhook_key: str = field(repr=False)
    status: LineStatus
    status_reason: str | None
    settings: dict[str, Any]
    created_at: datetime
    updated_at: datetime
    own_secret: bool
    ask_at: datetime | None
    """When the daemons ask again whose it is; None: they do not."""
    proven_at: datetime | None
    released_at: datetime | None

    @property
    def pair(self) -> LineIds:
        return LineIds(self.id, self.phone_number_id, self.integration_id)

    @property
    def paired(self) -> bool:
        return bool(self.settings.get("paired"))

    @property
    def name(self) -> str:
        """The number's verified name and the number itself, as WhatsApp gave them when the line went live; or ""."""
        return str(self.settings.get("name") or "")


def line_of(row: Sequence[Any]) -> Line:
    return Line(str(row[0]), str(row[1]), *row[2:])


def create(
    changes: Changes,
    cipher: Cipher,
    by: Author,
    tenant_id: str,
    phone_number_id: str,
    integration_id: str,
    webhook_secret: str | None = None,
    settings: Mapping[str, Any] | None = None,
) -> Line:
    """A line in status pending. The same pair again is the same line, with the newest secret; released, it is pending.

    Raises TakenError when the tenant already uses one of the two ids in another pair, and for one line too many.
    """
    detail = {"phone_number_id": phone_number_id, "integration_id": integration_id}
    with _clashes(), changes.of(tenant_id, by, "line.put", subject=phone_number_id, detail=detail) as cursor:
        lock_tenant(cursor, tenant_id)
        cursor.execute(
            f"SELECT {COLUMNS}, sealed_webhook_secret FROM lines WHERE tenant_id = %s AND phone_number_id = %s "
            "AND integration_id = %s ORDER BY status = 'released' LIMIT 1",
            (tenant_id, phone_number_id, integration_id),
        )
        row = cursor.fetchone()
        sealed = _sealed(cipher, row[-1] if row else None, webhook_secret)
        if row:
            cursor.execute(
                "UPDATE lines SET sealed_webhook_secret = %s, settings = settings || %s, updated_at = now(), "
                "status = CASE status WHEN 'released' THEN 'pending' ELSE status END, "
                "status_reason = CASE status WHEN 'released' THEN NULL ELSE status_reason END, released_at = NULL "
                f"WHERE id = %s RETURNING {COLUMNS}",
                (sealed, Json(dict(settings or {})), row[0]),
            )
        else:
            bounds.make_room(cursor, "lines", tenant_id)
            cursor.execute(
                "INSERT INTO lines (id, tenant_id, phone_number_id, integration_id, webhook_key, "
                f"sealed_webhook_secret, settings) VALUES (%s, %s, %s, %s, %s, %s, %s) RETURNING {COLUMNS}",
                (new_id(), tenant_id, phone_number_id, integration_id, secrets.token_urlsafe(24), sealed,
                 Json(dict(settings or {}))),
            )  # fmt: skip
        return line_of(cursor.fetchone())


def _sealed(cipher: Cipher, former: str | None, webhook_secret: str | None) -> str | None:
    """No secret given: what was there stays."""
    if not webhook_secret:
        return former
    before = cipher.open(former) if former else {}
    return cipher.seal(rotated(before, {"webhook_secret": webhook_secret}, "webhook_secret", time.time()))


def repair(
    changes: Changes, by: Author, line_id: str, tenant_id: str, phone_number_id: str, integration_id: str
) -> Line:
    """Give a line that never was active other ids: its tenant has mended a typing error."""
    detail = {"phone_number_id": phone_number_id, "integration_id": integration_id}
    with _clashes(), changes.of(tenant_id, by, "line.repaired", subject=line_id, detail=detail) as cursor:
        cursor.execute(
            f"""UPDATE lines SET phone_number_id = %s, integration_id = %s, status = 'pending', status_reason = NULL,
                  ask_at = NULL, settings = settings - 'name' - 'rate_cap',
                  number_asked_at = '-infinity', updated_at = now()
                WHERE id = %s AND tenant_id = %s AND status IN ('pending', 'refused') RETURNING {COLUMNS}""",
            (phone_number_id, integration_id, line_id, tenant_id),
        )
        return _found(cursor.fetchone())


def configure(changes: Changes, by: Author, tenant_id: str, line_id: str, settings: Mapping[str, Any]) -> Line:
    """What this line does otherwise than the platform. None takes a setting away; what is not named stays."""
    given = {name: value for name, value in settings.items() if value is not None}
    dropped = [name for name, value in settings.items() if value is None]
    with changes.of(tenant_id, by, "line.configured", subject=line_id, detail={"settings": dict(settings)}) as cursor:
        cursor.execute(
            f"""UPDATE lines SET settings = (settings - %s::text[]) || %s, updated_at = now()
                WHERE id = %s AND tenant_id = %s RETURNING {COLUMNS}""",
            (dropped, Json(given), line_id, tenant_id),
        )
        return _found(cursor.fetchone())


def remove(changes: Changes, by: Author, tenant_id: str, line_id: str) -> None:
    """Only while it carries nothing: an active line, or one with conversations, raises TakenError."""
    with changes.of(tenant_id, by, "line.removed", subject=line_id) as cursor:
        cursor.execute(f"SELECT {COLUMNS} FROM lines WHERE id = %s AND tenant_id = %s FOR UPDATE", (line_id, tenant_id))
        if _found(cursor.fetchone()).status == "active":
            raise TakenError("line_active", "an active line cannot be removed")
        try:
            cursor.execute("DELETE FROM lines WHERE id = %s", (line_id,))
        except psycopg2.errors.ForeignKeyViolation:
            raise TakenError("line_in_use", "this line has conversations and cannot be removed") from None


def listed(pool: Pool, tenant_id: str) -> list[Line]:
    """All lines of a tenant, oldest first."""
    with pool.autocommit() as cursor:
        cursor.execute(f"SELECT {COLUMNS} FROM lines WHERE tenant_id = %s ORDER BY id", (tenant_id,))
        return [line_of(row) for row in cursor.fetchall()]


def webhook_secrets(pool: Pool, cipher: Cipher, tenant_id: str) -> dict[str, str]:
    """By line, in clear: those that sign with another secret than the tenant's. Never log or return this."""
    with pool.autocommit() as cursor:
        cursor.execute(
            "SELECT id::text, sealed_webhook_secret FROM lines "
            "WHERE tenant_id = %s AND sealed_webhook_secret IS NOT NULL",
            (tenant_id,),
        )
        return {line_id: cipher.open(sealed)["webhook_secret"] for line_id, sealed in cursor.fetchall()}


def activate(
    changes: Changes, by: Author, tenant_id: str, proven: Sequence[LineIds], names: Mapping[str, str] | None = None
) -> list[Line]:
    """These lines become active, all or none, and with them a tenant that was being set up; a paused one stays paused.

    The caller has proof of each pair; `names` are what WhatsApp calls the numbers, by line. Raises NotFoundError when
    a line is no longer what was proven, TakenError when another tenant's active line owns one of the ids: the database
    decides, so of two tenants who ask at the same moment exactly one wins.
    """
    detail, named = {"lines": [one.line_id for one in proven]}, names or {}
    with _clashes(), changes.of(tenant_id, by, "tenant.activated", detail=detail) as cursor:
        lock_tenant(cursor, tenant_id)
        for one in sorted(proven):
            cursor.execute(
                """UPDATE lines SET status = 'active', status_reason = NULL, proven_at = now(), ask_at = NULL,
                     asked = 0, disputed_at = NULL, dispute_seen_at = NULL, updated_at = now(),
                     settings = settings || %s
                   WHERE id = %s AND phone_number_id = %s AND integration_id = %s AND tenant_id = %s
                     AND status <> 'released' RETURNING 1""",
                (Json({"name": named[one.line_id]} if one.line_id in named else {}), *one, tenant_id),
            )
            if cursor.fetchone() is None:
                raise NotFoundError("the line was changed while it was checked; try again")
        cursor.execute(
            "UPDATE tenants SET status = 'active', updated_at = now() WHERE id = %s AND status = 'onboarding'",
            (tenant_id,),
        )
        cursor.execute(f"SELECT {COLUMNS} FROM lines WHERE tenant_id = %s ORDER BY id", (tenant_id,))
        return [line_of(row) for row in cursor.fetchall()]


def refuse(changes: Changes, by: Author, tenant_id: str, line_id: str, reason: str) -> None:
    """Note the provider's no. An active line stays active: it may still hold messages to deliver."""
    with changes.of(tenant_id, by, "line.refused", subject=line_id, detail={"reason": reason}) as cursor:
        cursor.execute(
            """UPDATE lines SET status = CASE status WHEN 'pending' THEN 'refused' ELSE status END,
                 status_reason = %s, ask_at = NULL, updated_at = now()
               WHERE id = %s AND tenant_id = %s AND status <> 'released'""",
            (reason[:1000], line_id, tenant_id),
        )


def _found(row: Sequence[Any] | None) -> Line:
    if row is None:
        raise NotFoundError("there is no such line")
    return line_of(row)


def taken(side: Literal["whatsapp", "genesys"], elsewhere: str = "an active line of another tenant") -> TakenError:
    """Whose it is, is not told."""
    if side == "whatsapp":
        return TakenError("number_taken", f"this phone number already belongs to {elsewhere}")
    return TakenError("integration_taken", f"this Genesys integration already belongs to {elsewhere}")


@contextmanager
def _clashes() -> Iterator[None]:
    """What a unique index says, in words."""
    try:
        yield
    except psycopg2.errors.UniqueViolation as error:
        name = error.diag.constraint_name or ""
        side: Literal["whatsapp", "genesys"] = "whatsapp" if "phone" in name else "genesys"
        raise (taken(side) if "active" in name else taken(side, "another line of this tenant")) from None
