"""Ten times what the daemons carry, for a minute: all of it waits where there is room, and then goes in order."""

from __future__ import annotations

import time
from collections.abc import Sequence

import gevent
import psutil
import pytest

from tests.flow import traffic
from tests.flow.installation import Installation
from tests.flow.traffic import Conversation
from tests.waiting import wait_until

CONVERSATIONS, SECONDS = 10, 60
CARRIED_A_SECOND = 10
"""Genesys answers after a second, and a conversation has one call under way."""
TIMES = 10
TOTAL = CARRIED_A_SECOND * TIMES * SECONDS
EACH = TOTAL // CONVERSATIONS
LONG_TEXT = "x" * 3000
"""Thousands of them that are kept in memory can be seen there. What is much longer goes in parts."""
MOST_MEGABYTES = 48
SLOW = {"latency_ms": [1000, 1000]}
BATCHES = {"batch": {"max": 100, "wait_ms": 40}}


def resident(pid: int) -> float:
    """Megabytes."""
    return float(psutil.Process(pid).memory_info().rss) / 2**20


def test_ten_times_what_is_carried_is_kept_and_drained_in_order(
    installation: Installation, capsys: pytest.CaptureFixture[str]
) -> None:
    everybody = traffic.conversations(installation.tenant("Flood", lines=2), CONVERSATIONS)
    installation.control("POST", "/limits", traffic.UNLIMITED)
    traffic.greet(installation, everybody)
    wait_until(lambda: traffic.finished(installation) == CONVERSATIONS, 60, "the greetings to be carried")
    installation.control("POST", "/faults", {"genesys": SLOW, "meta": BATCHES})
    memory = [resident(installation.daemon.pid)]
    began = time.monotonic()
    flooding = gevent.spawn(flood, installation, everybody)
    while not flooding.ready():
        gevent.sleep(0.5)
        memory.append(resident(installation.daemon.pid))
    flooding.get()
    lasted, carried = time.monotonic() - began, traffic.finished(installation) - CONVERSATIONS
    installation.control("POST", "/faults", {"genesys": None})
    while traffic.finished(installation) < TOTAL + CONVERSATIONS:
        assert time.monotonic() < began + lasted + 900, "the backlog is not drained"
        gevent.sleep(0.5)
        memory.append(resident(installation.daemon.pid))
    drained = time.monotonic() - began - lasted

    arrived = traffic.tally([traffic.arrived_inbound(installation, one) for one in everybody], EACH)
    with capsys.disabled():
        print(
            f"\n  {arrived}; {TOTAL} in {lasted:.0f} s, {carried} of them carried meanwhile, all {drained:.0f} s later"
        )
        print(f"  resident memory of the daemon: {memory[0]:.0f} MB before, {max(memory):.0f} MB at most")
    assert arrived == traffic.Tally(TOTAL, TOTAL, 0, 0)
    assert carried * TIMES < 2 * TOTAL, "the daemon was not overrun: this run has shown nothing"
    assert max(memory) - memory[0] < MOST_MEGABYTES
    assert installation.dead_letters() == 0


def flood(installation: Installation, everybody: Sequence[Conversation]) -> None:
    """A round of one message for each conversation at a time, at the rate; a machine that is slow takes longer."""
    due = time.monotonic()
    for number in range(EACH):
        gevent.sleep(max(0.0, due - time.monotonic()))
        due += SECONDS / EACH
        batch = [
            {"from": one.wa_id, "to": one.line.phone_number_id, "text": f"in {number} {LONG_TEXT}"} for one in everybody
        ]
        installation.control("POST", "/phone/messages", {"messages": batch})
