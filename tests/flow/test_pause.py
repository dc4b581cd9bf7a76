"""Pausing a tenant: everything is taken in and kept, nothing is sent, and the rest of the house goes on."""

from __future__ import annotations

from datetime import timedelta

from tests.flow.installation import Installation, Line
from tests.waiting import wait_until

CUSTOMER = "4915300000001"


def test_a_paused_tenant_keeps_everything_in_order_until_it_is_resumed(installation: Installation, line: Line) -> None:
    other = installation.tenant("Beside")[0]
    where = {"from": CUSTOMER, "to": line.phone_number_id}
    installation.wait_for(installation.phone_sends(**where, text="before"), "sent", "delivered")

    installation.api("PATCH", f"/api/tenants/{line.tenant_id}", {"status": "paused"})
    held = [installation.phone_sends(**where, text=f"held {number}") for number in range(3)]
    wait_until(lambda: all(installation.state(one) == "received" for one in held), 20, "all to be taken in")
    beside = installation.phone_sends(**{"from": CUSTOMER}, to=other.phone_number_id, text="I am not held")
    installation.wait_for(beside, "sent", "delivered")
    assert [installation.state(one) for one in held] == ["received"] * 3

    installation.api("PATCH", f"/api/tenants/{line.tenant_id}", {"status": "active"})
    installation.wait_for(held[-1], "sent", "delivered")
    texts = [one["text"] for one in installation.agent_sees(CUSTOMER, line)]
    assert texts == ["before", "held 0", "held 1", "held 2"]


def test_a_line_may_wait_for_metas_own_sent_before_the_next_message(installation: Installation) -> None:
    line = installation.tenant("Handset", settings={"handset_order_seconds": 20})[0]
    where = {"contact": CUSTOMER, "integration_id": line.integration_id}
    installation.wait_for(
        installation.phone_sends(**{"from": CUSTOMER}, to=line.phone_number_id, text="hello"), "sent", "delivered"
    )
    installation.control("POST", f"/phone/{CUSTOMER}", {"delays_ms": {"sent": 10000, "delivered": 10, "read": 10}})
    first, second = (installation.agent_sends(**where, text=text) for text in ("first", "second"))
    installation.wait_for(first, "sent")
    assert installation.state(second) == "received", "Meta has not said `sent` of the first one yet"
    installation.wait_for(second, "sent", "delivered", "read")
    rows = {one: installation.row(one) for one in (first, second)}
    assert rows[second]["sent_at"] - rows[first]["sent_at"] >= timedelta(seconds=9), "it waited for Meta's word"
