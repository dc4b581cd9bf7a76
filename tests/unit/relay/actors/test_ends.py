"""The EndsActor goes on while one tenant's Genesys does not answer."""

from __future__ import annotations

from collections.abc import Collection
from types import SimpleNamespace
from typing import Any

import pytest
from gevent.event import Event

from db.mailbox.end_requests import EndRequest
from relay.actors.ends import EndsActor
from relay.runtime.actor import Ping
from relay.runtime.commands import Tick
from tests.waiting import PATIENCE, wait_until


def test_a_tenant_whose_genesys_hangs_delays_nobody_elses_end(monkeypatch: pytest.MonkeyPatch) -> None:
    answer, ended, left_out = Event(), [], []
    waiting = [[request("hangs")], [request("other")], []]

    def take_due(_pool: Any, _seconds: float, _most: int, _of_a_tenant: int, but: Collection[str]) -> list[EndRequest]:
        left_out.append(set(but))
        return waiting.pop(0)

    def end(_actor: EndsActor, one: EndRequest) -> None:
        if one.tenant_id == "hangs":
            answer.wait()
        ended.append(one.tenant_id)

    monkeypatch.setattr("db.mailbox.end_requests.take_due", take_due)
    monkeypatch.setattr(EndsActor, "_end", end)
    parts: Any = SimpleNamespace(pool=None, timers=SimpleNamespace(after=lambda *_: None))
    actor = EndsActor.start(parts)
    try:
        actor.tell(Tick())
        actor.ask(Ping(), timeout=PATIENCE)
        wait_until(lambda: ended, message="the other's end")
        assert (ended, left_out) == (["other"], [set(), {"hangs"}])
        answer.set()
        wait_until(lambda: len(ended) == 2, message="the end that hung")
        actor.tell(Tick())
        actor.ask(Ping(), timeout=PATIENCE)
        assert (ended, left_out[-1]) == (["other", "hangs"], set())
    finally:
        answer.set()
        actor.stop()


def request(tenant_id: str) -> EndRequest:
    return EndRequest("m", tenant_id, "l", "c", "g", 1, False)
