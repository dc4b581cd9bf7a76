"""Conversations whose lines show customers what the agent is called."""

from __future__ import annotations

from collections.abc import Iterable

from db.pool import Pool
from relay.core.conversation.signature import AgentQuestion
from relay.core.genesys_ids import forms


def asked_about(pool: Pool, tenant_id: str, genesys_ids: Iterable[str]) -> dict[str, list[AgentQuestion]]:
    """By Genesys' ids as they are given, this tenant's conversations that go on there and want it."""
    of = {form: one for one in genesys_ids for form in forms(one)}
    if not of:
        return {}
    with pool.autocommit() as cursor:
        cursor.execute(
            """SELECT c.tenant_id::text, c.line_id::text, c.id::text, c.genesys_conversation_id
               FROM genesys_conversations g JOIN conversation_mappings c ON c.id = g.conversation_id
               JOIN lines l ON l.id = c.line_id
               WHERE g.genesys_conversation_id = ANY(%s) AND c.genesys_conversation_id = g.genesys_conversation_id
                 AND c.tenant_id = %s AND l.status = 'active' AND l.settings ? 'agent_name'""",
            (list(of), tenant_id),
        )
        rows = cursor.fetchall()
    found: dict[str, list[AgentQuestion]] = {}
    for row in rows:
        found.setdefault(of[row[3]], []).append(AgentQuestion(*row))
    return found
