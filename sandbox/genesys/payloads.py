"""Webhook bodies and answers as Genesys writes them."""

import json
from typing import Any

from sandbox.accounts import Integration
from sandbox.genesys.desk import Conversation, DeskAttachment, DeskMessage
from sandbox.webhooks.update import Update


def render(updates: list[Update]) -> bytes:
    """Genesys never batches."""
    return json.dumps(updates[0].payload, ensure_ascii=False, separators=(",", ":")).encode()


def outbound(integration: Integration, conversation: Conversation, message: DeskMessage) -> dict[str, Any]:
    payload: dict[str, Any] = {
        "id": message.id,
        "channel": {
            "id": integration.integration_id,
            "platform": "Open",
            "type": "Private",
            "to": {"id": conversation.contact, "idType": conversation.id_type},
            "from": {"nickname": integration.name, "id": integration.integration_id, "idType": "Opaque"},
            "time": message.time,
            "messageId": message.id,
        },
        "type": message.type,
        "direction": "Outbound",
        "conversationId": message.conversation_id,
    }
    if message.text is not None:
        payload["text"] = message.text
    content = list(message.content)
    if message.attachment is not None:
        content.insert(0, {"contentType": "Attachment", "attachment": _attachment(message.id, message.attachment)})
    if content:
        payload["content"] = content
    if message.type == "Event":
        payload["events"] = [{"eventType": "Typing", "typing": {"type": "On", "duration": 5000}}]
    else:
        payload["originatingEntity"] = "Bot" if message.type == "Structured" else "Human"
    return payload


def published(integration: Integration, conversation: Conversation, message: DeskMessage) -> dict[str, Any]:
    """Genesys' receipt about a message that the relay has injected."""
    return {
        "id": message.id,
        "channel": {
            "id": integration.integration_id,
            "platform": "Open",
            "type": "Private",
            "to": {"id": integration.integration_id, "idType": "Opaque"},
            "from": {"id": conversation.contact, "idType": conversation.id_type},
            "time": message.received_at,
            "messageId": message.channel_message_id or message.id,
        },
        "type": "Receipt",
        "status": "Published",
        "isFinalReceipt": True,
        "direction": "Inbound",
        "conversationId": message.conversation_id,
    }


def _attachment(message_id: str, attachment: DeskAttachment) -> dict[str, Any]:
    return {
        "id": message_id,
        "mediaType": attachment.media_type,
        "url": attachment.url,
        "mime": attachment.mime,
        "filename": attachment.filename,
        "contentSizeBytes": attachment.blob.size if attachment.blob else 0,
    }


def details(integration_id: str, conversation: Conversation, message: DeskMessage) -> dict[str, Any]:
    return {
        "id": message.id,
        "conversationId": message.conversation_id,
        "direction": message.direction,
        "messengerType": "open",
        "status": _data_status(message),
        "timestamp": message.received_at,
        "fromAddress": conversation.contact if message.direction == "inbound" else integration_id,
        "toAddress": integration_id if message.direction == "inbound" else conversation.contact,
        "textBody": message.text,
        "media": [],
        "stickers": [],
        "normalizedMessage": {"id": message.id, "type": message.type, "text": message.text},
        "normalizedReceipts": [
            {
                "id": message.id,
                "type": "Receipt",
                "status": each["status"],
                "reasons": each["reasons"],
                "isFinalReceipt": each["final"],
            }
            for each in message.receipts
        ],
        "createdBy": {"id": "33333333-cccc-4000-8000-000000000001", "name": "Ana Sandbox"}
        if message.direction == "outbound"
        else None,
        "selfUri": f"/api/v2/conversations/messages/{conversation.conversation_id}/messages/{message.id}",
    }


def _data_status(message: DeskMessage) -> str:
    if message.direction == "inbound":
        return "received"
    return {"Delivered": "delivery-success", "Failed": "delivery-failed"}.get(message.status or "", "sent")
