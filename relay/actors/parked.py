"""Parked receipts: applied once their message is known, dropped when nobody can match them any more."""

from __future__ import annotations

import time
import traceback
from collections.abc import Sequence

import structlog

from db.errors import meets_everybody
from db.mailbox import receipts
from relay import metrics
from relay.core.errors import StoreError
from relay.core.mailbox import RowStatus
from relay.runtime.context import Parts

log = structlog.get_logger(__name__)

DROP_EVERY = 60.0


class ParkedReceipts:
    """The sweep's share of them; those of a call that ends are applied with its outcome."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._drop_at = 0.0
        self._told: frozenset[tuple[str, str]] = frozenset()
        """The pairs of line and provider id that failed last time."""

    def apply(self) -> list[RowStatus]:
        """How those messages stand now that something was told of. One that fails costs the others nothing.

        Raises StoreError: PostgreSQL is in trouble.
        """
        pairs: list[tuple[str, str]] = []
        try:
            with self._parts.pool.transaction() as cursor:
                pairs = receipts.known(cursor)
                return receipts.unpark(cursor, pairs)
        except Exception as error:
            if meets_everybody(error) or not pairs:
                raise
        return self._one_by_one(pairs)

    def _one_by_one(self, pairs: Sequence[tuple[str, str]]) -> list[RowStatus]:
        row_statuses: list[RowStatus] = []
        failed = set()
        for pair in sorted(set(pairs)):
            try:
                with self._parts.pool.transaction() as cursor:
                    row_statuses += receipts.unpark(cursor, [pair])
            except Exception as error:
                if meets_everybody(error):
                    raise
                failed.add(pair)
                if pair not in self._told:
                    _tell(pair[0], error)
        self._told = frozenset(failed)
        return row_statuses

    def drop(self) -> None:
        """Each minute: also what cannot be applied has its end. Raises StoreError."""
        if time.monotonic() < self._drop_at:
            return
        with self._parts.pool.transaction() as cursor:
            metrics.receipts_dropped.inc(receipts.drop_stale(cursor))
        self._drop_at = time.monotonic() + DROP_EVERY


def _tell(line_id: str, error: Exception) -> None:
    """Without the error's text, which may quote a receipt, nor its provider id, which may hold a phone number."""
    where = "" if isinstance(error, StoreError) else "".join(traceback.format_tb(error.__traceback__))
    log.error("parked_receipt_not_applied", line_id=line_id, error=type(error).__name__, where=where)
