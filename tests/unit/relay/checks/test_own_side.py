"""Our own side of a line, as far as the settings tell."""

from datetime import UTC, datetime

import pytest

from db.tenants.event_listeners import ListenerStanding
from relay.checks import own_side


@pytest.mark.parametrize(
    ("url", "wrong"),
    [
        ("https://relay.example.com", None),
        ("https://relay.example.com:443/base", None),
        ("https://8.8.8.8", None),
        ("http://relay.example.com", "is not https"),
        ("https://relay.example.com:8443", "has the port 8443"),
        ("https://10.0.0.7", "has a private address"),
        ("https://[::1]", "has a private address"),
        ("https://relay", "has a private address"),
        ("https://relay.internal", "has a private address"),
        ("http://127.0.0.1:8000", "is not https, has the port 8000, has a private address"),
    ],
)
def test_an_address_that_providers_can_reach(url: str, wrong: str | None) -> None:
    real, sandbox = own_side.public_url(url, False), own_side.public_url(url, True)
    assert (real.level, sandbox.level) == (("ok", "ok") if wrong is None else ("refused", "warning"))
    assert wrong is None or (wrong in real.text and wrong in sandbox.text)
    assert wrong is None or "could not reach it" in sandbox.text


@pytest.mark.parametrize(("secret", "level"), [("", "warning"), ("x" * 15, "warning"), ("x" * 16, "ok")])
def test_a_webhook_secret_that_genesys_takes(secret: str, level: str) -> None:
    assert [one.level for one in own_side.secrets("app", secret)] == ["ok", level]


def test_without_any_app_secret_meta_cannot_be_proved() -> None:
    assert own_side.app_secret("").level == "warning"


@pytest.mark.parametrize(
    ("standing", "level", "says"),
    [
        (ListenerStanding(datetime.now(UTC), None, 3, 0), "ok", "listens"),
        (ListenerStanding(None, "missing permission: a:b:c", 0, 0), "warning", "missing permission: a:b:c"),
        (ListenerStanding(None, None, 0, 0), "warning", "not begun"),
        (ListenerStanding(datetime.now(UTC), None, 333, 9), "warning", "333"),
    ],
)
def test_why_ends_are_not_heard_at_genesys_is_a_finding(standing: ListenerStanding, level: str, says: str) -> None:
    found = own_side.listening(standing)
    assert (found.check, found.level) == ("listening", level)
    assert says in found.text
    assert bool(found.advice) == (level == "warning")
