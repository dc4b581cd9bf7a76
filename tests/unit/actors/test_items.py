"""What an update says of its time."""

from __future__ import annotations

from typing import Any

import pytest

from db.conversations import Mapping
from relay.actors.items import Item, Rows
from relay.core.messages import Event, Message, Person, Receipt, Update

ARRIVED = 1_790_000_000.0
MAPPING = Mapping("c", "t", "l", "491701", 0, "491701", None, None, None, None)


def came(event: Event) -> Item:
    return Item(b"", Update("whatsapp", "t", "l", "491701", ARRIVED, 0, {}), event)


@pytest.mark.parametrize(
    ("told", "taken"),
    [
        (ARRIVED - 5, ARRIVED - 5),
        (ARRIVED + 5, ARRIVED + 5),  # clocks differ a little, and it is theirs that tells the order
        (ARRIVED + 86_400, ARRIVED),
        (0.0, ARRIVED),
    ],
)
def test_nothing_was_written_long_after_it_arrived(told: float, taken: float) -> None:
    """It orders, is shown to the agent, and decides which message typing and read marks name."""
    item = came(Message("wamid.1", Person("491701"), told, text="hello"))
    target: Any = type("Target", (), {"fit": staticmethod(lambda message: [message])})
    [new] = Rows({"whatsapp": target}).of(item, item.event, MAPPING)  # type: ignore[arg-type]
    assert item.seen.provider_time == new.row.message.provider_time == taken


def test_nor_is_anything_delivered_later_than_we_hear_of_it() -> None:
    assert came(Receipt("wamid.1", "delivered", ARRIVED + 60)).receipt.receipt.time == ARRIVED
    assert came(Receipt("wamid.1", "delivered", ARRIVED - 60)).receipt.receipt.time == ARRIVED - 60
