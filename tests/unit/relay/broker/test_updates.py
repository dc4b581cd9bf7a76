"""How the items of a webhook share messages: by line and queue, in order, bounded."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from relay.broker.dead_letters import route
from relay.broker.updates import MOST_BYTES, MOST_UPDATES, packed, unpacked
from relay.core.messages import Update, dump, load
from relay.core.queues import INBOUND, queue_number

SHARDS = 4
CONTACTS = [f"49170{n}" for n in range(9)]


def update(index: int, contact: str = "491701", line: str = "l", **more: object) -> Update:
    return Update("whatsapp", "t", line, contact, 1000.0 + index, index, {"text": f"{index}\n"}, **more)  # type: ignore[arg-type]


def written(*updates: Update) -> list[tuple[Update, bytes]]:
    return [(one, dump(one)) for one in updates]


@given(st.lists(st.tuples(st.sampled_from(CONTACTS), st.sampled_from(["l", "m"])), max_size=300))
def test_every_update_is_in_one_message_of_its_queue_in_its_place(items: list[tuple[str, str]]) -> None:
    updates = [update(index, contact, line) for index, (contact, line) in enumerate(items)]
    seen: dict[tuple[str, str], list[int]] = {}
    for message in packed(written(*updates), SHARDS):
        found = [load(Update, one) for one in unpacked(message.body)]
        assert len(found) <= MOST_UPDATES
        assert {(one.line_id, queue_number(one.line_id, one.address, SHARDS)) for one in found} == {
            ((message.headers or {})["lineId"], int(message.routing_key))
        }
        for one in found:
            seen.setdefault((one.line_id, one.address), []).append(one.index)
    assert sorted(index for found in seen.values() for index in found) == list(range(len(items)))
    assert all(found == sorted(found) for found in seen.values()), "each contact's in the order of the webhook"


def test_a_message_alone_is_what_it_always_was() -> None:
    [message] = packed(written(update(3)), SHARDS)
    assert (message.exchange, message.body) == (INBOUND, dump(update(3)))
    assert unpacked(message.body) == [message.body]


def test_a_message_holds_so_many_bytes_unless_one_update_has_more() -> None:
    updates = [update(n) for n in range(4)]
    bodies = [b"x" * size for size in (MOST_BYTES + 1, MOST_BYTES - 1, 1, 1)]
    messages = packed(zip(updates, bodies, strict=True), SHARDS)
    assert [[len(one) for one in unpacked(message.body)] for message in messages] == [
        [MOST_BYTES + 1],
        [MOST_BYTES - 1, 1],
        [1],
    ]


def test_headers_tell_line_earliest_arrival_and_files_of_all_of_them() -> None:
    photo = update(2, media_type="image", mime_type="image/jpeg")
    odd = update(1, media_type="document", mime_type="x\n" * 300)
    [message] = packed(written(photo, odd, photo), SHARDS)
    assert message.headers == {
        "tenantId": "t",
        "lineId": "l",
        "arrivedAt": 1001.0,
        "mediaType": "image,document",
        "mimeType": "image/jpeg",
    }


@pytest.mark.parametrize("proved", [True, False])
def test_what_was_buried_as_a_whole_goes_back_as_a_whole_if_all_of_it_is_proved(proved: bool) -> None:
    [message] = packed(written(update(0), update(1)), SHARDS)
    back = route(message.body, SHARDS, lambda one: proved or one.index == 0)
    assert (back is not None) is proved
    if back is not None:
        assert (back.exchange, back.routing_key, back.body) == (message.exchange, message.routing_key, message.body)
