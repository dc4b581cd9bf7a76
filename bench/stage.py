"""What a measure is given: the servers, the providers, the contenders, and how long it may take."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from bench.contender import Contender, Pids
from bench.lines import Line
from bench.meter import Cost, Meter
from bench.product import Relay
from bench.servers import Servers
from bench.traffic import Passage, Provider, Sender, new_run, passed
from bench.workload import Kind, Load

CUSTOMERS = 512
STREAMS = 64
USUAL_SECONDS = 15.0
LEAST = 1_000
"""Messages: fewer say nothing."""


@dataclass
class Stage:
    servers: Servers
    provider: Provider
    relay: Relay
    logs: Path
    seconds: float
    """Of full load, about."""
    figures: dict[str, list[float]] = field(default_factory=dict)
    """By name, one value a round."""
    statements: dict[str, list[str]] = field(default_factory=dict)
    """The most expensive ones of the last round, told, by the name of the load."""
    began: float = field(default_factory=time.monotonic)

    def note(self, name: str, value: float) -> None:
        self.figures.setdefault(name, []).append(value)

    def last(self, name: str) -> float | None:
        """Of the round that is on, or the one before."""
        return self.figures[name][-1] if name in self.figures else None

    @property
    def scale(self) -> float:
        """What a measure with sizes of its own takes of them: all, or less where a quick look is wanted."""
        return min(1.0, self.seconds / USUAL_SECONDS)

    def say(self, text: str) -> None:
        """Progress, with the seconds since the beginning."""
        print(f"{time.monotonic() - self.began:6.0f} s  {text}", flush=True)

    def load(
        self,
        contender: Contender,
        kind: Kind,
        count: int,
        rate: float = 0.0,
        *,
        customers: int = CUSTOMERS,
        streams: int = STREAMS,
        first_customer: int = 0,
        lines: tuple[Line, ...] = (),
    ) -> Load:
        """Evenly over all the contender's lines, or those given; a whole number of messages for each stream."""
        even = max(1, round(count / streams)) * streams
        return Load(
            new_run(), kind, lines or contender.lines, even, customers, streams, contender.port, rate, first_customer
        )

    def passed(self, load: Load) -> Passage:
        return passed(load, self.provider)

    def sender(self, load: Load) -> Sender:
        return Sender(load, self.provider)

    def warm(self, contender: Contender, kind: Kind) -> float:
        """Every customer has written, which opens the window for answers; then the rate of some messages of this kind.

        After it connections are open, statements known, and statistics there, as in an installation in use.
        """
        self.passed(self.load(contender, "inbound", CUSTOMERS))
        if contender is self.relay:
            self.relay.analyze()
        return self.passed(self.load(contender, kind, LEAST)).rate

    @contextmanager
    def measured(self, contender: Contender, pids: Pids) -> Iterator[Cost]:
        with Meter(
            self.servers, contender.database, pids | {"providers": (self.provider.child.pid,)}
        ).running() as cost:
            yield cost
