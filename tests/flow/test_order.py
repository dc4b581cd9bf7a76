"""The promises G2 and G3 under provider faults: every message once, and in order."""

from __future__ import annotations

import pytest

from tests.flow import traffic
from tests.flow.installation import Installation
from tests.waiting import wait_until

CONVERSATIONS = 60
EACH = 25
FAULTS = {
    "meta": {
        "duplicate_rate": 0.1,
        "reorder": {"rate": 0.1, "window_ms": 200},
        "batch": {"max": 100, "wait_ms": 40},
        "error_rate": 0.05,
        "error_codes": [429, 500],
        "retry_after": 1,
        "latency_ms": [5, 30],
        "seed": 7,
    },
    "genesys": {
        "duplicate_rate": 0.1,
        "reorder": {"rate": 0.1, "window_ms": 200},
        "error_rate": 0.05,
        "error_codes": [429, 500],
        "retry_after": 1,
        "latency_ms": [5, 30],
        "seed": 7,
    },
}


def test_3000_messages_both_ways_arrive_once_and_in_order(installation: Installation, capsys: pytest.CaptureFixture[str]) -> None:
    lines = installation.tenant("North", lines=2) + installation.tenant("South")
    installation.control("POST", "/limits", traffic.UNLIMITED)
    everybody = traffic.conversations(lines, CONVERSATIONS)
    traffic.greet(installation, everybody)
    wait_until(lambda: traffic.unfinished(installation) == 0, 60, "the greetings to be carried")

    installation.control("POST", "/faults", FAULTS)
    traffic.run(installation, everybody, EACH)

    def complete() -> bool:
        rows = installation.rows("SELECT count(*) AS n FROM message_tracking WHERE state NOT IN ('received', 'sending', 'unknown')")
        return bool(rows[0]["n"] >= CONVERSATIONS * (2 * EACH + 1))

    wait_until(complete, 240, "all messages to be carried")
    installation.control("DELETE", "/faults")
    inbound = traffic.tally([traffic.arrived_inbound(installation, one) for one in everybody], EACH)
    outbound = traffic.tally([traffic.arrived_outbound(installation, one) for one in everybody], EACH)
    with capsys.disabled():
        print(f"\n  customer to agent: {inbound}\n  agent to customer: {outbound}")
        stats = installation.control("GET", "/stats")
        for side in ("meta", "genesys"):
            hooks = stats[side]["webhooks"]
            print(f"  {side}: webhooks {hooks}, errors {stats[side]['errors_injected']}")
        print("  late:", installation.rows("SELECT direction, count(*) FROM message_tracking WHERE late GROUP BY 1"))
    expected = traffic.Tally(CONVERSATIONS * EACH, CONVERSATIONS * EACH, 0, 0)
    assert (inbound, outbound) == (expected, expected)
