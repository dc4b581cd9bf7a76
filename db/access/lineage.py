"""Who made a key, and what hangs on whom: a key holds while all keys above it and the person or key at the top do.

PostgreSQL's `key_holds` decides that at every use. What is known to end is marked as revoked besides, in the
transaction that ends it, so that lists and the audit log say so.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache
from typing import Literal
from uuid import UUID

from db.cursor import Cursor

DEEPEST = 8
"""So many keys may stand above one; each use walks all of them."""
NO_ROOT = b""

TREE = """WITH RECURSIVE tree AS (
    SELECT id FROM api_keys WHERE {column} = %(top)s
    UNION SELECT k.id FROM tree t JOIN api_keys k ON k.maker_key = t.id)"""


@dataclass(frozen=True, slots=True)
class Maker:
    """What a new key hangs on. `generation` and `until` are the new key's: how deep, and when it ends at the latest."""

    kind: Literal["installation", "admin-key", "user", "key"] = "installation"
    id: str | None = None
    rights_version: int | None = None
    digest: bytes | None = field(default=None, repr=False)
    generation: int = 0
    until: datetime | None = None


@lru_cache(maxsize=4)
def root_digest(admin_key: str) -> bytes:
    """Of ADMIN_API_KEY, as its keys remember it. Slow on purpose: the key may be short, and a dump be stolen."""
    return hashlib.scrypt(admin_key.encode("utf-8", "replace"), salt=b"relay ADMIN_API_KEY", n=2**14, r=8, p=1)


def end_below_key(cursor: Cursor, key_id: str) -> list[str]:
    """Revokes all that was made with this key, and with what was. Answers with their ids."""
    return _end(cursor, "maker_key", key_id)


def end_of_user(cursor: Cursor, user_id: str) -> list[str]:
    """Revokes all keys that this person made, and those made with them. Answers with their ids."""
    return _end(cursor, "maker_user", user_id)


def _end(cursor: Cursor, column: str, top: str) -> list[str]:
    """Again until nothing is left: a key may be made while its maker is being revoked."""
    ended: list[str] = []
    while True:
        cursor.execute(
            f"""{TREE.format(column=column)} UPDATE api_keys SET revoked_at = now()
                WHERE id IN (SELECT id FROM tree) AND revoked_at IS NULL RETURNING id""",
            {"top": UUID(top)},
        )
        found = [str(row[0]) for row in cursor.fetchall()]
        if not found:
            return ended
        ended += found


def person_above(cursor: Cursor, key_id: str) -> str | None:
    """Who made the key, or the first of the keys that it was made with; None where that was no person."""
    cursor.execute(
        """WITH RECURSIVE above AS (
             SELECT maker_key, maker_user FROM api_keys WHERE id = %s
             UNION ALL SELECT k.maker_key, k.maker_user FROM above a JOIN api_keys k ON k.id = a.maker_key)
           SELECT maker_user FROM above WHERE maker_user IS NOT NULL""",
        (UUID(key_id),),
    )
    row = cursor.fetchone()
    return str(row[0]) if row else None


def keep(cursor: Cursor, admin_key: str) -> int:
    """Keys made with a former ADMIN_API_KEY hang on this one from now on. Returns how many."""
    digest = root_digest(admin_key)
    cursor.execute(
        """UPDATE api_keys SET maker_digest = %s WHERE maker = 'admin-key' AND revoked_at IS NULL
           AND maker_digest IS DISTINCT FROM %s""",
        (digest, digest),
    )
    return int(cursor.rowcount)


def mark(cursor: Cursor, admin_key: str) -> None:
    """Keys of before this was kept hang on the ADMIN_API_KEY of now."""
    cursor.execute(
        "UPDATE api_keys SET maker_digest = %s WHERE maker = 'admin-key' AND maker_digest IS NULL",
        (root_digest(admin_key),),
    )
