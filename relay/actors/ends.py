"""EndsActor: ends conversations at the agents' side where their customers asked for it."""

from __future__ import annotations

import time
from collections import Counter

import structlog
from gevent.pool import Pool as Greenlets

from db.mailbox import end_requests
from db.mailbox.end_requests import EndRequest
from db.tenants import lines
from relay import metrics
from relay.checks.line_checks import account_of
from relay.core.errors import SendError, StoreError
from relay.core.retry import backoff
from relay.runtime.context import Parts
from relay.runtime.regular import RegularActor
from relay.runtime.side import count_call

log = structlog.get_logger(__name__)

AT_ONCE = 16
OF_A_TENANT = 2
"""Of those at once, however many lines it has: one whose Genesys does not answer leaves the others' theirs."""
TAKEN_SECONDS = 30.0
"""So long a request is this daemon's; its call has ended by then."""
CALL_SECONDS = 10.0
TRIES = 8


class EndsActor(RegularActor):
    """Ending twice does no harm, so what is unknown is tried again, and stays unknown if it is so at last."""

    every_seconds = 1.0
    busy_seconds = 0.1

    def __init__(self, parts: Parts) -> None:
        super().__init__(parts)
        self._calls = Greenlets(AT_ONCE)
        self._under_way: Counter[str] = Counter()
        """By tenants."""

    def work(self) -> bool:
        """It does not wait for its calls: a tenant with one under way is left out until that has ended."""
        free = self._calls.free_count()
        if not free:
            return False
        self._under_way = +self._under_way  # without the tenants of whom none is left
        due = end_requests.take_due(self._parts.pool, TAKEN_SECONDS, free, OF_A_TENANT, self._under_way)
        self._under_way.update(request.tenant_id for request in due)
        for request in due:
            self._calls.spawn(self._end_one, request)
        return len(due) > 0

    def _end_one(self, request: EndRequest) -> None:
        """A fault with one is that one's: it is taken again when its time is over."""
        try:
            self._end(request)
        except StoreError as error:
            log.debug("end_waits_for_postgresql", error=str(error), line_id=request.line_id)
        except Exception:
            metrics.actor_failures.labels(type(self).__name__).inc()
            log.exception("conversation_not_ended", line_id=request.line_id)
        finally:
            self._under_way[request.tenant_id] -= 1

    def _end(self, request: EndRequest) -> None:
        pool, ends = self._parts.pool, self._parts.channels["genesys"].ends
        if request.overtaken:
            end_requests.end(pool, request, "end_overtaken", "the customer has written again since")
            return
        held = lines.accounts(pool, self._parts.cipher, request.line_id)
        if held is None or held.line_status != "active" or ends is None or not request.genesys_conversation_id:
            end_requests.end(pool, request, "end_nowhere", "there is no conversation to end")
            return
        account = account_of(held, "genesys")
        try:
            count_call(self._parts, account)
            with self._parts.call():
                ends.end(request.genesys_conversation_id, account, time.monotonic() + CALL_SECONDS)
        except SendError as error:
            self._failed(request, error)
        else:
            end_requests.end(pool, request, "end_asked", request.genesys_conversation_id, told=True)

    def _failed(self, request: EndRequest, error: SendError) -> None:
        passing = error.fate in ("retry", "throttled", "unknown")
        if passing and request.tries < TRIES:
            end_requests.again(self._parts.pool, request, max(error.retry_after or 0.0, backoff(request.tries)))
            return
        event = "end_unknown" if error.fate == "unknown" else "end_refused"
        log.warning(event, line_id=request.line_id, code=error.code, text=error.text)
        end_requests.end(self._parts.pool, request, event, f"{error.code}: {error.text}")
