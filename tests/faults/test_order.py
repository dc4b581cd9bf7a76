"""The promises G2 and G3 under provider faults: every message once, and in order."""

from __future__ import annotations

import pytest

from tests.flow import traffic
from tests.flow.installation import Installation, Line
from tests.waiting import wait_until

CONVERSATIONS = 60
EACH = 25
FREE = 400
"""Service messages of each number that cost nothing."""
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
    installation.control("POST", "/limits", {"meta": {"free_service_messages": FREE}})
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
    # Statuses came twice, in batches and out of order: each message is charged once all the same.
    charged = {"free_customer_service": FREE, "regular": CONVERSATIONS // len(lines) * EACH - FREE}
    wait_until(
        lambda: all(prices(installation, line) == (charged, charged) for line in lines), 60, "all prices to be counted"
    )


def prices(installation: Installation, line: Line) -> tuple[dict[str, int], dict[str, int]]:
    """Of service messages by type: as the relay counted them, and as the sandbox did."""
    path = f"/api/tenants/{line.tenant_id}/lines/{line.id}/prices/comparison"
    found = [one for one in installation.api("GET", path)["items"] if one["category"] == "service"]
    return {one["type"]: one["counted"] for one in found}, {one["type"]: one["told"] for one in found}
