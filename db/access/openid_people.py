"""openid_identities: which user a provider speaks of. Found by issuer and subject; by e-mail address once only."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from uuid import UUID

import psycopg2.errors

from db import audit
from db.access import users
from db.access.users import Role, User
from db.audit import Author
from db.cursor import Cursor
from db.mailbox.messages import new_id
from db.pool import Pool
from db.tenants import bounds

USER = ", ".join(f"u.{column}" for column in users.COLUMNS.split(", "))


@dataclass(frozen=True, slots=True)
class ProvenPerson:
    """What a provider says of a person, proved by its signature.

    `provider_tenant_id`: whose provider, None for the installation's. `tenant_id`: whose user it is to be, None for an
    operator. `email`: None unless the provider has verified it and may speak for it.
    """

    provider_tenant_id: str | None
    issuer: str
    subject: str
    email: str | None
    name: str
    role: Role
    tenant_id: str | None


class NotAdmittedError(Exception):
    """Why this person is not let in. `code` is a short word for the audit log, the text is for the person."""

    def __init__(self, code: str, text: str) -> None:
        super().__init__(text)
        self.code = code


def admit(pool: Pool, by: Author, vouched: ProvenPerson) -> User:
    """The user this is, made if there is none yet, with the role that the provider gives. Raises NotAdmittedError.

    A tenant's provider is kept to that tenant's users by PostgreSQL, too. A role that has changed ends the user's
    sessions and keys.
    """
    if vouched.provider_tenant_id is not None:
        pool = pool.of_tenant(vouched.provider_tenant_id)
    try:
        with pool.transaction() as cursor:
            _not_closed(cursor, vouched.tenant_id)
            user = _bound(cursor, vouched) or _bind(cursor, by, vouched)
    except (psycopg2.errors.UniqueViolation, psycopg2.errors.ForeignKeyViolation):
        raise _not_this_address() from None
    if user.tenant_id != vouched.tenant_id:
        raise NotAdmittedError("elsewhere", "Your account here belongs to another organisation than your role names.")
    if user.status != "active":
        raise NotAdmittedError("disabled", "Your account here is disabled.")
    if user.role == vouched.role:
        return user
    return users.change(
        pool, by, user.tenant_id, user.id, user.name, vouched.role, "active", user.line_ids, seen=user.rights_version
    )


def turn_away(
    pool: Pool, by: Author, tenant_id: str | None, issuer: str, subject: str, code: str, *, told: bool = True
) -> None:
    """The provider's word admits this person no longer, or never did: whatever sessions they have end.

    Audited where it is to be `told`.
    """
    with pool.transaction() as cursor:
        cursor.execute(
            """DELETE FROM sessions s USING openid_identities i WHERE i.user_id = s.user_id AND i.issuer = %s
               AND i.subject = %s AND i.provider_tenant_id IS NOT DISTINCT FROM %s::uuid""",
            (issuer, subject, tenant_id),
        )
        if told:
            detail = {"reason": code, "issuer": issuer}
            audit.record(cursor, by, "login.refused", tenant_id=tenant_id, subject=subject[:255], detail=detail)


def note_refusal(pool: Pool, by: Author, tenant_id: str | None, issuer: str, code: str) -> None:
    """An answer of a provider that proves nobody. Audited."""
    with pool.transaction() as cursor:
        detail = {"reason": code, "issuer": issuer}
        audit.record(cursor, by, "login.refused", tenant_id=tenant_id, detail=detail)


def identity_of(pool: Pool, user_id: str) -> tuple[str | None, str, str] | None:
    """(whose provider, issuer, subject) of a user, or None: nobody vouches for them."""
    with pool.autocommit() as cursor:
        cursor.execute(
            "SELECT provider_tenant_id::text, issuer, subject FROM openid_identities WHERE user_id = %s",
            (UUID(user_id),),
        )
        row = cursor.fetchone()
    return None if row is None else (row[0], row[1], row[2])


def come_back(pool: Pool, state: str, seconds: float) -> bool:
    """Whether the log-in with this state comes back for the first time. Remembered for `seconds`."""
    with pool.transaction() as cursor:
        cursor.execute("DELETE FROM openid_returns WHERE until < now()")
        cursor.execute(
            """INSERT INTO openid_returns (state_hash, until) VALUES (%s, now() + make_interval(secs => %s))
               ON CONFLICT DO NOTHING""",
            (hashlib.sha256(state.encode()).digest(), seconds),
        )
        return bool(cursor.rowcount)


def _not_closed(cursor: Cursor, tenant_id: str | None) -> None:
    """Closing shuts out the people that there are; a provider could vouch for new ones."""
    cursor.execute("SELECT 1 FROM tenant_deletions WHERE tenant_id = %s::uuid", (tenant_id,))
    if cursor.fetchone() is not None:
        raise NotAdmittedError("closed", "Your organisation is closed here.")


def _not_this_address() -> NotAdmittedError:
    """One answer, whoever has the address: another tenant, an operator, somebody else at the same provider."""
    return NotAdmittedError("address_taken", "This e-mail address cannot be used with this log-in.")


def _bound(cursor: Cursor, vouched: ProvenPerson) -> User | None:
    cursor.execute(
        f"""SELECT {USER} FROM openid_identities i JOIN users u ON u.id = i.user_id
            WHERE i.issuer = %s AND i.subject = %s AND i.provider_tenant_id IS NOT DISTINCT FROM %s::uuid""",
        (vouched.issuer, vouched.subject, vouched.provider_tenant_id),
    )
    row = cursor.fetchone()
    return users.user_of(row) if row else None


def _bind(cursor: Cursor, by: Author, vouched: ProvenPerson) -> User:
    """The first time: the user with this address, if it is one of theirs and nobody else's yet; else a new one."""
    if vouched.email is None:
        text = "Your provider does not vouch for an e-mail address of yours that may be used here."
        raise NotAdmittedError("no_address", text)
    cursor.execute(f"SELECT {USER} FROM users u WHERE u.email = %s FOR UPDATE", (vouched.email,))
    row = cursor.fetchone()
    user = users.user_of(row) if row else _made(cursor, by, vouched, vouched.email)
    if user.tenant_id != vouched.tenant_id:
        raise _not_this_address()
    user = _without_a_strangers_password(cursor, user)
    # A second identity for the same user fails here: an address that was given to somebody else opens nothing.
    cursor.execute(
        "INSERT INTO openid_identities (user_id, provider_tenant_id, issuer, subject) VALUES (%s, %s, %s, %s)",
        (UUID(user.id), vouched.provider_tenant_id, vouched.issuer, vouched.subject),
    )
    detail = {"issuer": vouched.issuer, "email": user.email}
    audit.record(cursor, by, "user.bound", tenant_id=user.tenant_id, subject=user.id, detail=detail)
    return user


def _without_a_strangers_password(cursor: Cursor, user: User) -> User:
    """One that was told once, and was never changed, is worth nothing now, and is not asked to be changed."""
    if not user.must_change:
        return user
    cursor.execute(
        f"""UPDATE users SET password_hash = NULL, password_until = NULL, must_change = false, updated_at = now()
            WHERE id = %s RETURNING {users.COLUMNS}""",
        (UUID(user.id),),
    )
    return users.user_of(cursor.fetchone())


def _made(cursor: Cursor, by: Author, vouched: ProvenPerson, email: str) -> User:
    bounds.make_room(cursor, "users", vouched.tenant_id)
    cursor.execute(
        f"""INSERT INTO users (id, tenant_id, email, name, role) VALUES (%s, %s, %s, %s, %s)
            RETURNING {users.COLUMNS}""",
        (new_id(), vouched.tenant_id, email, vouched.name, vouched.role),
    )
    user = users.user_of(cursor.fetchone())
    detail = {"email": email, "role": vouched.role, "issuer": vouched.issuer}
    audit.record(cursor, by, "user.created", tenant_id=user.tenant_id, subject=user.id, detail=detail)
    return user
