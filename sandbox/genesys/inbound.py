"""The inbound Open Messaging calls: message, receipt, event. An answer to a structured message: structured.py."""

from typing import Any

from flask import request

from sandbox.accounts import Integration
from sandbox.clock import iso_milliseconds
from sandbox.gateway import ProviderAnswer
from sandbox.genesys import agent
from sandbox.genesys.desk import DeskAttachment, DeskConversation, DeskMessage, TypingSeen
from sandbox.genesys.errors import GenesysError
from sandbox.genesys.fetch import fetch_later
from sandbox.genesys.models import (
    InboundEvent,
    InboundMessage,
    InboundReceipt,
    OpenMessagingChannel,
    StructuredResponse,
)
from sandbox.genesys.validation import parse
from sandbox.ids import dashed, message_id
from sandbox.world_access import current

TEXT = 4_000
"""What the agents' page takes in one message; what it does with a longer one is not documented."""


def message(integration: Integration) -> ProviderAnswer:
    body = parse(InboundMessage, "inbound message")
    prefetch = request.args.get("prefetchConversationId", "false").lower()
    if prefetch not in ("true", "false"):
        raise GenesysError(400, "prefetchConversationId: must be a boolean", code="invalid.value")
    conversation = conversation_of(integration, body.channel)
    received = received_from(conversation, body, "Text", body.text)
    if body.content:
        given = body.content[0].attachment
        received.attachment = DeskAttachment(
            given.mediaType, given.mime, given.url, given.filename, given.sha256, given.text
        )
        if given.mediaType != "Link":
            fetch_later(current(), integration, conversation, received.attachment)
    receive(integration, conversation, received)
    answer = answered(integration, "text", "content", "metadata") | {"id": answered_id(received), "type": "Text"}
    if prefetch == "true":
        answer["conversationId"] = conversation.conversation_id
    return ProviderAnswer(answer, message_id=received.id, reference=body.channel.messageId)


def receipt(integration: Integration) -> ProviderAnswer:
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
    answer = answered(integration, "id", "status", "reasons", "isFinalReceipt")
    return ProviderAnswer(answer | {"type": "Receipt", "direction": "Outbound"}, message_id=body.id)


def event(integration: Integration) -> ProviderAnswer:
    body = parse(InboundEvent, "event")
    conversation = conversation_of(integration, body.channel)
    conversation.typing.append(TypingSeen("inbound", body.channel.time))
    world = current()
    world.stats.genesys.messages["event:Typing"] += 1
    world.events.changed("agent", conversation.contact, integration.integration_id)
    return ProviderAnswer(answered(integration, "events") | {"id": message_id(), "type": "Event"})


def conversation_of(integration: Integration, channel: Any) -> DeskConversation:
    sender = channel.sender
    if sender.idType == "Phone" and not sender.id.startswith("+"):
        current().stats.finding("genesys", "phone_without_plus", f"idType Phone with '{sender.id}': E.164 has a plus")
    conversation = current().desk.conversation(integration.integration_id, sender.id, sender.idType)
    full_name = " ".join(filter(None, (sender.firstName, sender.lastName)))
    conversation.nickname = sender.nickname or full_name or conversation.nickname
    if isinstance(channel, OpenMessagingChannel) and channel.metadata and channel.metadata.customAttributes:
        conversation.custom_attributes |= channel.metadata.customAttributes
    return conversation


def receive(integration: Integration, conversation: DeskConversation, received: DeskMessage) -> None:
    world = current()
    if received.text and len(received.text) > TEXT:
        world.stats.finding("genesys", "long_text", f"a text of {len(received.text)} characters: agents see {TEXT}")
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
        agent.report(world, integration, conversation, received)
    world.events.changed("agent", conversation.contact, integration.integration_id)


def received_from(
    conversation: DeskConversation, body: InboundMessage | StructuredResponse, kind: str, text: str | None
) -> DeskMessage:
    channel = body.channel
    return DeskMessage(
        message_id(),
        "inbound",
        kind,
        conversation.conversation_id,
        channel.time,
        text=text,
        channel_message_id=channel.messageId,
        metadata=body.metadata or {},
        custom_attributes=(channel.metadata and channel.metadata.customAttributes) or {},
    )


def answered_id(message: DeskMessage) -> str:
    """Its id as the answer names it."""
    return dashed(message.id) if current().genesys_faults.answers_dashed_ids else message.id


def answered(integration: Integration, *fields: str) -> dict[str, Any]:
    """What was sent, as far as the answer has a place for it, under the integration's channel."""
    given = request.get_json()
    channel = given["channel"] | {"id": integration.integration_id, "platform": "Open", "type": "Private"}
    return {"channel": channel} | {name: given[name] for name in fields if name in given}
