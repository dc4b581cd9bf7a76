"""What goes to the broker and what comes from it."""

from __future__ import annotations

import re
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


MARK = "mark"
TRACE = "traceparent"
"""The header's name, as W3C Trace Context has it."""
TRACEPARENT = re.compile(r"00-[0-9a-f]{32}-[0-9a-f]{16}-01")


def mark(exchange: str, shard: int, name: str) -> Outgoing:
    """A message that says nothing: once it has come back, so has all that was in the shard's queue before it."""
    return Outgoing(exchange, str(shard), b"", {MARK: name})


@dataclass(frozen=True, slots=True)
class Delivery:
    """One message from a queue, as bytes. Ack it with `Consumer.ack(delivery.shard, [delivery, ...])`.

    `tag` means something only together with `generation`, the number of the channel it came over, which no other
    channel of this process has: what came over one since lost or closed will be delivered again.
    """

    exchange: str
    body: bytes = field(repr=False)
    tag: Any
    shard: int
    headers: dict[str, Any]
    redelivered: bool
    generation: int

    @property
    def line_id(self) -> str:
        """Whose it is; "" where web did not say."""
        return str(self.headers.get("lineId", ""))

    @property
    def arrived_at(self) -> float | None:
        """Unix seconds at which the first of what it holds arrived at web, where web said so."""
        told = self.headers.get("arrivedAt")
        return float(told) if isinstance(told, (int, float)) else None

    @property
    def trace(self) -> str | None:
        """The traceparent of the webhook that it came in, where that is traced."""
        told = self.headers.get(TRACE)
        return told if isinstance(told, str) and TRACEPARENT.fullmatch(told) else None

    @property
    def mark(self) -> str | None:
        """The name that a daemon gave it; None: it is an update."""
        told = self.headers.get(MARK)
        return None if told is None else str(told)
