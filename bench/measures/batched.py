"""Webhooks of 100 messages each: the full load, and then twice as much as can leave, for a while.

What is taken in while it cannot be sent yet must not keep what can be sent from leaving.
"""

from __future__ import annotations

from bench.measures import full_load
from bench.stage import Stage

SHARE = 2.0


def measure(stage: Stage) -> None:
    relay = stage.relay
    with relay.running() as pids:
        rate = full_load.run(stage, relay, "batched", pids)
        passage = stage.passed(stage.load(relay, "batched", int(SHARE * rate * stage.seconds), SHARE * rate))
    stage.note("twice as much rate while arriving", passage.rate_while_arriving)
    stage.say(
        f"twice as much: {passage.webhook_rate:.0f}/s answered, meanwhile left {passage.rate_while_arriving:.0f}/s, "
        f"which is {passage.rate_while_arriving / rate:.0%} of the rate drained"
    )
