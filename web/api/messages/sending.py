"""Sending by program: to a contact's WhatsApp, or to the agents as a contact's message.

Both go through the conversation's mailbox and actor, so that order and "once" hold for them too.
"""

from __future__ import annotations

from dataclasses import replace

from flask import Response

from relay.core.content import Native
from relay.core.messages import Direction, Person
from web.actions.sends import MessageRequest, SendState, send
from web.actions.templates import checked, checked_native
from web.api.blueprint import behind_a_key
from web.api.messages import native, references, sending_objects
from web.api.messages.native import ObjectError
from web.api.messages.sending_schemas import (
    Sending,
    SendQuery,
    SentToAgent,
    SentToPhone,
    ToAgent,
    ToPhone,
)
from web.api.messages.sending_templates import TemplateRequest
from web.api.messages.state import line_of, person_of
from web.api.tenants.schemas import ErrorBody
from web.request import idempotency, limits
from web.request.context import pool, reply
from web.request.errors import wrong_field
from web.request.principal import needs

api = behind_a_key("sending", __name__, "sending")


@api.post(
    "/whatsapp/send",
    summary="Send a message to a contact's WhatsApp",
    responses={200: SentToPhone, 202: SentToPhone, 409: ErrorBody},
)
@needs("messages:send", per_line=True)
@idempotency.own
def send_to_phone(query: SendQuery, body: ToPhone) -> Response:
    """200 with the outcome, which may be `failed` with its reason; 202 when it is not known in time.

    A message that was answered 202 is sent all the same: ask again with the same Idempotency-Key, or
    GET /api/messages/{id}.
    """
    tenant_id, line_id = line_of(body.phone_number_id)
    if body.template is not None:
        checked(pool(), tenant_id, body.template.canonical, body.template.file, idempotency.key())
    found = send(pool(), tenant_id, line_id, _to_phone(body, tenant_id, line_id), _patience(query))
    shown = SentToPhone.model_validate({**_shown(found), "wamid": found.provider_id})
    return reply(shown, 200 if found.finished else 202)


@api.post(
    "/genesys/messages/inbound",
    summary="Show a message to the agents as a contact's own",
    responses={200: SentToAgent, 202: SentToAgent, 409: ErrorBody},
)
@needs("messages:send", per_line=True)
@idempotency.own
def send_to_agent(query: SendQuery, body: ToAgent) -> Response:
    """200 with the outcome, which may be `failed` with its reason; 202 when it is not known in time."""
    tenant_id, line_id = line_of(body.phone_number_id)
    person = replace(person_of(body.sender, "from"), name=body.name)
    found = send(pool(), tenant_id, line_id, _wanted(body, "inbound", person), _patience(query))
    known = {**_shown(found), "genesys_conversation_id": found.genesys_conversation_id}
    return reply(SentToAgent.model_validate(known), 200 if found.finished else 202)


def _to_phone(body: ToPhone, tenant_id: str, line_id: str) -> MessageRequest:
    """Raises ApiError that names the field."""
    try:
        if body.message is not None:
            own, person = native.read(body.message, body.to)
            return written(own, person, tenant_id, line_id)
        person = person_of(body.to or "", "to")
        made = sending_objects.native(body)
        if made is not None:
            return written(made, person, tenant_id, line_id)
    except ObjectError as error:
        raise wrong_field(f"message.{error.field}" if body.message is not None else error.field, error.text) from None
    return _with_template(_wanted(body, "outbound", person), body.template)


def written(made: Native, person: Person, tenant_id: str, line_id: str) -> MessageRequest:
    """A message in WhatsApp's own words; messages that it names by our ids are named by WhatsApp's.

    Raises ObjectError, and ApiError for a template that is not filled in as it has to be.
    """
    kind, text = native.shown(made)
    key = idempotency.key()
    checked_native(pool(), tenant_id, made, key)
    return MessageRequest("outbound", person, kind, text, key=key, native=references.resolved(pool(), line_id, made))


def _wanted(body: Sending, direction: Direction, person: Person) -> MessageRequest:
    return MessageRequest(
        direction=direction,
        person=person,
        type=body.type,
        text=body.text or body.caption,
        media_url=body.media_url,
        filename=body.filename,
        key=idempotency.key(),
    )


def _with_template(wanted: MessageRequest, given: TemplateRequest | None) -> MessageRequest:
    if given is None:
        return wanted
    file = given.header if given.header is not None and given.header.url is not None else None
    return replace(
        wanted,
        template=given.canonical,
        media_url=file.url if file else None,
        header=file.type if file else None,
    )


def _patience(query: SendQuery) -> float:
    return query.wait if query.wait > 0 and limits.may_wait() else 0.0


def _shown(found: SendState) -> dict[str, str | None]:
    names = ("id", "conversation_id", "status", "provider_id", "reason_code", "reason")
    return {name: getattr(found, name) for name in names}
