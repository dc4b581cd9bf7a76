"""users: the people who log in. Their wrong passwords are counted in `db.access.guesses`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Literal
from uuid import UUID

import psycopg2.errors
from email_validator import EmailNotValidError, validate_email

from db import audit
from db.access import api_keys, line_rights, lineage, user_news
from db.access.line_rights import LineIds
from db.audit import Author
from db.cursor import Cursor
from db.mailbox.messages import new_id
from db.pool import Pool
from db.tenants import bounds
from db.tenants.changes import NotFoundError, TakenError

Role = Literal["operator", "admin", "viewer"]
UserStatus = Literal["active", "disabled"]
ONE_TIME_HOURS = 48
"""How long a password is good that somebody else chose."""
COLUMNS = (
    "id, tenant_id, email, name, role, password_hash, must_change, status, failures, locked_until, "
    "last_login_at, created_at, updated_at, rights_version, second_factor_at, password_until, language, line_ids"
)


@dataclass(frozen=True, slots=True)
class User:
    """An operator belongs to no tenant. `locked_until`: no password from an unknown device is looked at before.

    `rights_version` is raised with every change of role, status or lines: a key made before ends with it.
    `second_factor_at`: since when the log-in takes a code as well; `password_until`: when a password that somebody
    else chose ends.
    `language`: in which they are written to, None: as their tenant.
    `password_hash` is None for whoever comes in through an OpenID provider only. `line_ids`: of these lines only; None:
    of all, and of what is the tenant's as a whole.
    """

    id: str
    tenant_id: str | None
    email: str
    name: str
    role: Role
    password_hash: str | None = field(repr=False)
    must_change: bool
    status: UserStatus
    failures: int
    locked_until: datetime | None
    last_login_at: datetime | None
    created_at: datetime
    updated_at: datetime
    rights_version: int = 0
    second_factor_at: datetime | None = None
    password_until: datetime | None = None
    language: str | None = None
    line_ids: tuple[str, ...] | None = None

    @property
    def second_factor(self) -> bool:
        return self.second_factor_at is not None

    @property
    def password_over(self) -> bool:
        """It was given by somebody else, and was not used in time."""
        return self.password_until is not None and self.password_until <= datetime.now(UTC)


def user_of(row: Sequence[Any]) -> User:
    values = (*row[2:-1], line_rights.of_row(row[-1]))
    return User(str(row[0]), None if row[1] is None else str(row[1]), *values)


def address(email: str) -> str:
    """As it is compared at the log-in. Raises ValueError, in words. Nobody asks the DNS."""
    try:
        found = validate_email(email, check_deliverability=False, allow_smtputf8=False, globally_deliverable=False)
    except EmailNotValidError as error:
        raise ValueError(f"is not an e-mail address: {error}") from None
    return found.normalized.lower()


def create(
    pool: Pool,
    by: Author,
    tenant_id: str | None,
    email: str,
    name: str,
    role: Role,
    password_hash: str,
    line_ids: LineIds = None,
) -> User:
    """Somebody else chose the password, so it has to be changed first. Raises TakenError for a known address, and for
    one user too many; NotFoundError for a line that is not the tenant's."""
    try:
        with pool.transaction() as cursor:
            bounds.make_room(cursor, "users", tenant_id)
            chosen = line_rights.checked(cursor, tenant_id, line_ids)
            cursor.execute(
                f"""INSERT INTO users (id, tenant_id, email, name, role, password_hash, must_change, maker_key,
                      password_until, line_ids)
                    VALUES (%s, %s, %s, %s, %s, %s, true, %s, now() + make_interval(hours => %s), %s::uuid[])
                    RETURNING {COLUMNS}""",
                (new_id(), tenant_id, address(email), name, role, password_hash,
                 by.maker.id if by.maker.kind == "key" else None, ONE_TIME_HOURS, chosen),
            )  # fmt: skip
            user = user_of(cursor.fetchone())
            detail = {"email": user.email, "role": role} | line_rights.told(user.line_ids)
            audit.record(cursor, by, "user.created", tenant_id=tenant_id, subject=user.id, detail=detail)
    except psycopg2.errors.UniqueViolation:
        raise taken() from None
    return user


def taken() -> TakenError:
    """By whom is nobody's business: it may be another tenant's user."""
    return TakenError("email_taken", "there is a user with this address already")


def by_email(pool: Pool, email: str) -> User | None:
    """For the log-in, before a tenant is known: give it the unlimited pool."""
    try:
        email = address(email)
    except ValueError:
        return None
    with pool.autocommit() as cursor:
        cursor.execute(f"SELECT {COLUMNS} FROM users WHERE email = %s", (email,))
        row = cursor.fetchone()
    return user_of(row) if row else None


def get(pool: Pool, tenant_id: str | None, user_id: str) -> User | None:
    with pool.autocommit() as cursor:
        cursor.execute(
            f"SELECT {COLUMNS} FROM users WHERE id = %s AND tenant_id IS NOT DISTINCT FROM %s::uuid",
            (UUID(user_id), tenant_id),
        )
        row = cursor.fetchone()
    return user_of(row) if row else None


def by_id(pool: Pool, user_id: str) -> User | None:
    """Whoever it is, before a tenant is known: give it the unlimited pool."""
    with pool.autocommit() as cursor:
        cursor.execute(f"SELECT {COLUMNS} FROM users WHERE id = %s", (UUID(user_id),))
        row = cursor.fetchone()
    return user_of(row) if row else None


def listed(pool: Pool, tenant_id: str | None, limit: int = 50, after: str | None = None) -> list[User]:
    """A tenant's users, or the operators; by age."""
    with pool.autocommit() as cursor:
        cursor.execute(
            f"""SELECT {COLUMNS} FROM users WHERE tenant_id IS NOT DISTINCT FROM %s::uuid
                AND (%s::uuid IS NULL OR id > %s::uuid) ORDER BY id LIMIT %s""",
            (tenant_id, after, after, limit),
        )
        return [user_of(row) for row in cursor.fetchall()]


def set_password(
    pool: Pool, by: Author, user: User, password_hash: str, *, must_change: bool, session_id: str | None = None
) -> None:
    """Every browser of the user but `session_id` is logged out. One that has to be changed ends in ONE_TIME_HOURS.

    `session_id`: they change it themselves, in that browser. Raises TakenError when it was changed since `user` was
    read: whoever knows the former one only does not undo that.
    """
    with pool.transaction() as cursor:
        cursor.execute(
            """UPDATE users u SET password_hash = %(hash)s, must_change = %(other)s, failures = 0, locked_until = NULL,
                 password_until = CASE WHEN %(other)s THEN now() + make_interval(hours => %(hours)s) END,
                 updated_at = now()
               FROM users former WHERE u.id = %(id)s AND former.id = u.id
                 AND (%(own)s IS NULL OR u.password_hash IS NOT DISTINCT FROM %(known)s)
               RETURNING former.must_change""",
            {"hash": password_hash, "other": must_change, "hours": ONE_TIME_HOURS, "id": UUID(user.id),
             "own": session_id, "known": user.password_hash},
        )  # fmt: skip
        row = cursor.fetchone()
        if row is None and session_id is not None:
            raise TakenError("password_changed", "your password was changed meanwhile; log in once more")
        cursor.execute(
            "DELETE FROM sessions WHERE user_id = %s AND id IS DISTINCT FROM %s::uuid", (UUID(user.id), session_id)
        )
        cursor.execute("DELETE FROM login_guesses WHERE user_id = %s", (UUID(user.id),))
        audit.record(cursor, by, "user.password", tenant_id=user.tenant_id, subject=user.id)
        if row is not None and not row[0]:  # the first one of their own is no news
            user_news.tell(cursor, user.id, "password", by)


def set_language(pool: Pool, user_id: str, language: str | None) -> None:
    """One's own wish, which gives nobody a right: it is not in the audit log."""
    with pool.autocommit() as cursor:
        cursor.execute("UPDATE users SET language = %s WHERE id = %s", (language, UUID(user_id)))


def invited_with(pool: Pool, key_ids: Sequence[str]) -> list[User]:
    """The people whom these keys have invited: they stay when the keys end. The first hundred."""
    with pool.autocommit() as cursor:
        cursor.execute(
            f"SELECT {COLUMNS} FROM users WHERE maker_key = ANY(%s::uuid[]) ORDER BY id LIMIT 100", (list(key_ids),)
        )
        return [user_of(row) for row in cursor.fetchall()]


def everyone(pool: Pool, limit: int = 500, after: str | None = None) -> list[User]:
    """All users of the installation by age, for its operator."""
    with pool.autocommit() as cursor:
        cursor.execute(
            f"SELECT {COLUMNS} FROM users WHERE %s::uuid IS NULL OR id > %s::uuid ORDER BY id LIMIT %s",
            (after, after, limit),
        )
        return [user_of(row) for row in cursor.fetchall()]


def change(
    pool: Pool,
    by: Author,
    tenant_id: str | None,
    user_id: str,
    name: str,
    role: Role,
    status: UserStatus,
    line_ids: LineIds,
    *,
    seen: int,
) -> User:
    """Whoever loses a right, or gets other lines, is logged out, and the keys they made, and those made with these, end
    with it.

    `seen`: the `rights_version` of what this change was made of. Raises NotFoundError, and TakenError for the last
    active operator, or when rights were changed meanwhile: else who saves last would undo what he has not seen.
    """
    with pool.transaction() as cursor:
        if tenant_id is None and status == "disabled":
            _leave_an_operator(cursor, user_id)
        chosen = line_rights.checked(cursor, tenant_id, line_ids, user_id)
        cursor.execute(
            f"""UPDATE users u SET name = %s, role = %s, status = %s, line_ids = %s::uuid[], updated_at = now()
                FROM users former
                WHERE u.id = %s AND former.id = u.id AND u.tenant_id IS NOT DISTINCT FROM %s::uuid
                  AND u.rights_version = %s
                RETURNING {", ".join("u." + column for column in COLUMNS.split(", "))},
                  former.role <> u.role OR former.line_ids IS DISTINCT FROM u.line_ids""",
            (name, role, status, chosen, UUID(user_id), tenant_id, seen),
        )
        row = cursor.fetchone()
        if row is None:
            raise _not_changed(cursor, tenant_id, user_id)
        if status == "disabled" or row[-1]:
            cursor.execute("DELETE FROM sessions WHERE user_id = %s", (UUID(user_id),))
            # A key would be a way back in for whoever made it.
            api_keys.note_ended(cursor, by, lineage.end_of_user(cursor, user_id), f"user {user_id}")
        changed = user_of(row[:-1])
        detail = {"role": role, "status": status} | line_rights.told(changed.line_ids)
        audit.record(cursor, by, "user.changed", tenant_id=tenant_id, subject=user_id, detail=detail)
    return changed


def _not_changed(cursor: Cursor, tenant_id: str | None, user_id: str) -> Exception:
    cursor.execute(
        "SELECT FROM users WHERE id = %s AND tenant_id IS NOT DISTINCT FROM %s::uuid", (UUID(user_id), tenant_id)
    )
    if cursor.fetchone() is None:
        return NotFoundError("there is no such user")
    return TakenError("changed_meanwhile", "this person's rights were changed meanwhile; look at them, and try again")


def _leave_an_operator(cursor: Cursor, without: str) -> None:
    """Somebody has to be able to let the others in again. The lock makes two who disable each other wait."""
    cursor.execute("SELECT id FROM users WHERE role = 'operator' AND status = 'active' ORDER BY id FOR UPDATE")
    if not {str(row[0]) for row in cursor.fetchall()} - {without}:
        raise TakenError("last_operator", "this is the last active operator; make another one first")
