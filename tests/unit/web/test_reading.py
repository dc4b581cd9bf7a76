"""Bodies are read as forgivingly as can be, and whatever comes is harmless afterwards."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from contextlib import ExitStack, suppress

import gevent
import orjson
import pytest
from gevent.event import Event
from hypothesis import given
from hypothesis import strategies as st

from relay.core.errors import StoreError
from tests.waiting import PATIENCE
from web import budget
from web.budget import (
    LARGE_BYTES,
    MOST_BYTES,
    MOST_ITEMS,
    MOST_OBJECTS,
    MOST_VALUES,
    SLICE_SECONDS,
    Budget,
    OverBudget,
    Room,
)
from web.webhooks.proof import refs_named
from web.webhooks.reading import Unreadable, cleaned, read

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(st.characters()),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(st.characters()), inner),
    max_leaves=20,
)


@given(JSON)
def test_all_json_is_read_into_what_can_be_written_again(value: object) -> None:
    orjson.dumps(read(json.dumps(value).encode(), Budget()))


@given(st.binary(max_size=200))
def test_no_bytes_raise_anything_but_unreadable(raw: bytes) -> None:
    with suppress(Unreadable):
        read(raw, Budget())
    refs_named("whatsapp", raw)
    refs_named("genesys", raw)


@pytest.mark.parametrize("raw", [b"", b'{"a": ', b"[" * 10_000, b"\xff", b"{'a': 1}", b"x" * (LARGE_BYTES + 1)])
def test_what_is_no_json_is_unreadable(raw: bytes) -> None:
    with pytest.raises(Unreadable):
        read(raw, Budget())


def test_nul_and_lone_surrogates_are_replaced() -> None:
    assert cleaned({"a\x00": ["\ud83d", 1, None, {"b": "\U0001f600"}]}) == {"a�": ["�", 1, None, {"b": "\U0001f600"}]}


@pytest.mark.parametrize(
    ("written", "text"),
    [
        (rb"\u0000", "�"),
        (rb"\ud83d", "�"),
        (rb"\ude00\ud83d", "��"),
        (rb"\uD83D\uDE00 \u0000", "\U0001f600 �"),
        (rb"\\u0000 \u0000", "\\u0000 �"),
        (rb"\\\u0000", "\\�"),
        (rb"\"\ud83d", '"�'),
    ],
)
def test_only_what_cannot_be_stored_is_replaced(written: bytes, text: str) -> None:
    assert read(b'["' + written + b'"]', Budget()) == [text]


def test_what_only_a_forgiving_parser_takes_is_read_while_it_is_small() -> None:
    assert read(b"[NaN, 1]", Budget()) == [None, 1]
    assert read("\ufeff[1]".encode(), Budget()) == [1]
    assert read("[1]".encode("utf-16"), Budget()) == [1]


@pytest.mark.parametrize("raw", [b"[" + b"{}," * MOST_OBJECTS + b"{}]", b"[" + b"1," * MOST_VALUES + b"1, 1]"])
def test_what_holds_too_much_is_not_parsed(raw: bytes) -> None:
    with pytest.raises(OverBudget):
        read(raw, Budget())


def test_so_many_items_are_handed_out_and_no_more() -> None:
    found = list[int]()
    with pytest.raises(OverBudget):
        found.extend(Budget().items(range(MOST_ITEMS + 1)))
    assert list(Budget().items(range(MOST_ITEMS))) == list(range(MOST_ITEMS))


def test_others_get_their_turn_while_a_large_body_is_worked_on() -> None:
    turns, done = list[int](), [0]
    other = gevent.spawn(lambda: turns.append(done[0]))

    def work() -> Iterator[int]:
        for n in range(4):
            done[0] = n
            end = time.perf_counter() + SLICE_SECONDS
            while time.perf_counter() < end:
                pass
            yield n

    assert list(Budget().in_turns(work())) == [0, 1, 2, 3]
    other.join(PATIENCE)
    assert turns == [0]


def test_work_on_one_body_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(budget, "MOST_SECONDS", 0.0)
    monkeypatch.setattr(budget, "SLICE_SECONDS", 0.0)
    with pytest.raises(OverBudget):
        list(Budget().in_turns(range(3)))


def test_large_bodies_find_room_only_while_there_is_some() -> None:
    room = Room(most=2 * MOST_BYTES)
    with ExitStack() as held:
        for size in (MOST_BYTES, None, LARGE_BYTES):
            held.enter_context(room.reading(size))
        with pytest.raises(StoreError):
            held.enter_context(room.reading(LARGE_BYTES + 1))
    with room.reading(None), room.reading(None):
        pass


def test_large_bodies_of_one_signer_go_one_by_one_and_others_do_not_wait() -> None:
    room, order, gate = Room(waiting=1), list[str](), Event()

    def take(owner: str, size: int, gate: Event | None = None) -> None:
        with room.turn(owner, size):
            order.append(owner)
            if gate:
                gate.wait(PATIENCE)

    first = gevent.spawn(take, "a", MOST_BYTES, gate)
    second = gevent.spawn(take, "a", MOST_BYTES)
    gevent.idle()
    with pytest.raises(StoreError):
        take("a", MOST_BYTES)
    take("a", 1)
    take("b", MOST_BYTES)
    assert order == ["a", "a", "b"]
    gate.set()
    gevent.joinall([first, second], timeout=PATIENCE, raise_error=True)
    assert order == ["a", "a", "b", "a"]
