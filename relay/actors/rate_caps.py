"""RateCapActor: asks WhatsApp once a day, and soon after a line went live, how much it takes of the line at most."""

from __future__ import annotations

import time

import structlog

from db.tenants import lines, rate_caps
from db.tenants.rate_caps import AT_ONCE, AskedLine
from relay.checks.line_checks import account_of
from relay.core.errors import SendError
from relay.runtime.regular import RegularActor

log = structlog.get_logger(__name__)


class RateCapActor(RegularActor):
    every_seconds = 15.0
    busy_seconds = 1.0

    def work(self) -> bool:
        due = rate_caps.take_due(self._parts.pool)
        for line in due:
            self._ask(line)
        return len(due) == AT_ONCE

    def _ask(self, line: AskedLine) -> None:
        """What cannot be asked now leaves the line as it is."""
        accounts = lines.accounts(self._parts.pool, self._parts.cipher, line.line_id)
        if accounts is None:  # removed meanwhile
            return
        try:
            deadline = time.monotonic() + self._parts.limits.request
            cap = self._parts.channels["whatsapp"].rate_cap(account_of(accounts, "whatsapp"), deadline)
        except SendError as error:
            log.debug("rate_cap_not_told", line_id=line.line_id, error=error.code)
            rate_caps.ask_again(self._parts.pool, line)
            return
        if cap != line.cap:
            rate_caps.put(self._parts.changes, line, cap)
            log.info("rate_cap_changed", line_id=line.line_id, per_second=cap)
