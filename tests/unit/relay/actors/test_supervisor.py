"""The supervisor's look at shards that it has let go."""

from __future__ import annotations

from contextlib import nullcontext
from types import SimpleNamespace
from typing import Any
from uuid import uuid4

from relay.actors.supervisor import GiveBack, Supervisor
from tests.unit.relay.actors.listening import Listener


def test_however_many_shards_are_let_go_one_look_is_on_its_way() -> None:
    asked: list[Any] = []
    busy = {number: Listener.start([]) for number in range(3)}
    timers = SimpleNamespace(after=lambda _seconds, _ref, command: asked.append(command))
    parts: Any = SimpleNamespace(timers=timers, pool=None, shards=dict(busy), journal_behind=False)
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


def test_no_shard_is_given_back_while_the_journal_is_behind() -> None:
    """The next owner would tell again what this daemon has told and not yet written."""
    ended = Listener.start([])
    ended.stop()
    given: list[str] = []
    cursor = SimpleNamespace(execute=lambda statement, _: given.append(statement.split()[0]))
    pool = SimpleNamespace(transaction=lambda: nullcontext(cursor))
    parts: Any = SimpleNamespace(pool=pool, journal_behind=True, lease=SimpleNamespace(daemon_id=str(uuid4())))
    session: Any = None
    supervisor = Supervisor(parts, session, lambda _: None)
    supervisor._leaving = {3: ended}
    supervisor.handle(GiveBack())
    assert not given
    parts.journal_behind = False
    supervisor.handle(GiveBack())
    assert given == ["UPDATE", "SELECT"], "given up, and told of"
    assert not supervisor._leaving
