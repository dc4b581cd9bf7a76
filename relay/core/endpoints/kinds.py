"""What endpoints can be told, in the order of a message's life."""

from __future__ import annotations

KINDS = {
    "message.received": "the relay has taken a message, from either side or through the API",
    "message.sent": "the other side has accepted it",
    "message.delivered": "it has reached the customer's phone",
    "message.read": "the customer has read it",
    "message.failed": "it was refused, could not be delivered, or was given up",
    "conversation.begun": "a conversation has begun at Genesys",
    "conversation.ended": "a conversation is over at Genesys",
    "line.health": "a line went live or was refused, or a provider refuses or takes credentials again",
}
TEST = "endpoint.test"
"""What the test button sends, whatever an endpoint has asked for."""
