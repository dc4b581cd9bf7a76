"""For how long a tenant's data is kept: read, chosen, and what was deleted."""

from __future__ import annotations

from datetime import datetime

from flask import Response
from pydantic import BaseModel, Field

from relay.core.retention import RetentionError, RetentionKind
from web.actions import retention as actions
from web.actions.retention import KeptKind
from web.api.blueprint import behind_a_key
from web.api.messages.schemas import ResponseModel
from web.api.tenants.schemas import RequestModel, TenantPath
from web.api.tenants.setup import known_tenant
from web.request.context import reply
from web.request.errors import wrong_field
from web.request.principal import needs

api = behind_a_key("retention", __name__, "tenants", "/api/tenants")
PATH = "/<uuid:tenant_id>/retention"


class KeptKindOut(ResponseModel):
    kind: RetentionKind = Field(
        description="contents: words, payloads and answers of messages; webhooks: raw bodies; media: files; history: "
        "messages with all that is known of them, and contacts without any; notices; audit: the audit log"
    )
    days: int = Field(description="older than this many whole days (UTC) is deleted")
    chosen: bool = Field(description="false: as usual in this installation")
    least: int
    most: int
    deleted: int = Field(description="in all: messages, objects, notices or lines")
    last_deleted: int = Field(description="in the last round that ended")
    this_round: int = Field(description="in the one that is going on")
    ended_at: datetime | None = Field(description="when the last round ended")
    ended_before: datetime | None = Field(description="what is older was gone then")
    due_at: datetime | None = Field(description="when the next step is due")
    trouble: str | None = Field(description="what stood in the way of the last step")


class RetentionOut(BaseModel):
    items: list[KeptKindOut]


class RetentionChoice(RequestModel):
    """In days. What is left out, or null, is as usual in this installation."""

    contents: int | None = None
    webhooks: int | None = None
    media: int | None = None
    history: int | None = None
    notices: int | None = None
    audit: int | None = None


@api.get(PATH, summary="For how long what is kept, and what was deleted", responses={200: RetentionOut})
@needs("tenants:read")
def get_retention(path: TenantPath) -> Response:
    """The daemons delete once a day, in small steps beside the messages."""
    return reply(_out(actions.standing(known_tenant(path).id)))


@api.put(PATH, summary="Choose for how long what is kept", responses={200: RetentionOut})
@needs("tenants:write")
def choose_retention(path: TenantPath, body: RetentionChoice) -> Response:
    """It takes the place of the choice before, and holds from now on: what is too old then goes at once."""
    tenant_id = known_tenant(path).id
    try:
        actions.choose(tenant_id, body.model_dump(exclude_none=True))
    except RetentionError as error:
        raise wrong_field(error.kind, str(error)) from error
    return reply(_out(actions.standing(tenant_id)))


def _out(found: list[KeptKind]) -> RetentionOut:
    return RetentionOut(items=[KeptKindOut.model_validate(one) for one in found])
