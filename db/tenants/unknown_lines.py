"""unknown_lines: what was rightly signed and is no active line's, or could not be read. Operators only.

Whatever waits here keeps who proved it. It is counted per signer, by the tenant whose secret it was: too much of one
signer's drops the oldest of that signer, never somebody else's.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import orjson
from psycopg2 import Binary
from psycopg2.extras import execute_values

from db.cursor import Cursor
from db.pool import Pool

OPERATOR = ""
"""The owner of what the operator's app signed, and of what earlier versions kept."""
DAYS = 30
DROPPED_AT_ONCE = 2_000


@dataclass(frozen=True, slots=True)
class SignerQuota:
    items: int
    bytes: int


OF_TENANT = SignerQuota(2_000, 16 * 1024 * 1024)
OF_OPERATOR = SignerQuota(50_000, 256 * 1024 * 1024)
"""The operator's app signs for every number that nobody owns yet."""
TOTAL_BYTES = 1024 * 1024 * 1024
"""Of all signers together. Beyond it the largest gives way."""


@dataclass(frozen=True, slots=True)
class Signer:
    """Who proved it: the digest of the secret (`db.tenants.signers`), and whose it is; no tenant: the operator's."""

    digest: str
    tenant_id: str | None

    @property
    def owner(self) -> str:
        return self.tenant_id or OPERATOR


@dataclass(frozen=True, slots=True)
class UnknownNumber:
    """One provider's id that nobody owns yet, or "", and how much of one signer's waits for it.

    `signer` is "" where it was kept before signers were noted. `tenant` is the name of `tenant_id`.
    """

    channel: str
    line_ref: str
    signer: str
    tenant_id: str | None
    tenant: str | None
    waiting: int
    first_at: datetime
    last_at: datetime
    reason: str


@dataclass(frozen=True, slots=True)
class KeptUpdate:
    """One item of a webhook, unchanged; or a body that was kept whole, then `whole` is true."""

    id: int
    address: str
    idx: int
    payload: dict[str, Any] = field(repr=False)
    arrived_at: datetime
    signer: str
    tenant_id: str | None
    tenant: str | None
    whole: bool


UnknownUpdate = tuple[str, str, int, Mapping[str, Any]]
"""line_ref, address, index, payload."""


def keep(
    pool: Pool,
    channel: str,
    signer: Signer,
    items: Sequence[UnknownUpdate],
    arrived_at: datetime,
    reason: str,
    raw: bytes | None = None,
) -> None:
    """`raw`: the whole body, deflated, with the one item that stands for it. What is too old or too much goes."""
    rows = [
        (channel, ref, address, idx, text, arrived_at, reason, signer.digest, signer.owner,
         len(text) + len(raw or b""), Binary(raw) if raw is not None else None)
        for ref, address, idx, text in ((ref, address, idx, _text(payload)) for ref, address, idx, payload in items)
    ]  # fmt: skip
    with pool.transaction() as cursor:
        held = _counted(cursor, signer.owner, len(rows), sum(row[9] for row in rows))
        execute_values(
            cursor,
            """INSERT INTO unknown_lines
               (channel, line_ref, address, idx, payload, arrived_at, reason, signer, owner, size, raw) VALUES %s""",
            rows,
            template="(%s, %s, %s, %s, %s::jsonb, %s, %s, %s, %s, %s, %s)",
        )
        _fit(cursor, signer.owner, held, OF_TENANT if signer.tenant_id else OF_OPERATOR)
    _shrink(pool)


def listed(pool: Pool, limit: int = 100) -> list[UnknownNumber]:
    """The most recent first. Each owner's newest go before anybody's second: nobody fills the list for the others."""
    with pool.autocommit() as cursor:
        cursor.execute(
            """SELECT channel, line_ref, signer, tenant_id, t.name, waiting, first_at, last_at, reason FROM (
                 SELECT channel, line_ref, signer, nullif(owner, '') AS tenant_id, count(*) AS waiting,
                        min(arrived_at) AS first_at, max(arrived_at) AS last_at,
                        (array_agg(reason ORDER BY id DESC))[1] AS reason,
                        row_number() OVER (PARTITION BY owner ORDER BY max(arrived_at) DESC) AS place
                 FROM unknown_lines GROUP BY channel, line_ref, signer, owner
                 ORDER BY place, last_at DESC LIMIT %s) u
               LEFT JOIN tenants t ON t.id = u.tenant_id::uuid ORDER BY last_at DESC""",
            (limit,),
        )
        return [UnknownNumber(*row) for row in cursor.fetchall()]


def waiting(
    pool: Pool, channel: str, line_ref: str, limit: int, *, signers: Sequence[str] | None = None
) -> list[KeptUpdate]:
    """In the order of arrival. `signers`: only what one of these digests proves."""
    with pool.autocommit() as cursor:
        cursor.execute(
            """SELECT u.id, u.address, u.idx, u.payload, u.arrived_at, u.signer, nullif(u.owner, ''), t.name,
                      u.raw IS NOT NULL
               FROM unknown_lines u LEFT JOIN tenants t ON t.id = nullif(u.owner, '')::uuid
               WHERE u.channel = %s AND u.line_ref = %s AND (%s::text[] IS NULL OR u.signer = ANY(%s::text[]))
               ORDER BY u.id LIMIT %s""",
            (channel, line_ref, *([None if signers is None else list(signers)] * 2), limit),
        )
        return [KeptUpdate(*row) for row in cursor.fetchall()]


def count(pool: Pool, channel: str, line_ref: str, *, signers: Sequence[str] | None = None) -> int:
    """How much waits for this id."""
    with pool.autocommit() as cursor:
        cursor.execute(
            """SELECT count(*) FROM unknown_lines WHERE channel = %s AND line_ref = %s
               AND (%s::text[] IS NULL OR signer = ANY(%s::text[]))""",
            (channel, line_ref, *([None if signers is None else list(signers)] * 2)),
        )
        return int(cursor.fetchone()[0])


def raw_of(pool: Pool, item_id: int) -> bytes | None:
    """A body that was kept whole, deflated."""
    with pool.autocommit() as cursor:
        cursor.execute("SELECT raw FROM unknown_lines WHERE id = %s", (item_id,))
        row = cursor.fetchone()
    return bytes(row[0]) if row is not None and row[0] is not None else None


def drop(cursor: Cursor, channel: str, line_ref: str, signer: str | None = None) -> int:
    """Delete the oldest DROPPED_AT_ONCE of what waits for an id, of one signer or of all. Returns how many."""
    _hold_quotas(cursor)
    return _dropped(
        cursor,
        """SELECT id FROM unknown_lines WHERE channel = %s AND line_ref = %s AND (%s::text IS NULL OR signer = %s)
           ORDER BY id LIMIT %s""",
        (channel, line_ref, signer, signer, DROPPED_AT_ONCE),
    )


def rewrite(cursor: Cursor, update_id: int, payload: Any, raw: bytes | None) -> None:
    """One item as it is kept from now on; `raw`: its whole body, deflated, where there is one."""
    text = _text(payload)
    cursor.execute(
        "UPDATE unknown_lines SET payload = %s::jsonb, raw = %s, size = %s WHERE id = %s",
        (text, Binary(raw) if raw is not None else None, len(text) + len(raw or b""), update_id),
    )


def drop_relayed(cursor: Cursor, ids: Sequence[int]) -> None:
    _hold_quotas(cursor)
    _dropped(cursor, "SELECT unnest(%s::bigint[])", (list(ids),))


def _text(payload: Mapping[str, Any]) -> str:
    return orjson.dumps(dict(payload)).decode()


def _counted(cursor: Cursor, owner: str, items: int, size: int) -> SignerQuota:
    """Add to what this owner holds. Its row stays locked: who keeps for one owner does so in turn."""
    cursor.execute(
        """INSERT INTO unknown_quotas VALUES (%s, %s, %s) ON CONFLICT (owner) DO UPDATE
           SET items = unknown_quotas.items + excluded.items, bytes = unknown_quotas.bytes + excluded.bytes
           RETURNING items, bytes""",
        (owner, items, size),
    )
    return SignerQuota(*map(int, cursor.fetchone()))


def _fit(cursor: Cursor, owner: str, held: SignerQuota, most: SignerQuota) -> None:
    """The oldest of this owner go until the rest is within its quota."""
    while held.items > most.items or held.bytes > most.bytes:
        _dropped(
            cursor,
            """SELECT id FROM (SELECT id, row_number() OVER (ORDER BY id) AS n,
                                      sum(size) OVER (ORDER BY id) - size AS before
                               FROM (SELECT id, size FROM unknown_lines WHERE owner = %s ORDER BY id LIMIT %s) oldest) o
               WHERE n <= %s OR before < %s""",
            (owner, DROPPED_AT_ONCE, held.items - most.items, held.bytes - most.bytes),
        )
        cursor.execute("SELECT items, bytes FROM unknown_quotas WHERE owner = %s", (owner,))
        held = SignerQuota(*map(int, cursor.fetchone()))


def _shrink(pool: Pool) -> None:
    """What is older than DAYS goes, and the oldest of the largest owner while all together hold too much."""
    with pool.autocommit() as cursor:
        cursor.execute(
            """SELECT (SELECT arrived_at FROM unknown_lines ORDER BY id LIMIT 1) < now() - make_interval(days => %s),
                      (SELECT sum(bytes) FROM unknown_quotas) > %s""",
            (DAYS, TOTAL_BYTES),
        )
        too_old, too_much = cursor.fetchone()
    if not (too_old or too_much):
        return
    with pool.transaction() as cursor:
        _hold_quotas(cursor)
        _dropped(
            cursor,
            """SELECT id FROM (SELECT id, arrived_at FROM unknown_lines ORDER BY id LIMIT %s) oldest
               WHERE arrived_at < now() - make_interval(days => %s)""",
            (DROPPED_AT_ONCE, DAYS),
        )
        cursor.execute("SELECT owner, items, bytes, sum(bytes) OVER () FROM unknown_quotas ORDER BY bytes DESC LIMIT 1")
        owner, items, size, total = cursor.fetchone()
        if total > TOTAL_BYTES:
            _fit(cursor, owner, SignerQuota(items, size), SignerQuota(items, int(size - (total - TOTAL_BYTES))))


def _hold_quotas(cursor: Cursor) -> None:
    """Before rows of any owner are deleted, as whoever keeps locks its quota first: so nobody waits in a circle."""
    cursor.execute("SELECT 1 FROM unknown_quotas ORDER BY owner FOR UPDATE")


def _dropped(cursor: Cursor, ids: str, values: Sequence[Any]) -> int:
    """Delete the rows whose ids this query names, and count them out of their owners' quotas."""
    cursor.execute(
        f"""WITH gone AS (DELETE FROM unknown_lines WHERE id IN ({ids}) RETURNING owner, size),
                 counted AS (SELECT owner, count(*) AS items, sum(size) AS bytes FROM gone GROUP BY owner),
                 told AS (UPDATE unknown_quotas q SET items = q.items - c.items, bytes = q.bytes - c.bytes
                          FROM counted c WHERE c.owner = q.owner)
            SELECT coalesce(sum(items), 0) FROM counted""",
        values,
    )
    return int(cursor.fetchone()[0])
