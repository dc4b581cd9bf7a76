"""From a contact to its conversation and back: Redis, then PostgreSQL, then a new one."""

from __future__ import annotations

import time
from dataclasses import asdict

from flask import Response
from pydantic import BaseModel, ValidationError

from db.contacts import conversations
from db.contacts.windows import Window
from db.mailbox.messages import stamp
from db.tenants import lines, onboarding
from relay.core.contacts.mapping import ConversationMapping
from relay.core.contacts.phones import dialled
from relay.core.contacts.user_ids import is_user_id
from relay.core.messages import Person
from relay.stores import keys
from web.api.access import auth
from web.api.blueprint import behind_a_key
from web.api.messages.state_schemas import MappingOut, MappingPath, MappingQuery, ThreadOut, WindowOut
from web.api.tenants.schemas import ConversationPath, ErrorBody
from web.request import data_access
from web.request.context import pool, reply, web_context
from web.request.errors import ApiError, wrong_field
from web.request.principal import needs

# A daemon may learn of a new Genesys conversation meanwhile; older than this an answer is never.
SECONDS = 60.0
# Every message of the contact moves the end of the window.
FRESH_SECONDS = 5.0


class CachedConversation(BaseModel):
    """What Redis holds of a conversation. `read_at` (Unix seconds): when it was read from PostgreSQL."""

    mapping: ConversationMapping
    read_at: float


api = behind_a_key("state", __name__, "state", "/state")


@api.get(
    "/mapping/<wa_id>",
    summary="The conversation of a contact, made where there is none",
    responses={200: MappingOut, 409: ErrorBody},
)
@needs("state:write")
def get_mapping(path: MappingPath, query: MappingQuery) -> Response:
    person = person_of(path.wa_id)
    tenant_id, line_id = line_of(query.phone_number_id)
    mapping = _recalled(keys.mapping(tenant_id, line_id, person.address), person.address)
    if mapping is None:
        mapping = conversations.find_or_create(pool(), tenant_id, line_id, person, web_context().shards)
        _remembered(mapping, person.address)
    return _shown(mapping)


@api.get("/conversation/<uuid:conversation_id>", summary="The contact of a conversation", responses={200: MappingOut})
@needs("messages:read")
def get_conversation(path: ConversationPath) -> Response:
    conversation_id, tenant_id = str(path.conversation_id), auth.named_tenant()
    mapping = _recalled(keys.conversation(tenant_id, conversation_id)) if tenant_id else None
    if mapping is None:
        mapping = conversations.by_id(pool(), conversation_id)
        if mapping is None or tenant_id not in (None, mapping.tenant_id):
            raise ApiError(404, "not_found", "there is no such conversation")
        _remembered(mapping)
    return _shown(mapping)


def person_of(address: str, field: str = "wa_id") -> Person:
    """A contact by phone number or business-scoped user id. Raises ApiError 400 that names the field."""
    given = address.strip()
    # Ids are compared letter by letter, and Meta writes the country in capitals: what somebody typed otherwise
    # would begin a conversation with nobody.
    if is_user_id(given) and given[:2].isupper():
        return Person(address=given, bsuid=given)
    digits = dialled(given)
    if digits is None:
        raise wrong_field(field, "must be a phone number with country code, or a business-scoped user id")
    return Person(address=digits, wa_id=digits)


def line_of(phone_number_id: str | None) -> tuple[str, str]:
    """(tenant id, line id) that the request means. An operator may let the number name the tenant."""
    tenant_id = auth.named_tenant()
    if tenant_id is None and phone_number_id is not None:
        route = lines.route_by_ref(pool(), web_context().cipher, "whatsapp", phone_number_id)
        if route is None:
            raise ApiError(404, "line_missing", "no active line has this phone_number_id")
        return route.tenant_id, route.line_id
    tenant_id = tenant_id or auth.required_tenant()
    active = [line for line in onboarding.listed(pool(), tenant_id) if line.status == "active"]
    fitting = [line for line in active if phone_number_id in (None, line.phone_number_id)]
    if len(fitting) == 1:
        return tenant_id, fitting[0].id
    if phone_number_id is not None or not active:
        raise ApiError(404, "line_missing", "this tenant has no such active line")
    names = ", ".join(line.phone_number_id for line in active)
    raise wrong_field("phone_number_id", f"must name one of this tenant's lines: {names}", "line_ambiguous")


def _recalled(key: str, address: str | None = None) -> ConversationMapping | None:
    """The mapping as Redis has it; after a moment it is read anew, if `address` is still a name of its contact."""
    try:
        kept = CachedConversation.model_validate(web_context().cache.recall(key))
    except ValidationError:  # nothing, or what another version of the relay keeps there
        return None
    if time.time() - kept.read_at < FRESH_SECONDS:
        return kept.mapping
    fresh = conversations.by_id(pool(), kept.mapping.conversation_id)
    if fresh is None or address not in (None, fresh.wa_id, fresh.bsuid):
        return None
    return _remembered(fresh)


def _remembered(mapping: ConversationMapping, asked: str | None = None) -> ConversationMapping:
    """Kept in Redis for both directions."""
    kept = {"mapping": asdict(mapping), "read_at": time.time()}
    cache = web_context().cache
    cache.remember(keys.conversation(mapping.tenant_id, mapping.conversation_id), kept, SECONDS)
    for address in {asked, mapping.wa_id, mapping.bsuid} - {None}:
        cache.remember(keys.mapping(mapping.tenant_id, mapping.line_id, str(address)), kept, SECONDS)
    return mapping


def _shown(mapping: ConversationMapping) -> Response:
    """Window and thread are judged now: the one closes by itself, the other becomes unknown."""
    found = mapping.conversation_id
    data_access.record_once(mapping.tenant_id, ("conversation", found), "conversation.viewed", found)
    return reply(
        MappingOut(
            conversation_id=found,
            wa_id=mapping.wa_id,
            bsuid=mapping.bsuid,
            username=mapping.username,
            tenant_id=mapping.tenant_id,
            line_id=mapping.line_id,
            genesys_conversation_id=mapping.genesys_conversation_id,
            window=WindowOut.model_validate(Window(stamp(mapping.window_until))),
            thread=ThreadOut.model_validate(mapping.thread_now(time.time())),
        )
    )
