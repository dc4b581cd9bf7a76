"""A line that waits for proof goes live by itself, with real web, daemon and providers; released, it relays no more."""

from __future__ import annotations

import secrets
from typing import Any

from tests.flow.installation import Installation, genesys_credentials, whatsapp_credentials
from tests.waiting import wait_until

CUSTOMER = "4915300000077"


def begun(installation: Installation) -> tuple[str, dict[str, Any], dict[str, Any]]:
    """A tenant with credentials on both sides, and its accounts."""
    account = installation.accounts(
        "Waiting", f"secret-{secrets.token_hex(12)}", f"2{secrets.randbelow(10**14):014}", secrets.token_hex(8)
    )
    installation.control("POST", "/accounts", account)
    tenant_id = installation.api("POST", "/api/tenants", {"name": "Waiting"})["id"]
    whatsapp, genesys = account["whatsapp"], account["genesys"]
    installation.api("PUT", f"/api/tenants/{tenant_id}/whatsapp/credentials", whatsapp_credentials(whatsapp))
    installation.api("PUT", f"/api/tenants/{tenant_id}/genesys/credentials", genesys_credentials(genesys))
    return tenant_id, whatsapp, genesys


def lines_of(installation: Installation, tenant_id: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = installation.api("GET", f"/api/tenants/{tenant_id}/lines")["items"]
    return found


def test_a_line_goes_live_by_itself_when_the_proof_comes_and_stops_when_it_is_released(
    installation: Installation,
) -> None:
    tenant_id, whatsapp, genesys = begun(installation)
    calls = ["phone_number", "phone_numbers"]
    with installation.faults("meta", error_rate=1, error_codes=[4], calls=calls, only=[whatsapp["access_token"]]):
        done = installation.api("POST", f"/api/tenants/{tenant_id}/complete-onboarding")
        assert (done["status"], [one["status"] for one in done["lines"]]) == ("onboarding", ["pending"])
        # Time passes: the daemon asks, is told nothing again, and will ask once more after a longer pause.
        installation.rows("UPDATE lines SET ask_at = now() WHERE tenant_id = %s RETURNING 1", tenant_id)
        asked = "SELECT status FROM lines WHERE tenant_id = %s AND asked = 1 AND ask_at > now() + interval '30 seconds'"
        wait_until(lambda: bool(installation.rows(asked, tenant_id)), 30, "the daemon to have asked")
        [line] = lines_of(installation, tenant_id)
        assert (line["status"], "Application request limit" in line["status_reason"]) == ("pending", True)
    installation.rows("UPDATE lines SET ask_at = now() WHERE tenant_id = %s RETURNING 1", tenant_id)
    wait_until(lambda: lines_of(installation, tenant_id)[0]["status"] == "active", 30, "the line to go live")
    assert installation.api("GET", f"/api/tenants/{tenant_id}")["status"] == "active"

    [line] = lines_of(installation, tenant_id)
    connected = installation.connect(tenant_id, {"whatsapp": whatsapp, "genesys": genesys}, [line])
    where = {"from": CUSTOMER, "to": connected.phone_number_id}
    installation.wait_for(installation.phone_sends(**where, text="I am relayed"), "sent", "delivered")

    installation.api("PATCH", f"/api/tenants/{tenant_id}", {"status": "paused"})
    held = installation.phone_sends(**where, text="I wait")
    wait_until(lambda: installation.state(held) == "received", 30, "the message to be taken in")
    installation.api("POST", f"/api/tenants/{tenant_id}/lines/{line['id']}/release", {"reason": "sold"})
    wait_until(lambda: installation.state(held) == "dead", 60, "what waited to be given up")
    installation.api("PATCH", f"/api/tenants/{tenant_id}", {"status": "active"})
    number = "SELECT 1 FROM unknown_lines WHERE line_ref = %s"

    def is_unknown() -> bool:
        installation.phone_sends(**where, text="Nobody's")
        return bool(installation.rows(number, connected.phone_number_id))

    wait_until(is_unknown, 30, "web to know that nobody owns the number", interval=0.5)
    texts = [one["text"] for one in installation.agent_sees(CUSTOMER, connected)]
    assert texts == ["I am relayed"]
