"""What reached a line and is no contact's message: kept once, for a while, and listed."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from db.mailbox import notices
from db.mailbox.notices import ListedNotice, NewNotice
from db.pool import Pool
from tests.integration.told import START, World


@pytest.fixture(scope="module")
def world(pool: Pool) -> World:
    return World(pool)


def keep(world: World, payload: Any, kind: str = "unreadable", channel: str = "whatsapp", reason: str = "why") -> None:
    row = NewNotice(world.tenant_id, world.line_ids[-1], channel, kind, reason, payload, START.timestamp())
    with world.pool.transaction() as cursor:
        notices.keep(cursor, [row, row])


def listed(world: World, **more: Any) -> list[ListedNotice]:
    return notices.listed(world.pool, world.tenant_id, world.line_ids[-1], **more).items


def test_the_same_is_kept_once(world: World) -> None:
    world.line()
    for _ in range(2):
        keep(world, {"a": 1, "b": [2]})
    keep(world, {"b": [2], "a": 1})
    assert [(one.kind, one.reason, one.payload, one.at) for one in listed(world)] == [
        ("unreadable", "why", {"a": 1, "b": [2]}, START)
    ]
    keep(world, {"a": 1, "b": [2]}, kind="account_update")
    keep(world, {"a": 1, "b": [2]}, channel="genesys")
    assert len(listed(world)) == 3


@pytest.mark.parametrize("payload", [None, [], "text", {"a": "\x00 and \ud800"}, {"n": 10**30}, {"": {"": [{}]}}])
def test_whatever_it_is(world: World, payload: Any) -> None:
    world.line()
    keep(world, payload, kind="odd\x00\ud800", reason="\x00" + "x" * 2000)
    [one] = listed(world)
    assert one.kind == "odd?" and len(one.reason) == 1000


def test_long_texts_are_cut(world: World) -> None:
    world.line()
    keep(world, {"text": '"' * 100_000, "id": "wamid.1"})
    [one] = listed(world)
    assert one.payload["text"].endswith("(100,000 characters)") and one.payload["id"] == "wamid.1"


def test_a_large_one_is_shortened(world: World) -> None:
    world.line()
    keep(world, {"texts": ['"'] * 100_000})
    [one] = listed(world)
    assert one.payload["shortened"].startswith('{"texts":[') and one.payload["bytes"] > 100_000
    with world.pool.transaction() as cursor:
        cursor.execute("SELECT max(octet_length(payload::text)) FROM line_notices")
        assert cursor.fetchone()[0] <= notices.PAYLOAD_BYTES


def test_the_newest_first_page_by_page(world: World) -> None:
    world.line()
    for n in range(5):
        keep(world, n)
    first = notices.listed(world.pool, world.tenant_id, world.line_ids[-1], limit=3)
    second = notices.listed(world.pool, world.tenant_id, world.line_ids[-1], first.next, 3)
    assert [one.payload for one in first.items + second.items] == [4, 3, 2, 1, 0]
    assert second.next is None
    limited = World(world.pool)
    assert notices.listed(world.pool.of_tenant(limited.tenant_id), world.tenant_id).items == []


def test_the_old_and_the_many_go(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(notices, "PER_LINE", 4)
    world.line()
    world.change("DELETE FROM line_notices")
    for n in range(8):
        keep(world, n)
    world.change("UPDATE line_notices SET at = now() - %s", timedelta(days=29))
    world.change("UPDATE line_notices SET at = now() - %s WHERE payload::text = '7'", timedelta(days=31))
    with world.pool.transaction() as cursor:
        before = datetime.now(UTC) - timedelta(days=30)
        assert notices.expire(cursor, world.tenant_id, before) == 1
        assert notices.expire(cursor, world.tenant_id, before) == 0
    assert [one.payload for one in listed(world)] == [6, 5, 4]


def test_a_repeated_one_leaves_the_others_alone(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """To count them costs as much as there are, and a repetition makes none more."""
    world.line()
    for n in range(4):
        keep(world, n)
    monkeypatch.setattr(notices, "PER_LINE", 2)
    keep(world, 0)
    assert [one.payload for one in listed(world)] == [3, 2, 1, 0]
    keep(world, 4)
    assert [one.payload for one in listed(world)] == [4, 3]
