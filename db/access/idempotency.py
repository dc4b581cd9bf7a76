"""idempotency_keys: what a request was answered, so that its repeat gets the same answer and does nothing.

Answers are sealed: one may hold a new key or password.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from db.cursor import Cursor
from db.pool import Pool
from db.sealing import Cipher, SealError

KEPT_SECONDS = 24 * 3600
UNFINISHED_SECONDS = 120
"""So long a request may take; one without an answer after that has died with its process."""
SWEPT = 50


@dataclass(frozen=True, slots=True)
class EarlierRequest:
    """A request with this key came before. `answer` is None while it runs, or when no key opens it any more."""

    same: bool
    finished: bool
    answer: dict[str, Any] | None = field(repr=False)


def begin(pool: Pool, cipher: Cipher, owner: str, key: str, fingerprint: bytes) -> EarlierRequest | datetime:
    """When it began: the key is yours, do it and `finish`. What is old, or was left unfinished, is begun anew."""
    with pool.transaction() as cursor:
        _sweep(cursor)
        cursor.execute(
            """INSERT INTO idempotency_keys AS k (owner, key, fingerprint) VALUES (%(owner)s, %(key)s, %(print)s)
               ON CONFLICT (owner, key) DO UPDATE
               SET fingerprint = excluded.fingerprint, status = NULL, sealed = NULL, created_at = now()
               WHERE k.created_at < now() - make_interval(secs => %(kept)s)
                  OR k.status IS NULL AND k.created_at < now() - make_interval(secs => %(unfinished)s)
               RETURNING created_at""",
            {
                "owner": owner,
                "key": key,
                "print": fingerprint,
                "kept": KEPT_SECONDS,
                "unfinished": UNFINISHED_SECONDS,
            },
        )
        mine = cursor.fetchone()
        if mine is not None:
            begun: datetime = mine[0]
            return begun
        cursor.execute(
            "SELECT fingerprint, status, sealed FROM idempotency_keys WHERE owner = %s AND key = %s", (owner, key)
        )
        row = cursor.fetchone()
    if row is None:  # given up between the two statements: whoever asks again may have it
        return EarlierRequest(True, False, None)
    return EarlierRequest(bytes(row[0]) == fingerprint, row[1] is not None, _opened(cipher, row[2]))


def finish(
    pool: Pool, cipher: Cipher, owner: str, key: str, begun: datetime, status: int, answer: dict[str, Any]
) -> None:
    """Keep the answer for a day, unless this took so long that another request has taken the key over."""
    with pool.autocommit() as cursor:
        cursor.execute(
            "UPDATE idempotency_keys SET status = %s, sealed = %s WHERE owner = %s AND key = %s AND created_at = %s",
            (status, cipher.seal(answer), owner, key, begun),
        )


def give_up(pool: Pool, owner: str, key: str, begun: datetime) -> None:
    """Nothing was done: the key may be used again. One that another request has taken over stays."""
    with pool.autocommit() as cursor:
        cursor.execute(
            "DELETE FROM idempotency_keys WHERE owner = %s AND key = %s AND status IS NULL AND created_at = %s",
            (owner, key, begun),
        )


def reseal(pool: Pool, cipher: Cipher) -> int:
    """Bring the answers under the newest key. Returns how many."""
    with pool.transaction() as cursor:
        cursor.execute("SELECT owner, key, sealed FROM idempotency_keys WHERE sealed IS NOT NULL FOR UPDATE")
        rows = cursor.fetchall()
        for owner, key, sealed in rows:
            cursor.execute(
                "UPDATE idempotency_keys SET sealed = %s WHERE owner = %s AND key = %s",
                (_resealed(cipher, sealed), owner, key),
            )
    return len(rows)


def _resealed(cipher: Cipher, sealed: str) -> str | None:
    """What no key opens any more must not stop a rotation: it ends within the day."""
    try:
        return cipher.reseal(sealed)
    except SealError:
        return None


def _opened(cipher: Cipher, sealed: str | None) -> dict[str, Any] | None:
    try:
        return cipher.open(sealed) if sealed is not None else None
    except SealError:
        return None


def _sweep(cursor: Cursor) -> None:
    """A few old ones each time, so that there is never much to do at once."""
    cursor.execute(
        """DELETE FROM idempotency_keys WHERE ctid = ANY(ARRAY(
             SELECT ctid FROM idempotency_keys WHERE created_at < now() - make_interval(secs => %s)
             ORDER BY created_at LIMIT %s FOR UPDATE SKIP LOCKED))""",
        (KEPT_SECONDS, SWEPT),
    )
