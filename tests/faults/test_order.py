"""The promises G2 and G3 under provider faults: every message once, and in order."""

from __future__ import annotations

import pytest

from tests.flow import traffic
from tests.flow.installation import Installation
from tests.waiting import wait_until

CONVERSATIONS = 60
EACH = 25
SIDE = {
    "duplicate_rate": 0.1,
    "reorder": {"rate": 0.1, "window_ms": 200},
    "error_rate": 0.05,
    "error_codes": [429, 500],
    "retry_after": 1,
    "latency_ms": [5, 30],
    "seed": 7,
}
FAULTS = {"meta": {**SIDE, "batch": {"max": 100, "wait_ms": 40}}, "genesys": SIDE}


def test_3000_messages_both_ways_arrive_once_and_in_order(
    installation: Installation, capsys: pytest.CaptureFixture[str]
) -> None:
    lines = installation.tenant("North", lines=2) + installation.tenant("South")
    installation.control("POST", "/limits", traffic.UNLIMITED)
    everybody = traffic.conversations(lines, CONVERSATIONS)
    traffic.greet(installation, everybody)
    wait_until(lambda: traffic.finished(installation) == CONVERSATIONS, 60, "the greetings to be carried")

    installation.control("POST", "/faults", FAULTS)
    traffic.run(installation, everybody, EACH)
    total = CONVERSATIONS * (2 * EACH + 1)
    wait_until(lambda: traffic.finished(installation) >= total, 240, "all messages to be carried")

    to_agents = {one: traffic.arrived_inbound(installation, one) for one in everybody}
    to_customers = {one: traffic.arrived_outbound(installation, one) for one in everybody}
    inbound, outbound = (traffic.tally(list(arrived.values()), EACH) for arrived in (to_agents, to_customers))
    with capsys.disabled():
        print(f"\n  customer to agent: {inbound}\n  agent to customer: {outbound}")
        print(traffic.what_the_sandbox_did(installation))
    expected = traffic.Tally(CONVERSATIONS * EACH, CONVERSATIONS * EACH, 0, 0)
    why = [line for one in everybody for line in traffic.swaps(installation, one, "in", to_agents[one])]
    why += [line for one in everybody for line in traffic.swaps(installation, one, "out", to_customers[one])]
    assert (inbound, outbound) == (expected, expected), "\n".join(why)
