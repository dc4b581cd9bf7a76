"""TellingActor: tells people and webhooks what has changed, each addressee by one daemon at a time."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import partial
from urllib.parse import urlsplit

import structlog

from db.conditions import addressees
from db.conditions.addressees import DueAddressee
from db.sealing import SealError
from relay.channels.mail import Mail
from relay.channels.webhooks.client import Receiver
from relay.core import languages
from relay.core.conditions import posted
from relay.core.conditions.digest import ConditionChange, compose
from relay.core.errors import SendError
from relay.core.languages import DEFAULT
from relay.runtime.regular import RegularActor
from relay.stores import catalogues

log = structlog.get_logger(__name__)

FIRST_PAUSE, LONGEST_PAUSE = 30.0, 1800.0


class TellingActor(RegularActor):
    every_seconds = 5.0
    busy_seconds = 0.1
    longest_seconds = 120.0

    def work(self) -> bool:
        kinds = ["webhook", "mail"] if self._parts.mail is not None else ["webhook"]
        one = addressees.take(self._parts.pool, kinds)
        if one is None:
            return False
        changes = addressees.untold(self._parts.pool, one) if one.active else []
        if not changes:
            addressees.rest(self._parts.pool, one)
        elif (until := one.quiet.until(datetime.now(UTC)) if one.quiet else None) is not None:
            addressees.hold(self._parts.pool, one, until)
        else:
            self._tell(one, changes)
        return True

    def _tell(self, one: DueAddressee, changes: list[ConditionChange]) -> None:
        try:
            if one.kind == "mail":
                self._by_mail(one, changes)
            else:
                self._by_webhook(one, changes)
        except (SendError, SealError) as error:
            text = error.text if isinstance(error, SendError) else str(error)
            code = error.code if isinstance(error, SendError) else "sealed"
            pause = min(LONGEST_PAUSE, FIRST_PAUSE * 2 ** min(one.tries, 10))
            log.warning("conditions_not_told", addressee=one.id, kind=one.kind, code=code, again_in=pause)
            addressees.failed(self._parts.pool, one, text, pause)
            return
        addressees.told(self._parts.pool, one, changes[-1].id)
        log.info("conditions_told", addressee=one.id, kind=one.kind, count=len(changes))

    def _by_mail(self, one: DueAddressee, changes: list[ConditionChange]) -> None:
        url = self._parts.ours.public_url
        language = languages.known(one.language) or DEFAULT
        say = partial(catalogues.say, language=language)
        digest = compose(changes, url, one.zone, many_tenants=one.tenant_id is None, say=say, language=language)
        if digest is None or self._parts.mail is None or one.email is None:
            return
        # The same for the same news, so that a mail system may know one that is sent once more after a kill.
        message_id = f"<conditions-{one.id}-{changes[0].id}-{changes[-1].id}@{urlsplit(url).hostname}>"
        self._parts.mail.send(Mail(one.email, digest.subject, digest.text, message_id))

    def _by_webhook(self, one: DueAddressee, changes: list[ConditionChange]) -> None:
        url, secret = addressees.unsealed(self._parts.cipher, one.sealed or "")
        body = posted.changed(changes, self._parts.ours.public_url, datetime.now(UTC))
        webhook_id = f"conditions-{one.id}-{changes[0].id}-{changes[-1].id}"
        self._parts.webhooks.post(Receiver(url, (secret,), one.tenant_id or ""), webhook_id, body)
