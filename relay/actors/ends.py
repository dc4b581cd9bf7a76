"""EndsActor: ends conversations at the agents' side where their customers asked for it."""

from __future__ import annotations

import time

import structlog
from gevent.pool import Pool as Greenlets

from db.mailbox import end_requests
from db.mailbox.end_requests import EndRequest
from db.tenants import lines
from relay import metrics
from relay.channels.base import Account
from relay.checks.line_checks import account_of
from relay.core.errors import SendError, StoreError
from relay.core.retry import backoff
from relay.runtime.regular import RegularActor
from relay.runtime.side import rate_of_account

log = structlog.get_logger(__name__)

AT_ONCE = 8
TAKEN_SECONDS = 30.0
"""So long a request is this daemon's; its call has ended by then."""
CALL_SECONDS = 10.0
TRIES = 8


class EndsActor(RegularActor):
    """Ending twice does no harm, so what is unknown is tried again, and stays unknown if it is so at last."""

    every_seconds = 1.0
    busy_seconds = 0.1

    def work(self) -> bool:
        due = end_requests.take_due(self._parts.pool, TAKEN_SECONDS, AT_ONCE)
        Greenlets(AT_ONCE).map(self._end_one, due)
        return len(due) == AT_ONCE

    def _end_one(self, request: EndRequest) -> None:
        """A fault with one is that one's: it is taken again when its time is over."""
        try:
            self._end(request)
        except StoreError as error:
            log.debug("end_waits_for_postgresql", error=str(error), line_id=request.line_id)
        except Exception:
            metrics.actor_failures.labels(type(self).__name__).inc()
            log.exception("conversation_not_ended", line_id=request.line_id)

    def _end(self, request: EndRequest) -> None:
        pool, ends = self._parts.pool, self._parts.channels["genesys"].ends
        held = lines.accounts(pool, self._parts.cipher, request.line_id)
        if held is None or held.line_status != "active" or ends is None or not request.genesys_conversation_id:
            end_requests.end(pool, request, "end_nowhere", "there is no conversation to end")
            return
        account = account_of(held, "genesys")
        try:
            self._count(account)
            with self._parts.call():
                ends.end(request.genesys_conversation_id, account, time.monotonic() + CALL_SECONDS)
        except SendError as error:
            self._failed(request, error)
        else:
            end_requests.end(pool, request, "end_asked", request.genesys_conversation_id, told=True)

    def _count(self, account: Account) -> None:
        """Against the rate of the client: what is missing is owed. Raises SendError where Genesys wants no calls."""
        rate = rate_of_account("genesys", account, self._parts.limits)
        if not self._parts.bucket.owe(rate.key, rate.per_second, rate.burst):
            raise SendError("throttled", "paused", "no calls while Genesys wants none")

    def _failed(self, request: EndRequest, error: SendError) -> None:
        passing = error.fate in ("retry", "throttled", "unknown")
        if passing and request.tries < TRIES:
            end_requests.again(self._parts.pool, request, max(error.retry_after or 0.0, backoff(request.tries)))
            return
        event = "end_unknown" if error.fate == "unknown" else "end_refused"
        log.warning(event, line_id=request.line_id, code=error.code, text=error.text)
        end_requests.end(self._parts.pool, request, event, f"{error.code}: {error.text}")
