"""Open Messaging integrations and supported content profiles at the stand-in for Genesys."""

from typing import Any

import pytest

from tests.contract.conftest import INTEGRATION, Sandbox
from tests.contract.conftest import platform_refusal as refused
from tests.waiting import wait_until

INTEGRATIONS = "/conversations/messaging/integrations/open"
NEW = {
    "name": "Second line",
    "outboundNotificationWebhookUrl": "https://relay.example/webhook/genesys",
    "outboundNotificationWebhookSignatureSecretToken": "0123456789abcdef",
}


def test_the_profile_keeps_attachments_back(sandbox: Sandbox) -> None:
    allowed = {"integration_id": INTEGRATION, "outbound_types": ["image/*"]}
    sandbox.control("/accounts", {"genesys": allowed})
    try:
        answer = sandbox.http.post(f"{sandbox.url}/control/agent/messages", json={"contact": "c", "sample": "document"})
        assert (answer.status_code, "profile" in answer.json()["error"]) == (400, True)
        assert sandbox.control("/agent/messages", {"contact": "c", "sample": "image"})["id"]
        profile_id = sandbox.platform("GET", f"{INTEGRATIONS}/{INTEGRATION}").json()["supportedContent"]["id"]
        profile = sandbox.platform("GET", f"/conversations/messaging/supportedcontent/{profile_id}").json()
        assert profile["mediaTypes"]["allow"]["outbound"] == [{"type": "image/*"}]
    finally:
        sandbox.control("/accounts", {"genesys": allowed | {"outbound_types": ["*/*"]}})


def test_integrations_are_created_changed_and_removed(sandbox: Sandbox) -> None:
    created = sandbox.platform("POST", INTEGRATIONS, json=NEW).json()
    assert created["createStatus"] == "Initiated"
    one = f"{INTEGRATIONS}/{created['id']}"
    wait_until(lambda: sandbox.platform("GET", one).json()["createStatus"] == "Completed", message="its creation")
    assert sandbox.platform("GET", INTEGRATIONS).json()["total"] == 2
    changed = sandbox.platform("PATCH", one, json={"name": "Renamed", "webhookHeaders": {"X-Key": "1"}}).json()
    assert (changed["name"], changed["webhookHeaders"]) == ("Renamed", {"X-Key": "1"})
    assert sandbox.platform("DELETE", one).status_code == 204
    refused(sandbox.platform("GET", one), 404, "not.found")


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"outboundNotificationWebhookSignatureSecretToken": "fifteen-letters"}, "bad.request"),
        ({"outboundNotificationWebhookUrl": "http://relay.example/hook"}, "invalid.value"),
        ({"outboundNotificationWebhookUrl": "https://relay.example:8443/hook"}, "invalid.value"),
        ({"name": ""}, "bad.request"),
        ({"colour": "red"}, "bad.request"),
    ],
)
def test_a_bad_integration_is_refused(sandbox: Sandbox, change: dict[str, Any], code: str) -> None:
    refused(sandbox.platform("POST", INTEGRATIONS, json=NEW | change), 400, code)
