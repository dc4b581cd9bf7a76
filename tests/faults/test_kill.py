"""A daemon killed with -9 in the middle of traffic: nothing lost, order kept, doubles explained and counted."""

from __future__ import annotations

import gevent
import pytest

from tests.flow import traffic
from tests.flow.installation import Installation
from tests.waiting import wait_until

FAULTS = {
    "meta": {"latency_ms": [20, 80], "seed": 11},
    "genesys": {"latency_ms": [20, 80], "seed": 11},
}
UNANSWERED = """
SELECT DISTINCT m.source_id FROM message_tracking m JOIN message_attempts a ON a.message_id = m.id
WHERE m.line_id = ANY(%s::uuid[]) AND m.attempts > 1 AND (a.outcome IS NULL OR a.outcome = 'unknown')
"""


@pytest.fixture(scope="module")
def own_settings() -> dict[str, str]:
    """What was about to leave when it was killed is waited for so long; Meta's word of the rest has come by then."""
    return {"UNKNOWN_OUTCOME_SECONDS": "10"}


@pytest.mark.parametrize(
    ("conversations", "each"), [pytest.param(12, 12, marks=pytest.mark.each_commit), pytest.param(30, 20)]
)
def test_a_killed_daemon_loses_nothing_and_keeps_the_order(
    installation: Installation, capsys: pytest.CaptureFixture[str], conversations: int, each: int
) -> None:
    lines = installation.tenant(f"Kill {conversations}", lines=2)
    installation.control("POST", "/limits", traffic.UNLIMITED)
    everybody = traffic.conversations(lines, conversations)
    before = traffic.finished(installation)
    traffic.greet(installation, everybody)
    wait_until(lambda: traffic.unfinished(installation) == 0, 60, "the greetings to be carried")
    installation.control("POST", "/faults", FAULTS)

    total = before + conversations * (2 * each + 1)
    sending = gevent.spawn(traffic.run, installation, everybody, each)
    under_way = before + (total - before) // 4
    wait_until(lambda: traffic.finished(installation) > under_way, 60, "traffic to be under way")
    installation.daemon.kill9()
    sending.get(timeout=120)
    installation.daemon.start()
    wait_until(lambda: traffic.finished(installation) >= total, 180, "all messages to be carried by the second daemon")

    inbound = [traffic.arrived_inbound(installation, one) for one in everybody]
    outbound = [traffic.arrived_outbound(installation, one) for one in everybody]
    to_agent, to_customer = traffic.tally(inbound, each), traffic.tally(outbound, each)
    unanswered = len(installation.rows(UNANSWERED, [line.id for line in lines]))
    with capsys.disabled():
        print(f"\n  customer to agent: {to_agent}\n  agent to customer: {to_customer}\n  unanswered: {unanswered}")
    assert (to_agent.arrived, to_agent.swapped) == (conversations * each, 0)
    assert (to_customer.arrived, to_customer.swapped) == (conversations * each, 0)
    assert to_customer.doubled == 0, "Meta echoes our id, so an unknown outcome is found out before a repeat"
    assert to_agent.doubled <= unanswered, "only a call whose answer was lost may show twice at Genesys"
