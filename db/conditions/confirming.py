"""addressees and confirming_mails: which addresses were confirmed, and how many were asked.

Whoever may make users enters addresses that may be strangers': each is asked once, few of one tenant in a day, and one
address once a day, whoever's it is said to be.
"""

from __future__ import annotations

from db.cursor import Cursor
from db.pool import Pool
from db.tenants.signers import Signers

OF_TENANT = 20
"""Mails in a day that ask, to all addresses of one tenant."""
KEPT_DAYS = 30
OF_ADDRESS = 3
"""Mails in KEPT_DAYS that ask one address, a day between them at least."""
EXPIRED_AT_ONCE = 1_000
DIGEST = "confirming mail"


def reserve(pool: Pool, signers: Signers, tenant_id: str, email: str) -> int | None:
    """The number of one more mail that asks; None: there were as many as there may be."""
    address = signers.digest(f"{DIGEST}\n{email}")
    with pool.transaction() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtext('confirming_mails'))")  # whoever else counts, waits
        cursor.execute(
            """INSERT INTO confirming_mails (tenant_id, address) SELECT %(tenant)s, %(address)s
               WHERE (SELECT count(*) FROM confirming_mails
                      WHERE tenant_id = %(tenant)s AND at > now() - interval '1 day') < %(of_tenant)s
                 AND (SELECT count(*) FROM confirming_mails
                      WHERE address = %(address)s AND at > now() - make_interval(days => %(days)s)) < %(of_address)s
                 AND NOT EXISTS (SELECT 1 FROM confirming_mails
                                 WHERE address = %(address)s AND at > now() - interval '1 day')
               RETURNING id""",
            {"tenant": tenant_id, "address": address, "of_tenant": OF_TENANT, "of_address": OF_ADDRESS,
             "days": KEPT_DAYS},
        )  # fmt: skip
        row = cursor.fetchone()
    return None if row is None else int(row[0])


def release(pool: Pool, reserved: int) -> None:
    """It did not leave."""
    with pool.autocommit() as cursor:
        cursor.execute("DELETE FROM confirming_mails WHERE id = %s", (reserved,))


def asked(pool: Pool, addressee_id: str) -> None:
    """The mail server has taken the mail that asks them."""
    with pool.autocommit() as cursor:
        cursor.execute(
            """UPDATE addressees SET asked_at = now(), due_at = NULL, tries = 0, trouble = NULL,
                 through = (SELECT coalesce(max(id), 0) FROM condition_changes) WHERE id = %s::uuid""",
            (addressee_id,),
        )


def ask_due(cursor: Cursor, most: int) -> None:
    """Those who want to be told, and were never asked, are to be asked now."""
    cursor.execute(
        """UPDATE addressees SET due_at = now() WHERE id IN (
             SELECT id FROM addressees WHERE kind = 'mail' AND tenant_id IS NOT NULL AND asked_at IS NULL AND wanted
               AND due_at IS NULL AND confirmed IS NULL LIMIT %s)""",
        (most,),
    )


def confirm(pool: Pool, addressee_id: str, email: str) -> None:
    """From now on they are told. What began before is no news."""
    with pool.autocommit() as cursor:
        cursor.execute(
            """UPDATE addressees SET confirmed = %(email)s, wanted = true, trouble = NULL, tries = 0,
                 asked_at = coalesce(asked_at, now()), due_at = NULL,
                 through = (SELECT coalesce(max(id), 0) FROM condition_changes)
               WHERE id = %(id)s::uuid AND (confirmed IS DISTINCT FROM %(email)s OR NOT wanted)""",
            {"email": email, "id": addressee_id},
        )


def leave(pool: Pool, addressee_id: str) -> None:
    """They are told nothing more by e-mail until they say otherwise under their account."""
    with pool.autocommit() as cursor:
        cursor.execute("UPDATE addressees SET wanted = false, due_at = NULL WHERE id = %s::uuid", (addressee_id,))


def expire(cursor: Cursor) -> None:
    """Forget a bounded number of mails that no bound counts any more."""
    cursor.execute(
        """DELETE FROM confirming_mails WHERE id IN (
             SELECT id FROM confirming_mails WHERE at < now() - make_interval(days => %s) ORDER BY at LIMIT %s)""",
        (KEPT_DAYS, EXPIRED_AT_ONCE),
    )
