"""A person of a tenant: everything that is one contact, whichever lines they have written to. Read only."""

from __future__ import annotations

from uuid import UUID

from db.pool import Pool

MOST = 1_000
"""Conversations of one person: one per line, and a tenant has no more lines."""


def conversations(pool: Pool, tenant_id: str, conversation_id: str) -> list[str]:
    """The ids of all conversations of the tenant with whom this one is with, the oldest first.

    The same person is who has one of its addresses: number, user id, or an alias, in any conversation of the tenant.
    """
    with pool.transaction() as cursor:
        cursor.execute(
            """WITH own AS (SELECT id FROM lines WHERE tenant_id = %(tenant)s),
                 known AS (
                   SELECT address FROM conversation_mappings c
                   CROSS JOIN LATERAL (VALUES (c.wa_id), (c.bsuid)) named (address)
                   WHERE c.id = %(id)s AND c.tenant_id = %(tenant)s AND address IS NOT NULL
                   UNION SELECT a.alias FROM contact_aliases a JOIN own ON own.id = a.line_id
                   WHERE a.conversation_id = %(id)s)
               SELECT DISTINCT c.id, c.created_at FROM (
                 SELECT m.id, m.created_at FROM own CROSS JOIN known JOIN conversation_mappings m
                   ON m.line_id = own.id AND m.wa_id COLLATE "C" = known.address
                 UNION ALL SELECT m.id, m.created_at FROM own CROSS JOIN known JOIN conversation_mappings m
                   ON m.line_id = own.id AND m.bsuid COLLATE "C" = known.address
                 UNION ALL SELECT m.id, m.created_at FROM own CROSS JOIN known
                   JOIN contact_aliases a ON a.line_id = own.id AND a.alias = known.address
                   JOIN conversation_mappings m ON m.id = a.conversation_id
                 UNION ALL SELECT m.id, m.created_at FROM conversation_mappings m
                   WHERE m.id = %(id)s AND m.tenant_id = %(tenant)s) c
               ORDER BY c.created_at, c.id LIMIT %(most)s""",
            {"tenant": UUID(tenant_id), "id": UUID(conversation_id), "most": MOST},
        )
        return [str(row[0]) for row in cursor.fetchall()]
