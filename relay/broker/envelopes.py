"""What goes to the broker and what comes from it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Outgoing:
    """One message. With exchange "" the routing key is the queue's name.

    What is `droppable` fails no publish: `Publisher.publish` answers with those that were not taken.
    """

    exchange: str
    routing_key: str
    body: bytes = field(repr=False)
    headers: dict[str, Any] | None = None
    content_type: str = "application/json"
    droppable: bool = False

    @property
    def destination(self) -> str:
        return f"{self.exchange}/{self.routing_key}" if self.exchange else self.routing_key


@dataclass(frozen=True, slots=True)
class Delivery:
    """One message from a queue, as bytes. Ack it with `Consumer.ack(delivery.shard, [delivery, ...])`.

    `tag` means something only together with `generation`, which counts how often the shard was
    opened: what came over a connection since lost will be delivered again.
    """

    exchange: str
    body: bytes = field(repr=False)
    tag: Any
    shard: int
    headers: dict[str, Any]
    redelivered: bool
    generation: int
