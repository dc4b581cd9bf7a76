"""A whole daemon, in this process, whose parts fail: what goes on, what begins anew, and what ends it with a word."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import gevent
import pytest
from structlog.testing import capture_logs

from conf.loading import load_settings
from demo.stack.ports import free_port
from relay.actors import supervisor
from relay.daemon.bootstrap import build_daemon
from relay.daemon.service import Service
from relay.runtime.actor import Ping
from tests.waiting import PATIENCE, wait_until


class Odd:
    """A command that no actor has a use for: its handler raises."""


@dataclass
class Daemon:
    service: Service
    run: Any
    said: list[Any]

    @property
    def shards(self) -> dict[int, Any]:
        return dict(self.service.parts.shards)

    def count(self, event: str) -> int:
        return sum(one["event"] == event for one in self.said)


def fail(ref: Any, times: int) -> None:
    for _ in range(times):
        ref.tell(Odd())
    ref.ask(Ping(), timeout=PATIENCE)


@pytest.fixture
def daemon(settings_env: dict[str, str], postgres: str) -> Iterator[Daemon]:
    settings = load_settings({**settings_env, "METRICS_PORT": str(free_port())})
    service = build_daemon(settings)
    with capture_logs() as said:
        run = gevent.spawn(service.run)
        held = Daemon(service, run, said)
        wait_until(lambda: len(held.shards) == settings.relay_shards, message="it to have its shards")
        yield held
        service.end()
        run.join(timeout=PATIENCE)
        assert run.ready(), "it did not stop"


def test_a_shard_that_only_fails_begins_anew_and_the_others_notice_nothing(daemon: Daemon) -> None:
    before = daemon.shards
    fail(before[3], supervisor.SHARD_FAILURES)
    wait_until(lambda: 3 in daemon.shards and daemon.shards[3] is not before[3], message="it to begin anew")
    assert not before[3].is_alive()
    assert daemon.shards[3].ask(Ping(), timeout=PATIENCE)
    assert {n: ref for n, ref in daemon.shards.items() if n != 3} == {n: ref for n, ref in before.items() if n != 3}
    assert daemon.count("shard_fails") == 1
    assert not daemon.run.ready(), "the daemon goes on"


def test_what_cannot_be_mended_ends_the_daemon_with_a_sentence(daemon: Daemon) -> None:
    """Without alarms nothing is tried again."""
    greenlet = daemon.service.parts.timers._greenlet
    assert greenlet is not None
    greenlet.kill(ValueError("the alarms are broken"))
    daemon.run.join(timeout=PATIENCE)
    assert daemon.run.value == 1, "its exit code"
    [last] = [one for one in daemon.said if one["event"] == "relay_cannot_go_on"]
    assert last["reason"] == "the alarms are broken"
