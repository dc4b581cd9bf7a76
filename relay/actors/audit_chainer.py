"""AuditChainer: chains new lines of the audit log, and tells the log now and then how far it is."""

from __future__ import annotations

import time

import structlog

from db.access import audit_chain
from relay.runtime.context import Parts
from relay.runtime.regular import RegularActor

log = structlog.get_logger(__name__)

TOLD_SECONDS = 600.0
"""A log that is kept elsewhere then holds digests that nobody here can change."""


class AuditChainer(RegularActor):
    every_seconds = 10.0
    busy_seconds = 0.5

    def __init__(self, parts: Parts) -> None:
        super().__init__(parts)
        self._told_at = float("-inf")
        self._told = ""

    def work(self) -> bool:
        count = audit_chain.seal(self._parts.pool)
        self._tell()
        return count == audit_chain.SLICE

    def _tell(self) -> None:
        if time.monotonic() - self._told_at < TOLD_SECONDS:
            return
        self._told_at = time.monotonic()
        head = str(audit_chain.head(self._parts.pool))
        if head != self._told:
            log.info("audit_chain", head=head)
            self._told = head
