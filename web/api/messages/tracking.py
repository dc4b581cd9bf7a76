"""What happened to a message."""

from __future__ import annotations

from dataclasses import asdict
from datetime import UTC, datetime

from flask import Response

from db.paging import CursorError
from db.views import history, waiting
from db.views.history import MessageSelection
from web.actions import prices
from web.actions.prices import CopyCharge
from web.api.access import auth
from web.api.blueprint import behind_a_key
from web.api.messages.schemas import (
    AttemptOut,
    CopyPriceOut,
    MessageDetail,
    MessageEventOut,
    MessageList,
    MessageOut,
    MessagePath,
    MessageQuery,
    PayloadOut,
    StepOut,
    WaitReasonOut,
)
from web.request import data_access
from web.request.context import pool, reply, web_context
from web.request.errors import ApiError, wrong_field
from web.request.principal import needs

api = behind_a_key("messages", __name__, "messages", "/api/messages")


@api.get("", summary="List messages, newest first", responses={200: MessageList})
@needs("messages:read", per_line=True)
def list_messages(query: MessageQuery) -> Response:
    tenant_id = auth.required_tenant()
    wanted = MessageSelection(
        tenant_id=tenant_id,
        conversation_id=str(query.conversation_id) if query.conversation_id else None,
        line_id=str(query.line_id) if query.line_id else None,
        direction=query.direction,
        states=query.state,
        since=query.since,
        until=query.until,
        reference=query.reference,
        q=query.q,
        before=query.before,
    )
    try:
        found = history.listed(pool(), wanted, query.limit)
    except CursorError as error:
        raise not_a_page(error) from error
    data_access.record_once(tenant_id, ("messages", tenant_id), "messages.listed")
    return reply(MessageList(items=[MessageOut.model_validate(one) for one in found.items], next=found.next))


def not_a_page(error: CursorError) -> ApiError:
    return wrong_field("before", str(error))


@api.get("/<uuid:message_id>", summary="A message with its history", responses={200: MessageDetail})
@needs("messages:read", per_line=True)
def get_message(path: MessagePath) -> Response:
    return shown(str(path.message_id))


def shown(message_id: str) -> Response:
    """All about one message. Raises ApiError 404."""
    tenant_id = auth.named_tenant()
    found = history.get(pool(), tenant_id, message_id)
    if found is None:
        raise ApiError(404, "not_found", "there is no such message")
    why = waiting.of_message(pool(), tenant_id, message_id, web_context().terms)
    message = found.message
    data_access.record_once(message.tenant_id, ("conversation", message.conversation_id), "message.viewed", message_id)
    return reply(
        MessageDetail(
            **MessageOut.model_validate(message).model_dump(),
            steps=[StepOut.model_validate(one) for one in found.steps],
            waiting_for=WaitReasonOut.model_validate(why) if why else None,
            history=[MessageEventOut.model_validate(one) for one in found.history],
            calls=[AttemptOut.model_validate(one) for one in found.attempts],
            prices=[_price(one) for one in prices.of_copies(pool(), message.tenant_id, message.line_id, found.prices)],
        )
    )


def _price(one: CopyCharge) -> CopyPriceOut:
    cost = None if one.cost is None else f"{one.cost:f}"
    at = datetime.fromtimestamp(one.copy.at, UTC)
    return CopyPriceOut(
        provider_id=one.copy.provider_id, at=at, currency=one.currency, cost=cost, **asdict(one.copy.price)
    )


@api.get("/<uuid:message_id>/payload", summary="A message as the provider sent it", responses={200: PayloadOut})
@needs("payloads:read", per_line=True)
def get_payload(path: MessagePath) -> Response:
    tenant_id, message_id = auth.named_tenant(), str(path.message_id)
    found = history.get(pool(), tenant_id, message_id)
    if found is None:
        raise ApiError(404, "not_found", "there is no such message")
    data_access.record(found.message.tenant_id, "payload.viewed", message_id)
    return reply(PayloadOut(payload=history.payload(pool(), tenant_id, message_id)))
