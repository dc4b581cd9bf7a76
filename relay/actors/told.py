"""One addressee is told what has changed, or asked whether its address is theirs; and what came of it is noted."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import partial
from urllib.parse import urlsplit

import structlog
from gevent.lock import BoundedSemaphore

from db.conditions import addressees, confirming
from db.conditions.addressees import DueAddressee
from db.sealing import SealError
from relay.channels.mail import Mail
from relay.channels.webhooks.client import Receiver
from relay.core import languages
from relay.core.conditions import posted
from relay.core.conditions.confirming import must_confirm, question
from relay.core.conditions.digest import ConditionChange, Digest, compose
from relay.core.errors import SendError
from relay.core.languages import DEFAULT, phrase
from relay.runtime.context import Parts
from relay.stores import catalogues

log = structlog.get_logger(__name__)

FIRST_PAUSE, LONGEST_PAUSE = 30.0, 1800.0
ASKED_LATER = 3600.0
TOO_MANY = phrase("so many new addresses were asked lately that this one is asked later")


class Told:
    """Its turn. `database`: how many connections these turns may have at once; none is held while somebody is told."""

    def __init__(self, parts: Parts, database: BoundedSemaphore, one: DueAddressee) -> None:
        self._parts = parts
        self._database = database
        self._one = one
        self._language = languages.known(one.language) or DEFAULT
        self._say = partial(catalogues.say, language=self._language)

    def tell(self) -> None:
        """Raises StoreError: its turn comes again."""
        changes = self._due()
        if changes is None:
            return
        try:
            if self._must_confirm:
                self._ask()
                return
            if self._one.kind == "mail":
                self._by_mail(changes)
            else:
                self._by_webhook(changes)
        except (SendError, SealError) as error:
            self._failed(error)
            return
        with self._database:
            addressees.told(self._parts.pool, self._one, changes[-1].id)
        log.info("conditions_told", addressee=self._one.id, kind=self._one.kind, count=len(changes))

    @property
    def _must_confirm(self) -> bool:
        return self._one.kind == "mail" and must_confirm(self._one.tenant_id, confirmed=self._one.confirmed)

    def _due(self) -> list[ConditionChange] | None:
        """None: there is nothing to do, or not now."""
        one, pool = self._one, self._parts.pool
        with self._database:
            silent = self._must_confirm
            if silent and one.active and not one.asked:
                return []
            changes = addressees.untold(pool, one) if one.active and not silent else []
            if not changes:
                addressees.rest(pool, one)
            elif (until := one.quiet.until(datetime.now(UTC)) if one.quiet else None) is not None:
                addressees.hold(pool, one, until)
            else:
                return changes
        return None

    def _failed(self, error: SendError | SealError) -> None:
        one = self._one
        text = error.text if isinstance(error, SendError) else str(error)
        code = error.code if isinstance(error, SendError) else "sealed"
        pause = min(LONGEST_PAUSE, FIRST_PAUSE * 2 ** min(one.tries, 10))
        log.warning("conditions_not_told", addressee=one.id, kind=one.kind, code=code, again_in=pause)
        with self._database:
            addressees.failed(self._parts.pool, one, text, pause)

    def _ask(self) -> None:
        one, pool = self._one, self._parts.pool
        email, tenant_id = one.email or "", one.tenant_id or ""
        with self._database:
            reserved = confirming.reserve(pool, self._parts.signers, tenant_id, email)
            if reserved is None:
                addressees.failed(pool, one, TOO_MANY, ASKED_LATER)
                return
        leave = self._parts.mail_links.leave(one.id, email)
        confirm = self._parts.mail_links.confirm(one.id, email)
        text = question(self._parts.ours.public_url, confirm, leave, say=self._say)
        try:
            self._send(text, f"confirm-{one.id}-{reserved}", leave)
        except SendError:
            with self._database:
                confirming.release(pool, reserved)
            raise
        with self._database:
            confirming.asked(pool, one.id)
        log.info("address_asked", addressee=one.id)

    def _by_mail(self, changes: list[ConditionChange]) -> None:
        one = self._one
        leave = self._parts.mail_links.leave(one.id, one.email or "")
        url, many_tenants = self._parts.ours.public_url, one.tenant_id is None
        digest = compose(
            changes, url, one.zone, leave, many_tenants=many_tenants, say=self._say, language=self._language
        )
        if digest is not None:
            # The same for the same news, so that a mail system may know one that is sent once more after a kill.
            self._send(digest, f"conditions-{one.id}-{changes[0].id}-{changes[-1].id}", leave)

    def _send(self, digest: Digest, name: str, leave: str) -> None:
        if self._parts.mail is None or self._one.email is None:
            return
        message_id = f"<{name}@{urlsplit(self._parts.ours.public_url).hostname}>"
        self._parts.mail.send(Mail(self._one.email, digest.subject, digest.text, message_id, leave))

    def _by_webhook(self, changes: list[ConditionChange]) -> None:
        one = self._one
        url, secret = addressees.unsealed(self._parts.cipher, one.sealed or "")
        body = posted.changed(changes, self._parts.ours.public_url, datetime.now(UTC))
        webhook_id = f"conditions-{one.id}-{changes[0].id}-{changes[-1].id}"
        self._parts.webhooks.post(Receiver(url, (secret,), one.tenant_id or ""), webhook_id, body)
