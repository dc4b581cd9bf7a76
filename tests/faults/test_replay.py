"""A thousand dead letters sent again: cancelled, begun anew, and gone on with by the next daemon after a kill."""

from __future__ import annotations

from typing import Any

import pytest

from tests.faults.test_kill import UNANSWERED
from tests.flow import traffic
from tests.flow.installation import Installation, Line
from tests.waiting import wait_until

CONVERSATIONS = 20
EACH = 25
ALL = CONVERSATIONS * EACH * 2
BURY = """
UPDATE message_tracking SET state = 'dead', failed_at = now(), reason_code = 'x', reason = 'x'
WHERE line_id = %s AND state = 'received' RETURNING id
"""
FAULTS = {"meta": {"latency_ms": [20, 80], "seed": 7}, "genesys": {"latency_ms": [20, 80], "seed": 7}}


@pytest.fixture(scope="module")
def own_settings() -> dict[str, str]:
    return {"UNKNOWN_OUTCOME_SECONDS": "5"}


def begin(installation: Installation, line: Line) -> str:
    return str(installation.api("POST", "/api/dead-letters/replays", {}, tenant=line.tenant_id)["id"])


def standing(installation: Installation, line: Line, replay_id: str) -> dict[str, Any]:
    found: dict[str, Any] = installation.api("GET", f"/api/dead-letters/replays/{replay_id}", tenant=line.tenant_id)
    return found


def test_a_thousand_dead_letters_go_again_in_order_and_once(
    installation: Installation, capsys: pytest.CaptureFixture[str]
) -> None:
    [line] = installation.tenant("Replay")
    installation.control("POST", "/limits", traffic.UNLIMITED)
    everybody = traffic.conversations([line], CONVERSATIONS)
    traffic.greet(installation, everybody)
    wait_until(lambda: traffic.finished(installation) >= CONVERSATIONS, 60, "the greetings to be carried")
    installation.api("PATCH", f"/api/tenants/{line.tenant_id}", {"status": "paused"})
    traffic.run(installation, everybody, EACH)
    wait_until(lambda: traffic.unfinished(installation) >= ALL, 120, "all to be taken in")
    with installation.without_daemon():
        assert len(installation.rows(BURY, line.id)) == ALL
        installation.api("PATCH", f"/api/tenants/{line.tenant_id}", {"status": "active"})
    installation.control("POST", "/faults", FAULTS)

    first = begin(installation, line)
    wait_until(lambda: standing(installation, line, first)["put_back"] >= ALL // 10, 60, "it to be under way")
    address = f"/api/dead-letters/replays/{first}/cancel"
    ended = installation.api("POST", address, {}, tenant=line.tenant_id)
    assert (ended["state"], ended["put_back"] < ALL) == ("cancelled", True)
    wait_until(lambda: standing(installation, line, first)["under_way"] == 0, 60, "what had been put back to go out")
    assert standing(installation, line, first)["put_back"] == ended["put_back"], "cancelled, it goes no further"

    second = begin(installation, line)
    half = ended["put_back"] + (ALL - ended["put_back"]) // 2
    wait_until(lambda: standing(installation, line, second)["put_back"] + ended["put_back"] >= half, 90, "half of it")
    installation.daemon.kill9()
    assert standing(installation, line, second)["state"] == "running", "it was killed in the middle"
    installation.daemon.start()
    wait_until(
        lambda: (held := standing(installation, line, second))["state"] == "done" and not held["under_way"],
        180,
        "the next daemon to have done the rest",
    )
    done = standing(installation, line, second)
    assert (done["put_back"], done["carried"]) == (ALL - ended["put_back"],) * 2

    to_agent = traffic.tally([traffic.arrived_inbound(installation, one) for one in everybody], EACH)
    to_customer = traffic.tally([traffic.arrived_outbound(installation, one) for one in everybody], EACH)
    unanswered = len(installation.rows(UNANSWERED, [line.id]))
    with capsys.disabled():
        print(f"\n  customer to agent: {to_agent}\n  agent to customer: {to_customer}\n  unanswered: {unanswered}")
    assert (to_agent.arrived, to_agent.swapped) == (ALL // 2, 0)
    assert (to_customer.arrived, to_customer.swapped) == (ALL // 2, 0)
    assert to_customer.doubled == 0
    assert to_agent.doubled <= unanswered, "only a call whose answer was lost may show twice at Genesys"
    again = installation.rows(
        """SELECT e.message_id FROM message_events e JOIN message_tracking m ON m.id = e.message_id
           WHERE m.line_id = %s AND e.event = 'replayed' GROUP BY 1 HAVING count(*) > 1""",
        line.id,
    )
    assert again == [], "each was put back once"
