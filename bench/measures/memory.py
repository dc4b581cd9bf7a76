"""What a live conversation takes in the daemon's memory, and what is left of it once it has been idle.

Many customers write once each, to providers that take seconds, so that the conversations are live side by side: each
with a message that waits. How many there are is asked of the daemon's metrics. It has worked before, so what is
measured is what the conversations added.
"""

from __future__ import annotations

import time

import requests

from bench.meter import tree_memory
from bench.stage import Stage
from demo.stack.ports import HOST

MOST = 10_000
ANSWER_SECONDS = 6.0
STEADY_SECONDS = 5.0
IDLE_SECONDS = 12.0
"""A little longer than the ten seconds after which nothing should be left."""


def measure(stage: Stage) -> None:
    relay = stage.relay
    count = int(MOST * stage.scale)
    with relay.running() as pids:
        stage.warm(relay, "inbound")
        daemon, port = pids["daemon"][0], relay.metrics_ports[0]
        sender = stage.sender(stage.load(relay, "batched", count, customers=count, first_customer=1_000_000))
        live, memory = _live(port), tree_memory(daemon)
        with stage.provider.slow({"*": ANSWER_SECONDS}):
            sender.go()
            sender.answered()
            more, taken = _most(port) - live, tree_memory(daemon) - memory
        sender.passage()
        time.sleep(IDLE_SECONDS)
        left = _live(port)
    stage.note("memory per conversation", taken / max(1, more))
    stage.note("conversations left", left)
    stage.say(
        f"{more} live conversations more took {taken / 1e6:.1f} MB, {taken / max(1, more) / 1024:.1f} KB each; "
        f"after {IDLE_SECONDS:.0f} idle seconds {left} were left"
    )


def _most(port: int) -> int:
    """Once no more of them come."""
    most, since = 0, time.monotonic()
    while time.monotonic() - since < STEADY_SECONDS:
        if (now := _live(port)) > most:
            most, since = now, time.monotonic()
        time.sleep(0.2)
    return most


def _live(port: int) -> int:
    """Conversations in the daemon's memory."""
    answer = requests.get(f"http://{HOST}:{port}/metrics", timeout=30)
    answer.raise_for_status()
    found = [line.split()[1] for line in answer.text.splitlines() if line.startswith("relay_conversations ")]
    return int(float(found[0]))
