"""Which webhook fields the app gets, and our roles on the number: found against the sandbox, and set there."""

from __future__ import annotations

import pytest

from relay.channels.base import FieldSubscription, Finding
from relay.channels.whatsapp.wanted_fields import WANTED
from relay.core.errors import SendError
from sandbox.accounts import WEBHOOK_FIELDS
from tests.contract.conftest import VERIFY_TOKEN, Receiver
from tests.contract.test_channel_onboarding import (  # noqa: F401 - two are fixtures
    NUMBER,
    Providers,
    changed,
    meta,
    providers,
    sandbox_url,
    soon,
)

SUEDLICHT = "200000000000002"


@pytest.fixture
def app(providers: Providers) -> Providers:  # noqa: F811
    """The tenant's app as a customer's usually is: subscribed to messages, its webhook nowhere yet."""
    providers.sends(fields=["messages"], callback_url="")
    providers.control("reset")
    return providers


def fields_of(app: Providers) -> FieldSubscription:
    assert app.meta.fields is not None
    return app.meta.fields


def told(app: Providers) -> dict[str, Finding]:
    return {name: one for name, one in meta(app).items() if "fields" in name or name == "roles"}


def test_missing_fields_are_told_by_use_with_what_each_is_for(app: Providers) -> None:
    found = told(app)
    assert {name: one.level for name, one in found.items()} == {
        "traffic_fields": "warning",
        "health_fields": "warning",
        "portal_fields": "warning",
        "optional_fields": "ok",
    }
    assert "standby (copies of conversations that another responder has)" in found["traffic_fields"].text
    assert "messages (" not in found["traffic_fields"].text
    assert "WhatsApp > Configuration > Webhook fields" in found["traffic_fields"].advice


@pytest.mark.parametrize("fields", [[], ["standby", "account_update"]])
def test_an_app_that_gets_no_messages_is_deaf(app: Providers, fields: list[str]) -> None:
    app.sends(fields=fields)
    found = told(app)
    assert set(found) == {"webhook_fields"}
    assert (found["webhook_fields"].level, "this line is deaf" in found["webhook_fields"].text) == ("warning", True)


def test_an_app_with_every_field_is_fine(app: Providers) -> None:
    app.sends(fields=WEBHOOK_FIELDS)
    assert {name: one.level for name, one in told(app).items()} == {"webhook_fields": "ok"}


def test_a_wrong_app_secret_is_told_once(app: Providers) -> None:
    found = meta(app, changed(NUMBER, app_secret="demo-app-secret-nordwind-0001"))
    assert "webhook_fields" not in found
    assert found["app_secret"].level == "refused"


def test_a_list_that_cannot_be_looked_up_is_no_no(app: Providers) -> None:
    app.control("faults", meta={"error_rate": 1, "error_codes": [500], "calls": ["subscriptions"]})
    assert told(app)["webhook_fields"].level == "warning"


def test_the_whole_list_is_set_and_read_back_and_what_was_there_stays(app: Providers) -> None:
    receiver = Receiver()
    app.sends(fields=["messages", "flows"])
    done = fields_of(app).subscribe(NUMBER, soon(), [f"{receiver.url}/meta"], VERIFY_TOKEN)
    receiver.close()
    assert done.complete
    assert {each.name for each in done.fields} == {*WANTED, "flows"}
    assert done.callback_url == f"{receiver.url}/meta"
    assert told(app)["webhook_fields"].level == "ok"


def test_an_app_whose_webhook_goes_elsewhere_is_left_alone(app: Providers) -> None:
    app.sends(callback_url="https://crm.example/hook", fields=["messages"])
    with pytest.raises(SendError) as refused:
        fields_of(app).subscribe(NUMBER, soon(), ["https://relay.example/webhook/meta"], VERIFY_TOKEN)
    assert (refused.value.fate, refused.value.code) == ("refused", "other_webhook")
    assert "https://crm.example/hook" in refused.value.text
    now = fields_of(app).subscribed(NUMBER, soon())
    assert [each.name for each in now.fields if each.subscribed] == ["messages"]


def test_a_verify_token_that_is_wrong_changes_nothing(app: Providers) -> None:
    receiver = Receiver()
    with pytest.raises(SendError) as refused:
        fields_of(app).subscribe(NUMBER, soon(), [f"{receiver.url}/meta"], "wrong-verify-token")
    receiver.close()
    assert "wrong-verify-token" not in refused.value.text
    assert not fields_of(app).subscribed(NUMBER, soon()).complete


@pytest.mark.parametrize(("secret", "code"), [("", "no_app_secret"), ("wrong", "190")])
def test_without_the_apps_secret_nothing_can_be_seen(app: Providers, secret: str, code: str) -> None:
    with pytest.raises(SendError) as refused:
        fields_of(app).subscribed(changed(NUMBER, app_secret=secret), soon())
    assert refused.value.code == code


@pytest.mark.parametrize(
    ("ours", "standby", "level", "words"),
    [
        (True, False, "ok", "customer service"),
        (False, True, "warning", "copies only"),
        (False, False, "warning", "this line is deaf"),
    ],
)
def test_our_roles_are_told_while_conversations_are_routed(
    app: Providers, ours: bool, standby: bool, level: str, words: str
) -> None:
    holder = "app" if ours else "business_agent"
    roles = dict.fromkeys(("customer_service", "marketing", "utility", "ctwa", "escalation"), holder)
    app.control("routing", waba_id=SUEDLICHT, on=True, roles=roles, standby=standby)
    found = told(app)["roles"]
    assert (found.level, words in found.text) == (level, True)


@pytest.mark.parametrize("routing", [{"on": False}, {"on": True, "roles_api": False}])
def test_where_roles_are_not_told_there_is_no_finding(app: Providers, routing: dict[str, bool]) -> None:
    app.control("routing", waba_id=SUEDLICHT, **routing)
    assert "roles" not in told(app)
