"""Webhook bodies and answers as Genesys writes them."""

import json
from typing import Any

from sandbox.accounts import Integration
from sandbox.genesys.desk import AGENT, AGENTS, DeskAttachment, DeskConversation, DeskMessage
from sandbox.webhooks.update import WebhookUpdate


def render(updates: list[WebhookUpdate]) -> bytes:
    """Genesys never batches."""
    return json.dumps(updates[0].payload, ensure_ascii=False, separators=(",", ":")).encode()


def outbound(integration: Integration, conversation: DeskConversation, message: DeskMessage) -> dict[str, Any]:
    payload = _normalized(integration, conversation, message) | {"conversationId": message.conversation_id}
    if message.type == "Event":
        payload["events"] = [{"eventType": "Typing", "typing": {"type": "On", "duration": 5000}}]
    return payload


def receipt(
    integration: Integration,
    conversation: DeskConversation,
    message: DeskMessage,
    status: str,
    reasons: list[dict[str, Any]],
) -> dict[str, Any]:
    """Genesys' receipt about a message that the relay has injected."""
    payload = {
        "id": message.id,
        "channel": _channel(integration, conversation, message, message.received_at),
        "type": "Receipt",
        "status": status,
        "isFinalReceipt": True,
        "direction": "Inbound",
        "conversationId": message.conversation_id,
    }
    return payload | ({"reasons": reasons} if reasons else {})


def details(integration: Integration, conversation: DeskConversation, message: DeskMessage) -> dict[str, Any]:
    """The message as GET .../details has it."""
    ours, theirs = integration.integration_id, conversation.contact
    outgoing = message.direction == "outbound"
    view: dict[str, Any] = {
        "id": message.id,
        "providerMessageId": message.channel_message_id or message.id,
        "conversationId": message.conversation_id,
        "direction": message.direction,
        "messengerType": "open",
        "status": data_status(message),
        "timestamp": message.received_at,
        "fromAddress": ours if outgoing else theirs,
        "toAddress": theirs if outgoing else ours,
        "normalizedMessage": _normalized(integration, conversation, message),
        "normalizedReceipts": [_told(integration, conversation, message, each) for each in message.receipts],
        "selfUri": f"/api/v2/conversations/messages/{conversation.conversation_id}/messages/{message.id}",
    }
    return view | ({"createdBy": AGENTS[conversation.agent_id or AGENT["id"]]} if outgoing else {})


def _normalized(integration: Integration, conversation: DeskConversation, message: DeskMessage) -> dict[str, Any]:
    payload: dict[str, Any] = {
        "id": message.id,
        "channel": _channel(integration, conversation, message, message.time),
        "type": message.type,
        "direction": message.direction.capitalize(),
    }
    if message.by is not None and message.type != "Event":
        payload["originatingEntity"] = message.by
    if message.text is not None:
        payload["text"] = message.text
    content = list(message.content)
    if message.attachment is not None:
        content.insert(0, {"contentType": "Attachment", "attachment": _attachment(message.id, message.attachment)})
    return payload | ({"content": content} if content else {})


def _channel(
    integration: Integration, conversation: DeskConversation, message: DeskMessage, time: str
) -> dict[str, Any]:
    """Outbound it comes from the integration, with its name; the agent is not named."""
    contact = {"id": conversation.contact, "idType": conversation.id_type}
    line = {"id": integration.integration_id, "idType": "Opaque"}
    outgoing = message.direction == "outbound"
    return {
        "id": integration.integration_id,
        "platform": "Open",
        "type": "Private",
        "to": contact if outgoing else line,
        "from": {"nickname": integration.name} | line if outgoing else contact,
        "time": time,
        "messageId": message.channel_message_id or message.id,
    }


def _told(
    integration: Integration, conversation: DeskConversation, message: DeskMessage, given: dict[str, Any]
) -> dict[str, Any]:
    return {
        "id": message.id,
        "channel": _channel(integration, conversation, message, given["time"]),
        "type": "Receipt",
        "status": given["status"],
        "reasons": given["reasons"],
        "isFinalReceipt": given["final"],
        "direction": "Outbound",
    }


def _attachment(message_id: str, attachment: DeskAttachment) -> dict[str, Any]:
    view = {
        "id": message_id,
        "mediaType": attachment.media_type,
        "url": attachment.url,
        "mime": attachment.mime,
        "contentSizeBytes": attachment.blob.size if attachment.blob else 0,
    }
    return view | ({"filename": attachment.filename} if attachment.filename else {})


def data_status(message: DeskMessage) -> str:
    if message.direction == "inbound":
        return "received"
    return {"Delivered": "delivery-success", "Failed": "delivery-failed"}.get(message.status or "", "sent")
