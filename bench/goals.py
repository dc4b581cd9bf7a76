"""What the figures are to be: a line for each goal, met or not. Goals of what was not measured are left out."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from bench.table import Figures, cpu, median

KB = 1024


@dataclass(frozen=True)
class Goal:
    """`figure` of the medians; at least `bound`, or at most."""

    text: str
    figure: Callable[[Figures], float]
    bound: float
    at_most: bool = False
    unit: str = ""

    def line(self, figures: Figures) -> str | None:
        try:
            found = self.figure(figures)
        except KeyError:  # it was not measured
            return None
        met = found <= self.bound if self.at_most else found >= self.bound
        asked = f"{'at most' if self.at_most else 'at least'} {self.bound:g}{self.unit}"
        return f"{'met    ' if met else 'NOT MET'}  {self.text:62} {found:9.3g}{self.unit:3} {asked}"


def ratio(of: str, to: str) -> Callable[[Figures], float]:
    return lambda figures: median(figures, of) / median(figures, to)


def figure(name: str) -> Callable[[Figures], float]:
    return lambda figures: median(figures, name)


GOALS = (
    Goal("inbound, of the limit", ratio("relay inbound rate", "limit inbound rate"), 0.4),
    Goal("inbound, of the peer", ratio("relay inbound rate", "peer inbound rate"), 2.5),
    Goal("outbound, of the limit", ratio("relay outbound rate", "limit inbound rate"), 0.4),
    Goal("outbound, of the peer", ratio("relay outbound rate", "peer inbound rate"), 2.5),
    Goal("batched by 100, of the single rate", ratio("relay batched rate", "relay inbound rate"), 2.0),
    Goal(
        "sending while twice as much arrives, of the rate drained",
        ratio("twice as much rate while arriving", "relay batched rate"),
        0.8,
    ),
    Goal("CPU of an inbound message, all processes", lambda figures: cpu(figures, "relay inbound"), 1.5, True, " ms"),
    Goal("WAL of an inbound message", lambda figures: median(figures, "relay inbound wal") / KB, 3.0, True, " KB"),
    Goal("commits of an inbound message", figure("relay inbound commits"), 0.1, True),
    Goal("half load, end to end p95", figure("half load p95"), 0.45, True, " s"),
    Goal("half load, webhook p99, of an empty view's", ratio("half load webhook p99", "empty webhook p99"), 3.0, True),
    Goal("a live conversation", lambda figures: median(figures, "memory per conversation") / KB, 16.0, True, " KB"),
    Goal("conversations in memory after 12 idle seconds", figure("conversations left"), 0.0, True),
    Goal("beside another tenant's burst, p99", figure("beside a burst p99"), 1.0, True, " s"),
    Goal("beside another's backlog, p99 of the calm one", ratio("beside a backlog p99", "calm p99"), 1.2, True),
    Goal("three daemons, of one", ratio("3 daemons rate", "1 daemons rate"), 2.7),
    Goal("with millions of rows, of the rate without", ratio("filled inbound rate", "relay inbound rate"), 0.9),
    Goal("while old messages are deleted, p99 of without", ratio("retention p99", "kept p99"), 1.2, True),
)


def lines(figures: Figures) -> list[str]:
    return [told for goal in GOALS if (told := goal.line(figures)) is not None]
