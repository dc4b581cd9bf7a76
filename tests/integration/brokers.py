"""What the broker tests send, and where they collect it."""

from __future__ import annotations

from relay.broker.consumer import Delivery
from relay.broker.publisher import Outgoing
from relay.core.queues import INBOUND
from tests.waiting import wait_until

SHARDS = 4


class Inbox:
    """What a consumer delivered, in order."""

    def __init__(self) -> None:
        self.deliveries: list[Delivery] = []
        self.lost: list[int] = []
        self.opened: list[tuple[int, ...]] = []

    def __call__(self, delivery: Delivery) -> None:
        self.deliveries.append(delivery)

    @property
    def bodies(self) -> list[bytes]:
        return [delivery.body for delivery in self.deliveries]

    def wait(self, count: int) -> list[bytes]:
        wait_until(lambda: len(self.deliveries) >= count, message=f"{count} deliveries")
        return self.bodies


def message(shard: int, body: bytes, exchange: str = INBOUND) -> Outgoing:
    return Outgoing(exchange, str(shard), body, {"mediaType": "image"})
