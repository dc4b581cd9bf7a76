"""Names of the broker's exchanges and queues, and which queue an update goes to."""

from __future__ import annotations

from zlib import crc32

from relay.core.messages import ChannelName, Direction

INBOUND = "INBOUND_WHATSAPP_MESSAGES"
OUTBOUND = "OUTBOUND_GENESYS_MESSAGES"
DEAD_LETTERS = "DEAD_LETTERS"
WEBHOOK_ARCHIVE = "WEBHOOK_ARCHIVE"

EXCHANGE = {"whatsapp": INBOUND, "genesys": OUTBOUND}
DIRECTION: dict[str, Direction] = {"whatsapp": "inbound", "genesys": "outbound"}
"""A message that came in over a channel travels in this direction."""
SOURCE: dict[Direction, ChannelName] = {"inbound": "whatsapp", "outbound": "genesys"}
TARGET: dict[Direction, ChannelName] = {"inbound": "genesys", "outbound": "whatsapp"}


def queue_number(line_id: str, address: str, shards: int) -> int:
    """The intake queue of a webhook's update, by the address as it stands in the webhook."""
    return crc32(f"{line_id}:{address}".encode("utf-8", "replace")) % shards


def queue_name(exchange: str, number: int) -> str:
    return f"{exchange}.{number}"
