"""Handing a conversation over to another responder at WhatsApp, by program."""

from __future__ import annotations

import time
from uuid import uuid4

from flask import Response

from db.contacts import conversations
from relay.core.contacts.mapping import ConversationMapping
from relay.core.threads import ThreadControl
from web.actions.sends import hand_over
from web.api.blueprint import behind_a_key
from web.api.messages.conversations import known_conversation
from web.api.messages.sending_schemas import SendOut, SendQuery
from web.api.messages.state_schemas import ThreadOut
from web.api.messages.thread_schemas import ThreadChange, ThreadChanged
from web.api.tenants.schemas import ConversationPath, ErrorBody
from web.request import idempotency, limits
from web.request.context import pool, reply
from web.request.errors import ApiError
from web.request.principal import needs

api = behind_a_key("threads", __name__, "conversations", "/api/conversations")


@api.post(
    "/<uuid:conversation_id>/thread",
    summary="Pass the contact to another responder at WhatsApp, release, or take",
    responses={200: ThreadChanged, 202: ThreadChanged, 409: ErrorBody},
)
@needs("messages:send", per_line=True)
@idempotency.own
def change_thread(path: ConversationPath, query: SendQuery, body: ThreadChange) -> Response:
    """200 with what became of it, which may be `failed` with its reason; 202 when that is not known in time.

    It is done after what was sent before it. An answer of Meta's that is not clear is never asked for again.
    """
    one = known_conversation(path).conversation
    control = ThreadControl(body.action, body.role, body.note)
    seconds = query.wait if query.wait > 0 and limits.may_wait() else 0.0
    done = hand_over(pool(), _mapping(one.id), control, idempotency.key() or str(uuid4()), seconds)
    shown = {name: getattr(done, name) for name in SendOut.model_fields}
    thread = ThreadOut.model_validate(_mapping(one.id).thread_now(time.time()))
    return reply(ThreadChanged(**shown, thread=thread), 200 if done.finished else 202)


def _mapping(conversation_id: str) -> ConversationMapping:
    found = conversations.by_id(pool(), conversation_id)
    if found is None:
        raise ApiError(404, "not_found", "there is no such conversation")
    return found
