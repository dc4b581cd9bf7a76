"""What leaves the desk: agents' replies, typing, and the receipts about what came in."""

import secrets
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from sandbox.accounts import Integration
from sandbox.clock import iso_milliseconds
from sandbox.genesys import payloads
from sandbox.genesys.desk import DeskAttachment, DeskConversation, DeskMessage, TypingSeen
from sandbox.genesys.fetch import CEILING, allowed
from sandbox.ids import message_id
from sandbox.webhooks.update import Callback, DeliveryState, WebhookUpdate

if TYPE_CHECKING:
    from sandbox.world import World


class NotSent(Exception):
    """Genesys does not let the message out."""


@dataclass
class AgentMessage:
    text: str | None = None
    data: bytes | None = None
    mime_type: str = "application/octet-stream"
    filename: str | None = None
    type: str = "Text"
    by: str | None = "Human"
    """`originatingEntity`. Of a message without an agent it is not known."""
    content: list[dict[str, Any]] = field(default_factory=list)
    message: dict[str, Any] = field(default_factory=dict)


def send(world: "World", integration: Integration, conversation: DeskConversation, reply: AgentMessage) -> DeskMessage:
    message = DeskMessage(
        message_id(),
        "outbound",
        reply.message.get("type", reply.type),
        conversation.conversation_id,
        iso_milliseconds(),
        text=reply.text,
        content=reply.content,
        status="Sent",
        by=reply.by,
    )
    if reply.data is not None:
        message.attachment = _attach(world, integration, reply)
    payload = payloads.outbound(integration, conversation, message) | reply.message
    kind = message.attachment.media_type if message.attachment else message.type
    world.stats.genesys.messages[f"outbound:{kind}"] += 1
    if reply.type != "Event":
        world.desk.add(conversation, message)
    message.track = _emit(world, integration, conversation, payload, payload["type"])
    if reply.type == "Event":
        conversation.typing.append(TypingSeen("outbound", message.time, message.track))
    world.events.changed("agent", conversation.contact, integration.integration_id)
    return message


def report(
    world: "World",
    integration: Integration,
    conversation: DeskConversation,
    received: DeskMessage,
    status: str = "Published",
    reasons: list[dict[str, Any]] | None = None,
) -> None:
    """Genesys' own receipt about a message that came in."""
    payload = payloads.receipt(integration, conversation, received, status, reasons or [])
    _emit(world, integration, conversation, payload, "Receipt")


def _attach(world: "World", integration: Integration, reply: AgentMessage) -> DeskAttachment:
    assert reply.data is not None
    if not allowed(reply.mime_type, integration.outbound_types):
        raise NotSent(f"Genesys does not send {reply.mime_type}: not in the supported content profile")
    if len(reply.data) > CEILING:
        raise NotSent("Genesys carries attachments up to 25 MB")
    key = secrets.token_urlsafe(48)
    attachment = DeskAttachment(
        _media_type(reply.mime_type),
        reply.mime_type,
        f"{world.url}/genesys/api/api/v2/downloads/{key}",
        reply.filename,
        state="offered",
        blob=world.blobs.add(reply.data),
    )
    world.desk.downloads[key] = attachment
    return attachment


def _media_type(mime_type: str) -> str:
    return {"image": "Image", "video": "Video", "audio": "Audio"}.get(mime_type.split("/")[0], "File")


def _emit(
    world: "World", integration: Integration, conversation: DeskConversation, payload: dict[str, Any], kind: str
) -> DeliveryState:
    if not integration.webhook_url:
        world.webhook_counts("genesys")["unsubscribed"] += 1
        return DeliveryState(state="no webhook subscribed")
    callback = Callback(
        "genesys",
        integration.webhook_url,
        integration.webhook_secret,
        tuple(sorted(integration.webhook_headers.items())),
    )
    stream = "receipts" if kind == "Receipt" else "messages"
    update = WebhookUpdate(
        callback,
        f"{integration.integration_id}|{conversation.contact}|{stream}",
        str(payload["channel"]["time"]),
        payload,
    )
    world.genesys_outbox.emit(update)
    return update.track
