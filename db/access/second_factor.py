"""The second factor of a log-in: codes of an authenticator app (TOTP), each good for once, and recovery codes."""

from __future__ import annotations

import base64
import hashlib
import secrets
from datetime import UTC, datetime
from uuid import UUID

import pyotp
import structlog

from db import audit
from db.access import user_news
from db.access.users import User
from db.audit import Author
from db.cursor import Cursor
from db.pool import Pool
from db.resealing import reseal_column
from db.sealing import Cipher, SealError
from db.tenants.changes import TakenError

log = structlog.get_logger(__name__)
ISSUER = "Relay"
DRIFT = 1
"""Codes of so many half minutes before and after this one are taken: clocks differ, and typing takes its time."""
RECOVERY_CODES = 10


def new_secret() -> str:
    """160 bits, in base32 as apps take them."""
    return pyotp.random_base32()


def app_url(secret: str, email: str) -> str:
    """What a QR code shows to an authenticator app."""
    return pyotp.TOTP(secret).provisioning_uri(name=email, issuer_name=ISSUER)


def step_of(secret: str, code: str) -> int | None:
    """The half minute, counted from 1970, whose code this is; None when it is none that may be used now."""
    app = pyotp.TOTP(secret)
    now = app.timecode(datetime.now(UTC))
    # All are compared, so that the time it takes tells nothing.
    right = [
        step for step in range(now - DRIFT, now + DRIFT + 1) if pyotp.utils.strings_equal(app.generate_otp(step), code)
    ]
    return right[-1] if right else None


def set_up(
    pool: Pool,
    cipher: Cipher,
    by: Author,
    user: User,
    secret: str,
    step: int,
    session_id: str,
    *,
    by_choice: bool = True,
) -> list[str]:
    """From now on the user's log-in takes a code. Answers with the recovery codes, to be told once.

    `step`: the half minute of the code that has proved the app. Every browser but `session_id` is logged out.
    Where it was demanded, and not `by_choice`, it is no news.
    """
    codes, hashes = _recovery_codes()
    with pool.transaction() as cursor:
        cursor.execute(
            """UPDATE users SET second_factor_at = now(), totp_sealed = %s, totp_step = %s, recovery_hashes = %s,
                 failures = 0, locked_until = NULL, updated_at = now() WHERE id = %s""",
            (cipher.seal({"secret": secret}), step, hashes, UUID(user.id)),
        )
        cursor.execute("DELETE FROM sessions WHERE user_id = %s AND id <> %s", (UUID(user.id), UUID(session_id)))
        audit.record(cursor, by, "user.second_factor", tenant_id=user.tenant_id, subject=user.id)
        if by_choice:
            user_news.tell(cursor, user.id, "second_factor", by)
    return codes


def accept(pool: Pool, cipher: Cipher, user: User, given: str) -> bool:
    """Whether it is a code of the app, or a recovery code, that was not used before. Afterwards it is used.

    Raises TakenError when no key opens the secret. The caller counts guesses.
    """
    code = plain(given)
    if code.isascii() and code.isdigit():
        return _take_code(pool, cipher, user, code)
    return _take_recovery_code(pool, user, code)


def plain(given: str) -> str:
    """A code without the spaces and dashes that people copy along."""
    return "".join(given.replace("-", "").split()).lower()


def renew_recovery_codes(pool: Pool, by: Author, user: User) -> list[str]:
    """New ones, to be told once; the former ones are worth nothing any more."""
    codes, hashes = _recovery_codes()
    with pool.transaction() as cursor:
        cursor.execute("UPDATE users SET recovery_hashes = %s WHERE id = %s", (hashes, UUID(user.id)))
        audit.record(cursor, by, "user.recovery_codes", tenant_id=user.tenant_id, subject=user.id)
        user_news.tell(cursor, user.id, "recovery_codes", by)
    return codes


def recovery_codes_left(pool: Pool, user_id: str) -> int:
    with pool.autocommit() as cursor:
        cursor.execute("SELECT cardinality(recovery_hashes) FROM users WHERE id = %s", (UUID(user_id),))
        row = cursor.fetchone()
    return int(row[0]) if row else 0


def remove(pool: Pool, by: Author, user: User, session_id: str | None = None) -> None:
    """The password is enough again. Every browser but `session_id` is logged out."""
    with pool.transaction() as cursor:
        cursor.execute(
            """UPDATE users SET second_factor_at = NULL, totp_sealed = NULL, totp_step = 0, recovery_hashes = '{}',
                 failures = 0, locked_until = NULL, updated_at = now() WHERE id = %s""",
            (UUID(user.id),),
        )
        cursor.execute(
            "DELETE FROM sessions WHERE user_id = %s AND id IS DISTINCT FROM %s::uuid", (UUID(user.id), session_id)
        )
        audit.record(cursor, by, "user.second_factor_removed", tenant_id=user.tenant_id, subject=user.id)
        user_news.tell(cursor, user.id, "second_factor_removed", by)


def reseal(pool: Pool, cipher: Cipher) -> int:
    """Bring all secrets under the newest key. Returns how many; what no key opens any more stays as it is."""

    def lost(row: str) -> None:
        log.warning("a second factor cannot be opened any more: reset it", user=row)

    return reseal_column(pool, cipher, "users", lost, column="totp_sealed")


def _recovery_codes() -> tuple[list[str], list[bytes]]:
    """120 bits each, so that a plain hash keeps them."""
    made = [base64.b32encode(secrets.token_bytes(15)).decode().lower() for _ in range(RECOVERY_CODES)]
    return ["-".join(code[n : n + 4] for n in range(0, 24, 4)) for code in made], [_hash(code) for code in made]


def _hash(code: str) -> bytes:
    return hashlib.sha256(code.encode("utf-8", "replace")).digest()


def _take_code(pool: Pool, cipher: Cipher, user: User, code: str) -> bool:
    with pool.autocommit() as cursor:
        cursor.execute("SELECT totp_sealed FROM users WHERE id = %s", (UUID(user.id),))
        row = cursor.fetchone()
        step = None if row is None or row[0] is None else step_of(_opened(cipher, row[0]), code)
        if step is None:
            return False
        # Of two who show the same code at once only one moves the step on.
        cursor.execute("UPDATE users SET totp_step = %s WHERE id = %s AND totp_step < %s", (step, UUID(user.id), step))
        return bool(cursor.rowcount)


def _take_recovery_code(pool: Pool, user: User, code: str) -> bool:
    with pool.transaction() as cursor:
        left = _spent(cursor, user, _hash(code))
        if left is None:
            return False
        by = Author(user.email)
        detail = {"left": left}
        audit.record(cursor, by, "user.recovery_code", tenant_id=user.tenant_id, subject=user.id, detail=detail)
        user_news.tell(cursor, user.id, "recovery_code", by)
    return True


def _spent(cursor: Cursor, user: User, digest: bytes) -> int | None:
    """How many are left when this one was among them."""
    cursor.execute(
        """UPDATE users SET recovery_hashes = array_remove(recovery_hashes, %s)
           WHERE id = %s AND %s = ANY(recovery_hashes) RETURNING cardinality(recovery_hashes)""",
        (digest, UUID(user.id), digest),
    )
    row = cursor.fetchone()
    return int(row[0]) if row else None


def _opened(cipher: Cipher, sealed: str) -> str:
    try:
        return str(cipher.open(sealed)["secret"])
    except SealError:
        text = "your second factor cannot be opened: a key is missing from CREDENTIALS_KEYS; tell the operator"
        raise TakenError("second_factor_sealed", text) from None
