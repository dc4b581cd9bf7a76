"""A tenant with ten messages a second: how long they take while nobody else sends, and beside two kinds of neighbours.

One neighbour sends 60,000 messages in batches of 100 within ten seconds; the other has 20,000 waiting for a provider
that takes a second for each.
"""

from __future__ import annotations

from bench.lines import Line
from bench.stage import Stage
from bench.traffic import Passage, quantile
from bench.workload import Load

RATE = 10.0
STREAMS = 10
SECONDS = 30.0
BURST = 60_000
BURST_SECONDS = 10.0
BACKLOG = 20_000
SLOW_SECONDS = 1.0


def measure(stage: Stage) -> None:
    with stage.relay.running():
        stage.warm(stage.relay, "inbound")
        _note(stage, "calm", stage.passed(_ten_a_second(stage)).latencies)
        _burst(stage)
        _backlog(stage)


def _burst(stage: Stage) -> None:
    count = int(BURST * stage.scale)
    rate = BURST / BURST_SECONDS
    neighbour = stage.sender(_batched(stage, count, rate))
    ours = stage.sender(_ten_a_second(stage))
    neighbour.go()
    ours.go()
    quiet, loud = ours.passage(), neighbour.passage()
    begin, end = min(loud.sent), max(loud.times)
    stage.say(
        f"the neighbour's {count} were answered within {max(loud.answered) - begin:.1f} s, and had left after "
        f"{end - begin:.1f} s"
    )
    _note(stage, "beside a burst", _between(quiet, begin, end))


def _backlog(stage: Stage) -> None:
    neighbour = stage.sender(_batched(stage, int(BACKLOG * stage.scale), 0.0))
    slow = {line.integration_id: SLOW_SECONDS for line in _neighbours(stage)}
    with stage.provider.slow(slow):
        neighbour.go()
        neighbour.answered()
        _note(stage, "beside a backlog", stage.passed(_ten_a_second(stage)).latencies)
    neighbour.passage()


def _ten_a_second(stage: Stage) -> Load:
    seconds = max(10.0, SECONDS * stage.scale)
    return stage.load(
        stage.relay, "inbound", int(RATE * seconds), RATE,
        customers=100, streams=STREAMS, first_customer=2_000_000, lines=stage.relay.lines[:1],
    )  # fmt: skip


def _batched(stage: Stage, count: int, rate: float) -> Load:
    return stage.load(
        stage.relay, "batched", count, rate,
        customers=2_000, streams=20, first_customer=3_000_000, lines=_neighbours(stage),
    )  # fmt: skip


def _neighbours(stage: Stage) -> tuple[Line, ...]:
    lines = stage.relay.lines
    return tuple(line for line in lines if line.tenant == lines[1].tenant)


def _between(passage: Passage, begin: float, end: float) -> list[float]:
    """Of the messages that were due meanwhile."""
    first: dict[int, float] = {}
    for number, at in zip(passage.numbers, passage.times, strict=True):
        if begin <= passage.due[number] <= end:
            first.setdefault(number, at - passage.due[number])
    return sorted(first.values())


def _note(stage: Stage, name: str, latencies: list[float]) -> None:
    p50, p99 = quantile(latencies, 0.5), quantile(latencies, 0.99)
    stage.note(f"{name} p50", p50)
    stage.note(f"{name} p99", p99)
    stage.say(f"{RATE:.0f} messages a second, {name}: p50 {p50:.2f} s, p99 {p99:.2f} s ({len(latencies)} messages)")
