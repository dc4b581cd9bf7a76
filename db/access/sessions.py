"""sessions: browsers that are logged in. The cookie holds a token, the table its hash: a row deleted is a log-out."""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from db import audit
from db.access import users
from db.access.users import User
from db.audit import Author
from db.pool import Pool

LONGEST_SECONDS = 12 * 3600
IDLE_SECONDS = 2 * 3600
SEEN_SECONDS = 60
PER_USER = 20


@dataclass(frozen=True, slots=True)
class Session:
    """One of a user's. Its id names it without being of use to anybody else."""

    id: str
    agent: str
    created_at: datetime
    seen_at: datetime
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class OpenSession:
    """A browser that is logged in, as a request finds it.

    `second_factor`: it has shown one; `demanded`: it has to; `proved_at`: when its person last showed a password
    or a code; `tenant_language`: in which their tenant is written to, None for an operator.
    """

    user: User
    id: str
    second_factor: bool
    demanded: bool
    proved_at: datetime
    tenant_language: str | None


def _hash(token: str) -> bytes:
    return hashlib.sha256(token.encode("utf-8", "replace")).digest()


def begin(pool: Pool, user: User, agent: str, *, second_factor: bool = False) -> str | None:
    """Log in; answers with the token for the cookie. The user's oldest sessions beyond PER_USER end.

    None when the account has changed since `user` was read: what was shown may have been worth nothing since.
    """
    token = secrets.token_urlsafe(32)
    with pool.transaction() as cursor:
        # Holds the row: whoever changes the account from here on finds this session, and ends it with the others.
        cursor.execute(
            "UPDATE users SET last_login_at = now() WHERE id = %s AND status = 'active' AND updated_at = %s",
            (UUID(user.id), user.updated_at),
        )
        if not cursor.rowcount:
            return None
        cursor.execute(
            """INSERT INTO sessions (token_hash, user_id, agent, second_factor, expires_at)
               VALUES (%s, %s, %s, %s, now() + make_interval(secs => %s))""",
            (_hash(token), UUID(user.id), agent[:200], second_factor, LONGEST_SECONDS),
        )
        # Two statements: each has an index of its own, both in one would have none.
        cursor.execute("DELETE FROM sessions WHERE expires_at < now()")
        cursor.execute(
            """DELETE FROM sessions WHERE user_id = %s AND token_hash IN (
                 SELECT token_hash FROM sessions WHERE user_id = %s ORDER BY created_at DESC OFFSET %s)""",
            (UUID(user.id), UUID(user.id), PER_USER),
        )
        audit.record(cursor, Author(user.email), "session.begun", tenant_id=user.tenant_id, subject=user.id)
    return token


def held(pool: Pool, token: str, *, seen: bool = True) -> OpenSession | None:
    """A session that is neither over nor idle for too long, of somebody who may still log in.

    `seen`: a person is at work, so that idleness begins anew.
    """
    with pool.autocommit() as cursor:
        cursor.execute(
            f"""SELECT {", ".join("u." + column for column in users.COLUMNS.split(", "))},
                       s.id::text, s.second_factor, coalesce(t.second_factor_demanded, true), s.proved_at,
                       t.language, s.seen_at < now() - make_interval(secs => %s)
                FROM sessions s JOIN users u ON u.id = s.user_id LEFT JOIN tenants t ON t.id = u.tenant_id
                WHERE s.token_hash = %s AND u.status = 'active' AND s.expires_at > now()
                  AND s.seen_at > now() - make_interval(secs => %s)""",
            (SEEN_SECONDS, _hash(token), IDLE_SECONDS),
        )
        row = cursor.fetchone()
        if seen and row is not None and row[-1]:
            cursor.execute("UPDATE sessions SET seen_at = now() WHERE token_hash = %s", (_hash(token),))
    return None if row is None else OpenSession(users.user_of(row[:-6]), *row[-6:-1])


def prove(pool: Pool, session_id: str, at: float | None = None) -> None:
    """The person has just shown again who they are; or did so `at` that time, elsewhere."""
    with pool.autocommit() as cursor:
        cursor.execute(
            "UPDATE sessions SET proved_at = least(now(), coalesce(to_timestamp(%s), now())) WHERE id = %s",
            (at, UUID(session_id)),
        )


def renew(pool: Pool, session_id: str, *, second_factor: bool) -> str:
    """The same session under a new token, since what it may do has changed. A copy of the old one is worth nothing."""
    token = secrets.token_urlsafe(32)
    with pool.autocommit() as cursor:
        cursor.execute(
            "UPDATE sessions SET token_hash = %s, second_factor = %s, proved_at = now() WHERE id = %s",
            (_hash(token), second_factor, UUID(session_id)),
        )
    return token


def listed(pool: Pool, user_id: str) -> list[Session]:
    """The newest first."""
    with pool.autocommit() as cursor:
        cursor.execute(
            """SELECT id::text, agent, created_at, seen_at, expires_at FROM sessions
               WHERE user_id = %s AND expires_at > now() ORDER BY created_at DESC LIMIT %s""",
            (UUID(user_id), PER_USER),
        )
        return [Session(*row) for row in cursor.fetchall()]


def end(pool: Pool, token: str) -> None:
    with pool.autocommit() as cursor:
        cursor.execute("DELETE FROM sessions WHERE token_hash = %s", (_hash(token),))


def end_one(pool: Pool, by: Author, user: User, session_id: str) -> bool:
    """One browser of this user is logged out. False when there was none."""
    with pool.transaction() as cursor:
        cursor.execute("DELETE FROM sessions WHERE user_id = %s AND id = %s", (UUID(user.id), UUID(session_id)))
        found = bool(cursor.rowcount)
        if found:
            audit.record(cursor, by, "session.ended", tenant_id=user.tenant_id, subject=user.id)
    return found


def end_all(pool: Pool, by: Author, user: User) -> int:
    """Every browser of this user is logged out. Returns how many there were."""
    with pool.transaction() as cursor:
        cursor.execute("DELETE FROM sessions WHERE user_id = %s", (UUID(user.id),))
        count: int = cursor.rowcount
        audit.record(cursor, by, "session.ended_all", tenant_id=user.tenant_id, subject=user.id)
    return count
