"""What endpoints can be told, in the order of a message's life."""

from __future__ import annotations

from relay.core.languages import phrase

KINDS = {
    "message.received": phrase("the relay has taken a message, from either side or through the API"),
    "message.sent": phrase("the other side has accepted it"),
    "message.delivered": phrase("it has reached the customer's phone"),
    "message.read": phrase("the customer has read it"),
    "message.failed": phrase("it was refused, could not be delivered, or was given up"),
    "conversation.begun": phrase("a conversation has begun at Genesys"),
    "conversation.ended": phrase("a conversation is over at Genesys"),
    "line.health": phrase("a line went live or was refused, or a provider refuses or takes credentials again"),
}
TEST = "endpoint.test"
"""What the test button sends, whatever an endpoint has asked for."""
