"""R50: text and media in both directions, customer to agent and agent to customer, through real processes."""

from __future__ import annotations

import pytest

from tests.flow.installation import Installation, Line
from tests.waiting import wait_until

KINDS = ["image", "document", "video", "audio"]


def test_text_travels_both_ways_and_the_agent_learns_of_the_delivery(installation: Installation, line: Line) -> None:
    customer = "4915100000001"
    wamid = installation.phone_sends(**{"from": customer}, to=line.phone_number_id, text="Hallo, wo ist mein Paket? 📦")
    wait_until(lambda: installation.agent_sees(customer, line), 20, "the text to reach the agent")
    assert [one["text"] for one in installation.agent_sees(customer, line)] == ["Hallo, wo ist mein Paket? 📦"]

    answer = installation.agent_sends(contact=customer, integration_id=line.integration_id, text="Es ist unterwegs.")
    wait_until(lambda: installation.phone_shows(customer, line), 20, "the answer to reach the phone")
    assert [one["text"] for one in installation.phone_shows(customer, line)] == ["Es ist unterwegs."]
    wait_until(lambda: installation.state(answer) == "read", 20, "the answer to be tracked as read")
    wait_until(
        lambda: installation.agent_sees(customer, line, "outbound")[0]["status"] == "Delivered",
        20,
        "the agent's side to learn that the answer was delivered",
    )
    wait_until(lambda: installation.state(wamid) in ("sent", "delivered"), 20, "the question to be tracked as sent")


@pytest.mark.parametrize("kind", KINDS)
def test_media_from_customer_to_agent(installation: Installation, line: Line, kind: str) -> None:
    customer = f"49151001{KINDS.index(kind):05}"
    installation.phone_sends(**{"from": customer}, to=line.phone_number_id, type=kind, sample=True)

    def fetched() -> bool:
        seen = installation.agent_sees(customer, line)
        return bool(seen) and seen[0]["attachment"]["fetch"]["state"] == "fetched"

    wait_until(fetched, 20, f"the {kind} to be fetched by the agent's side")
    [sent] = installation.phone_shows(customer, line, "inbound")
    [seen] = installation.agent_sees(customer, line)
    assert seen["attachment"]["sha256"] == sent["media"]["sha256"]


@pytest.mark.parametrize("kind", KINDS)
def test_media_from_agent_to_customer(installation: Installation, line: Line, kind: str) -> None:
    customer = f"49151002{KINDS.index(kind):05}"
    installation.phone_sends(**{"from": customer}, to=line.phone_number_id, text="please send it")
    wait_until(lambda: installation.agent_sees(customer, line), 20, "the question to arrive")
    source = installation.agent_sends(contact=customer, integration_id=line.integration_id, sample=kind)
    wait_until(lambda: installation.state(source) == "read", 20, f"the {kind} to be read")
    [shown] = installation.phone_shows(customer, line)
    assert shown["type"] == kind
    [sent] = installation.agent_sees(customer, line, "outbound")
    assert shown["media"]["sha256"] == sent["attachment"]["sha256"]
