"""Redis alone goes away in the middle of traffic and comes back: it is a cache, and nothing may hang on it."""

from __future__ import annotations

import time

import gevent
import pytest

from demo.stack import Redis
from tests.faults.test_outages import away
from tests.flow import traffic
from tests.flow.installation import Installation
from tests.waiting import wait_until

CONVERSATIONS, EACH, AWAY_SECONDS = 14, 12, 8
SLOW = {"meta": {"latency_ms": [20, 80], "seed": 6}, "genesys": {"latency_ms": [20, 80], "seed": 6}}


def test_redis_away_and_back_loses_doubles_and_swaps_nothing(
    installation: Installation, redis_server: Redis, capsys: pytest.CaptureFixture[str]
) -> None:
    everybody = traffic.conversations(installation.tenant("Redis alone", lines=2), CONVERSATIONS)
    installation.control("POST", "/limits", traffic.UNLIMITED)
    traffic.greet(installation, everybody)
    wait_until(lambda: traffic.unfinished(installation) == 0, 60, "the greetings to be carried")
    installation.control("POST", "/faults", SLOW)

    before, total = traffic.finished(installation), CONVERSATIONS * EACH * 2
    sending = gevent.spawn(traffic.run, installation, everybody, EACH)
    wait_until(lambda: traffic.finished(installation) > before + total // 6, 60, "traffic to be under way")
    with away(redis_server):
        gevent.sleep(AWAY_SECONDS)
        meanwhile = traffic.finished(installation) - before
    back = time.monotonic()
    sending.get(timeout=120)
    wait_until(lambda: traffic.finished(installation) >= before + total, 120, "all messages to be carried")

    inbound = traffic.tally([traffic.arrived_inbound(installation, one) for one in everybody], EACH)
    outbound = traffic.tally([traffic.arrived_outbound(installation, one) for one in everybody], EACH)
    with capsys.disabled():
        print(f"\n  to agents: {inbound}\n  to customers: {outbound}")
        print(f"  {meanwhile} of {total} carried before it was back, the last {time.monotonic() - back:.1f} s later")
    expected = traffic.Tally(CONVERSATIONS * EACH, CONVERSATIONS * EACH, 0, 0)
    assert (inbound, outbound) == (expected, expected)
    assert installation.dead_letters() == 0
