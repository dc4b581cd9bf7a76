"""openid_providers, openid_domains: where a tenant's people log in, and for whose addresses its provider may speak."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

import structlog

from db import audit
from db.audit import Author
from db.cursor import Cursor
from db.pool import Pool
from db.resealing import reseal_column
from db.sealing import Cipher, SealError
from db.tenants.changes import NotFoundError, TakenError

log = structlog.get_logger(__name__)
COLUMNS = (
    "tenant_id, name, issuer, client_id, sealed, role_claim, admin_values, viewer_values, login_key, "
    "found_by_domain, second_factor, passwords, updated_at"
)


@dataclass(frozen=True, slots=True)
class ProviderSettings:
    """What a tenant says of its provider.

    `second_factor`: it asks everybody for one. `found_by_domain`: the log-in page leads whoever types an address of
    the tenant's domains to it. `passwords`: those of the tenant's people admit as well.
    """

    name: str
    issuer: str
    client_id: str
    role_claim: str
    admin_values: tuple[str, ...]
    viewer_values: tuple[str, ...]
    found_by_domain: bool = False
    second_factor: bool = False
    passwords: bool = True


@dataclass(frozen=True, slots=True)
class TenantProvider:
    """A tenant's. `client_secret` is None when no key of CREDENTIALS_KEYS opens it any more."""

    tenant_id: str
    terms: ProviderSettings
    client_secret: str | None = field(repr=False)
    login_key: str
    domains: tuple[str, ...]
    updated_at: datetime


def get(pool: Pool, cipher: Cipher, tenant_id: str) -> TenantProvider | None:
    return _found(pool, cipher, "p.tenant_id = %s", UUID(tenant_id))


def by_login_key(pool: Pool, cipher: Cipher, login_key: str) -> TenantProvider | None:
    """For the log-in, before a tenant is known: give it the unlimited pool."""
    return _found(pool, cipher, "p.login_key = %s", login_key)


def by_domain(pool: Pool, cipher: Cipher, domain: str) -> TenantProvider | None:
    """The one that wants to be found by this domain of an e-mail address. Likewise."""
    rule = "p.found_by_domain AND p.tenant_id = (SELECT tenant_id FROM openid_domains WHERE domain = %s)"
    return _found(pool, cipher, rule, domain.lower())


def put(
    pool: Pool,
    cipher: Cipher,
    by: Author,
    tenant_id: str,
    terms: ProviderSettings,
    client_secret: str | None,
    login_key: str,
) -> None:
    """Set it up, or change it; without a secret the one it has stays, and its login key always does.

    Raises NotFoundError when there is none to stay, and TakenError when it would be shown to another issuer, or when
    passwords are to be forbidden before an admin has come in through this issuer: nobody might be left who can.
    """
    with pool.transaction() as cursor:
        former = _locked(cursor, tenant_id)
        if former is None and client_secret is None:
            raise NotFoundError("the first time a client secret is needed")
        if former is not None and former["issuer"] != terms.issuer and client_secret is None:
            raise TakenError("secret_needed", "another issuer takes a client secret of its own; enter it as well")
        if former is None or former["issuer"] != terms.issuer:
            # Another issuer's subjects mean other people.
            cursor.execute("DELETE FROM openid_identities WHERE provider_tenant_id = %s", (UUID(tenant_id),))
        if not terms.passwords:
            _leave_an_admin(cursor, tenant_id)
        sealed = cipher.seal({"client_secret": client_secret}) if client_secret is not None else former["sealed"]  # type: ignore[index]
        _write(cursor, tenant_id, terms, sealed, login_key)
        detail = {"issuer": terms.issuer, "client_id": terms.client_id, "passwords": terms.passwords}
        audit.record(cursor, by, "openid.provider_set", tenant_id=tenant_id, subject=terms.name, detail=detail)


def end_password_sessions(pool: Pool, tenant_id: str, keep_session_of: str | None) -> int:
    """Log out the tenant's people, except `keep_session_of`: passwords have just been forbidden. Returns how many."""
    with pool.transaction() as cursor:
        cursor.execute(
            """DELETE FROM sessions s USING users u WHERE u.id = s.user_id AND u.tenant_id = %s
               AND u.id IS DISTINCT FROM %s::uuid""",
            (UUID(tenant_id), keep_session_of),
        )
        return int(cursor.rowcount)


def remove(pool: Pool, by: Author, tenant_id: str) -> None:
    """Whoever came in through it is logged out, and needs a password from now on. Raises NotFoundError."""
    with pool.transaction() as cursor:
        cursor.execute("DELETE FROM openid_providers WHERE tenant_id = %s RETURNING name", (UUID(tenant_id),))
        row = cursor.fetchone()
        if row is None:
            raise NotFoundError("this tenant has no OpenID provider")
        cursor.execute(
            """WITH gone AS (DELETE FROM openid_identities WHERE provider_tenant_id = %s RETURNING user_id)
               DELETE FROM sessions s USING gone WHERE s.user_id = gone.user_id""",
            (UUID(tenant_id),),
        )
        audit.record(cursor, by, "openid.provider_removed", tenant_id=tenant_id, subject=row[0])


def domains(pool: Pool, tenant_id: str) -> list[str]:
    with pool.autocommit() as cursor:
        cursor.execute("SELECT domain FROM openid_domains WHERE tenant_id = %s ORDER BY domain", (UUID(tenant_id),))
        return [str(row[0]) for row in cursor.fetchall()]


def domain_of_another(pool: Pool, tenant_id: str, email: str) -> bool:
    """Whether the address, as `users.address` gives it, is at a domain of another tenant's. Give the unlimited pool."""
    with pool.autocommit() as cursor:
        cursor.execute(
            "SELECT EXISTS (SELECT 1 FROM openid_domains WHERE domain = %s AND tenant_id <> %s)",
            (email.rpartition("@")[2], UUID(tenant_id)),
        )
        return bool(cursor.fetchone()[0])


def set_domains(pool: Pool, by: Author, tenant_id: str, wanted: Sequence[str]) -> None:
    """All of the tenant's, in lower case. The operator's to say. Raises TakenError for another tenant's."""
    with pool.transaction() as cursor:
        cursor.execute("DELETE FROM openid_domains WHERE tenant_id = %s", (UUID(tenant_id),))
        for domain in sorted(set(wanted)):
            cursor.execute(
                "INSERT INTO openid_domains (domain, tenant_id) VALUES (%s, %s) ON CONFLICT DO NOTHING",
                (domain, UUID(tenant_id)),
            )
            if not cursor.rowcount:
                raise TakenError("domain_taken", f"{domain} is another tenant's domain")
        detail = {"domains": sorted(set(wanted))}
        audit.record(cursor, by, "openid.domains_set", tenant_id=tenant_id, detail=detail)


def reseal(pool: Pool, cipher: Cipher) -> int:
    """Bring all secrets under the newest key. Returns how many; what no key opens any more stays as it is."""

    def lost(row: str) -> None:
        log.warning("secret of an OpenID provider cannot be opened any more", tenant_id=row)

    return reseal_column(pool, cipher, "openid_providers", lost, key="tenant_id")


def _found(pool: Pool, cipher: Cipher, rule: str, value: object) -> TenantProvider | None:
    with pool.autocommit() as cursor:
        cursor.execute(
            f"""SELECT {COLUMNS}, (SELECT coalesce(array_agg(domain ORDER BY domain), '{{}}')
                                   FROM openid_domains d WHERE d.tenant_id = p.tenant_id)
                FROM openid_providers p WHERE {rule}""",
            (value,),
        )
        row = cursor.fetchone()
    if row is None:
        return None
    held = dict(zip((*COLUMNS.split(", "), "domains"), row, strict=True))
    terms = ProviderSettings(
        held["name"], held["issuer"], held["client_id"], held["role_claim"], tuple(held["admin_values"]),
        tuple(held["viewer_values"]), held["found_by_domain"], held["second_factor"], held["passwords"],
    )  # fmt: skip
    tenant_id = str(held["tenant_id"])
    secret = _opened(cipher, held["sealed"], tenant_id)
    return TenantProvider(tenant_id, terms, secret, held["login_key"], tuple(held["domains"]), held["updated_at"])


def _opened(cipher: Cipher, sealed: str, tenant_id: str) -> str | None:
    try:
        return str(cipher.open(sealed)["client_secret"])
    except SealError:
        log.warning("secret of an OpenID provider cannot be opened any more", tenant_id=tenant_id)
        return None


def _locked(cursor: Cursor, tenant_id: str) -> dict[str, Any] | None:
    cursor.execute("SELECT issuer, sealed FROM openid_providers WHERE tenant_id = %s FOR UPDATE", (UUID(tenant_id),))
    row = cursor.fetchone()
    return None if row is None else {"issuer": row[0], "sealed": row[1]}


def _leave_an_admin(cursor: Cursor, tenant_id: str) -> None:
    cursor.execute(
        """SELECT 1 FROM openid_identities i JOIN users u ON u.id = i.user_id
           WHERE i.provider_tenant_id = %s AND u.role = 'admin' AND u.status = 'active' LIMIT 1""",
        (UUID(tenant_id),),
    )
    if cursor.fetchone() is None:
        text = "passwords can be forbidden once an admin has logged in through this provider; do that first"
        raise TakenError("nobody_came_yet", text)


def _write(cursor: Cursor, tenant_id: str, terms: ProviderSettings, sealed: str, login_key: str) -> None:
    cursor.execute(
        """INSERT INTO openid_providers (tenant_id, name, issuer, client_id, sealed, role_claim, admin_values,
                 viewer_values, login_key, found_by_domain, second_factor, passwords)
           VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)
           ON CONFLICT (tenant_id) DO UPDATE SET name = excluded.name, issuer = excluded.issuer,
                 client_id = excluded.client_id, sealed = excluded.sealed, role_claim = excluded.role_claim,
                 admin_values = excluded.admin_values, viewer_values = excluded.viewer_values,
                 found_by_domain = excluded.found_by_domain, second_factor = excluded.second_factor,
                 passwords = excluded.passwords, updated_at = now()""",
        (
            UUID(tenant_id), terms.name, terms.issuer, terms.client_id, sealed, terms.role_claim,
            list(terms.admin_values), list(terms.viewer_values), login_key, terms.found_by_domain,
            terms.second_factor, terms.passwords,
        ),
    )  # fmt: skip
