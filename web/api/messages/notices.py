"""Notices: what reached a tenant's lines and is no contact's message, the newest first."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from flask import Response
from pydantic import BaseModel, Field

from db.mailbox import notices
from db.mailbox.notices import ListedNotice
from db.paging import CursorError
from relay.core.redaction import redacted
from web.api.blueprint import behind_a_key
from web.api.messages.schemas import Before, Limit
from web.api.messages.tracking import not_a_page
from web.api.tenants.schemas import RequestModel, TenantPath
from web.api.tenants.setup import known_tenant
from web.request import data_access
from web.request.context import pool, reply
from web.request.principal import needs, principal

api = behind_a_key("notices", __name__, "notices", "/api")


class NoticeQuery(RequestModel):
    line_id: UUID | None = None
    limit: Limit = 50
    before: Before | None = None


class NoticeOut(BaseModel):
    id: int
    tenant_id: str
    line_id: str
    channel: Literal["whatsapp", "genesys", "relay"]
    kind: str = Field(
        description="the provider's word, `unreadable`, `identity_conflict`, `line_disputed` or `line_released`"
    )
    reason: str
    payload: Any = Field(
        description="as the provider sent it, without secrets; its beginning where it is large; null without the scope "
        "`payloads:read`"
    )
    at: datetime


class NoticeList(BaseModel):
    items: list[NoticeOut]
    next: str | None = Field(description="pass it as `before` for the next page; null at the end")


@api.get(
    "/tenants/<uuid:tenant_id>/notices",
    summary="What reached a line and is no contact's message",
    responses={200: NoticeList},
)
@needs("messages:read", per_line=True)
def list_notices(path: TenantPath, query: NoticeQuery) -> Response:
    """News of the account and of the line, what nobody could read, and contacts whose number and user id contradict
    each other.

    Kept for as long as the tenant chose (30 days where it did not), the newest 5,000 of each line.
    """
    tenant_id = known_tenant(path).id
    line_id = str(query.line_id) if query.line_id else None
    try:
        found = notices.listed(pool(), tenant_id, line_id, query.before, query.limit)
    except CursorError as error:
        raise not_a_page(error) from error
    data_access.record_once(tenant_id, ("notices", tenant_id), "notices.listed")
    return reply(NoticeList(items=[_out(one) for one in found.items], next=found.next))


def _out(one: ListedNotice) -> NoticeOut:
    return NoticeOut(
        id=one.id,
        tenant_id=one.tenant_id,
        line_id=one.line_id,
        channel=one.channel,  # type: ignore[arg-type]
        kind=one.kind,
        reason=one.reason,
        payload=redacted(one.payload) if principal().may("payloads:read") else None,
        at=one.at,
    )
