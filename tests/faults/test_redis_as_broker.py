"""Redis in place of RabbitMQ: one daemon, and no second one, since its end could lose messages there."""

from __future__ import annotations

from pathlib import Path

import pytest

from demo.stack.ports import free_port
from tests import processes
from tests.waiting import PATIENCE, wait_until


@pytest.fixture
def env(settings_env: dict[str, str], redis_url: str) -> dict[str, str]:
    return {**settings_env, "BROKER_URL": redis_url}


def test_a_second_daemon_says_why_it_does_not_start_and_the_first_may_be_killed_and_started_again(
    env: dict[str, str], logs: Path
) -> None:
    with processes.relay(env, logs) as first:
        second = processes.relay({**env, "METRICS_PORT": str(free_port())}, logs, "second")
        second.start()
        wait_until(lambda: not second.running(), message="the second one to end")
        assert second.wait(PATIENCE) == 1
        assert "with Redis as the broker there can be one only" in second.output()
        first.kill9()
        first.start()
        first.wait_ready()
