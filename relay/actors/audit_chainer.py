"""AuditChainer: chains new lines of the audit log, and tells the log now and then how far it is."""

from __future__ import annotations

import time
from typing import Any

import structlog

from db.access import audit_chain
from relay.core.errors import StoreError
from relay.runtime.actor import RelayActor, tell
from relay.runtime.commands import Tick
from relay.runtime.context import Parts

log = structlog.get_logger(__name__)

EVERY_SECONDS = 10.0
BUSY_SECONDS = 0.5
TOLD_SECONDS = 600.0
"""A log that is kept elsewhere then holds digests that nobody here can change."""


class AuditChainer(RelayActor):
    """Every daemon has one; a lock in PostgreSQL lets one of them chain at a time."""

    def __init__(self, parts: Parts) -> None:
        super().__init__()
        self._parts = parts
        self._told_at = float("-inf")
        self._told = ""

    def on_start(self) -> None:
        tell(self.actor_ref, Tick())

    def handle(self, command: Any) -> None:
        if not isinstance(command, Tick):
            super().handle(command)
            return
        count = 0
        try:
            count = audit_chain.seal(self._parts.pool)
            self._tell()
        except StoreError as error:
            log.warning("audit_chain_waits_for_postgresql", error=str(error))
        self._again(BUSY_SECONDS if count == audit_chain.SLICE else EVERY_SECONDS)

    def recover(self) -> None:
        self._again(EVERY_SECONDS)

    def _tell(self) -> None:
        if time.monotonic() - self._told_at < TOLD_SECONDS:
            return
        self._told_at = time.monotonic()
        head = str(audit_chain.head(self._parts.pool))
        if head != self._told:
            log.info("audit_chain", head=head)
            self._told = head

    def _again(self, seconds: float) -> None:
        self._parts.timers.after(seconds, self.actor_ref, Tick())
