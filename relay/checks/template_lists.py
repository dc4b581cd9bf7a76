"""Reading a tenant's templates anew: asked of the provider, kept, and handed to whoever sends. For daemons and web."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from db.pool import Pool
from db.sealing import Cipher
from db.tenants import lines, templates
from db.tenants.templates import EVERY_SECONDS, NOT_WHOLE, TROUBLE_SECONDS, DueList
from relay.channels.base import Channel
from relay.checks.line_checks import account_of
from relay.core.errors import FINAL, SendError
from relay.core.templates.listed import ListedTemplate

NOT_PERMITTED = "Meta does not list the templates with this access token"


@dataclass(frozen=True, slots=True)
class TemplateReader:
    pool: Pool
    cipher: Cipher
    channel: Channel
    publish: Callable[[str, Sequence[ListedTemplate], Iterable[str]], None]
    """Hands a tenant's list, and the names that are gone, to where messages pass."""

    def read(self, due: DueList, seconds: float) -> str | None:
        """Ask, within `seconds`, and keep the answer. Returns what stood in the way, in words. Raises StoreError."""
        accounts = lines.accounts(self.pool, self.cipher, due.line_id) if due.line_id else None
        if accounts is None or not accounts.whatsapp or self.channel.catalogue is None:
            return self._failed(due, "there is no active line whose account could be asked", EVERY_SECONDS)
        try:
            account = account_of(accounts, "whatsapp")
            found = self.channel.catalogue.templates(account, time.monotonic() + seconds)
        except SendError as error:
            final = error.fate in ("credentials", *FINAL)
            return self._failed(due, _said(error), EVERY_SECONDS if final else TROUBLE_SECONDS)
        gone = templates.store(self.pool, due, found.account_id, found.templates, whole=found.whole)
        # From PostgreSQL, which has what Meta's webhooks told since, too.
        self.publish(due.tenant_id, templates.whole_list(self.pool, due.tenant_id), gone)
        return None if found.whole else NOT_WHOLE

    def _failed(self, due: DueList, trouble: str, seconds: float) -> str:
        """Nothing is published anew: an old list would be kept for ever where messages pass."""
        templates.fail(self.pool, due, trouble, seconds)
        return trouble


def _said(error: SendError) -> str:
    if error.fate == "credentials":
        return f"{NOT_PERMITTED}: {error.text}"[:500]
    return error.text[:500]
