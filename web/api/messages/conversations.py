"""Conversations: a contact on a line, and all that was said."""

from __future__ import annotations

from flask import Response

from db.paging import CursorError
from db.views import search
from db.views.search import ConversationDetail, ConversationSearch
from web.api.access import auth
from web.api.blueprint import behind_a_key
from web.api.messages.schemas import (
    ConversationDetailOut,
    ConversationList,
    ConversationOut,
    ConversationQuery,
    GenesysSeenOut,
    MessageList,
    MessageOut,
    TimelineQuery,
)
from web.api.messages.tracking import not_a_page
from web.api.tenants.schemas import ConversationPath
from web.request import data_access
from web.request.context import pool, reply
from web.request.errors import ApiError
from web.request.principal import needs

api = behind_a_key("conversations", __name__, "conversations", "/api/conversations")


@api.get("", summary="List conversations, the last active first", responses={200: ConversationList})
@needs("messages:read", per_line=True)
def list_conversations(query: ConversationQuery) -> Response:
    tenant_id = auth.required_tenant()
    wanted = ConversationSearch(
        tenant_id=tenant_id,
        q=query.q,
        line_id=str(query.line_id) if query.line_id else None,
        active_since=query.active_since,
        trouble=query.trouble,
        before=query.before,
    )
    try:
        found = search.listed(pool(), wanted, query.limit)
    except CursorError as error:
        raise not_a_page(error) from error
    data_access.record_once(tenant_id, ("conversations", tenant_id), "conversations.listed")
    return reply(ConversationList(items=[ConversationOut.model_validate(one) for one in found.items], next=found.next))


@api.get("/<uuid:conversation_id>", summary="A conversation", responses={200: ConversationDetailOut})
@needs("messages:read", per_line=True)
def get_conversation(path: ConversationPath) -> Response:
    found = known_conversation(path)
    return reply(
        ConversationDetailOut(
            **ConversationOut.model_validate(found.conversation).model_dump(),
            genesys=[GenesysSeenOut.model_validate(one) for one in found.genesys],
            aliases=found.aliases,
        )
    )


@api.get(
    "/<uuid:conversation_id>/messages",
    summary="The newest messages of a conversation, the oldest of them first",
    responses={200: MessageList},
)
@needs("messages:read", per_line=True)
def list_conversation(path: ConversationPath, query: TimelineQuery) -> Response:
    one = known_conversation(path).conversation
    try:
        found = search.timeline(pool(), one.tenant_id, one.id, query.before, query.limit)
    except CursorError as error:
        raise not_a_page(error) from error
    return reply(MessageList(items=[MessageOut.model_validate(one) for one in found.items], next=found.next))


def known_conversation(path: ConversationPath) -> ConversationDetail:
    """Audited as a look at it. Raises ApiError 404."""
    found = search.get(pool(), auth.named_tenant(), str(path.conversation_id))
    if found is None:
        raise ApiError(404, "not_found", "there is no such conversation")
    one = found.conversation
    data_access.record_once(one.tenant_id, ("conversation", one.id), "conversation.viewed", one.id)
    return found
