"""api_keys: what programs ask with. The key itself is shown once; here is only its hash."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from db import audit
from db.access import line_rights, lineage, user_news
from db.access.line_rights import LineIds
from db.access.lineage import NO_ROOT, TREE
from db.audit import Author
from db.cursor import Cursor
from db.mailbox.messages import new_id
from db.pool import Pool
from db.tenants import bounds
from db.tenants.changes import NotFoundError

PREFIX = "wgr_"
SEEN_SECONDS = 60
COLUMNS = (
    "id, tenant_id, name, hint, scopes, created_by, created_at, expires_at, last_used_at, revoked_at, "
    "maker, maker_key, generation, line_ids"
)
SHOWN_BELOW = 200


@dataclass(frozen=True, slots=True)
class ApiKey:
    """Without a tenant it is an operator's. `hint` is the key's beginning, to tell keys apart.

    `maker` is one of db.access.lineage's kinds; `holds`: neither it nor anything that it hangs on has ended;
    `line_ids`: it is for these lines only, None: for all, and for what is the tenant's as a whole.
    """

    id: str
    tenant_id: str | None
    name: str
    hint: str
    scopes: list[str]
    created_by: str
    created_at: datetime
    expires_at: datetime | None
    last_used_at: datetime | None
    revoked_at: datetime | None
    maker: str
    maker_key: str | None
    generation: int
    line_ids: tuple[str, ...] | None = None
    holds: bool = True


def _key(row: Sequence[Any], *, holds: bool = True) -> ApiKey:
    """Of COLUMNS, and of what `key_holds` said, where it was asked."""
    values: list[Any] = [str(one) if isinstance(one, UUID) else one for one in row]
    values[13] = line_rights.of_row(values[13])
    return ApiKey(*values, *([] if len(values) > 14 else [holds]))


def _hash(secret: str) -> bytes:
    # 256 bits from the system's generator: nothing that a slow hash would have to protect.
    return hashlib.sha256(secret.encode("utf-8", "replace")).digest()


def create(
    pool: Pool,
    by: Author,
    tenant_id: str | None,
    name: str,
    scopes: Sequence[str],
    expires_at: datetime | None,
    line_ids: LineIds = None,
) -> tuple[ApiKey, str]:
    """The key's row, and the key itself, which nobody can look up again. It hangs on `by.maker`. Raises TakenError for
    one key too many, NotFoundError for a line that is not the tenant's."""
    secret, maker = PREFIX + secrets.token_urlsafe(32), by.maker
    with pool.transaction() as cursor:
        bounds.make_room(cursor, "api_keys", tenant_id)
        chosen = line_rights.checked(cursor, tenant_id, line_ids)
        cursor.execute(
            f"""INSERT INTO api_keys (id, tenant_id, name, secret_hash, hint, scopes, created_by, expires_at,
                  maker, maker_key, maker_user, maker_rights, maker_digest, generation, line_ids)
                VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s::uuid[]) RETURNING {COLUMNS}""",
            (new_id(), tenant_id, name, _hash(secret), secret[:8], sorted(scopes), by.actor, expires_at, maker.kind,
             maker.id if maker.kind == "key" else None, maker.id if maker.kind == "user" else None,
             maker.rights_version, maker.digest, maker.generation, chosen),
        )  # fmt: skip
        key = _key(cursor.fetchone())
        detail = {"name": name, "scopes": key.scopes} | line_rights.told(key.line_ids)
        audit.record(cursor, by, "key.created", tenant_id=tenant_id, subject=key.id, detail=detail)
        _tell(cursor, by, "key_created", key.id, name)
    return key, secret


def by_secret(pool: Pool, secret: str, root: bytes = NO_ROOT) -> ApiKey | None:
    """The key if all that it hangs on holds, and note that it was used (once a minute). Give the unlimited pool.

    `root` is the digest of today's ADMIN_API_KEY.
    """
    if not secret.startswith(PREFIX):
        return None
    with pool.autocommit() as cursor:
        cursor.execute(
            f"""SELECT {COLUMNS}, last_used_at IS NULL OR last_used_at < now() - make_interval(secs => %s)
                FROM api_keys WHERE secret_hash = %s AND key_holds(id, %s)""",
            (SEEN_SECONDS, _hash(secret), root),
        )
        row = cursor.fetchone()
        if row is not None and row[-1]:
            cursor.execute("UPDATE api_keys SET last_used_at = now() WHERE id = %s", (row[0],))
    return None if row is None else _key(row[:-1])


def get(pool: Pool, tenant_id: str | None, key_id: str, root: bytes = NO_ROOT) -> ApiKey | None:
    with pool.autocommit() as cursor:
        cursor.execute(
            f"""SELECT {COLUMNS}, key_holds(id, %s) FROM api_keys
                WHERE id = %s AND tenant_id IS NOT DISTINCT FROM %s::uuid""",
            (root, UUID(key_id), tenant_id),
        )
        row = cursor.fetchone()
    return _key(row) if row else None


def listed(
    pool: Pool, tenant_id: str | None, limit: int = 50, after: str | None = None, root: bytes = NO_ROOT
) -> list[ApiKey]:
    """A tenant's keys, or the operator's own; by age, revoked ones included."""
    with pool.autocommit() as cursor:
        cursor.execute(
            f"""SELECT {COLUMNS}, key_holds(id, %s) FROM api_keys WHERE tenant_id IS NOT DISTINCT FROM %s::uuid
                AND (%s::uuid IS NULL OR id > %s::uuid) ORDER BY id LIMIT %s""",
            (root, tenant_id, after, after, limit),
        )
        return [_key(row) for row in cursor.fetchall()]


def below(pool: Pool, key_id: str) -> list[ApiKey]:
    """What ends with this key: all made with it that is not revoked yet, and with that. The nearest SHOWN_BELOW."""
    return _tree(pool, "maker_key", key_id)


def of_user(pool: Pool, user_id: str) -> list[ApiKey]:
    """What ends with this person, as in `below`."""
    return _tree(pool, "maker_user", user_id)


def _tree(pool: Pool, column: str, top: str) -> list[ApiKey]:
    with pool.autocommit() as cursor:
        cursor.execute(
            f"""{TREE.format(column=column)} SELECT {COLUMNS} FROM api_keys
                WHERE id IN (SELECT id FROM tree) AND revoked_at IS NULL ORDER BY generation, id LIMIT %(limit)s""",
            {"top": UUID(top), "limit": SHOWN_BELOW},
        )
        return _in_order([_key(row) for row in cursor.fetchall()])


def _in_order(keys: list[ApiKey]) -> list[ApiKey]:
    """Each is followed by what was made with it."""
    known, children = {one.id for one in keys}, dict[str, list[ApiKey]]()
    for key in reversed(keys):
        children.setdefault(key.maker_key if key.maker_key in known else "", []).append(key)
    left, ordered = children.get("", []), list[ApiKey]()
    while left:
        ordered.append(left.pop())
        left += children.get(ordered[-1].id, [])
    return ordered


def revoke(pool: Pool, by: Author, tenant_id: str | None, key_id: str) -> tuple[ApiKey, list[ApiKey]]:
    """From now on it admits nobody, nor does anything made with it. Answers with the key and those that ended with it.

    Raises NotFoundError. Revoking again is fine.
    """
    with pool.transaction() as cursor:
        cursor.execute(
            f"""UPDATE api_keys SET revoked_at = coalesce(revoked_at, now())
                WHERE id = %s AND tenant_id IS NOT DISTINCT FROM %s::uuid RETURNING {COLUMNS}""",
            (UUID(key_id), tenant_id),
        )
        row = cursor.fetchone()
        if row is None:
            raise NotFoundError("there is no such key")
        audit.record(cursor, by, "key.revoked", tenant_id=tenant_id, subject=key_id)
        _tell(cursor, by, "key_revoked", key_id, row[2])
        ended = note_ended(cursor, by, lineage.end_below_key(cursor, key_id), f"key {key_id}")
    return _key(row, holds=False), ended


def _tell(cursor: Cursor, by: Author, what: str, key_id: str, name: str) -> None:
    """The person at the top of the key's tree."""
    person = lineage.person_above(cursor, key_id)
    if person is not None:
        user_news.tell(cursor, person, what, by, thing=name)


def note_ended(cursor: Cursor, by: Author, key_ids: Sequence[str], because: str) -> list[ApiKey]:
    """A line in the audit log of each key's own tenant."""
    cursor.execute(
        f"SELECT {COLUMNS} FROM api_keys WHERE id = ANY(%s::uuid[]) ORDER BY generation, id", (list(key_ids),)
    )
    ended = _in_order([_key(row, holds=False) for row in cursor.fetchall()])
    for key in ended:
        detail = {"name": key.name, "because": because}
        audit.record(cursor, by, "key.revoked", tenant_id=key.tenant_id, subject=key.id, detail=detail)
    return ended
