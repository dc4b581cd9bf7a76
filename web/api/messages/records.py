"""Keeping track of messages that other systems carry: nothing is ever sent for them."""

from __future__ import annotations

import time
from datetime import datetime
from uuid import uuid4

from flask import Response

from db.contacts import conversations
from db.mailbox import records
from db.mailbox.records import NewRecord as Kept
from db.mailbox.records import RecordChange
from relay.core.contacts.mapping import ConversationMapping
from relay.core.messages import Media, Message, Person
from web.api.access import auth
from web.api.blueprint import behind_a_key
from web.api.messages.record_schemas import RecordMove, RecordOut, RecordRequest
from web.api.messages.schemas import MessagePath
from web.api.messages.state import line_of, person_of
from web.api.tenants.schemas import ErrorBody
from web.request.context import pool, reply, web_context
from web.request.errors import ApiError
from web.request.principal import needs

api = behind_a_key("records", __name__, "state", "/state")


@api.post("/message", summary="Track a message of another system", responses={200: RecordOut, 201: RecordOut})
@needs("state:write")
def post_record(body: RecordRequest) -> Response:
    """201 when it is new, 200 when the same source_id was tracked before; nothing is changed then."""
    mapping, now = _mapping(body), time.time()
    at = body.at.timestamp() if body.at else now
    message = Message(
        source_id=body.source_id or str(uuid4()),
        person=_person(mapping),
        provider_time=at,
        type=body.type,
        text=body.text,
        media=_media(body),
    )
    kept = Kept(body.direction, message, now, body.provider_id, body.media_type, body.media_url)
    found, is_new = records.put(pool(), mapping, kept, RecordChange(body.status, at) if body.status else None)
    return reply(RecordOut.model_validate(found), 201 if is_new else 200)


@api.patch("/message/<uuid:message_id>", summary="Say what became of it", responses={200: RecordOut, 409: ErrorBody})
@needs("state:write")
def patch_record(path: MessagePath, body: RecordMove) -> Response:
    """Only records: what the relay carries itself is moved by the providers' receipts.

    A status never goes back: whoever hears of `sent` after `read` changes nothing.
    """
    step = RecordChange(body.status, _seconds(body.at), body.reason_code, body.reason)
    return reply(RecordOut.model_validate(records.move(pool(), auth.named_tenant(), str(path.message_id), step)))


def _mapping(body: RecordRequest) -> ConversationMapping:
    if body.conversation_id is None:
        tenant_id, line_id = line_of(body.phone_number_id)
        person = person_of(body.wa_id or "")
        return conversations.find_or_create(pool(), tenant_id, line_id, person, web_context().shards)
    own = auth.named_tenant()
    found = conversations.by_id(pool(), str(body.conversation_id))
    if found is None or own not in (None, found.tenant_id):
        raise ApiError(404, "not_found", "there is no such conversation")
    return found


def _person(mapping: ConversationMapping) -> Person:
    return Person(mapping.wa_id or mapping.bsuid or mapping.genesys_address, mapping.wa_id, mapping.bsuid)


def _media(body: RecordRequest) -> Media | None:
    if body.media_type is None:
        return None
    return Media(body.media_type, body.mime_type or "", source_url=body.media_url, filename=body.filename, public=True)


def _seconds(at: datetime | None) -> float:
    return at.timestamp() if at else time.time()
