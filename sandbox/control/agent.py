"""`/control/agent`: what an agent does, and what an agent sees."""

import heapq
from typing import Any

from flask import Blueprint, Response, jsonify, request

from sandbox.accounts import Integration
from sandbox.control import errors, forms
from sandbox.control.errors import ControlError
from sandbox.genesys import agent
from sandbox.genesys.agent import NotSent, Reply
from sandbox.genesys.desk import Conversation, DeskMessage
from sandbox.ids import conversation_id
from sandbox.world_access import current

blueprint = Blueprint("control_agent", __name__, url_prefix="/control/agent")
errors.register(blueprint)


@blueprint.post("/messages")
def send() -> tuple[Response, int]:
    fields = forms.body()
    many = forms.each_message(fields)
    if many is not None:
        return jsonify(ids=[message.id for each in many for message in _send(each)[1]]), 201
    conversation, sent = _send(fields)
    return jsonify(id=sent[0].id, ids=[each.id for each in sent], conversation_id=conversation.conversation_id), 201


def _send(fields: dict[str, Any]) -> tuple[Conversation, list[DeskMessage]]:
    contact = forms.required(fields, "contact")
    integration = _integration(fields.get("integration_id"), contact)
    conversation = current().desk.conversation(integration.integration_id, contact)
    reply = _reply(fields)
    parts = [reply]
    if fields.get("split") and reply.text and reply.data is not None:
        parts = [Reply(text=reply.text), Reply(data=reply.data, mime_type=reply.mime_type, filename=reply.filename)]
    try:
        return conversation, [agent.send(current(), integration, conversation, part) for part in parts]
    except NotSent as reason:
        raise ControlError(str(reason)) from None


def _reply(fields: dict[str, Any]) -> Reply:
    if fields.get("typing"):
        return Reply(type="Event")
    file = forms.file_of(fields, "attachment", "document")
    text, content, message = forms.text_field(fields, "text"), fields.get("content") or [], fields.get("message") or {}
    if not (text or file or content or message):
        raise ControlError("text, attachment, sample or content is required")
    if not isinstance(content, list) or not isinstance(message, dict):
        raise ControlError("content must be a list, message an object")
    reply = Reply(
        text or None, type=fields.get("type") or ("Structured" if content else "Text"), content=content, message=message
    )
    if file is not None:
        reply.data, reply.mime_type, reply.filename = file.data, file.mime_type, file.filename
    return reply


@blueprint.get("/contacts")
def contacts() -> Response:
    wanted = request.args.get("integration_id")
    found = [each for each in current().desk.conversations() if not wanted or each.integration_id == wanted]
    newest = heapq.nlargest(forms.limit() or len(found), found, key=lambda each: each.last_time)
    return jsonify(contacts=[each.summary() for each in newest])


@blueprint.get("/<path:contact>/messages")
def messages(contact: str) -> Response:
    integration = _integration(request.args.get("integration_id"), contact)
    known = current().desk.known(integration.integration_id, contact)
    empty: dict[str, Any] = {
        "contact": contact,
        "integration_id": integration.integration_id,
        "conversation_id": None,
        "nickname": "",
        "custom_attributes": {},
        "messages": [],
    }
    return jsonify(known.view(forms.limit()) if known else empty)


@blueprint.post("/<path:contact>/end")
def end(contact: str) -> Response:
    """The agent closes the conversation and the threading window is over: the next message starts another one."""
    integration = _integration(forms.body().get("integration_id"), contact)
    known = current().desk.known(integration.integration_id, contact)
    if known is None:
        raise ControlError("no conversation with this contact", 404)
    known.conversation_id = conversation_id()
    return jsonify(known.summary())


def _integration(integration_id: str | None, contact: str) -> Integration:
    integrations = current().accounts.integrations
    wanted = integration_id or current().desk.integration_of(contact) or next(iter(integrations), "")
    if wanted not in integrations:
        raise ControlError(f"no integration with id {wanted}", 404)
    return integrations[wanted]
