"""Onboarding checks that do not end as they should: only an explicit no may refuse."""

import time
from typing import Any

import gevent
import pytest

from db.lines import LineAccounts
from relay.channels.base import Account, Finding
from relay.core.errors import SendError
from web.api.checks import check

LINE = LineAccounts(
    "tenant", "line", "onboarding", "pending", {"phone_number_id": "3"}, {"integration_id": "i"}, settings={}
)


class Provider:
    """A channel of which only the check is asked."""

    def __init__(self, behaviour: Any) -> None:
        self.name = "whatsapp"
        self._behaviour = behaviour

    def check(self, account: Account, deadline: float) -> list[Finding]:
        found: list[Finding] = self._behaviour(account, deadline)
        return found


def raising(error: Exception) -> Any:
    def behaviour(account: Account, deadline: float) -> list[Finding]:
        raise error

    return behaviour


def good(account: Account, deadline: float) -> list[Finding]:
    return [Finding("token", "ok", f"{account.line_ref} is fine")]


def levels(behaviour: Any, seconds: float = 5.0) -> list[list[str]]:
    channels: Any = {"whatsapp": Provider(behaviour), "genesys": Provider(good)}
    return [[finding.level for finding in one.findings] for one in check(channels, [LINE], seconds)]


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


def test_who_hangs_is_not_waited_for() -> None:
    def hang(account: Account, deadline: float) -> list[Finding]:
        gevent.sleep(60)
        return []

    began = time.monotonic()
    assert levels(hang, seconds=0.2) == [["warning"], ["ok"]]
    assert time.monotonic() - began < 4
