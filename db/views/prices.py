"""What was charged in a month, from the counts of `db.mailbox.prices`: those of a tenant, or all tenants' together."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any
from uuid import UUID

from db.pool import Pool
from relay.core.costs import CountedPrice

MOST_TENANTS = 200

# What has not been added up yet lies in a table of a few rows, and counts the same.
_OF_A_TENANT = """
SELECT tenant_id, line_id, month, country, category, type, subtype, sum(total)::bigint
FROM (SELECT * FROM message_prices WHERE tenant_id = %(tenant)s AND month = %(month)s
      UNION ALL SELECT * FROM message_prices_new WHERE tenant_id = %(tenant)s AND month = %(month)s) c
WHERE %(line)s::uuid IS NULL OR line_id = %(line)s::uuid
GROUP BY 1, 2, 3, 4, 5, 6, 7 ORDER BY line_id, category, type, subtype, country"""

_OF_ALL = """
WITH c AS MATERIALIZED (
    SELECT tenant_id, month, country, category, type, subtype, sum(total) AS total
    FROM (SELECT * FROM message_prices WHERE month = %(month)s
          UNION ALL SELECT * FROM message_prices_new WHERE month = %(month)s) u
    GROUP BY 1, 2, 3, 4, 5, 6
), most AS (
    SELECT tenant_id FROM c GROUP BY tenant_id ORDER BY sum(total) DESC, tenant_id LIMIT %(most)s
)
SELECT c.tenant_id, '', c.month, c.country, c.category, c.type, c.subtype, c.total::bigint
FROM c JOIN most USING (tenant_id) ORDER BY c.tenant_id, category, type, subtype, country"""


def of_tenant(pool: Pool, tenant_id: str, month: date, line_id: str | None = None) -> list[CountedPrice]:
    """`month`: its first day, in UTC."""
    given = {"tenant": UUID(tenant_id), "month": month, "line": line_id}
    with pool.transaction() as cursor:
        cursor.execute(_OF_A_TENANT, given)
        return [_counted(row) for row in cursor.fetchall()]


def of_all(pool: Pool, month: date) -> list[CountedPrice]:
    """Without their lines: of the MOST_TENANTS tenants with most messages."""
    with pool.transaction() as cursor:
        cursor.execute(_OF_ALL, {"month": month, "most": MOST_TENANTS})
        return [_counted(row) for row in cursor.fetchall()]


def _counted(row: Sequence[Any]) -> CountedPrice:
    return CountedPrice(str(row[0]), str(row[1]), *row[2:])
