"""As fast as webhooks are answered, until all have arrived: messages a second, and what a message costs."""

from __future__ import annotations

from bench.contender import Contender, Pids
from bench.meter import Cost
from bench.stage import LEAST, Stage
from bench.traffic import Passage, quantile
from bench.workload import Kind

SHOWN = 8
SHOWN_TEXT = 100
"""Of the most expensive statements."""


def measure(stage: Stage, contender: Contender, kind: Kind) -> None:
    with contender.running() as pids:
        run(stage, contender, kind, pids)


def run(stage: Stage, contender: Contender, kind: Kind, pids: Pids) -> float:
    """The rate, which is also noted, as all other figures are, by "<contender> <kind> ..."."""
    name = f"{contender.name} {kind}"
    rate = stage.warm(contender, kind)
    load = stage.load(contender, kind, max(LEAST, int(rate * stage.seconds)))
    with stage.measured(contender, pids) as cost:
        passage = stage.passed(load)
    _note(stage, name, passage, cost)
    stage.say(
        f"{name:16} {passage.rate:7.0f}/s   webhooks answered {passage.webhook_rate:6.0f}/s, meanwhile left "
        f"{passage.rate_while_arriving:6.0f}/s   ms a message: {_per_kind(cost, load.count)}"
        + (f"   repeated {passage.repeated}" if passage.repeated else "")
    )
    return passage.rate


def _note(stage: Stage, name: str, passage: Passage, cost: Cost) -> None:
    count = passage.load.count
    stage.note(f"{name} rate", passage.rate)
    stage.note(f"{name} webhooks rate", passage.webhook_rate)
    stage.note(f"{name} rate while arriving", passage.rate_while_arriving)
    stage.note(f"{name} doubled", passage.doubled)
    stage.note(f"{name} swapped", passage.swapped)
    for share in (50, 95, 99):
        stage.note(f"{name} p{share}", quantile(passage.latencies, share / 100))
    for kind, seconds in cost.cpu.items():
        stage.note(f"{name} cpu {kind}", seconds * 1000 / count)
    stage.note(f"{name} cpu load", passage.sender_cpu * 1000 / count)
    stage.note(f"{name} commits", cost.commits / count)
    stage.note(f"{name} wal", cost.wal / count)
    stage.note(f"{name} disk", cost.disk / count)
    if cost.statements:
        stage.note(f"{name} statements", sum(one.calls for one in cost.statements) / count)
        stage.statements[name] = [
            f"{one.milliseconds * 1000 / count:8.0f}{one.calls / count:9.3f}  {one.text[:SHOWN_TEXT]}"
            for one in cost.statements[:SHOWN]
        ]


def _per_kind(cost: Cost, count: int) -> str:
    return ", ".join(f"{kind} {seconds * 1000 / count:.2f}" for kind, seconds in cost.cpu.items())
