"""A PostgreSQL that refuses writes in the middle of traffic, as after a fail-over: nothing dead, doubled or missing."""

from __future__ import annotations

import time
from collections import Counter

import gevent
import pytest

from demo.stack import Postgres
from tests.flow import traffic
from tests.flow.installation import Installation
from tests.flow.traffic import Conversation
from tests.services.postgres_trouble import read_only
from tests.waiting import wait_until

FAULTS = {"meta": {"latency_ms": [20, 80], "seed": 5}, "genesys": {"latency_ms": [20, 80], "seed": 5}}
CONVERSATIONS = 14


def receipts(installation: Installation, one: Conversation) -> list[list[str]]:
    """What Genesys was told of each numbered message of the agent."""
    sent = installation.agent_sees(one.wa_id, one.line, "outbound")
    return [
        [told["status"] for told in message["receipts"]]
        for message in sent
        if str(message.get("text")).startswith("out ")
    ]


@pytest.mark.parametrize("seconds", [pytest.param(6, marks=pytest.mark.each_commit), 60])
def test_while_writes_are_refused_everything_waits_and_nothing_is_lost_doubled_or_buried(
    installation: Installation, postgres_server: Postgres, capsys: pytest.CaptureFixture[str], seconds: int
) -> None:
    lines = installation.tenant(f"Read-only {seconds}", lines=2)
    installation.control("POST", "/limits", traffic.UNLIMITED)
    everybody, each = traffic.conversations(lines, CONVERSATIONS), 12
    before = traffic.finished(installation)
    traffic.greet(installation, everybody)
    wait_until(lambda: traffic.unfinished(installation) == 0, 60, "the greetings to be carried")
    installation.control("POST", "/faults", FAULTS)

    total = before + CONVERSATIONS * (2 * each + 1)
    sending = gevent.spawn(traffic.run, installation, everybody, each)
    wait_until(lambda: traffic.finished(installation) > before + CONVERSATIONS * 3, 60, "traffic to be under way")
    with read_only(postgres_server.url()):
        gevent.sleep(seconds)
        assert traffic.finished(installation) < total, "nothing was under way: this run has shown nothing"
    back = time.monotonic()
    sending.get(timeout=120)
    wait_until(lambda: traffic.finished(installation) >= total, 120, "all messages to be carried")
    told = lambda: [one for of in everybody for one in receipts(installation, of)]  # noqa: E731
    wait_until(lambda: all("Delivered" in one for one in told()), 60, "all receipts")

    inbound = traffic.tally([traffic.arrived_inbound(installation, one) for one in everybody], each)
    outbound = traffic.tally([traffic.arrived_outbound(installation, one) for one in everybody], each)
    with capsys.disabled():
        print(f"\n  to agents: {inbound}\n  to customers: {outbound}\n  quiet {time.monotonic() - back:.1f} s later")
    expected = traffic.Tally(CONVERSATIONS * each, CONVERSATIONS * each, 0, 0)
    assert (inbound, outbound) == (expected, expected)
    states = installation.rows("SELECT state, count(*) AS n FROM message_tracking GROUP BY state")
    assert not {one["state"] for one in states} & {"dead", "failed"}, states
    assert installation.dead_letters() == 0
    assert not [one for one in told() if Counter(one)["Delivered"] != 1], "each is told once"
