"""Signing secrets that were replaced and still sign: until when, and their end at once.

They sign for a day, so that no webhook is refused while a new secret travels. When one has become known to somebody
else, its tenant ends it without waiting.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from db.audit import Author
from db.cursor import Cursor
from db.pool import Pool
from db.sealing import Cipher
from db.tenants.changes import Changes
from db.tenants.credentials import SIGNING, CredentialsType, lock_tenant

HELD = """SELECT type, NULL::uuid, NULL, sealed FROM tenant_credentials WHERE tenant_id = %(tenant)s
          UNION ALL SELECT 'genesys', id, phone_number_id, sealed_webhook_secret FROM lines
          WHERE tenant_id = %(tenant)s AND sealed_webhook_secret IS NOT NULL ORDER BY 1, 2 NULLS FIRST"""


@dataclass(frozen=True, slots=True)
class FormerSecret:
    """One that still signs. Without a line it is the tenant's own."""

    side: CredentialsType
    line_id: str | None
    phone_number_id: str | None
    until: datetime


@dataclass(frozen=True, slots=True)
class _Place:
    side: CredentialsType
    line_id: str | None
    phone_number_id: str | None
    held: dict[str, Any]

    @property
    def name(self) -> str:
        return f"previous_{SIGNING[self.side]}s"

    def former(self) -> Iterator[FormerSecret]:
        """Without a current secret no former one signs either."""
        for _, until in self.held.get(self.name, []) if self.held.get(SIGNING[self.side]) else []:
            if until > time.time():
                yield FormerSecret(self.side, self.line_id, self.phone_number_id, datetime.fromtimestamp(until, UTC))


def valid(pool: Pool, cipher: Cipher, tenant_id: str) -> list[FormerSecret]:
    """Those that sign now. The secrets themselves are not told."""
    with pool.autocommit() as cursor:
        return [one for place in _places(cursor, cipher, tenant_id) for one in place.former()]


def end(
    changes: Changes, cipher: Cipher, by: Author, tenant_id: str, side: CredentialsType | None = None
) -> list[FormerSecret]:
    """They sign nothing any more, at one side or both, with those of single lines. Answers with what was ended.

    Raises NotFoundError.
    """
    detail: dict[str, Any] = {}  # filled in below, and written at the end of the change
    with changes.of(tenant_id, by, "credentials.former_ended", subject=side or "", detail=detail) as cursor:
        lock_tenant(cursor, tenant_id)
        places = [one for one in _places(cursor, cipher, tenant_id) if side in (None, one.side)]
        ended = [one for place in places for one in place.former()]
        for place in places:
            if place.held.pop(place.name, None) is not None:
                _put(cursor, tenant_id, place, cipher.seal(place.held))
        detail["ended"] = len(ended)
    return ended


def _places(cursor: Cursor, cipher: Cipher, tenant_id: str) -> list[_Place]:
    cursor.execute(HELD, {"tenant": tenant_id})
    rows = cursor.fetchall()
    return [_Place(row[0], None if row[1] is None else str(row[1]), row[2], cipher.open(row[3])) for row in rows]


def _put(cursor: Cursor, tenant_id: str, place: _Place, sealed: str) -> None:
    values: Mapping[str, Any] = {"sealed": sealed, "tenant": tenant_id, "side": place.side, "line": place.line_id}
    if place.line_id is None:
        cursor.execute(
            "UPDATE tenant_credentials SET sealed = %(sealed)s WHERE tenant_id = %(tenant)s AND type = %(side)s", values
        )
    else:
        cursor.execute("UPDATE lines SET sealed_webhook_secret = %(sealed)s WHERE id = %(line)s", values)
