"""The inbound Open Messaging calls: message, receipt, event, structured response."""

from typing import Any

from flask import request

from sandbox.accounts import Integration
from sandbox.clock import iso_milliseconds
from sandbox.gateway import Answer
from sandbox.genesys import agent
from sandbox.genesys.desk import Conversation, DeskAttachment, DeskMessage
from sandbox.genesys.errors import GenesysError
from sandbox.genesys.fetch import fetch_later
from sandbox.genesys.models import Channel, InboundEvent, InboundMessage, InboundReceipt, StructuredResponse
from sandbox.genesys.validation import parse
from sandbox.ids import message_id
from sandbox.world_access import current


def message(integration: Integration) -> Answer:
    body = parse(InboundMessage, "inbound message")
    prefetch = request.args.get("prefetchConversationId", "false").lower()
    if prefetch not in ("true", "false"):
        raise GenesysError(400, "prefetchConversationId: must be a boolean", code="invalid.value")
    conversation = _conversation(integration, body.channel)
    received = DeskMessage(
        message_id(),
        "inbound",
        "Text",
        conversation.conversation_id,
        body.channel.time,
        text=body.text,
        channel_message_id=body.channel.messageId,
        metadata=body.metadata or {},
    )
    if body.content:
        given = body.content[0].attachment
        received.attachment = DeskAttachment(given.mediaType, given.mime, given.url, given.filename, given.sha256)
        if given.mediaType != "Link":
            fetch_later(current(), integration, conversation, received.attachment)
    _receive(integration, conversation, received)
    echo = request.get_json()
    answer = _answer(integration, received, echo)
    if prefetch == "true":
        answer["conversationId"] = conversation.conversation_id
    return Answer(answer, message_id=received.id, reference=body.channel.messageId)


def structured_response(integration: Integration) -> Answer:
    body = parse(StructuredResponse, "structured response")
    origin = current().desk.message(body.originatingMessageId)
    if origin is None or origin[0].direction != "outbound" or origin[1].integration_id != integration.integration_id:
        raise GenesysError(
            400,
            "originatingMessageId: no outbound message with this id",
            code="invalid.value",
            details=[{"errorCode": "invalid.value", "fieldName": "originatingMessageId"}],
        )
    if origin[1].contact != body.channel.sender.id:
        raise GenesysError(400, "channel.from.id: the originating message went to somebody else", code="invalid.value")
    conversation = _conversation(integration, body.channel)
    chosen = body.buttonResponse.model_dump(exclude_none=True)
    received = DeskMessage(
        message_id(),
        "inbound",
        "Structured",
        conversation.conversation_id,
        body.channel.time,
        text=body.buttonResponse.text,
        channel_message_id=body.channel.messageId,
        metadata=body.metadata or {},
        button_response=chosen | {"originating_message_id": body.originatingMessageId},
    )
    _receive(integration, conversation, received)
    answer = _answer(integration, received, request.get_json())
    answer["content"] = [{"contentType": "ButtonResponse", "buttonResponse": chosen}]
    return Answer(answer, message_id=received.id, reference=body.channel.messageId)


def receipt(integration: Integration) -> Answer:
    body = parse(InboundReceipt, "receipt")
    world = current()
    known = world.desk.message(body.id)
    if known is None or known[0].direction != "outbound" or known[1].integration_id != integration.integration_id:
        raise GenesysError(
            400,
            f"id: {body.id} is not an outbound message of this integration",
            code="invalid.value",
            details=[{"errorCode": "invalid.value", "fieldName": "id"}],
        )
    sent, conversation = known
    if body.channel.to.id != conversation.contact:
        raise GenesysError(
            400,
            "channel.to.id: is not the address the message went to",
            code="invalid.value",
            details=[{"errorCode": "invalid.value", "fieldName": "channel.to.id"}],
        )
    sent.status = body.status
    sent.receipts.append(
        {
            "status": body.status,
            "reasons": [each.model_dump() for each in body.reasons],
            "final": bool(body.isFinalReceipt),
            "time": body.channel.time,
            "received_at": iso_milliseconds(),
        }
    )
    world.stats.genesys.messages[f"receipt:{body.status}"] += 1
    world.events.changed("agent", conversation.contact, integration.integration_id)
    return Answer(
        _echo(integration, request.get_json()) | {"type": "Receipt", "direction": "Outbound"}, message_id=body.id
    )


def event(integration: Integration) -> Answer:
    body = parse(InboundEvent, "event")
    _conversation(integration, body.channel)
    current().stats.genesys.messages["event:Typing"] += 1
    return Answer(
        _echo(integration, request.get_json()) | {"id": message_id(), "type": "Event", "direction": "Inbound"}
    )


def _conversation(integration: Integration, channel: Any) -> Conversation:
    sender = channel.sender
    if sender.idType == "Phone" and not sender.id.startswith("+"):
        current().stats.finding("genesys", "phone_without_plus", f"idType Phone with '{sender.id}': E.164 has a plus")
    conversation = current().desk.conversation(integration.integration_id, sender.id, sender.idType)
    full_name = " ".join(filter(None, (sender.firstName, sender.lastName)))
    conversation.nickname = sender.nickname or full_name or conversation.nickname
    if isinstance(channel, Channel) and channel.metadata and channel.metadata.customAttributes:
        conversation.custom_attributes |= channel.metadata.customAttributes
    return conversation


def _receive(integration: Integration, conversation: Conversation, received: DeskMessage) -> None:
    world = current()
    if world.desk.repeated(integration.integration_id, received.channel_message_id):
        world.stats.genesys.messages["inbound_repeated"] += 1
        world.stats.finding(
            "genesys",
            "repeated_message",
            f"channel.messageId {received.channel_message_id} was posted again: the agent sees it twice",
        )
    world.desk.add(conversation, received)
    kind = received.attachment.media_type if received.attachment else received.type
    world.stats.genesys.messages[f"inbound:{kind}"] += 1
    if world.genesys_faults.published_receipts:
        agent.publish_receipt(world, integration, conversation, received)
    world.events.changed("agent", conversation.contact, integration.integration_id)


def _answer(integration: Integration, received: DeskMessage, echo: dict[str, Any]) -> dict[str, Any]:
    return _echo(integration, echo) | {"id": received.id, "type": received.type, "direction": "Inbound"}


def _echo(integration: Integration, body: dict[str, Any]) -> dict[str, Any]:
    channel = body["channel"] | {"id": integration.integration_id, "platform": "Open", "type": "Private"}
    return body | {"channel": channel}
