"""erasures: people to be erased of a tenant, stage by stage, and the certificates of those who have been.

What they are called stands sealed in the row while it is needed, and is gone with the last stage. A certificate counts,
and names nobody: its digest is keyed with this installation's own key.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Literal, get_args
from uuid import UUID

from psycopg2.extras import Json

from db import audit
from db.audit import Author
from db.contacts import tombstones
from db.cursor import Cursor
from db.mailbox import erased, sweep
from db.mailbox.messages import new_id
from db.pool import Pool
from db.sealing import Cipher
from db.tenants.changes import NotFoundError, TakenError
from db.tenants.signers import Signers
from relay.core.erasure import spellings
from relay.core.retry import backoff

ErasureStage = Literal["stop", "messages", "contact", "waiting", "archive", "again", "done"]
STAGES: tuple[ErasureStage, ...] = get_args(ErasureStage)
SETTLE_SECONDS = 20
"""Until then every daemon has read the tombstones, and calls under way have ended."""
TAKEN_SECONDS = 120
AT_ONCE = 20
"""So many of a tenant may be under way."""
A_DAY = 500
"""What is dropped for them is known to every daemon for ten days, beside that of all other tenants."""
COLUMNS = "id::text, tenant_id::text, digest, asked_by, asked_at, stage, counts, trouble, ended_at"


@dataclass(frozen=True, slots=True)
class Erasure:
    """As it is shown: when it has ended, the certificate. `counts`: what was found and removed, by place."""

    id: str
    tenant_id: str
    digest: str
    asked_by: str
    asked_at: datetime
    stage: ErasureStage
    counts: dict[str, int]
    trouble: str | None
    ended_at: datetime | None


@dataclass(frozen=True, slots=True)
class ErasedPerson:
    """Whom to erase: names, the conversations they had, and the first day (UTC) on which anything was kept of them."""

    names: Sequence[str] = field(repr=False)
    conversations: Sequence[str]
    first_day: str


@dataclass(frozen=True, slots=True)
class ErasureStep:
    """What a daemon does next; `reached` is its own note of where it stopped."""

    id: str
    tenant_id: str
    asked_at: datetime
    stage: ErasureStage
    person: ErasedPerson
    reached: dict[str, Any]
    failures: int


def begin(pool: Pool, cipher: Cipher, signers: Signers, by: Author, tenant_id: str, name: str) -> Erasure:
    """A number or user id. The conversation stops at once: it has no name any more, and nothing of it is sent.

    Raises TakenError when too many are under way, NotFoundError for a tenant that is not there.
    """
    forms = sorted(spellings(name))
    with pool.transaction() as cursor:
        cursor.execute("SELECT created_at FROM tenants WHERE id = %s FOR NO KEY UPDATE", (UUID(tenant_id),))
        row = cursor.fetchone()
        if row is None:
            raise NotFoundError(f"there is no tenant {tenant_id}")
        cursor.execute("SELECT count(*) FROM erasures WHERE tenant_id = %s AND due_at IS NOT NULL", (UUID(tenant_id),))
        if cursor.fetchone()[0] >= AT_ONCE:
            raise TakenError("too_many", f"{AT_ONCE} erasures are under way; ask again when one of them has ended")
        cursor.execute(
            "SELECT count(*) FROM erasures WHERE tenant_id = %s AND asked_at > now() - interval '1 day'",
            (UUID(tenant_id),),
        )
        if cursor.fetchone()[0] >= A_DAY:
            raise TakenError("too_many", f"{A_DAY} people were erased within a day; ask again tomorrow")
        conversations = having(cursor, tenant_id, forms)
        names, since = _known_of(cursor, conversations)
        person = ErasedPerson(sorted({*forms, *names}), conversations, _day(since or row[0]))
        tombstones.put(cursor, tenant_id, tombstones.digests(signers, tenant_id, person.names))
        _stop(cursor, conversations)
        cursor.execute(
            f"""INSERT INTO erasures (id, tenant_id, digest, asked_by, sealed, counts)
                VALUES (%s, %s, %s, %s, %s, %s) RETURNING {COLUMNS}""",
            (
                new_id(), UUID(tenant_id), tombstones.digests(signers, tenant_id, forms[:1])[0], by.actor,
                cipher.seal({"names": person.names, "conversations": conversations, "first_day": person.first_day}),
                Json({"conversations": len(conversations)}),
            ),
        )  # fmt: skip
        begun = Erasure(*cursor.fetchone())
        audit.record(cursor, by, "person.erasure_begun", tenant_id=tenant_id, subject=begun.id)
    return begun


def having(cursor: Cursor, tenant_id: str, names: Sequence[str]) -> list[str]:
    """Ids of the tenant's conversations whose contact has one of these names at present, locked."""
    cursor.execute(
        """SELECT c.id::text FROM conversation_mappings c WHERE c.id IN (
             SELECT a.conversation_id FROM lines l JOIN contact_aliases a ON a.line_id = l.id
             WHERE l.tenant_id = %(tenant)s AND a.alias = ANY(%(names)s) AND a.until IS NULL
             UNION SELECT m.id FROM lines l JOIN conversation_mappings m ON m.line_id = l.id
             WHERE l.tenant_id = %(tenant)s AND m.wa_id COLLATE "C" = ANY(%(names)s)
             UNION SELECT m.id FROM lines l JOIN conversation_mappings m ON m.line_id = l.id
             WHERE l.tenant_id = %(tenant)s AND m.bsuid COLLATE "C" = ANY(%(names)s))
           ORDER BY c.id FOR UPDATE""",
        {"tenant": UUID(tenant_id), "names": list(names)},
    )
    return [row[0] for row in cursor.fetchall()]


def _known_of(cursor: Cursor, conversations: Sequence[str]) -> tuple[set[str], datetime | None]:
    """Every name under which they are known, and since when the first."""
    cursor.execute(
        """SELECT c.wa_id, c.bsuid, c.parent_bsuid,
                  -- unless it is the number of somebody else by now
                  CASE WHEN NOT EXISTS (SELECT 1 FROM contact_aliases o WHERE o.line_id = c.line_id
                    AND o.alias = c.genesys_address AND o.conversation_id <> c.id) THEN c.genesys_address END,
                  c.created_at,
                  array(SELECT a.alias FROM contact_aliases a WHERE a.conversation_id = c.id AND a.until IS NULL)
           FROM conversation_mappings c WHERE c.id = ANY(%s::uuid[])""",
        (list(conversations),),
    )
    rows = cursor.fetchall()
    names = {name for row in rows for name in (*row[:4], *row[5]) if name}
    return names, min((row[4] for row in rows), default=None)


def _stop(cursor: Cursor, conversations: Sequence[str]) -> None:
    """Nameless: whoever writes now begins anew. What waits is given up; a call under way ends, and none follows it."""
    wanted = list(conversations)
    cursor.execute("DELETE FROM contact_aliases WHERE conversation_id = ANY(%s::uuid[])", (wanted,))
    cursor.execute(
        """UPDATE conversation_mappings SET genesys_address = 'erased-' || id, wa_id = NULL, bsuid = NULL,
             parent_bsuid = NULL, name = NULL, username = NULL, names_version = names_version + 1, updated_at = now()
           WHERE id = ANY(%s::uuid[]) RETURNING id::text, shard""",
        (wanted,),
    )
    woken = cursor.fetchall()
    cursor.execute(
        """UPDATE message_tracking SET state = 'dead', reason_code = %s, reason = %s,
             report = NULL, reported = NULL, updated_at = now()
           WHERE conversation_id = ANY(%s::uuid[]) AND unfinished AND state <> 'sending'""",
        (erased.CODE, erased.REASON, wanted),
    )
    for conversation_id, shard in woken:
        sweep.notify(cursor, shard, conversation_id)


def take(pool: Pool, cipher: Cipher) -> ErasureStep | None:
    """The one that is due; another daemon does not get it meanwhile."""
    with pool.transaction() as cursor:
        cursor.execute(
            """UPDATE erasures SET taken_until = now() + make_interval(secs => %s) WHERE id = (
                 SELECT id FROM erasures WHERE due_at <= now() AND taken_until < now()
                 ORDER BY due_at LIMIT 1 FOR UPDATE SKIP LOCKED)
               RETURNING id::text, tenant_id::text, asked_at, stage, sealed, reached, failures""",
            (TAKEN_SECONDS,),
        )
        row = cursor.fetchone()
    if row is None:
        return None
    erasure_id, tenant_id, asked_at, stage, sealed, reached, failures = row
    person = ErasedPerson(**cipher.open(sealed))
    return ErasureStep(erasure_id, tenant_id, asked_at, stage, person, reached, failures)


def went_on(
    pool: Pool,
    step: ErasureStep,
    counts: Mapping[str, int],
    stage: ErasureStage,
    reached: Mapping[str, Any] | None = None,
    wait: float = 0.0,
) -> None:
    """Note what was removed and where to go on, `wait` seconds from now. With `done` the certificate is whole."""
    done = stage == "done"
    with pool.transaction() as cursor:
        cursor.execute("SELECT counts FROM erasures WHERE id = %s FOR UPDATE", (UUID(step.id),))
        held: dict[str, int] = dict(cursor.fetchone()[0])
        for place, count in counts.items():
            held[place] = held.get(place, 0) + count
        cursor.execute(
            """UPDATE erasures SET counts = %s, stage = %s, reached = %s, failures = 0, trouble = NULL,
                 taken_until = '-infinity', sealed = CASE WHEN %s THEN NULL ELSE sealed END,
                 due_at = CASE WHEN %s THEN NULL ELSE now() + make_interval(secs => %s) END,
                 ended_at = CASE WHEN %s THEN now() END
               WHERE id = %s""",
            (Json(held), stage, Json(dict(reached or {})), done, done, wait, done, UUID(step.id)),
        )
        if done:
            audit.record(
                cursor, Author("relay"), "person.erased", tenant_id=step.tenant_id, subject=step.id, detail=held
            )


def put_off(pool: Pool, step: ErasureStep, why: str) -> None:
    """It failed, and is tried again, after a longer pause each time: it never ends without being whole."""
    with pool.transaction() as cursor:
        cursor.execute(
            """UPDATE erasures SET failures = failures + 1, trouble = %s, taken_until = '-infinity',
                 due_at = now() + make_interval(secs => %s) WHERE id = %s""",
            (why[:500], max(5.0, backoff(step.failures + 1) * 2), UUID(step.id)),
        )


def listed(pool: Pool, tenant_id: str, limit: int = 50) -> list[Erasure]:
    """The newest first."""
    with pool.autocommit() as cursor:
        cursor.execute(
            f"SELECT {COLUMNS} FROM erasures WHERE tenant_id = %s ORDER BY asked_at DESC, id DESC LIMIT %s",
            (UUID(tenant_id), limit),
        )
        return [Erasure(*row) for row in cursor.fetchall()]


def get(pool: Pool, tenant_id: str, erasure_id: str) -> Erasure:
    """Raises NotFoundError."""
    with pool.autocommit() as cursor:
        cursor.execute(
            f"SELECT {COLUMNS} FROM erasures WHERE tenant_id = %s AND id = %s", (UUID(tenant_id), UUID(erasure_id))
        )
        row = cursor.fetchone()
    if row is None:
        raise NotFoundError("there is no such erasure")
    return Erasure(*row)


def _day(at: datetime) -> str:
    """A day before: webhooks are stored by when they came, contacts are made a moment later."""
    return f"{at.astimezone(UTC) - timedelta(days=1):%Y/%m/%d}"
