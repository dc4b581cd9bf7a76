"""Every kind of object Genesys is known to send, and what becomes of it."""

from typing import Any

import pytest

from relay.channels.genesys.parse import parse
from relay.core.errors import ParseError
from tests.unit.channels.recorded import recorded, shown

CASES = recorded("genesys", "messages")


@pytest.mark.parametrize("case", [pytest.param(case, id=case["name"].replace(" ", "-")) for case in CASES])
def test_objects(case: dict[str, Any]) -> None:
    events = parse(case["item"])
    assert [shown(event, like) for event, like in zip(events, case["expect"], strict=True)] == case["expect"]


@pytest.mark.parametrize(
    ("item", "reason"),
    [
        ({}, "id is missing"),
        ({"type": "Text", "id": "1"}, "channel.to.id is missing"),
        ({"type": "Text", "channel": {"to": {"id": "c"}}}, "id is missing"),
    ],
)
def test_unreadable(item: dict[str, Any], reason: str) -> None:
    with pytest.raises(ParseError, match=reason):
        parse(item)


def test_the_channels_message_id_stands_in_for_a_missing_id() -> None:
    (event,) = parse({"type": "Text", "text": "x", "channel": {"messageId": "m", "to": {"id": "c"}}})
    assert event.source_id == "m"  # type: ignore[union-attr]
