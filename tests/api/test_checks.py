"""Checks that do not end as they should: only an explicit no may refuse, and nobody is waited for."""

from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask
from gevent.event import Event

from db.pool import Pool
from relay.channels.base import NOTHING_EXPECTED, Account, Expected, Finding
from relay.checks.line_checks import OwnInstallation, Subject, check_line, check_side, check_sides, subjects
from relay.core.errors import SendError
from tests.api.conftest import META_SECRET, OWN_APP_SECRET, WHATSAPP, Api
from tests.processes import Process
from tests.waiting import PATIENCE, wait_until
from web.api.tenants import checks
from web.request.web_context import WebContext

OURS = OwnInstallation("http://127.0.0.1:1", ("of-the-platform",))
NUMBER, INTEGRATION = Account("tenant", "line", "3", {}), Account("tenant", "line", "i", {})
LINE = Subject("tenant", "line", False, NUMBER, INTEGRATION, "http://127.0.0.1:1/m", "http://127.0.0.1:1/g")


class Provider:
    """A channel of which only the check is asked."""

    stand_in = True

    def __init__(self, name: str, behaviour: Any) -> None:
        self.name = name
        self.expected: list[Expected] = []
        self._behaviour = behaviour

    def check(self, account: Account, deadline: float, expected: Expected = NOTHING_EXPECTED) -> list[Finding]:
        self.expected.append(expected)
        found: list[Finding] = self._behaviour(account, deadline)
        return found


def raising(error: Exception) -> Any:
    def behaviour(account: Account, deadline: float) -> list[Finding]:
        raise error

    return behaviour


def good(account: Account, deadline: float) -> list[Finding]:
    return [Finding("token", "ok", f"{account.line_ref} is fine")]


def providers(behaviour: Any) -> Any:
    return {"whatsapp": Provider("whatsapp", behaviour), "genesys": Provider("genesys", good)}


def levels(behaviour: Any, seconds: float = 5.0) -> list[list[str]]:
    return [[found.level for found in one.findings] for one in check_sides(providers(behaviour), [LINE], OURS, seconds)]


@pytest.mark.parametrize(
    ("error", "level"),
    [
        (SendError("credentials", "190", "token refused"), "refused"),
        (SendError("refused", "100", "not yours"), "refused"),
        (SendError("retry", "connect", "away"), "warning"),
        (SendError("unknown", "timeout", "no answer"), "warning"),
        (SendError("throttled", "429", "too many"), "warning"),
        (KeyError("a fault of ours"), "warning"),
    ],
)
def test_an_error_is_a_no_only_when_the_provider_said_so(error: Exception, level: str) -> None:
    assert levels(raising(error)) == [[level], ["ok"]]


def test_who_hangs_is_not_waited_for_and_left_to_end_by_itself() -> None:
    """It may be inside a database call, which nothing may cut."""
    go_on = Event()
    ended: list[str] = []

    def hang(account: Account, deadline: float) -> list[Finding]:
        go_on.wait(PATIENCE)
        ended.append(account.line_ref)
        return []

    assert levels(hang, seconds=0.2) == [["warning"], ["ok"]]
    one: Any = Provider("whatsapp", hang)
    assert check_side(one, NUMBER, NOTHING_EXPECTED, 0.1).findings[0].check == "answer"
    assert ended == []
    go_on.set()
    wait_until(lambda: len(ended) == 2, message="both to end")


def test_both_sides_and_our_own_are_looked_at_with_the_addresses_that_are_ours() -> None:
    asked = providers(good)
    found = check_line(asked, LINE, OURS, 2.0)
    assert [one.side for one in found] == ["whatsapp", "genesys", "relay"]
    assert asked["genesys"].expected == [Expected(("http://127.0.0.1:1/g", "http://127.0.0.1:1/webhook/genesys"), True)]
    assert {one.check for one in found[2].findings} == {"app_secret", "webhook_secret", "public_url"}


def test_a_side_without_credentials_is_said_to_have_none() -> None:
    bare = Subject("tenant", "line", False, None, INTEGRATION, "", "")
    assert [one.findings[0].check for one in check_sides(providers(good), [bare], OURS)] == ["credentials", "token"]


def test_the_app_secret_that_counts_is_the_tenants_own_or_the_platforms(
    api: Api,
    new_tenant: Callable[..., str],
    parts: WebContext,
    pool: Pool,
    sandbox: Process,
    settings_env: dict[str, str],
) -> None:
    own, shared = new_tenant(whatsapp={"app_secret": OWN_APP_SECRET}), new_tenant(whatsapp={"app_secret": META_SECRET})
    for tenant_id in (own, shared):
        line = {"phone_number_id": tenant_id[:8], "integration_id": tenant_id[-8:]}
        api("POST", f"/api/tenants/{tenant_id}/lines", line)
    ours = OwnInstallation(settings_env["PUBLIC_URL"], (META_SECRET,))
    [first], [second] = (subjects(parts.pool, parts.cipher, ours, one) for one in (own, shared))
    assert first.whatsapp and first.whatsapp.credentials["app_secret"] == OWN_APP_SECRET
    assert first.meta_url.startswith(f"{ours.public_url}/webhook/meta/")
    assert second.meta_url == f"{ours.public_url}/webhook/meta"
    shown = api("GET", f"/api/tenants/{own}/lines").get_json()["items"][0]["webhook_urls"]
    assert shown == {"meta": first.meta_url, "genesys": first.genesys_url}


def test_what_was_typed_is_checked_before_it_is_stored(app: Flask, pool: Pool, sandbox: Process) -> None:
    with app.test_request_context():
        typed = checks.typed("whatsapp", "", {name: WHATSAPP[name] for name in WHATSAPP if name != "app_secret"})
        wrong = checks.typed("whatsapp", "", WHATSAPP | {"app_secret": OWN_APP_SECRET})
    assert [one.check for one in typed.findings if one.check == "app_secret" and one.level == "ok"] == ["app_secret"]
    assert [one.check for one in wrong.refused] == ["app_secret"]
    assert all(one.advice for one in checks.shown([wrong]) if one.level == "refused")
