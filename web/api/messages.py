"""What happened to a message."""

from __future__ import annotations

from flask import Response
from flask_openapi3 import APIBlueprint, Tag

from db import history
from db.history import Filter, Tracked
from web.api import auth
from web.api.context import parts, reply
from web.api.errors import ApiError
from web.api.schemas import AttemptOut, HappeningOut, MessageDetail, MessageList, MessageOut, MessagePath, MessageQuery
from web.api.setup import ERRORS, KEY

api = APIBlueprint(
    "messages",
    __name__,
    url_prefix="/api/messages",
    abp_tags=[Tag(name="messages")],
    abp_security=KEY,
    abp_responses=ERRORS,
)
api.before_request(auth.authenticate)


@api.get("", summary="List messages, newest first", responses={200: MessageList})
def list_messages(query: MessageQuery) -> Response:
    wanted = Filter(
        tenant_id=auth.required_tenant(),
        conversation_id=str(query.conversation_id) if query.conversation_id else None,
        line_id=str(query.line_id) if query.line_id else None,
        direction=query.direction,
        state=query.state,
        reference=query.reference,
        before=query.before,
    )
    found = history.listed(parts().pool, wanted, query.limit + 1)
    page = found[: query.limit]
    more = page[-1].seq if len(found) > query.limit else None
    return reply(MessageList(items=[_out(one) for one in page], next=more))


@api.get("/<uuid:message_id>", summary="A message with its history", responses={200: MessageDetail})
def get_message(path: MessagePath) -> Response:
    found = history.get(parts().pool, auth.named_tenant(), str(path.message_id))
    if found is None:
        raise ApiError(404, "not_found", "there is no such message")
    tracked, attempts, happenings = found
    return reply(
        MessageDetail(
            **_out(tracked).model_dump(),
            history=[HappeningOut.model_validate(one, from_attributes=True) for one in happenings],
            calls=[AttemptOut.model_validate(one, from_attributes=True) for one in attempts],
        )
    )


def _out(tracked: Tracked) -> MessageOut:
    return MessageOut.model_validate(tracked, from_attributes=True)
