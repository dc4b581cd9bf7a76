"""A conversation to print or as a table, and all that is kept of a person."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from flask import Response, render_template, request, url_for

from db.paging import CursorError
from db.views import transcript as transcripts
from web.actions import exports
from web.portal.frame import filters
from web.portal.frame.blueprint import portal, tenant, tenant_pool
from web.portal.messages.conversations import known
from web.request import data_access
from web.request.principal import needs

PRINTED = 1_000
"""Messages of one page: more than that no browser lays out at once."""


@portal.get("/tenants/<uuid:tenant_id>/conversations/<uuid:conversation_id>/transcript")
@needs("messages:read", per_line=True)
def transcript(tenant_id: UUID, conversation_id: UUID) -> str:
    """From its first message on."""
    found = known(conversation_id)
    after = request.args.get("after") or None
    try:
        part = transcripts.part(tenant_pool(), tenant().id, str(conversation_id), after, PRINTED)
    except CursorError as error:
        raise filters.beyond() from error
    data_access.record_once(
        tenant().id, ("transcript", str(conversation_id)), "conversation.exported", str(conversation_id), format="print"
    )
    here: dict[str, Any] = {"tenant_id": tenant_id, "conversation_id": conversation_id}
    further = url_for("portal.transcript", **here, after=part.next) if part.next else None
    return render_template("portal/transcript.html", found=found, said=part.items, further=further, first=after is None)


@portal.get("/tenants/<uuid:tenant_id>/conversations/<uuid:conversation_id>/messages.csv")
@needs("messages:read", per_line=True)
def conversation_table(tenant_id: UUID, conversation_id: UUID) -> Response:
    return exports.conversation_file(known(conversation_id).conversation, "csv")


@portal.get("/tenants/<uuid:tenant_id>/conversations/<uuid:conversation_id>/person.zip")
@needs("messages:read", per_line=True)
def person(tenant_id: UUID, conversation_id: UUID) -> Response:
    return exports.person_archive(known(conversation_id).conversation)
