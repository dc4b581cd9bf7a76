"""Links in mails to people: what is done by opening one needs no log-in, so each proves for itself what it may do.

A link holds whom it is about, until when it is good, and a keyed digest of both with the person's address. None is
kept: the key is this installation's own (`db.tenants.signers`).
"""

from __future__ import annotations

import hmac
import time
from typing import Literal
from uuid import UUID

from db.pool import Pool
from db.tenants.signers import Signers
from relay.core.conditions.confirming import CONFIRM_HOURS

Purpose = Literal["confirm", "leave"]
LEAVE_DAYS = 400
"""Whoever finds an old mail can still have it be the last."""
LONGEST = 100
"""Characters of what is looked at."""


class MailLinks:
    """`public_url`: where web is reached."""

    def __init__(self, signers: Signers, public_url: str) -> None:
        self._signers = signers
        self._url = public_url.rstrip("/")

    def confirm(self, addressee_id: str, email: str) -> str:
        """The address of the page by which a person confirms theirs."""
        return self._link("confirm", addressee_id, email, CONFIRM_HOURS * 3600)

    def leave(self, addressee_id: str, email: str) -> str:
        """The address of the page by which a person has it that no more is sent."""
        return self._link("leave", addressee_id, email, LEAVE_DAYS * 86400)

    def _link(self, purpose: Purpose, addressee_id: str, email: str, seconds: int) -> str:
        until = int(time.time()) + seconds
        proof = self._proof(purpose, addressee_id, email, until)
        return f"{self._url}/portal/mail/{purpose}/{UUID(addressee_id).hex}-{until}-{proof}"

    def _proof(self, purpose: Purpose, addressee_id: str, email: str, until: int) -> str:
        return self._signers.digest(f"mail link\n{purpose}\n{UUID(addressee_id).hex}\n{until}\n{email}")

    def addressee(self, pool: Pool, purpose: Purpose, token: str) -> tuple[str, str] | None:
        """Id and address of whom a link's last part is about; None where it is no good, or not any more."""
        parts = token.split("-")
        if len(token) > LONGEST or len(parts) != 3 or not token.isascii() or not parts[1].isdecimal():
            return None
        try:
            addressee_id, until = str(UUID(parts[0])), int(parts[1])
        except ValueError:
            return None
        if until < time.time():
            return None
        with pool.autocommit() as cursor:
            cursor.execute(
                """SELECT u.email FROM addressees a JOIN users u ON u.id = a.user_id
                   WHERE a.id = %s::uuid AND u.status = 'active'""",
                (addressee_id,),
            )
            row = cursor.fetchone()
        if row is None or not hmac.compare_digest(self._proof(purpose, addressee_id, row[0], until), parts[2]):
            return None
        return addressee_id, row[0]
