"""The one way a tenant's settings, credentials and lines are changed.

In one transaction: the change, its line in audit_log, and a NOTIFY that tells the daemons. After
the commit: every cached look-up that the change may have touched is forgotten, "unknown" included.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from db import audit
from db.audit import Author
from db.cursor import Cursor
from db.pool import Pool

CHANNEL = "relay_tenants"
"""What to LISTEN to; the payload is the tenant's id."""

Ref = tuple[str, str]
"""(kind, value): whatsapp, genesys, line-key, tenant-key, tenant or tenant-number, as in relay.stores.keys.route."""
NUMBER = "regexp_replace(substring(l.settings->>'name' FROM '[^,]*$'), '[^0-9]', '', 'g')"
"""The digits of a line's number: what WhatsApp calls it ends with them."""


class NotFoundError(LookupError):
    """What was to be changed is not there, or belongs to somebody else. The text is for people."""


class TakenError(ValueError):
    """Somebody else holds it already. `code` is a short word, the text is for people."""

    def __init__(self, code: str, text: str) -> None:
        super().__init__(text)
        self.code = code


class Changes:
    """`forget` drops look-ups from the shared cache; it must not raise."""

    def __init__(self, pool: Pool, forget: Callable[[Iterable[Ref]], None]) -> None:
        self.pool = pool
        self.forget = forget

    @contextmanager
    def of(
        self, tenant_id: str, by: Author, action: str, *, subject: str = "", detail: Mapping[str, Any] | None = None
    ) -> Iterator[Any]:
        """A cursor for one change of one tenant."""
        refs: set[Ref] = set()
        with self.pool.transaction() as cursor:
            refs |= _refs(cursor, tenant_id)
            yield cursor
            refs |= _refs(cursor, tenant_id)
            audit.record(cursor, by, action, tenant_id=tenant_id, subject=subject, detail=detail)
            cursor.execute("SELECT pg_notify(%s, %s)", (CHANNEL, tenant_id))
        self.forget(sorted(refs))


def _refs(cursor: Cursor, tenant_id: str) -> set[Ref]:
    """All by which a webhook may ask for this tenant's lines."""
    cursor.execute(
        f"""SELECT 'tenant-key', webhook_key FROM tenants WHERE id = %(id)s
           UNION ALL SELECT 'whatsapp', phone_number_id FROM lines WHERE tenant_id = %(id)s
           UNION ALL SELECT 'genesys', integration_id FROM lines WHERE tenant_id = %(id)s
           UNION ALL SELECT 'line-key', webhook_key FROM lines WHERE tenant_id = %(id)s
           UNION ALL SELECT 'tenant', %(id)s::text
           UNION ALL SELECT 'tenant-number', %(id)s || '/' || {NUMBER} FROM lines l
                     WHERE tenant_id = %(id)s AND settings ? 'name'""",
        {"id": tenant_id},
    )
    return {(kind, value) for kind, value in cursor.fetchall()}
