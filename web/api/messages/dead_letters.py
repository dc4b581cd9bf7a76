"""Dead letters: messages that were given up, and updates that nobody could decode; both can be sent again."""

from __future__ import annotations

from flask import Response

from db.mailbox import dead_letters
from db.mailbox.dead_letters import DeadLetterSelection
from db.paging import CursorError
from web.actions import undecoded
from web.api.access import auth
from web.api.blueprint import behind_a_key
from web.api.messages import tracking
from web.api.messages.dead_letter_schemas import (
    BrokerLetterOut,
    BrokerLetters,
    BrokerQuery,
    BrokerReplay,
    BrokerReplayed,
    DeadLetterIds,
    DeadLetterQuery,
    ReasonOut,
    Reasons,
    ReasonsQuery,
    RefusedOut,
    SentAgain,
)
from web.api.messages.schemas import MessageDetail, MessageList, MessageOut, MessagePath
from web.request import data_access
from web.request.context import pool, reply
from web.request.principal import OPERATOR, by, needs

api = behind_a_key("dead_letters", __name__, "dead letters", "/api/dead-letters")


@api.get("", summary="List dead letters, newest first", responses={200: MessageList})
@needs("messages:read", per_line=True)
def list_dead(query: DeadLetterQuery) -> Response:
    """A key of the operator's that names no tenant sees those of all."""
    tenant_id = auth.named_tenant()
    wanted = DeadLetterSelection(
        tenant_id=tenant_id,
        line_id=str(query.line_id) if query.line_id else None,
        direction=query.direction,
        reason_code=query.reason_code,
        since=query.since,
        until=query.until,
        before=query.before,
    )
    try:
        found = dead_letters.listed(pool(), wanted, query.limit)
    except CursorError as error:
        raise tracking.not_a_page(error) from error
    for seen in sorted({one.tenant_id for one in found.items}):
        data_access.record_once(seen, ("dead letters", seen), "dead_letters.listed")
    return reply(MessageList(items=[MessageOut.model_validate(one) for one in found.items], next=found.next))


@api.get("/<uuid:message_id>", summary="A dead letter with its history", responses={200: MessageDetail})
@needs("messages:read", per_line=True)
def get_dead(path: MessagePath) -> Response:
    """The same as GET /api/messages/{id}."""
    return tracking.shown(str(path.message_id))


@api.get("/reasons", summary="Count dead letters by their reasons", responses={200: Reasons})
@needs("messages:read", per_line=True)
def count_reasons(query: ReasonsQuery) -> Response:
    """Of the newest 10,000 that match, the most frequent reason first."""
    wanted = DeadLetterSelection(
        tenant_id=auth.required_tenant(),
        line_id=str(query.line_id) if query.line_id else None,
        direction=query.direction,
        since=query.since,
        until=query.until,
    )
    found = dead_letters.reasons(pool(), wanted)
    return reply(Reasons(items=[ReasonOut.model_validate(one) for one in found]))


@api.post("/replay", summary="Send a few dead letters again at once", responses={200: SentAgain})
@needs("messages:replay", per_line=True)
def replay(body: DeadLetterIds) -> Response:
    """What belongs to one conversation goes again in its old order. For more than 50 begin a replay."""
    done = dead_letters.replay(pool(), by(), auth.named_tenant(), [str(one) for one in body.ids])
    refused = [RefusedOut(id=one, reason=why) for one, why in done.refused.items()]
    return reply(SentAgain(replayed=len(done.replayed), refused=refused))


@api.get("/broker", summary="Updates that nobody could decode", responses={200: BrokerLetters})
@needs(OPERATOR, scope="payloads:read")
def list_broker(query: BrokerQuery) -> Response:
    """What lies in the broker's queue DEAD_LETTERS; it stays there."""
    waiting, letters = undecoded.listed(query.limit)
    return reply(BrokerLetters(waiting=waiting, items=[BrokerLetterOut.model_validate(one) for one in letters]))


@api.post("/broker/replay", summary="Bring undecodable updates back to their queues", responses={200: BrokerReplayed})
@needs(OPERATOR, scope="messages:replay")
def replay_broker(body: BrokerReplay) -> Response:
    """Worth it after a release that has mended the cause. What is no update of the relay's own stays, and so does
    what is signed with no secret that counts for its line now."""
    return reply(BrokerReplayed.model_validate(undecoded.bring_back(body.limit)))
