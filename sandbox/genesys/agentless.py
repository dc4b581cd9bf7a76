"""A message without an agent: a campaign or a script writes first. Text only, and to a conversation of its own."""

from sandbox.clock import iso_milliseconds
from sandbox.gateway import ProviderAnswer
from sandbox.genesys import agent, provider
from sandbox.genesys.agent import AgentMessage
from sandbox.genesys.errors import GenesysError
from sandbox.genesys.models import Agentless
from sandbox.genesys.validation import parse_plain
from sandbox.ids import conversation_id
from sandbox.world_access import current

CREATE = "conversation:message:create"


def send() -> ProviderAnswer:
    client, world = provider.caller(CREATE), current()
    body = parse_plain(Agentless)
    if body.toAddressMessengerType != "open":
        raise GenesysError(400, "toAddressMessengerType: the sandbox has open messaging only", code="invalid.value")
    integration = world.accounts.integrations.get(body.fromAddress)
    if integration is None or world.accounts.clients[integration.client_id].organisation != client.organisation:
        raise GenesysError(400, f"fromAddress: there is no integration {body.fromAddress}", code="invalid.value")
    conversation = world.desk.conversation(integration.integration_id, body.toAddress)
    if not body.useExistingActiveConversation:
        conversation.conversation_id = conversation_id()
    sent = agent.send(world, integration, conversation, AgentMessage(body.textBody, by=None))
    answer = {
        "id": sent.id,
        "conversationId": sent.conversation_id,
        "fromAddress": body.fromAddress,
        "toAddress": body.toAddress,
        "messengerType": "open",
        "useExistingActiveConversation": bool(body.useExistingActiveConversation),
        "timestamp": iso_milliseconds(),
        "selfUri": f"/api/v2/conversations/messages/{sent.conversation_id}/messages/{sent.id}",
    }
    return ProviderAnswer(answer, status=202, message_id=sent.id)
