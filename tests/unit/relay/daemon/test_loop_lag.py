"""A loop that is late says so to those who hold messages, before any message has come."""

from __future__ import annotations

import time

import gevent
import pytest
from gevent.monkey import get_original

from relay.core.conversation.hold import Longest
from relay.daemon.loop_lag import LoopLag
from tests.waiting import wait_until

BLOCKED_SECONDS = 0.4


def test_who_holds_messages_is_told_by_how_much_turns_come_late() -> None:
    longest = Longest()
    lag = LoopLag(longest)
    lag.start(lambda error: pytest.fail(f"it ended: {error}"))
    try:
        gevent.sleep(0)  # it asks for its first turn
        get_original("time", "sleep")(BLOCKED_SECONDS)
        wait_until(lambda: longest.seconds(time.monotonic()) >= BLOCKED_SECONDS / 2, message="the lag to be told")
    finally:
        lag.stop()
