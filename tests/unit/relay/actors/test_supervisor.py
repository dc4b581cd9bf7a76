"""The supervisor's look at shards that it has let go."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from relay.actors.supervisor import GiveBack, Supervisor
from tests.unit.relay.actors.listening import Listener


def test_however_many_shards_are_let_go_one_look_is_on_its_way() -> None:
    asked: list[Any] = []
    busy = {number: Listener.start([]) for number in range(3)}
    timers = SimpleNamespace(after=lambda _seconds, _ref, command: asked.append(command))
    parts: Any = SimpleNamespace(timers=timers, pool=None, shards=dict(busy))
    session: Any = None
    supervisor = Supervisor(parts, session, lambda _: None)
    supervisor._epochs = dict.fromkeys(busy, 1)
    try:
        supervisor._let_all_go()
        assert asked == [GiveBack()]
        supervisor.handle(GiveBack())
        assert asked == [GiveBack()] * 2, "they have not ended: another look, and one only"
    finally:
        for ref in busy.values():
            ref.stop()
