"""What is deleted of a tenant in PostgreSQL, a bounded number of rows at a time."""

from __future__ import annotations

from uuid import UUID

from db.access import audit_chain
from db.pool import Pool
from db.tenants.belongings import BELONGINGS, LAST, WITH_CONTACTS

ROWS = 500
CONTACTS = 50
TABLES = tuple(one for one in BELONGINGS if one.table not in WITH_CONTACTS and one.table not in LAST)


def contacts(pool: Pool, tenant_id: str) -> list[str]:
    """The next conversations."""
    with pool.autocommit() as cursor:
        cursor.execute(
            """SELECT c.id::text FROM lines l CROSS JOIN LATERAL (
                 SELECT id FROM conversation_mappings m WHERE m.line_id = l.id LIMIT %(most)s) c
               WHERE l.tenant_id = %(tenant)s LIMIT %(most)s""",
            {"tenant": UUID(tenant_id), "most": CONTACTS},
        )
        return [row[0] for row in cursor.fetchall()]


def rows(pool: Pool, tenant_id: str, place: int) -> tuple[dict[str, int], int | None]:
    """Of the table at `place` in TABLES. Counts by table, and which one is next; None: all are empty of it."""
    one = TABLES[place]
    with pool.transaction() as cursor:
        cursor.execute(
            f"DELETE FROM {one.table} WHERE ctid = ANY(ARRAY("
            f"SELECT ctid FROM {one.table} WHERE {one.whose} LIMIT {ROWS}))",
            {"tenant": UUID(tenant_id)},
        )
        count = int(cursor.rowcount)
    if count < ROWS:
        place += 1
    return {one.table: count}, place if place < len(TABLES) else None


def people(pool: Pool, tenant_id: str) -> dict[str, int]:
    """Users and keys name each other as makers: in one statement. They are bounded (`db.tenants.bounds`)."""
    tenant = {"tenant": UUID(tenant_id)}
    with pool.transaction() as cursor:
        cursor.execute(
            """WITH k AS (DELETE FROM api_keys WHERE tenant_id = %(tenant)s RETURNING 1),
                    u AS (DELETE FROM users WHERE tenant_id = %(tenant)s RETURNING 1)
               SELECT (SELECT count(*) FROM k), (SELECT count(*) FROM u)""",
            tenant,
        )
        keys, users = cursor.fetchone()
        cursor.execute("DELETE FROM tenants WHERE id = %(tenant)s", tenant)
        return {"api_keys": int(keys), "users": int(users), "tenants": int(cursor.rowcount)}


def audit_lines(pool: Pool, tenant_id: str, after: int) -> tuple[int, int | None]:
    """Take the words out of the tenant's next lines; their digests stay, since the chain leads through them.

    How many, and the last id that was looked at; None: there are no more.
    """
    audit_chain.seal(pool)
    return audit_chain.forget(pool, tenant_id, after)
