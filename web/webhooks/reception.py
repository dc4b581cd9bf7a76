"""A webhook POST, from its raw bytes to the broker's confirms. Proved before it is parsed.

Durable before 200: everything accepted is at the broker, everything that is nobody's yet in
PostgreSQL. StoreError leaves as 503, and the provider repeats the whole; what was taken by then
is absorbed as a duplicate.
"""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime
from typing import Any

import structlog
from werkzeug.wsgi import get_content_length, get_input_stream

from relay.core.errors import StoreError
from relay.observing import tracing
from relay.observing.tracing import TraceRoot
from web import metrics
from web.request.arrival import arrived_at
from web.request.errors import ApiError
from web.request.web_context import WebContext
from web.webhooks import outgoing, reading, remembering
from web.webhooks.authority import Authorised, authorise
from web.webhooks.budget import LARGE_BYTES, MOST_BYTES, Budget, OverBudget
from web.webhooks.endpoint import Endpoint
from web.webhooks.proof import SIGNATURE, NotProved, Proof, prove

log = structlog.get_logger(__name__)

SIGNATURE_HEADER = "HTTP_X_HUB_SIGNATURE_256"


def receive(environ: dict[str, Any], endpoint: Endpoint, held: WebContext) -> None:
    """Take one webhook, so that it may be answered 200.

    Raises ApiError 401, StoreError, or what werkzeug raises for a body that is too large, too slow, or cut off.
    """
    if not held.preparation.done:
        raise StoreError("web is still waiting for what it needs")
    signature, length = environ.get(SIGNATURE_HEADER, ""), get_content_length(environ)
    if not SIGNATURE.fullmatch(signature):
        raise _refused(endpoint, length=length)
    with held.large_bodies.reading(length):
        raw = get_input_stream(environ, max_content_length=MOST_BYTES).read()
        try:
            proof = prove(raw, signature, endpoint, held)
        except NotProved:
            raise _refused(endpoint, **_fingerprint(raw)) from None
        # The operator's app signs for many tenants: they are others, and none of them is held back for it.
        held.large_bodies.spend(proof.signer.owner, len(raw) if proof.signer.tenant_id else 0)
        at = arrived_at(environ)
        with held.large_bodies.working(proof.signer.owner, len(raw)), tracing.begin("webhook", at) as trace:
            _take(raw, at, proof, endpoint, held, trace)
    metrics.child(metrics.webhooks, endpoint.channel, "accepted").inc()


def _take(raw: bytes, at: float, proof: Proof, endpoint: Endpoint, held: WebContext, trace: TraceRoot | None) -> None:
    """What the signer says is taken, update by update; or kept whole, where that is not possible."""
    channel, budget = held.channels[endpoint.channel], Budget()
    try:
        body = reading.read(raw, budget)
        updates = list(budget.counted(channel.split(body)))
        found = authorise(updates, proof, endpoint, held.lines)
        accepted = budget.in_slices(found.accepted)
        parent = _begun(trace, channel.name, found)
        messages, left = outgoing.updates(channel.name, accepted, at, held.shards, proof.signer.digest, parent)
        unknown, odd = remembering.rows(found.unknown, budget), remembering.rows(left, budget)
    except (reading.Unreadable, OverBudget) as error:
        _keep_whole(raw, at, proof, endpoint, held, str(error) or "not readable as JSON")
        return
    if not found.undecided:
        messages.append(outgoing.archive(channel.name, raw, at, found.owners, found.one_owner))
    _publish(endpoint, messages, held)
    remembering.keep_updates(held.pool, channel.name, proof.signer, unknown, _time(at), "no active line has this id")
    remembering.keep_updates(
        held.pool, channel.name, proof.signer, odd, _time(at), "too large to relay, or not to be read"
    )
    some, kept = len(found.unknown) + len(left), len(unknown) + len(odd)
    if some > kept:
        reason = f"{some:,} of its updates are no line's, and {kept:,} of them stand here by themselves"
        remembering.keep_whole(held.pool, channel.name, proof.signer, raw, _time(at), reason)
    remembering.audit_foreign(held, channel.name, proof.signer, found.foreign)
    _count(channel.name, found)
    if found.undecided:
        raise StoreError(f"{len(found.undecided)} updates could not be placed while the database is away")


def _begun(trace: TraceRoot | None, channel: str, found: Authorised) -> str | None:
    """The traceparent of what is accepted. A line and its tenant are named where there is one only."""
    if trace is None:
        return None
    routes = {(route.tenant_id, route.line_id) for _, route in found.accepted}
    tenant_id, line_id = routes.pop() if len(routes) == 1 else (None, None)
    trace.about(provider=channel, updates=len(found.accepted), tenant_id=tenant_id, line_id=line_id)
    return trace.parent


def _keep_whole(raw: bytes, at: float, proof: Proof, endpoint: Endpoint, held: WebContext, reason: str) -> None:
    """Rightly signed all the same: the provider must not repeat it, and somebody should look at it."""
    _publish(endpoint, [outgoing.archive(endpoint.channel, raw, at, {}, False)], held)
    remembering.keep_whole(held.pool, endpoint.channel, proof.signer, raw, _time(at), reason)
    metrics.updates.labels(endpoint.channel, "unreadable").inc()
    log.error("webhook_unreadable", channel=endpoint.channel, reason=reason, **_fingerprint(raw))


def _refused(endpoint: Endpoint, **about: Any) -> ApiError:
    metrics.webhooks.labels(endpoint.channel, "refused").inc()
    log.warning("webhook_not_proved", channel=endpoint.channel, **about)
    return ApiError(401, "signature_invalid", "no secret of any line named here signs this body")


def _publish(endpoint: Endpoint, messages: list[outgoing.Outgoing], held: WebContext) -> None:
    dropped = held.publisher.publish(messages, endpoint.publish_seconds)
    if dropped:
        metrics.archive_refused.inc(len(dropped))
        log.error("archive_refused", channel=endpoint.channel, advice="see docs/queues.md, WEBHOOK_ARCHIVE")


def _count(channel: str, found: Authorised) -> None:
    for what in ("accepted", "unknown", "foreign", "undecided"):
        if count := len(getattr(found, what)):
            metrics.child(metrics.updates, channel, what).inc(count)


def _time(at: float) -> datetime:
    return datetime.fromtimestamp(at, UTC)


def _fingerprint(raw: bytes) -> dict[str, Any]:
    """Enough to compare with a capture at the provider's side; never the body. Of a large one its beginning."""
    return {"length": len(raw), "sha256_of_256k": hashlib.sha256(raw[:LARGE_BYTES]).hexdigest()[:16]}
