"""The inbound call for a tapped answer. It takes part in a conversation that is going on, and never begins one."""

from sandbox.accounts import Integration
from sandbox.gateway import ProviderAnswer
from sandbox.genesys import answers
from sandbox.genesys.desk import DeskMessage
from sandbox.genesys.errors import GenesysError
from sandbox.genesys.inbound import answered, answered_id, conversation_of, receive, received_from
from sandbox.genesys.models import StructuredResponse
from sandbox.genesys.validation import parse
from sandbox.world_access import current


def response(integration: Integration) -> ProviderAnswer:
    body = parse(StructuredResponse, "structured response")
    asked = _asked(integration, body)
    conversation = conversation_of(integration, body.channel)
    chosen = body.buttonResponse.model_dump(exclude_none=True)
    if not answers.offered(asked.content, body.buttonResponse.text, body.buttonResponse.payload):
        _note_unknown(asked)
    received = received_from(conversation, body, "Structured", body.buttonResponse.text)
    received.button_response = chosen | {"originating_message_id": asked.id}
    receive(integration, conversation, received)
    named = {"id": answered_id(received), "type": "Structured", "direction": "Inbound"}
    answer = answered(integration, "metadata") | named
    answer["content"] = [{"contentType": "ButtonResponse", "buttonResponse": chosen}]
    return ProviderAnswer(answer, message_id=received.id, reference=body.channel.messageId)


def _asked(integration: Integration, body: StructuredResponse) -> DeskMessage:
    """The message that is answered; refused unless it is one that can be, and of this conversation."""
    known = current().desk.message(body.originatingMessageId)
    if known is None or known[0].direction != "outbound" or known[1].integration_id != integration.integration_id:
        raise _refusal("originatingMessageId", "no outbound message with this id")
    message, conversation = known
    if conversation.contact != body.channel.sender.id:
        raise _refusal("channel.from.id", "the originating message went to somebody else")
    if message.type != "Structured":
        raise _refusal("originatingMessageId", "this message offered nothing to choose from")
    if message.conversation_id != conversation.conversation_id:
        raise _refusal("originatingMessageId", "its conversation has ended")
    return message


def _note_unknown(asked: DeskMessage) -> None:
    offered = answers.options(asked.content)
    current().stats.finding(
        "genesys", "unknown_payload", f"message {asked.id} offered {len(offered)} answers, and not this one"
    )


def _refusal(field: str, reason: str) -> GenesysError:
    details = [{"errorCode": "invalid.value", "fieldName": field}]
    return GenesysError(400, f"{field}: {reason}", code="invalid.value", details=details)
