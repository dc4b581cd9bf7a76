"""addressees: who is told of conditions, how far they have been told, and what kept them from being told.

A daemon takes an addressee for TAKEN_SECONDS. Killed between telling and noting it, it is told once more.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, time

import structlog

from db import audit
from db.audit import Author
from db.conditions.standing import DIGEST_SECONDS
from db.cursor import Cursor
from db.pool import Pool
from db.resealing import reseal_column
from db.sealing import Cipher
from relay.core.conditions.digest import ConditionChange
from relay.core.conditions.quiet import QuietHours

log = structlog.get_logger(__name__)

TAKEN_SECONDS = 180
GIVEN_UP = "interval '1 day'"
"""What could not be told for so long is not told any more; the page has it."""
AT_ONCE = 500
"""Changes that are told in one message."""
ENROLLED_AT_ONCE = 500
TROUBLE_LENGTH = 300


@dataclass(frozen=True, slots=True)
class DueAddressee:
    """One that this daemon is to tell. `user_id` and `email` of a person; `sealed` of a webhook. `tries` failed.

    `language`: a person's own, else their tenant's; None where nobody has said.
    """

    id: str
    tenant_id: str | None
    kind: str
    user_id: str | None
    email: str | None
    sealed: str | None = field(repr=False)
    active: bool
    quiet: QuietHours | None
    zone: str
    through: int
    tries: int
    language: str | None
    confirmed: bool = False
    """Whoever reads at `email` has said that it is theirs."""
    asked: bool = False
    """They were sent the mail that asks them."""


@dataclass(frozen=True, slots=True)
class MailWishes:
    """What a person wants. `quiet`: None, or from when to when nothing is sent. `asked_at`: whether the address is
    theirs."""

    wanted: bool
    quiet_begin: time | None
    quiet_end: time | None
    zone: str
    trouble: str | None = None
    told_at: datetime | None = None
    confirmed: bool = False
    asked_at: datetime | None = None
    addressee_id: str | None = None


@dataclass(frozen=True, slots=True)
class WebhookStanding:
    """Of a tenant's webhook, or the operator's, without its secret. `host` is where it leads."""

    host: str
    trouble: str | None
    told_at: datetime | None


def enrol(pool: Pool) -> None:
    """Admins and operators are told unless they say no: those who are not in the list yet, from now on."""
    with pool.transaction() as cursor:
        cursor.execute(
            """INSERT INTO addressees (tenant_id, kind, user_id, through)
               SELECT u.tenant_id, 'mail', u.id, (SELECT coalesce(max(id), 0) FROM condition_changes) FROM users u
               WHERE u.role IN ('admin', 'operator') AND u.status = 'active'
                 AND NOT EXISTS (SELECT 1 FROM addressees a WHERE a.user_id = u.id)
               LIMIT %s ON CONFLICT (user_id) DO NOTHING""",
            (ENROLLED_AT_ONCE,),
        )


def take(pool: Pool, kind: str, busy: Sequence[str] = ()) -> DueAddressee | None:
    """One of this kind whose turn it is, for this daemon alone for a while. `busy`: of none of these (`share_of`)."""
    with pool.transaction() as cursor:
        cursor.execute(
            """UPDATE addressees a SET due_at = now() + make_interval(secs => %s), tries = a.tries + 1
               WHERE a.id = (SELECT id FROM addressees WHERE due_at <= now() AND kind = %s
                               AND coalesce(tenant_id::text, '') <> ALL(%s)
                             ORDER BY due_at LIMIT 1 FOR UPDATE SKIP LOCKED)
               RETURNING a.id::text, a.tenant_id::text, a.kind, a.user_id::text,
                 (SELECT email FROM users WHERE id = a.user_id) AS email, a.sealed,
                 a.wanted AND coalesce((SELECT status = 'active' FROM users WHERE id = a.user_id), true) AS active,
                 a.quiet_begin, a.quiet_end, a.zone, a.through, a.tries - 1 AS tries,
                 coalesce((SELECT language FROM users WHERE id = a.user_id),
                   (SELECT language FROM tenants WHERE id = a.tenant_id)) AS language,
                 coalesce(a.confirmed = (SELECT email FROM users WHERE id = a.user_id), false) AS confirmed,
                 a.asked_at IS NOT NULL AS asked""",
            (TAKEN_SECONDS, kind, list(busy)),
        )
        rows = cursor.dicts()
    if not rows:
        return None
    begin, end = rows[0].pop("quiet_begin"), rows[0].pop("quiet_end")
    quiet = QuietHours(begin, end, rows[0]["zone"]) if begin is not None else None
    return DueAddressee(quiet=quiet, **rows[0])


def share_of(one: DueAddressee) -> str:
    """Whose share of what is told at once it takes: its tenant's, or the operator's."""
    return one.tenant_id or ""


def untold(pool: Pool, one: DueAddressee) -> list[ConditionChange]:
    """What they have not been told, in order; the first AT_ONCE of the last day. Of a person's lines, where they are
    for some only."""
    with pool.transaction() as cursor:
        cursor.execute(
            f"""SELECT h.id, h.condition_id, h.what, h.tenant_id::text, t.name AS tenant, c.kind, c.line_id::text,
                  coalesce(l.settings ->> 'name', l.phone_number_id, '') AS line, c.subject, c.detail,
                  c.begun_at, c.over_at
                FROM condition_changes h JOIN conditions c ON c.id = h.condition_id JOIN tenants t ON t.id = h.tenant_id
                LEFT JOIN lines l ON l.id = c.line_id
                WHERE h.id > %s AND h.at > now() - {GIVEN_UP} AND (%s::uuid IS NULL OR h.tenant_id = %s::uuid)
                  AND NOT EXISTS (SELECT 1 FROM users u WHERE u.id = %s::uuid AND u.line_ids IS NOT NULL
                                  AND c.line_id = ANY (u.line_ids) IS NOT TRUE)
                ORDER BY h.id LIMIT %s""",
            (one.through, one.tenant_id, one.tenant_id, one.user_id, AT_ONCE),
        )
        return cursor.all(ConditionChange)


def told(pool: Pool, one: DueAddressee, through: int) -> None:
    """They know all up to this change. What came meanwhile is told next."""
    with pool.transaction() as cursor:
        cursor.execute(
            """UPDATE addressees a SET through = greatest(through, %(through)s), tries = 0, trouble = NULL,
                 told_at = now(),
                 due_at = CASE WHEN EXISTS (SELECT 1 FROM condition_changes h WHERE h.id > %(through)s
                   AND (a.tenant_id IS NULL OR h.tenant_id = a.tenant_id))
                   THEN now() + make_interval(secs => %(soon)s) END
               WHERE id = %(id)s::uuid""",
            {"through": through, "soon": DIGEST_SECONDS, "id": one.id},
        )


def rest(pool: Pool, one: DueAddressee) -> None:
    """There is nothing to tell them, or they do not want it. Why they could not be told stays to be seen."""
    with pool.transaction() as cursor:
        cursor.execute(
            """UPDATE addressees SET due_at = NULL, tries = 0,
                 through = (SELECT coalesce(max(id), 0) FROM condition_changes) WHERE id = %s::uuid AND through = %s""",
            (one.id, one.through),
        )


def hold(pool: Pool, one: DueAddressee, until: datetime) -> None:
    """Their quiet hours last until then."""
    with pool.transaction() as cursor:
        cursor.execute("UPDATE addressees SET due_at = %s, tries = %s WHERE id = %s::uuid", (until, one.tries, one.id))


def failed(pool: Pool, one: DueAddressee, trouble: str, seconds: float) -> None:
    """They could not be told, and are tried again in so many seconds."""
    with pool.transaction() as cursor:
        cursor.execute(
            """UPDATE addressees SET trouble = %s, due_at = now() + make_interval(secs => %s) WHERE id = %s::uuid""",
            (trouble[:TROUBLE_LENGTH], seconds, one.id),
        )


# A person's own wishes, and the webhook of a tenant


def wishes(pool: Pool, user_id: str) -> MailWishes | None:
    """None: neither enrolled nor asked for."""
    with pool.autocommit() as cursor:
        cursor.execute(
            """SELECT a.wanted, a.quiet_begin, a.quiet_end, a.zone, a.trouble, a.told_at, a.asked_at,
                 coalesce(a.confirmed = u.email, false) AS confirmed, a.id::text AS addressee_id
               FROM addressees a JOIN users u ON u.id = a.user_id WHERE a.user_id = %s::uuid""",
            (user_id,),
        )
        return cursor.one(MailWishes)


def wish(pool: Pool, user_id: str, tenant_id: str | None, wanted: MailWishes) -> None:
    """From now on, as they say."""
    with pool.transaction() as cursor:
        cursor.execute(
            """INSERT INTO addressees AS a (tenant_id, kind, user_id, wanted, quiet_begin, quiet_end, zone, through)
               VALUES (%(tenant)s::uuid, 'mail', %(user)s::uuid, %(wanted)s, %(begin)s, %(end)s, %(zone)s, %(last)s)
               ON CONFLICT (user_id) DO UPDATE SET wanted = excluded.wanted, quiet_begin = excluded.quiet_begin,
                 quiet_end = excluded.quiet_end, zone = excluded.zone, trouble = NULL,
                 through = CASE WHEN a.wanted THEN a.through ELSE excluded.through END,
                 due_at = CASE WHEN a.due_at IS NOT NULL AND excluded.wanted THEN now() END""",
            {
                "tenant": tenant_id, "user": user_id, "wanted": wanted.wanted, "begin": wanted.quiet_begin,
                "end": wanted.quiet_end, "zone": wanted.zone, "last": _last(cursor),
            },
        )  # fmt: skip


def _last(cursor: Cursor) -> int:
    cursor.execute("SELECT coalesce(max(id), 0) FROM condition_changes")
    return int(cursor.fetchone()[0])


def webhook(pool: Pool, tenant_id: str | None) -> WebhookStanding | None:
    with pool.autocommit() as cursor:
        cursor.execute(
            """SELECT host, trouble, told_at FROM addressees
               WHERE kind = 'webhook' AND tenant_id IS NOT DISTINCT FROM %s::uuid""",
            (tenant_id,),
        )
        return cursor.one(WebhookStanding)


def opened(pool: Pool, cipher: Cipher, tenant_id: str | None) -> tuple[str, str] | None:
    """Address and secret of the webhook."""
    with pool.autocommit() as cursor:
        cursor.execute(
            "SELECT sealed FROM addressees WHERE kind = 'webhook' AND tenant_id IS NOT DISTINCT FROM %s::uuid",
            (tenant_id,),
        )
        row = cursor.fetchone()
    return unsealed(cipher, row[0]) if row else None


def unsealed(cipher: Cipher, sealed: str) -> tuple[str, str]:
    """Address and secret."""
    held = cipher.open(sealed)
    return held["url"], held["secret"]


def sealed_webhook(cipher: Cipher, url: str, secret: str) -> str:
    """As it is kept."""
    return cipher.seal({"url": url, "secret": secret})


def reseal(pool: Pool, cipher: Cipher) -> int:
    """Bring all secrets under the newest key. Returns how many; what no key opens any more stays as it is."""

    def lost(row: str) -> None:
        log.warning("secret of a webhook cannot be opened any more", addressee=row)

    return reseal_column(pool, cipher, "addressees", lost)


def put_webhook(pool: Pool, by: Author, tenant_id: str | None, host: str, sealed: str) -> None:
    """The one webhook of the tenant, or of the operator, from now on."""
    with pool.transaction() as cursor:
        _delete_webhook(cursor, tenant_id)
        cursor.execute(
            "INSERT INTO addressees (tenant_id, kind, sealed, host, through) VALUES (%s::uuid, 'webhook', %s, %s, %s)",
            (tenant_id, sealed, host, _last(cursor)),
        )
        audit.record(cursor, by, "conditions.webhook_set", tenant_id=tenant_id, detail={"host": host})


def remove_webhook(pool: Pool, by: Author, tenant_id: str | None) -> None:
    with pool.transaction() as cursor:
        if _delete_webhook(cursor, tenant_id):
            audit.record(cursor, by, "conditions.webhook_removed", tenant_id=tenant_id)


def _delete_webhook(cursor: Cursor, tenant_id: str | None) -> bool:
    cursor.execute(
        "DELETE FROM addressees WHERE kind = 'webhook' AND tenant_id IS NOT DISTINCT FROM %s::uuid", (tenant_id,)
    )
    return bool(cursor.rowcount)
