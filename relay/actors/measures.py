"""MeasuresActor: reads the figures of the whole installation for /metrics, in the daemon that owns shard 0.

A scrape asks nobody: it shows what was read last.
"""

from __future__ import annotations

import time
from collections import defaultdict

import structlog

from db.views import measures
from db.views.measures import Measures
from relay.broker.errors import BrokerError
from relay.checks import certificate_ends
from relay.core.explain.kinds import WaitingGroup, kind_of
from relay.core.queues import DEAD_LETTERS, INBOUND, OUTBOUND, WEBHOOK_ARCHIVE, queue_name
from relay.measured import Series, measured
from relay.runtime.context import Parts
from relay.runtime.regular import RegularActor

log = structlog.get_logger(__name__)

CERTIFICATES_EVERY = 3600.0
FIRST_SHARD = 0


class MeasuresActor(RegularActor):
    longest_seconds = 180.0
    """Servers that do not answer are waited for, one after the other."""

    def __init__(self, parts: Parts) -> None:
        super().__init__(parts)
        self.every_seconds = self.busy_seconds = parts.limits.measures
        self._certificates: dict[tuple[str, ...], float] = {}
        self._certificates_at = 0.0

    def on_stop(self) -> None:
        measured.show({})

    def work(self) -> bool:
        """Whoever takes shard 0 over begins within the same time."""
        if FIRST_SHARD not in self._parts.shards:
            measured.show({})
            return False
        if time.monotonic() >= self._certificates_at:
            self._certificates_at = time.monotonic() + CERTIFICATES_EVERY
            self._certificates = self._read_certificates()
        found = of_database(measures.read(self._parts.pool), self._parts.limits.measures_by_line)
        found["relay_queue_messages"] = self._queues()
        found["relay_certificate_expiry_timestamp_seconds"] = self._certificates
        found["relay_measured_timestamp_seconds"] = {(): time.time()}
        measured.show(found)
        return False

    def _queues(self) -> Series:
        """Nothing while the broker is away: of that others tell."""
        shards = range(self._parts.limits.shards)
        queues = {
            INBOUND: [queue_name(INBOUND, n) for n in shards],
            OUTBOUND: [queue_name(OUTBOUND, n) for n in shards],
        }
        try:
            return {
                (name,): float(sum(self._parts.consumer.ready(one) for one in names))
                for name, names in (queues | {one: [one] for one in (DEAD_LETTERS, WEBHOOK_ARCHIVE)}).items()
            }
        except BrokerError as error:
            log.debug("queues_not_measured", error=str(error))
            return {}

    def _read_certificates(self) -> dict[tuple[str, ...], float]:
        found: dict[tuple[str, ...], float] = {}
        for server in self._parts.tls_servers:
            try:
                ends = certificate_ends.ends_at(server)
            except (OSError, ValueError) as error:
                log.info("certificate_not_read", server=server.name, error=type(error).__name__)
                continue
            if ends is not None:
                found[(server.name,)] = ends
        return found


def of_database(found: Measures, by_line: bool) -> dict[str, Series]:
    """As `relay.measured` shows them."""
    shown: dict[str, Series] = {
        "relay_credentials": {key: float(n) for key, n in found.credentials.items()},
        "relay_lines": {(status,): float(n) for status, n in found.lines.items()},
        "relay_conditions": {(kind,): float(n) for kind, n in found.conditions.items()},
        "relay_daemons": {(): float(found.daemons)},
        "relay_web_workers": {(): float(found.web_workers)},
        "relay_shards_unowned": {(): float(found.unowned_shards)},
        "relay_database_moved": {(): float(found.moved)},
        "relay_table_bytes": {(name,): float(one.bytes) for name, one in found.tables.items()},
        "relay_table_rows": {(name,): float(one.rows) for name, one in found.tables.items()},
    }
    shown["relay_waiting_messages"], shown["relay_waiting_oldest_seconds"] = _waiting(found.waiting, by_line=False)
    if by_line:
        each = _waiting(found.waiting, by_line=True)
        shown["relay_line_waiting_messages"], shown["relay_line_waiting_oldest_seconds"] = each
    return shown


def _waiting(groups: list[WaitingGroup], *, by_line: bool) -> tuple[Series, Series]:
    """How many, and the age of the oldest."""
    counts: defaultdict[tuple[str, ...], float] = defaultdict(float)
    oldest: defaultdict[tuple[str, ...], float] = defaultdict(float)
    for group in groups:
        line = (group.line_id,) if by_line else ()
        key = (*line, group.direction, kind_of(group))
        counts[key] += group.count
        oldest[key] = max(oldest[key], group.oldest_seconds)
    return counts, oldest
