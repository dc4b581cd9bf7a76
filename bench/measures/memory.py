"""What a live conversation takes in the daemon's memory, and what is left of it once it has been idle.

Customers write once each. The daemon has worked before, so what is measured is what the conversations added; how many
are in memory is asked of its metrics.
"""

from __future__ import annotations

import time

import requests

from bench.meter import tree_memory
from bench.stage import Stage
from demo.stack.ports import HOST

MOST = 10_000
IDLE_SECONDS = 12.0
"""A little longer than the ten seconds after which nothing should be left."""


def measure(stage: Stage) -> None:
    relay = stage.relay
    with relay.running() as pids:
        stage.warm(relay, "inbound")
        daemon = pids["daemon"][0]
        live, memory = _live(relay.metrics_ports[0]), tree_memory(daemon)
        count = int(MOST * stage.scale)
        stage.passed(stage.load(relay, "inbound", count, customers=count, first_customer=1_000_000))
        more, taken = _live(relay.metrics_ports[0]) - live, tree_memory(daemon) - memory
        time.sleep(IDLE_SECONDS)
        left = _live(relay.metrics_ports[0])
    stage.note("memory per conversation", taken / max(1, more))
    stage.note("conversations left", left)
    stage.say(
        f"{more} live conversations more took {taken / 1e6:.1f} MB, {taken / max(1, more) / 1024:.1f} KB each; "
        f"after {IDLE_SECONDS:.0f} idle seconds {left} were left"
    )


def _live(port: int) -> int:
    """Conversations in the daemon's memory."""
    answer = requests.get(f"http://{HOST}:{port}/metrics", timeout=30)
    answer.raise_for_status()
    found = [line.split()[1] for line in answer.text.splitlines() if line.startswith("relay_conversations ")]
    return int(float(found[0]))
