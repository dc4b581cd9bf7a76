"""A conversation's end, and agents who join and leave it: events that Genesys tells whoever has subscribed to them."""

import json
import uuid
from typing import TYPE_CHECKING, Any

from sandbox.accounts import Integration, OAuthClient
from sandbox.clock import iso_milliseconds, unix_milliseconds
from sandbox.genesys.desk import AGENT, DeskConversation
from sandbox.ids import conversation_id
from sandbox.webhooks.update import Callback, WebhookUpdate

if TYPE_CHECKING:
    from sandbox.world import World

QUEUE = "44444444-dddd-4000-8000-000000000001"


def end(world: "World", integration: Integration, conversation: DeskConversation, how: str = "CLIENT") -> None:
    """Everybody leaves: the agent, then the customer. What is written next begins another conversation."""
    leave(world, integration, conversation, how)
    _tell(world, integration, conversation, "customer.end", {"disconnectType": how})
    conversation.conversation_id, conversation.agent_id = conversation_id(), AGENT["id"]
    world.events.changed("agent", conversation.contact, integration.integration_id)


def leave(
    world: "World", integration: Integration, conversation: DeskConversation, how: str, talked_ms: int = 42_000
) -> None:
    """The agent's part ends; `talked_ms` 0: it was only called. The conversation goes on."""
    event: dict[str, Any] = {"disconnectType": how, "userId": conversation.agent_id or AGENT["id"], "queueId": QUEUE}
    event |= {"interactingDurationMs": talked_ms}
    conversation.agent_id = None
    _tell(world, integration, conversation, "user.end", event)


def join(world: "World", integration: Integration, conversation: DeskConversation, user_id: str = AGENT["id"]) -> None:
    """An agent is called, and answers."""
    conversation.agent_id = user_id
    _tell(world, integration, conversation, "user.start", {"userId": user_id, "queueId": QUEUE})


def _tell(
    world: "World", integration: Integration, conversation: DeskConversation, topic: str, event: dict[str, Any]
) -> None:
    client = world.accounts.clients[integration.client_id]
    named = f"v2.detail.events.conversation.{conversation.conversation_id}.{topic}"
    body = _event(integration, conversation, topic) | event
    if client.events_url:
        callback = Callback("genesys", client.events_url, "", (("Authorization", f"Bearer {client.events_key}"),))
        key = f"{integration.integration_id}|{conversation.contact}|events"
        payload = _shaped(client, topic, named, body)
        world.genesys_outbox.emit(WebhookUpdate(callback, key, str(body["eventTime"]), payload))
    organisation = {one.client_id for one in world.accounts.clients.values() if one.organisation == client.organisation}
    told = {"topicName": named, "version": "2", "eventBody": body, "metadata": {"CorrelationId": str(uuid.uuid4())}}
    world.channels.tell(organisation, named, json.dumps(told))


def _event(integration: Integration, conversation: DeskConversation, topic: str) -> dict[str, Any]:
    """Source: SDK models ConversationUserEndEvent and ConversationCustomerEndEvent."""
    return {
        "eventTime": unix_milliseconds(),
        "conversationId": conversation.conversation_id,
        "participantId": str(uuid.uuid5(uuid.UUID(conversation.conversation_id), topic)),
        "sessionId": str(uuid.uuid4()),
        "mediaType": "MESSAGE",
        "messageType": "OPEN",
        "provider": "PureCloud Messaging",
        "direction": "INBOUND",
        "addressTo": integration.integration_id,
        "addressFrom": conversation.contact,
    }


def _shaped(client: OAuthClient, topic: str, named: str, body: dict[str, Any]) -> dict[str, Any]:
    """As EventBridge posts it, or as a workflow's data action does that was given the event's fields."""
    if client.events_shape == "trigger":
        return {"event": topic} | body
    return {
        "version": "0",
        "id": str(uuid.uuid4()),
        "detail-type": named.replace(body["conversationId"], "{id}"),
        "source": f"aws.partner/genesys.com/cloud/{client.organisation}/relay",
        "account": "123456789012",
        "time": iso_milliseconds(),
        "region": "eu-central-1",
        "resources": [],
        "detail": {"topicName": named, "version": "2", "eventBody": body, "metadata": {}},
    }
