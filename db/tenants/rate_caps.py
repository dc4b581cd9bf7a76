"""What a provider takes of a line at most, whatever else is set: asked for by the daemons, once a day.

It stands among the line's settings (`rate_cap`, messages to WhatsApp a second), where whoever paces a line looks.
"""

from __future__ import annotations

from dataclasses import dataclass

from db.audit import Author
from db.pool import Pool
from db.tenants.changes import Changes

RELAY = Author("relay")
AT_ONCE = 4
FRESH_HOURS = 24
AGAIN_MINUTES = 30
"""After the provider gave no answer."""


@dataclass(frozen=True, slots=True)
class AskedLine:
    """A live line, and the cap that is known of it."""

    line_id: str
    tenant_id: str
    cap: int | None


def take_due(pool: Pool) -> list[AskedLine]:
    """Up to AT_ONCE lines of which nothing fresh is known, for this daemon alone."""
    with pool.transaction() as cursor:
        cursor.execute(
            """UPDATE lines SET number_asked_at = now() WHERE id = ANY(ARRAY(
                 SELECT id FROM lines WHERE status = 'active'
                   AND number_asked_at < now() - make_interval(hours => %s)
                 ORDER BY number_asked_at LIMIT %s FOR UPDATE SKIP LOCKED))
               RETURNING id::text, tenant_id::text, (settings->>'rate_cap')::int""",
            (FRESH_HOURS, AT_ONCE),
        )
        return [AskedLine(*row) for row in cursor.fetchall()]


def put(changes: Changes, line: AskedLine, cap: int | None) -> None:
    """What the provider said. Whoever paces the line hears of it."""
    detail = {"per_second": cap}
    with changes.of(line.tenant_id, RELAY, "line.rate_capped", subject=line.line_id, detail=detail) as cursor:
        cursor.execute(
            """UPDATE lines SET settings = CASE WHEN %(cap)s::int IS NULL THEN settings - 'rate_cap'
                                                ELSE settings || jsonb_build_object('rate_cap', %(cap)s::int) END
               WHERE id = %(line)s::uuid AND tenant_id = %(tenant)s::uuid""",
            {"cap": cap, "line": line.line_id, "tenant": line.tenant_id},
        )


def ask_again(pool: Pool, line: AskedLine) -> None:
    """There was no answer: the cap stays as it is, and the line is asked about sooner."""
    with pool.transaction() as cursor:
        cursor.execute(
            """UPDATE lines SET number_asked_at = now() - make_interval(hours => %s) + make_interval(mins => %s)
               WHERE id = %s::uuid""",
            (FRESH_HOURS, AGAIN_MINUTES, line.line_id),
        )
