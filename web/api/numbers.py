"""Unknown numbers and integrations: what came for them is kept, and replayed once a line owns them."""

from __future__ import annotations

from flask import Response
from flask_openapi3 import APIBlueprint, Tag

from db import audit, lines, unknown_lines
from db.lines import LineRoute
from db.unknown_lines import Kept
from relay.broker.publisher import Outgoing
from relay.core.messages import Update, dump
from relay.core.queues import EXCHANGE, queue_number
from web.api import auth
from web.api.context import parts, reply
from web.api.errors import ApiError
from web.api.schemas import ErrorBody, Replayed, UnknownList, UnknownOut, UnknownPath
from web.api.setup import ERRORS, KEY

AT_ONCE = 500
PUBLISH_SECONDS = 8.0

api = APIBlueprint(
    "numbers",
    __name__,
    url_prefix="/api/unknown-numbers",
    abp_tags=[Tag(name="unknown numbers")],
    abp_security=KEY,
    abp_responses=ERRORS | {403: ErrorBody},
)
api.before_request(auth.authenticate)


@api.get("", summary="Numbers and integrations that no line owns", responses={200: UnknownList})
def list_unknown() -> Response:
    auth.require_operator()
    found = unknown_lines.listed(parts().pool)
    return reply(UnknownList(items=[UnknownOut.model_validate(one, from_attributes=True) for one in found]))


@api.post(
    "/<channel>/<line_ref>/replay",
    summary="Relay what came before the line was active",
    responses={200: Replayed, 409: ErrorBody},
)
def replay(path: UnknownPath) -> Response:
    """Some hundred at a time; `left` says whether to ask again."""
    auth.require_operator()
    held = parts()
    route = lines.route_by_ref(held.pool, held.cipher, path.channel, path.line_ref)
    if route is None:
        text = "no active line owns this id yet; complete the onboarding of its tenant first"
        raise ApiError(409, "still_unknown", text)
    kept = unknown_lines.waiting(held.pool, path.channel, path.line_ref, AT_ONCE)
    # First the broker's confirms, then the mark: a repeat is absorbed by the message's unique key, a loss by nobody.
    held.publisher.publish([_outgoing(path.channel, route, one) for one in kept], PUBLISH_SECONDS)
    with held.pool.transaction() as cursor:
        unknown_lines.mark_replayed(cursor, [one.id for one in kept])
        detail = {"channel": path.channel, "count": len(kept)}
        audit.record(
            cursor, auth.by(), "unknown.replayed", tenant_id=route.tenant_id, subject=path.line_ref, detail=detail
        )
    left = unknown_lines.count(held.pool, path.channel, path.line_ref)
    return reply(Replayed(replayed=len(kept), left=left))


def _outgoing(channel: str, route: LineRoute, kept: Kept) -> Outgoing:
    update = Update(
        channel=channel,
        tenant_id=route.tenant_id,
        line_id=route.line_id,
        address=kept.address,
        arrived_at=kept.arrived_at.timestamp(),
        index=kept.idx,
        payload=kept.payload,
    )
    number = queue_number(route.line_id, kept.address, parts().shards)
    return Outgoing(EXCHANGE[channel], str(number), dump(update))
