"""POST /{version}/{phone_number_id}/messages: Meta's own call, taken by the relay in Meta's place.

The message takes its turn in its conversation like every other; what is answered is docs/decisions/metas-address.md.
"""

from __future__ import annotations

from typing import Any, Literal

from flask import Response
from pydantic import BaseModel, ConfigDict, Field

from relay.core.messages import Person, Signal
from web.actions.sends import SendState, send
from web.api.graph import calls
from web.api.graph.blueprint import REFUSALS, GraphPath, as_at_meta, shown
from web.api.graph.refusals import not_sent, refusal, wrong_object
from web.api.messages import native, references
from web.api.messages.native import ObjectError
from web.api.messages.sending import written
from web.api.messages.state import line_of
from web.request import idempotency, limits
from web.request.context import pool, web_context
from web.request.principal import needs

SECONDS = 4.0
"""So long the outcome is waited for: client libraries give up after five."""
MESSAGE_ID = "X-Message-ID"
"""The header with our own id of the message, whatever stands in the body."""
Json = dict[str, Any]

api = as_at_meta("graph", __name__)


class GraphMessage(BaseModel):
    """Meta's message object, or a read mark. What is not named here is passed on as it is."""

    model_config = ConfigDict(extra="allow")
    messaging_product: Any = Field(None, description="whatsapp")
    to: Any = Field(None, description="phone number with country code")
    recipient: Any = Field(None, description="business-scoped user id, where there is no `to`")
    type: Any = Field(None, description="text, image, template, interactive …: the field of this name holds the rest")
    status: Any = Field(None, description="read, to mark `message_id` as read; with `typing_indicator` to show typing")
    message_id: Any = None


class GraphContact(BaseModel):
    input: str
    wa_id: str | None = None
    user_id: str | None = None


class GraphSentMessage(BaseModel):
    id: str = Field(description="WhatsApp's id of the message; the relay's own where that is not known in time")
    message_status: Literal["accepted"] | None = Field(None, description="the id is the relay's own")


class GraphSent(BaseModel):
    """The message, or for a read mark its success."""

    messaging_product: Literal["whatsapp"] | None = None
    contacts: list[GraphContact] | None = None
    messages: list[GraphSentMessage] | None = None
    success: bool | None = None


@api.post(
    "/<graph_version:version>/<phone_number_id>/messages",
    summary="Send a message as at Meta's own address",
    responses={200: GraphSent, **REFUSALS},
)
@needs("messages:send", per_line=True)
@idempotency.own
def send_as_at_meta(path: GraphPath, body: GraphMessage) -> Response:
    """Answered in Meta's shape, errors too, after up to four seconds.

    `messages[0].id` is WhatsApp's, or where it is not known by then the relay's own: it may be quoted and reacted to
    all the same, and asked for at GET /api/messages/{id}. The header X-Message-ID always has the relay's own.
    """
    tenant_id, line_id = line_of(path.phone_number_id)
    given = body.model_dump(exclude_unset=True)
    try:
        if given.get("messaging_product") is None:
            raise ObjectError(131008, "messaging_product", "is missing")
        if given.get("status") is not None:
            return _marked(tenant_id, line_id, given)
        made, person = native.read(given)
        wanted = written(made, person, tenant_id, line_id)
    except ObjectError as error:
        return wrong_object(error)
    found = send(pool(), tenant_id, line_id, wanted, SECONDS if limits.may_wait() else 0.0)
    response = _answer(found, person, str(given.get("to") or given.get("recipient")))
    response.headers[MESSAGE_ID] = found.id
    return response


def _answer(found: SendState, person: Person, given: str) -> Response:
    if found.status in ("failed", "dead"):
        return not_sent(found.reason_code, web_context().channels["whatsapp"].cause(found.reason_code), found.reason)
    contact = GraphContact(input=given, wa_id=person.wa_id, user_id=person.bsuid)
    named = found.provider_id if found.finished else None
    sent = GraphSentMessage(id=named or found.id, message_status=None if named else "accepted")
    return shown(GraphSent(messaging_product="whatsapp", contacts=[contact], messages=[sent]))


def _marked(tenant_id: str, line_id: str, given: Json) -> Response:
    """A read mark, or typing, which nobody waits for: it goes to Meta at once, before messages that wait."""
    message_id = references.known(pool(), line_id, given.get("message_id"), "message_id")
    if given["status"] != "read":
        raise ObjectError(131009, "status", "must be read")
    if not isinstance(message_id, str) or not 0 < len(message_id) <= 255 or not message_id.isprintable():
        raise ObjectError(131008 if message_id is None else 131009, "message_id", "must be WhatsApp's id of a message")
    kind: Literal["read", "typing"] = "typing" if given.get("typing_indicator") else "read"
    error = calls.signal(tenant_id, line_id, Signal(kind, message_id))
    return calls.refused(error) if error is not None else shown(GraphSent(success=True))


@api.route("/<graph_version:version>/<path:rest>", methods=["GET", "POST", "PUT", "PATCH", "DELETE"])
@needs("messages:send")
@idempotency.own
def not_here(version: str, rest: str) -> Response:
    """All else that libraries ask Meta for."""
    text = "the relay takes messages, read marks and media uploads of its numbers; ask graph.facebook.com for all else"
    return refusal(2500, text)
