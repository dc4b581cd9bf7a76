"""Who looks up whose a line is, and who waits for it."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

import gevent
import pytest

from conf.loading import load_settings
from relay.clients import build_cipher
from relay.stores.cache import Cache
from tests.integration import webhook_world as world_of
from tests.integration.webhook_world import World
from tests.waiting import wait_until
from web.webhooks import lines
from web.webhooks.lines import FRESH_SECONDS, RENEWED_AFTER, LineDirectory


class WatchedCache(Cache):
    """Knows which greenlets asked it."""

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        self.asked_by: list[Any] = []

    def recall_all(self, names: Sequence[str]) -> dict[str, Any]:
        if names:
            self.asked_by.append(gevent.getcurrent())
        return super().recall_all(names)


@dataclass
class Clock:
    now: float = 1_000.0


@pytest.fixture
def world(settings_env: dict[str, str]) -> Iterator[World]:
    built = world_of.build(settings_env)
    yield built
    world_of.close(built)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(lines, "time", SimpleNamespace(monotonic=lambda: clock.now, time=time.time))
    return clock


@pytest.fixture
def cache(settings_env: dict[str, str]) -> Iterator[WatchedCache]:
    settings = load_settings(settings_env)
    made = WatchedCache(settings.redis_url, build_cipher(settings))
    yield made
    made.close()


def test_a_busy_line_is_looked_up_in_the_background_and_its_webhooks_do_not_wait(
    world: World, cache: WatchedCache, clock: Clock
) -> None:
    line, parts = world.line(), world.parts
    directory = LineDirectory(parts.pool, parts.cipher, cache)
    self, ref = gevent.getcurrent(), line.phone_number_id

    def owner() -> str | None:
        found = directory.by_ref("whatsapp", ref)
        return found.line_id if found else None

    assert (owner(), cache.asked_by) == (line.line_id, [self])
    clock.now += FRESH_SECONDS * RENEWED_AFTER
    assert (owner(), owner(), len(cache.asked_by)) == (line.line_id, line.line_id, 1)
    wait_until(lambda: len(cache.asked_by) == 2, message="the look-up in the background")
    assert cache.asked_by[1] is not self
    wait_until(lambda: owner() and _renewed(directory, ref) > clock.now, message="its answer")
    clock.now += FRESH_SECONDS * RENEWED_AFTER / 2  # beyond what was fresh at first
    assert (owner(), len(cache.asked_by)) == (line.line_id, 2)


def test_of_a_line_on_which_nobody_asked_meanwhile_nothing_old_is_used(
    world: World, cache: WatchedCache, clock: Clock
) -> None:
    line, parts = world.line(), world.parts
    directory = LineDirectory(parts.pool, parts.cipher, cache)
    assert directory.by_ref("whatsapp", line.phone_number_id)
    clock.now += FRESH_SECONDS
    assert directory.by_ref("whatsapp", line.phone_number_id)
    assert cache.asked_by == [gevent.getcurrent()] * 2


def _renewed(directory: LineDirectory, ref: str) -> float:
    own = directory._own("whatsapp", ref)
    assert own is not None
    return own.renew_from
