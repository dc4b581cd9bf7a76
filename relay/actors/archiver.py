"""ArchiverActor: brings raw webhooks from their queue into the object store, off every message's path.

A delivery is acked once the store has it. While the store is away nothing is acked: the prefetch
bounds what is held here, the queue's own limit what waits at the broker.
"""

from __future__ import annotations

import io
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import structlog

from relay import metrics
from relay.broker.consumer import Delivery
from relay.core import archive, erasure
from relay.core.archive import ArchiveCopy, Webhook
from relay.core.errors import StoreError
from relay.core.queues import WEBHOOK_ARCHIVE
from relay.core.retry import store_backoff
from relay.runtime.actor import RelayActor, tell
from relay.runtime.commands import Tick
from relay.runtime.context import Parts
from relay.stores.objects import WEBHOOKS_INBOUND, WEBHOOKS_OUTBOUND, FileRefusedError

log = structlog.get_logger(__name__)

BUCKET = {"whatsapp": WEBHOOKS_INBOUND, "genesys": WEBHOOKS_OUTBOUND}
# A webhook may have 4 MB, and this many of them are in memory while the store is away.
PREFETCH = 50
GATHER_SECONDS = 1.0
PACK_FROM = 8
"""So many of one tenant at once become one object."""


@dataclass(frozen=True, slots=True)
class ArchiveLost:
    """The channel is gone, and with it everything unacked: the broker will bring it again."""


class ArchiverActor(RelayActor):
    def __init__(self, parts: Parts) -> None:
        super().__init__()
        self._parts = parts
        self._number = 0
        self._held: list[Delivery] = []
        self._write_at: float | None = None
        self._failures = 0

    def on_start(self) -> None:
        self._number = self._parts.consumer.consume(
            WEBHOOK_ARCHIVE,
            self._told,
            PREFETCH,
            on_lost=lambda _: self._told(ArchiveLost()),
        )

    def on_stop(self) -> None:
        """What is not stored goes back to the queue."""
        self._parts.consumer.close(self._number)

    def handle(self, command: Any) -> None:
        if isinstance(command, Delivery):
            self._held.append(command)
            self._alarm(GATHER_SECONDS)
        elif isinstance(command, ArchiveLost):
            self._held.clear()
        elif not isinstance(command, Tick):
            super().handle(command)
        due = self._write_at is not None and time.monotonic() >= self._write_at
        if due:
            self._write_at = None
        if self._held and (due or (len(self._held) >= PREFETCH and not self._failures)):
            self._write()

    def recover(self) -> None:
        self._rest()

    def _told(self, command: Any) -> None:
        tell(self.actor_ref, command)

    def _alarm(self, seconds: float) -> None:
        """One alarm at a time; an earlier one that is still to come does."""
        if self._write_at is None:
            self._write_at = time.monotonic() + seconds
            self._parts.timers.after(seconds, self.actor_ref, Tick())

    def _write(self) -> None:
        try:
            self._parts.tombstones.refresh()
            for bucket, group in self._groups():
                self._store(bucket, [copy for _, copies in group for copy in copies])
                self._done([delivery for delivery, _ in group])
        except StoreError as error:
            metrics.archive_failures.inc()
            if not self._failures:
                log.warning("archive_waits", held=len(self._held), error=str(error))
            self._rest()
            return
        self._failures = 0

    def _groups(self) -> list[tuple[str, list[tuple[Delivery, list[ArchiveCopy]]]]]:
        """What is held, by bucket: each delivery with the copies to make of it."""
        groups: dict[str, list[tuple[Delivery, list[ArchiveCopy]]]] = {}
        for delivery in self._held:
            bucket, copies = self._copies(delivery)
            groups.setdefault(bucket, []).append((delivery, copies))
        return list(groups.items())

    def _copies(self, delivery: Delivery) -> tuple[str, list[ArchiveCopy]]:
        try:
            webhook = archive.read(delivery.body)
        except ValueError as error:
            log.error("archive_unreadable", reason=str(error), size=len(delivery.body))
            return WEBHOOKS_INBOUND, [_foundling(delivery)]
        copies = [self._without_erased(webhook, copy) for copy in self._shared_out(webhook)]
        return BUCKET.get(webhook.channel, WEBHOOKS_INBOUND), [copy for copy in copies if copy is not None]

    def _without_erased(self, webhook: Webhook, copy: ArchiveCopy) -> ArchiveCopy | None:
        """It came before somebody was erased whom it names: it is kept without them. None: nothing of it is left.

        Of what belongs to several tenants only the part of the one whose person it was is touched. What cannot be read
        is kept, unless a word of it is the person's name: then nobody could take out only that.

        Of a tenant that is gone nothing is; with others it shared the operator's copy, and they have their own parts.
        """
        stones = self._parts.tombstones
        mixed = copy.owner == archive.OPERATOR
        owners = webhook.owners if mixed else (copy.owner,)
        if any(stones.departed(owner) for owner in owners):
            return None
        for owner in filter(stones.some, owners):
            named = partial(stones.erased_since, owner, copy.received_at)
            own = partial(self._part, webhook.channel, set(webhook.owners[owner])) if mixed else None
            kept = erasure.without_in_text(copy.raw, named, lambda _: True, own)
            if kept is None:
                metrics.archive_withheld.inc()
                log.info("archive_withheld", webhook=webhook.id, owner=copy.owner, size=len(copy.raw))
                return None
            copy = replace(copy, raw=kept)
        return copy

    def _part(self, channel: str, refs: set[str], body: Any, pruned: erasure.Pruned) -> Any:
        return self._parts.channels[channel].rewrite(body, refs, pruned)

    def _shared_out(self, webhook: Webhook) -> list[ArchiveCopy]:
        try:
            return archive.copies(webhook, self._parts.channels[webhook.channel].keep)
        except (ValueError, KeyError, RecursionError) as error:
            log.error("archive_not_shared_out", webhook=webhook.id, reason=type(error).__name__)
            return [ArchiveCopy(archive.OPERATOR, webhook.id, webhook.received_at, webhook.raw)]

    def _store(self, bucket: str, copies: Sequence[ArchiveCopy]) -> None:
        by_owner: dict[str, list[ArchiveCopy]] = {}
        for copy in copies:
            by_owner.setdefault(copy.owner, []).append(copy)
        for together in by_owner.values():
            if len(together) < PACK_FROM:
                for one in together:
                    self._put(bucket, archive.object_key(one), one.raw, "application/json")
            else:
                key = archive.object_key(together[0], "jsonl.gz")
                self._put(bucket, key, archive.packed(together), "application/gzip")

    def _put(self, bucket: str, key: str, body: bytes, mime_type: str) -> None:
        try:
            self._parts.objects.put(bucket, key, io.BytesIO(body), len(body), mime_type)
        except FileRefusedError as error:  # to ask again would hold up all that comes after it; the rows have it, too
            metrics.archive_losses.inc()
            log.error("archive_lost", bucket=bucket, key=key, size=len(body), error=error.text)
            return
        metrics.archived.inc()

    def _done(self, stored: list[Delivery]) -> None:
        self._parts.consumer.ack(self._number, stored)
        held = {id(delivery) for delivery in stored}
        self._held = [delivery for delivery in self._held if id(delivery) not in held]

    def _rest(self) -> None:
        self._failures += 1
        self._write_at = None
        self._alarm(store_backoff(self._failures))


def _foundling(delivery: Delivery) -> ArchiveCopy:
    """Somebody else's message in our queue: kept as it is, for the operator."""
    return ArchiveCopy(archive.OPERATOR, f"foundling-{delivery.tag}", time.time(), delivery.body)
