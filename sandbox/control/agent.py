"""`/control/agent`: what an agent does, and what an agent sees."""

import heapq
from dataclasses import replace
from typing import Any, Literal

from flask import Blueprint, Response, jsonify, request
from pydantic import BaseModel, ConfigDict

from sandbox.accounts import Integration
from sandbox.control import errors, forms
from sandbox.control.errors import ControlError
from sandbox.genesys import agent, ends, rich_samples
from sandbox.genesys.agent import AgentMessage, NotSent
from sandbox.genesys.composing import checked
from sandbox.genesys.desk import AGENT, AGENTS, DeskConversation, DeskMessage
from sandbox.genesys.models import Reason
from sandbox.genesys.rich_samples import Composed, composed
from sandbox.samples import kinds
from sandbox.world_access import current

blueprint = Blueprint("control_agent", __name__, url_prefix="/control/agent")
errors.register(blueprint)


class ReceiptRequest(BaseModel):
    model_config = ConfigDict(extra="forbid")
    status: Literal["Sent", "Delivered", "Failed", "Published", "Removed"] = "Published"
    reasons: list[Reason] = []


class Leaving(BaseModel):
    model_config = ConfigDict(extra="forbid")
    how: str = "CLIENT"
    talked_ms: int = 42_000


@blueprint.post("/messages")
def send() -> tuple[Response, int]:
    fields = forms.body()
    many = forms.each_message(fields)
    if many is not None:
        return jsonify(ids=[message.id for each in many for message in _send(each)[1]]), 201
    conversation, sent = _send(fields)
    return jsonify(id=sent[0].id, ids=[each.id for each in sent], conversation_id=conversation.conversation_id), 201


def _send(fields: dict[str, Any]) -> tuple[DeskConversation, list[DeskMessage]]:
    contact = forms.required(fields, "contact")
    integration = _integration(fields.get("integration_id"), contact)
    try:
        parts = _parts(_reply(fields), bool(fields.get("split")))
        conversation = current().desk.conversation(integration.integration_id, contact)
        return conversation, [agent.send(current(), integration, conversation, part) for part in parts]
    except NotSent as reason:
        raise ControlError(str(reason)) from None


def _parts(reply: AgentMessage, split: bool) -> list[AgentMessage]:
    if split and reply.text and reply.data is not None:
        return [
            AgentMessage(text=reply.text),
            AgentMessage(data=reply.data, mime_type=reply.mime_type, filename=reply.filename),
        ]
    return [reply]


def _reply(fields: dict[str, Any]) -> AgentMessage:
    if fields.get("typing"):
        return AgentMessage(type="Event")
    name = fields.get("sample")
    if name in rich_samples.names():
        return _of_sample(str(name), fields)
    file = forms.file_of(fields, "attachment", "document", rich_samples.names())
    text, content, message = forms.text_field(fields, "text"), fields.get("content") or [], fields.get("message") or {}
    if not (text or file or content or message):
        raise ControlError("text, attachment, sample or content is required")
    if not isinstance(content, list) or not isinstance(message, dict):
        raise ControlError("content must be a list, message an object")
    reply = _composed(Composed(checked(content), text or None, _type(fields, content)), message)
    if file is not None:
        reply.data, reply.mime_type, reply.filename = file.data, file.mime_type, file.filename
    return reply


def _of_sample(name: str, fields: dict[str, Any]) -> AgentMessage:
    found = composed(name, current())
    return _composed(replace(found, text=forms.text_field(fields, "text") or found.text), fields.get("message") or {})


def _composed(what: Composed, message: dict[str, Any]) -> AgentMessage:
    """Agents cannot compose what is structured: that comes from bots, and canned responses."""
    by = "Bot" if what.type == "Structured" else "Human"
    return AgentMessage(what.text, type=what.type, by=by, content=what.content, message=message)


def _type(fields: dict[str, Any], content: list[dict[str, Any]]) -> str:
    """A link or file of the caller's own is a text's attachment; all other content is structured."""
    plain = all(item["contentType"] == "Attachment" for item in content)
    wanted = fields.get("type") or ("Text" if plain else "Structured")
    if wanted not in ("Text", "Structured") or (wanted == "Text" and not plain):
        raise ControlError(f"type {wanted}: a message is Text, with content other than an Attachment it is Structured")
    return str(wanted)


@blueprint.get("/samples")
def samples() -> Response:
    return jsonify(files=kinds(), content=rich_samples.names())


@blueprint.get("/bodies")
def bodies() -> Response:
    """What the relay sent, as it came, the oldest first: for whoever wants to judge it by other means."""
    return jsonify(bodies=[{"call": call, "body": body} for call, body in current().desk.bodies])


@blueprint.post("/receipts")
def receipts() -> tuple[Response, int]:
    """What Genesys says of a customer's message, by hand; the common Published comes by itself."""
    fields = forms.body()
    known = current().desk.message(forms.required(fields, "id"))
    if known is None or known[0].direction != "inbound":
        raise ControlError("no message of a customer with this id", 404)
    given = ReceiptRequest.model_validate({name: fields[name] for name in ("status", "reasons") if name in fields})
    integration = _integration(known[1].integration_id, known[1].contact)
    reasons = [each.model_dump() for each in given.reasons]
    agent.report(current(), integration, known[1], known[0], given.status, reasons)
    return jsonify(status=given.status), 201


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
        "typing": [],
        "messages": [],
    }
    return jsonify(known.view(forms.limit()) if known else empty)


@blueprint.post("/<path:contact>/end")
def end(contact: str) -> Response:
    """The agent closes the conversation and the threading window is over: the next message starts another one."""
    fields = forms.body()
    integration, known = _going_on(fields, contact)
    ends.end(current(), integration, known, str(fields.get("how") or "CLIENT"))
    return jsonify(known.summary())


@blueprint.post("/<path:contact>/leave")
def leave(contact: str) -> Response:
    """The agent's part ends, the conversation goes on. `how` TRANSFER: passed on; `talked_ms` 0: never answered."""
    fields = forms.body()
    integration, known = _going_on(fields, contact)
    given = Leaving.model_validate({name: fields[name] for name in ("how", "talked_ms") if name in fields})
    ends.leave(current(), integration, known, given.how, given.talked_ms)
    return jsonify(known.summary())


@blueprint.post("/<path:contact>/join")
def join(contact: str) -> Response:
    """An agent gets the conversation; `user_id`: which one."""
    fields = forms.body()
    integration, known = _going_on(fields, contact)
    user_id = str(fields.get("user_id") or AGENT["id"])
    if user_id not in AGENTS:
        raise ControlError("no agent with this id", 404)
    ends.join(current(), integration, known, user_id)
    return jsonify(known.summary())


def _going_on(fields: dict[str, Any], contact: str) -> tuple[Integration, DeskConversation]:
    integration = _integration(fields.get("integration_id"), contact)
    known = current().desk.known(integration.integration_id, contact)
    if known is None:
        raise ControlError("no conversation with this contact", 404)
    return integration, known


def _integration(integration_id: str | None, contact: str) -> Integration:
    integrations = current().accounts.integrations
    wanted = integration_id or current().desk.integration_of(contact) or next(iter(integrations), "")
    if wanted not in integrations:
        raise ControlError(f"no integration with id {wanted}", 404)
    return integrations[wanted]
