"""What is done again and again beside the messages: its pauses, and what a failure makes of them."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pykka
import pytest

from relay.core.errors import StoreError
from relay.runtime.actor import Ping
from relay.runtime.commands import Tick
from relay.runtime.regular import RegularActor
from tests.waiting import PATIENCE


class Worker(RegularActor):
    """Answers its pieces of work with what stands in `ends`."""

    every_seconds = 1.0
    busy_seconds = 0.1

    def __init__(self, parts: Any, ends: list[bool | Exception]) -> None:
        super().__init__(parts)
        self._ends = ends

    def work(self) -> bool:
        end = self._ends.pop(0)
        if isinstance(end, Exception):
            raise end
        return end


def pauses(ends: list[bool | Exception]) -> list[float]:
    asked: list[float] = []

    def after(seconds: float, ref: pykka.ActorRef[Any], command: Any) -> None:
        asked.append(seconds)
        if ends:
            ref.tell(Tick())

    parts: Any = SimpleNamespace(timers=SimpleNamespace(after=after))
    ref = Worker.start(parts, ends)
    while ends:
        ref.ask(Ping(), timeout=PATIENCE)
    ref.ask(Ping(), timeout=PATIENCE)
    ref.stop()
    return asked


@pytest.mark.parametrize(
    ("ends", "expected"),
    [
        ([False, True, False], [1.0, 0.1, 1.0]),
        ([StoreError("away"), StoreError("away")], [1.0, 1.0]),
        ([ValueError("x")] * 6, [1.0, 1.0, 1.0, 2.0, 4.0, 8.0]),
        ([ValueError("x")] * 4 + [True, ValueError("x")], [1.0, 1.0, 1.0, 2.0, 0.1, 1.0]),
    ],
    ids=["more is done soon", "a store that is away is asked as often", "failures", "failures and a success"],
)
def test_what_fails_waits_longer_each_time_until_it_works(ends: list[bool | Exception], expected: list[float]) -> None:
    assert pauses(list(ends)) == expected
