"""Relaying what was kept for a number or integration once a line owns it. For API and portal, within a request.

Proof stays with what is kept: a line is given only what one of the secrets in force for it has signed. The rest was
signed by somebody who may not speak for this line, and stays where it is.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from db import audit
from db.tenants import lines, unknown_lines
from db.tenants.lines import LineRoute, effective_secrets
from db.tenants.unknown_lines import KeptUpdate
from relay.broker.updates import Written, packed
from relay.core.messages import Update, dump
from web.request.context import pool, web_context
from web.request.errors import ApiError
from web.request.principal import by

AT_ONCE = 500
PUBLISH_SECONDS = 8.0


@dataclass(frozen=True, slots=True)
class ReplayedUnknown:
    """`left`: ask again. `not_proved`: signed with no secret that counts for the line."""

    replayed: int
    left: int
    not_proved: int


def unknown(channel: Literal["whatsapp", "genesys"], line_ref: str) -> ReplayedUnknown:
    """The oldest AT_ONCE. Raises ApiError 409 while no active line has this id."""
    route = lines.route_by_ref(pool(), web_context().cipher, channel, line_ref)
    if route is None:
        text = "no active line owns this id yet; complete the onboarding of its tenant first"
        raise ApiError(409, "still_unknown", text)
    signers = web_context().signers.digests(effective_secrets(channel, route, web_context().meta_app_secrets))
    kept = unknown_lines.waiting(pool(), channel, line_ref, AT_ONCE, signers=signers)
    # First the broker's confirms, then the mark: a repeat is absorbed by the message's unique key, a loss by nobody.
    web_context().publisher.publish(
        packed((_update(channel, route, one) for one in kept), web_context().shards), PUBLISH_SECONDS
    )
    with pool().transaction() as cursor:
        unknown_lines.drop_relayed(cursor, [one.id for one in kept])
        detail = {"channel": channel, "count": len(kept)}
        audit.record(cursor, by(), "unknown.replayed", tenant_id=route.tenant_id, subject=line_ref, detail=detail)
    left = unknown_lines.count(pool(), channel, line_ref, signers=signers)
    return ReplayedUnknown(len(kept), left, unknown_lines.count(pool(), channel, line_ref) - left)


def drop(channel: Literal["whatsapp", "genesys"], line_ref: str, signer: str | None) -> tuple[int, int]:
    """Delete what waits for an id, of one signer or of all, a slice at a time: (how many, how many are left)."""
    with pool().transaction() as cursor:
        count = unknown_lines.drop(cursor, channel, line_ref, signer)
        detail = {"channel": channel, "count": count, "signer": signer or "all"}
        audit.record(cursor, by(), "unknown.deleted", subject=line_ref, detail=detail)
    signers = None if signer is None else [signer]
    return count, unknown_lines.count(pool(), channel, line_ref, signers=signers)


def _update(channel: str, route: LineRoute, kept: KeptUpdate) -> Written:
    update = Update(
        channel=channel,
        tenant_id=route.tenant_id,
        line_id=route.line_id,
        address=kept.address,
        arrived_at=kept.arrived_at.timestamp(),
        index=kept.idx,
        payload=kept.payload,
        signer=kept.signer,
        language=route.language,
    )
    return update, dump(update)
