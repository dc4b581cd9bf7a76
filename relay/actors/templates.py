"""TemplatesActor: keeps the lists of approved templates fresh, each by one daemon at a time, beside the messages."""

from __future__ import annotations

import time

import structlog
from gevent.pool import Pool as Greenlets

from db.tenants import templates
from db.tenants.templates import DueList
from relay import metrics
from relay.checks.template_lists import TemplateReader
from relay.core.errors import StoreError
from relay.runtime.context import Parts
from relay.runtime.regular import RegularActor

log = structlog.get_logger(__name__)

AT_ONCE = 4
ASK_SECONDS = 30.0
TAKEN_SECONDS = 90.0
TIDY_SECONDS = 30.0


class TemplatesActor(RegularActor):
    longest_seconds = TAKEN_SECONDS
    every_seconds = 2.0
    busy_seconds = 0.5

    def __init__(self, parts: Parts) -> None:
        super().__init__(parts)
        self._reader = TemplateReader(parts.pool, parts.cipher, parts.channels["whatsapp"], parts.templates.keep)
        self._tidy_at = 0.0

    def work(self) -> bool:
        if time.monotonic() >= self._tidy_at:
            templates.tidy(self._parts.pool)
            self._tidy_at = time.monotonic() + TIDY_SECONDS
        due = templates.take_due(self._parts.pool, TAKEN_SECONDS, AT_ONCE)
        Greenlets(AT_ONCE).map(self._read, due)
        return len(due) == AT_ONCE

    def _read(self, due: DueList) -> None:
        """A fault with one tenant's list is that one's: it is asked for again when its time is over."""
        try:
            trouble = self._reader.read(due, ASK_SECONDS)
            if trouble is not None:
                log.info("templates_not_listed", tenant_id=due.tenant_id, why=trouble)
        except StoreError as error:
            log.debug("templates_wait_for_postgresql", error=str(error), tenant_id=due.tenant_id)
        except Exception:
            metrics.actor_failures.labels(type(self).__name__).inc()
            log.exception("templates_not_read", tenant_id=due.tenant_id)
