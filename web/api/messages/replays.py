"""Replays: many dead letters sent again by the daemons, step by step; begun, watched and cancelled here."""

from __future__ import annotations

from datetime import datetime
from typing import Literal
from uuid import UUID

from flask import Response
from pydantic import BaseModel, Field

from db.mailbox import replays
from db.mailbox.dead_letters import DeadLetterSelection
from db.paging import CursorError
from web.actions import replays as actions
from web.api.access import auth
from web.api.blueprint import behind_a_key
from web.api.messages import tracking
from web.api.messages.schemas import Before, Direction, Limit, ResponseModel
from web.api.tenants.schemas import ErrorBody, Moment, ProviderId, RequestModel
from web.request.context import pool, reply
from web.request.principal import by, needs

api = behind_a_key("replays", __name__, "dead letters", "/api/dead-letters/replays")


class ReplayBegin(RequestModel):
    """All dead letters of the tenant that meet what is given."""

    ids: list[UUID] | None = Field(None, min_length=1, max_length=replays.NAMED, description="only these")
    line_id: UUID | None = None
    direction: Direction | None = None
    reason_code: ProviderId | None = None
    since: Moment | None = Field(None, description="arrived then or later")
    until: Moment | None = Field(None, description="arrived before then")


class ReplayQuery(RequestModel):
    limit: Limit = 20
    before: Before | None = None


class ReplayPath(BaseModel):
    replay_id: UUID


class ReplayOut(ResponseModel):
    id: str
    tenant_id: str
    state: Literal["running", "done", "cancelled", "failed"] = Field(description="done: all were put back")
    started_by: str
    started_at: datetime
    ended_by: str | None = Field(description="who cancelled it")
    ended_at: datetime | None
    line_id: str | None
    direction: Direction | None
    reason_code: str | None
    since: datetime | None
    until: datetime | None
    chosen: bool = Field(description="its messages were named by `ids`")
    total: int = Field(description="how many there were when it began, counted up to 100,000")
    put_back: int = Field(description="those back in their conversations")
    under_way: int = Field(description="of these, whose end is still open")
    carried: int = Field(description="of these, what a provider has taken")
    failed_again: int = Field(description="of these, what failed or was given up again")
    failure: str | None = Field(
        description="what stood in the way of its last step; ten such steps in a row, and it ends as failed"
    )


class ReplayList(BaseModel):
    items: list[ReplayOut]
    next: str | None


@api.post("", summary="Send many dead letters again", responses={202: ReplayOut, 409: ErrorBody})
@needs("messages:replay", per_line=True)
def begin(body: ReplayBegin) -> Response:
    """The daemons do it in small steps, the oldest first, below what arrives now; see the address in `Location`.

    What belongs to one conversation goes again in its old order. One at a time for each tenant. A key for some lines
    names one of them.
    """
    wanted = DeadLetterSelection(
        tenant_id=auth.required_tenant(),
        line_id=str(body.line_id) if body.line_id else None,
        direction=body.direction,
        reason_code=body.reason_code,
        since=body.since,
        until=body.until,
    )
    begun = actions.begin(wanted, None if body.ids is None else [str(one) for one in body.ids])
    response = reply(ReplayOut.model_validate(begun), 202)
    response.headers["Location"] = f"{api.url_prefix}/{begun.id}"
    return response


@api.get("", summary="List replays, newest first", responses={200: ReplayList})
@needs("messages:read", per_line=True)
def list_replays(query: ReplayQuery) -> Response:
    """Kept for 30 days. A key of the operator's that names no tenant sees those of all."""
    try:
        found = replays.listed(pool(), auth.named_tenant(), query.limit, query.before)
    except CursorError as error:
        raise tracking.not_a_page(error) from error
    return reply(ReplayList(items=[ReplayOut.model_validate(one) for one in found.items], next=found.next))


@api.get("/<uuid:replay_id>", summary="How far a replay is", responses={200: ReplayOut})
@needs("messages:read", per_line=True)
def get_replay(path: ReplayPath) -> Response:
    """What went out is counted when its end is known."""
    return reply(ReplayOut.model_validate(replays.get(pool(), auth.named_tenant(), str(path.replay_id))))


@api.post("/<uuid:replay_id>/cancel", summary="Cancel a replay", responses={200: ReplayOut})
@needs("messages:replay", per_line=True)
def cancel(path: ReplayPath) -> Response:
    """Nothing more is put back. What was put back goes out; a replay that has ended stays as it is."""
    ended = replays.cancel(pool(), by(), auth.named_tenant(), str(path.replay_id))
    return reply(ReplayOut.model_validate(ended))
