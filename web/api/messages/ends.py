"""The ends of conversations: told by Genesys' own tools, and listed."""

from __future__ import annotations

import time
from datetime import datetime
from typing import Literal

from flask import Response, request
from pydantic import BaseModel, Field

from db.contacts import agents
from db.mailbox import ends
from web import metrics
from web.api.access import auth
from web.api.blueprint import behind_a_key
from web.api.messages.conversations import known_conversation
from web.api.messages.schemas import ResponseModel
from web.api.tenants.schemas import ConversationPath
from web.request.context import pool, reply, web_context
from web.request.errors import ApiError
from web.request.principal import needs
from web.webhooks import reading
from web.webhooks.budget import Budget, OverBudget

api = behind_a_key("ends", __name__, "conversations")


class EndsTaken(BaseModel):
    ends: int = Field(description="ends of message conversations that the body tells of")
    new: int = Field(description="those of them that are this tenant's lines', and were not told before")


class EndOut(ResponseModel):
    kind: Literal["over", "agent_left", "asked"] = Field(
        description="asked: the customer wrote one of the line's words"
    )
    at: datetime
    genesys_conversation_id: str
    reason: str = Field(description="Genesys' word for how it ended, such as CLIENT; empty: it told none")
    message_id: str | None = Field(description="what the customer was sent for it")


class EndList(BaseModel):
    items: list[EndOut]


@api.post(
    "/genesys/events",
    summary="Tell the relay of events of conversations at Genesys",
    responses={200: EndsTaken},
)
@needs("events:write")
def take_events() -> Response:
    """The body is what EventBridge or a workflow of Process Automation has: one event, in its
    envelope or not, or a list of them, as JSON. What is no end of a message conversation, or is no line's, is left
    alone and answered 200 too.
    """
    try:
        body = reading.read(request.get_data(), Budget())
    except (reading.Unreadable, OverBudget) as error:
        raise ApiError(400, "invalid_request", str(error) or "the body is not JSON") from None
    told = web_context().channels["genesys"].ends
    found = list(told.told(body)) if told is not None else []
    new = ends.keep(web_context().pool, auth.required_tenant(), found, time.time())
    metrics.ends.inc(new)
    if told is not None:
        _tell_of_agents(told.agents.moves(body))
    return reply(EndsTaken(ends=len(found), new=new))


def _tell_of_agents(moves: dict[str, bool]) -> None:
    """Who has gone writes no more; who talks now is found out by a daemon."""
    asked = agents.asked_about(web_context().pool, auth.required_tenant(), moves)
    for genesys_id, questions in asked.items():
        web_context().agents.moved(questions, gone=moves[genesys_id])


@api.get(
    "/api/conversations/<uuid:conversation_id>/ends",
    summary="How a conversation ended at Genesys, the newest 200 times, the oldest of them first",
    responses={200: EndList},
)
@needs("messages:read", per_line=True)
def list_ends(path: ConversationPath) -> Response:
    one = known_conversation(path).conversation
    return reply(EndList(items=[EndOut.model_validate(end) for end in ends.listed(pool(), one.tenant_id, one.id)]))
