"""A webhook POST, from its raw bytes to the broker's confirms.

Durable before 200: everything accepted is at the broker, everything that is nobody's yet in
PostgreSQL. StoreError leaves as 503, and the provider repeats the whole; what was taken by then
is absorbed as a duplicate.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import structlog
from flask import Response, current_app, request

from relay.channels.base import Channel
from relay.core.errors import StoreError
from web import metrics
from web.arrival import arrived_at
from web.errors import ApiError
from web.parts import WebParts
from web.webhooks import outgoing, reading, remembering
from web.webhooks.judges import Judge
from web.webhooks.proof import Proof
from web.webhooks.sorting import Sorted, sort

log = structlog.get_logger(__name__)

SIGNATURE = "X-Hub-Signature-256"


def parts() -> WebParts:
    found: WebParts = current_app.extensions["relay"]
    return found


class Reception:
    """One POST of one channel. `make_judge` says what the URL admits, `seconds` bounds the publishing."""

    def __init__(self, channel: str, make_judge: Callable[[WebParts, Proof], Judge], seconds: float) -> None:
        self._parts = parts()
        self._channel: Channel = self._parts.channels[channel]
        self._make_judge = make_judge
        self._seconds = seconds
        self._arrived_at = arrived_at(request.environ)

    def answer(self) -> Response:
        """Do it all. Raises ApiError, StoreError, or what werkzeug raises for an oversized body."""
        if not self._parts.preparation.done:
            raise StoreError("web is still waiting for what it needs")
        raw = request.get_data(cache=False)
        signature = request.headers.get(SIGNATURE)
        if not signature or not signature.startswith("sha256="):
            raise self._refused(raw)
        proof = Proof(self._channel.verify, raw, signature)
        judge = self._make_judge(self._parts, proof)
        body = reading.read(raw)
        if body is reading.UNREADABLE:
            self._unreadable(raw, proof, judge)
        else:
            self._readable(raw, body, proof, judge)
        metrics.webhooks.labels(self._channel.name, "accepted").inc()
        return Response(status=200)

    def _readable(self, raw: bytes, body: Any, proof: Proof, judge: Judge) -> None:
        found = sort(self._channel.split(body), judge, lambda: proof.given)
        self._check(proof, found, raw)
        updates, unencodable = outgoing.updates(self._channel.name, found, self._arrived_at, self._parts.shards)
        if not found.undecided:
            updates.append(outgoing.archive(self._channel.name, raw, self._arrived_at, found.owners, _alone(found)))
        self._publish(updates)
        remembering.keep_unknown(self._parts.pool, self._channel.name, [*found.unknown, *unencodable], self._when())
        remembering.audit_foreign(self._parts, self._channel.name, found.foreign)
        self._count(found)
        if found.undecided:
            raise StoreError(f"{len(found.undecided)} items could not be placed while the database is away")

    def _unreadable(self, raw: bytes, proof: Proof, judge: Judge) -> None:
        """Rightly signed all the same: the provider must not repeat it, and somebody should look at it."""
        found = Sorted()
        for ref in reading.guessed_refs(self._channel.name, raw):
            if proof.given:
                break
            found = sort(remembering.nameless(ref), judge, lambda: proof.given)
        self._check(proof, found, raw)
        archived = outgoing.archive(self._channel.name, raw, self._arrived_at, {}, False, droppable=False)
        self._publish([archived])
        remembering.keep_unreadable(self._parts.pool, self._channel.name, raw, self._when())
        metrics.items.labels(self._channel.name, "unreadable").inc()
        log.error("webhook_unreadable", channel=self._channel.name, **_fingerprint(raw))

    def _check(self, proof: Proof, found: Sorted, raw: bytes) -> None:
        if proof.given:
            return
        if found.undecided:
            raise StoreError("the database is away, and with it the secrets that could verify this")
        raise self._refused(raw)

    def _refused(self, raw: bytes) -> ApiError:
        metrics.webhooks.labels(self._channel.name, "refused").inc()
        log.warning("webhook_not_proved", channel=self._channel.name, **_fingerprint(raw))
        return ApiError(401, "signature_invalid", "no secret of any line named here signs this body")

    def _publish(self, messages: list[outgoing.Outgoing]) -> None:
        dropped = self._parts.publisher.publish(messages, self._seconds)
        if dropped:
            metrics.archive_refused.inc(len(dropped))
            log.error("archive_refused", channel=self._channel.name, advice="see docs/queues.md, WEBHOOK_ARCHIVE")

    def _count(self, found: Sorted) -> None:
        for what in ("accepted", "unknown", "foreign", "undecided"):
            metrics.items.labels(self._channel.name, what).inc(len(getattr(found, what)))

    def _when(self) -> datetime:
        return datetime.fromtimestamp(self._arrived_at, UTC)


def _alone(found: Sorted) -> bool:
    """The whole body is one tenant's, so that it may have it as it came."""
    return len(found.owners) == 1 and not found.unknown and not found.foreign


def _fingerprint(raw: bytes) -> dict[str, Any]:
    """Enough to compare with a capture at the provider's side; never the body."""
    return {"length": len(raw), "sha256": hashlib.sha256(raw).hexdigest()[:16]}
