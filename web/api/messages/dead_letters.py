"""Dead letters: messages that were given up, and updates that nobody could decode; both can be sent again."""

from __future__ import annotations

from flask import Response

from db import audit
from db.mailbox import dead_letters
from db.mailbox.dead_letters import Filter
from db.paging import CursorError
from relay.broker.dead_letters import DeadLetter, route
from relay.core.messages import Update, load
from relay.core.queues import EXCHANGE
from relay.core.redaction import redacted
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
from web.request.context import pool, reply, web_context
from web.request.principal import OPERATOR, by, needs

PUBLISH_SECONDS = 8.0

api = behind_a_key("dead_letters", __name__, "dead letters", "/api/dead-letters")


@api.get("", summary="List dead letters, newest first", responses={200: MessageList})
@needs("messages:read")
def list_dead(query: DeadLetterQuery) -> Response:
    """A key of the operator's that names no tenant sees those of all."""
    tenant_id = auth.named_tenant()
    wanted = Filter(
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
@needs("messages:read")
def get_dead(path: MessagePath) -> Response:
    """The same as GET /api/messages/{id}."""
    return tracking.shown(str(path.message_id))


@api.get("/reasons", summary="Count dead letters by their reasons", responses={200: Reasons})
@needs("messages:read")
def count_reasons(query: ReasonsQuery) -> Response:
    """Of the newest 10,000 that match, the most frequent reason first."""
    wanted = Filter(
        tenant_id=auth.required_tenant(),
        line_id=str(query.line_id) if query.line_id else None,
        direction=query.direction,
        since=query.since,
        until=query.until,
    )
    found = dead_letters.reasons(pool(), wanted)
    return reply(Reasons(items=[ReasonOut.model_validate(one) for one in found]))


@api.post("/replay", summary="Send a few dead letters again at once", responses={200: SentAgain})
@needs("messages:replay")
def replay(body: DeadLetterIds) -> Response:
    """What belongs to one conversation goes again in its old order. For more than 50 begin a replay."""
    done = dead_letters.replay(pool(), by(), auth.named_tenant(), [str(one) for one in body.ids])
    refused = [RefusedOut(id=one, reason=why) for one, why in done.refused.items()]
    return reply(SentAgain(replayed=len(done.replayed), refused=refused))


@api.get("/broker", summary="Updates that nobody could decode", responses={200: BrokerLetters})
@needs(OPERATOR, scope="payloads:read")
def list_broker(query: BrokerQuery) -> Response:
    """The first ones of the broker's queue DEAD_LETTERS; they stay there."""
    found = web_context().dead_letters
    letters = found.peek(query.limit)
    _noted("broker_letters.viewed", count=len(letters))
    return reply(BrokerLetters(waiting=found.count(), items=[_letter(one) for one in letters]))


@api.post("/broker/replay", summary="Bring undecodable updates back to their queues", responses={200: BrokerReplayed})
@needs(OPERATOR, scope="messages:replay")
def replay_broker(body: BrokerReplay) -> Response:
    """Worth it after a release that has mended the cause. What is no update of the relay's own stays, and so does
    what is signed with no secret that counts for its line now."""
    held = web_context()
    gone, stayed = held.dead_letters.bring_back(
        lambda letter: route(letter, held.shards, _proved),
        lambda letters: held.publisher.publish(letters, PUBLISH_SECONDS),
        body.limit,
    )
    _noted("broker_letters.replayed", count=gone)
    return reply(BrokerReplayed(replayed=gone, stayed=stayed, left=held.dead_letters.count()))


def _proved(update: Update) -> bool:
    return web_context().signers.proves(update, web_context().meta_app_secrets)


def _letter(letter: DeadLetter) -> BrokerLetterOut:
    try:
        update = load(Update, letter.body)
    except ValueError:
        update = None
    return BrokerLetterOut(
        reason=letter.reason,
        size=len(letter.body),
        readable=update is not None and update.channel in EXCHANGE,
        proved=update is not None and _proved(update),
        channel=update.channel if update else None,
        tenant_id=update.tenant_id if update else None,
        line_id=update.line_id if update else None,
        arrived_at=update.arrived_at if update else None,
        payload=redacted(update.payload) if update else None,
    )


def _noted(action: str, count: int) -> None:
    with pool().transaction() as cursor:
        audit.record(cursor, by(), action, detail={"count": count})
