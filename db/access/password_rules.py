"""Whether a password admits at all: an installation or a tenant may leave log-ins to an OpenID provider alone."""

from __future__ import annotations

from uuid import UUID

from db import audit
from db.access.users import User
from db.audit import Author
from db.pool import Pool

EMERGENCY_SECONDS = 3600


def forbidden(pool: Pool, tenant_id: str) -> bool:
    """Whether this tenant's people need its provider to log in."""
    with pool.autocommit() as cursor:
        cursor.execute("SELECT NOT passwords FROM openid_providers WHERE tenant_id = %s", (UUID(tenant_id),))
        row = cursor.fetchone()
    return bool(row and row[0])


def admits(pool: Pool, user: User, *, installation: bool) -> bool:
    """Whether the user's password is good for a log-in. `installation`: whether passwords are, here, at all."""
    if installation and (user.tenant_id is None or not forbidden(pool, user.tenant_id)):
        return True
    with pool.autocommit() as cursor:
        cursor.execute(
            "SELECT EXISTS (SELECT 1 FROM emergency_passwords WHERE user_id = %s AND until > now())", (UUID(user.id),)
        )
        return bool(cursor.fetchone()[0])


def let_in(pool: Pool, by: Author, user: User) -> None:
    """For EMERGENCY_SECONDS the user's password admits whatever is forbidden."""
    with pool.transaction() as cursor:
        cursor.execute("DELETE FROM emergency_passwords WHERE until < now()")
        cursor.execute(
            """INSERT INTO emergency_passwords (user_id, until) VALUES (%s, now() + make_interval(secs => %s))
               ON CONFLICT (user_id) DO UPDATE SET until = excluded.until""",
            (UUID(user.id), EMERGENCY_SECONDS),
        )
        audit.record(cursor, by, "user.emergency", tenant_id=user.tenant_id, subject=user.id)
