"""How long a message takes while half of what could be carried comes, and while one and a half times as much comes.

Rates are shares of the relay's rate under full load. End to end begins when a message was due. The time of a webhook is
compared with that of an empty view in the same server at the same rate, with nothing else running. That of the limit at
the same rate says how much of it is the broker's confirm, without which no webhook may be answered.
"""

from __future__ import annotations

from bench.contender import WEB_WORKERS, Contender, answers_something
from bench.stage import Stage
from bench.traffic import quantile
from tests.processes import Process

SHARES = {"half load": 0.5, "overload": 1.5}


def measure(stage: Stage, limit: Contender) -> None:
    relay = stage.relay
    with relay.running():
        warm = stage.warm(relay, "inbound")
        full = stage.last("relay inbound rate") or warm
        for name, share in SHARES.items():
            rate = full * share
            passage = stage.passed(stage.load(relay, "inbound", int(rate * stage.seconds), rate))
            _note(stage, name, passage.latencies, rate)
            _note(stage, f"{name} webhook", passage.webhook_latencies, rate)
    _confirmed(stage, limit, full * SHARES["half load"])
    _empty(stage, full * SHARES["half load"])


def _confirmed(stage: Stage, limit: Contender, rate: float) -> None:
    with limit.running():
        passage = stage.passed(stage.load(limit, "inbound", int(rate * stage.seconds), rate))
        _note(stage, "limit webhook", passage.webhook_latencies, rate)


def _empty(stage: Stage, rate: float) -> None:
    relay = stage.relay
    command = ["-m", "gunicorn", "-c", "conf/gunicorn.py", "bench.empty:app"]
    env = {**relay.env, "WEB_WORKERS": str(WEB_WORKERS)}
    with Process("empty", command, env, stage.logs, answers_something(relay.port)):
        sender = stage.sender(stage.load(relay, "inbound", int(rate * stage.seconds), rate))
        sender.go()
        _note(stage, "empty webhook", sender.answered().webhook_latencies, rate)


def _note(stage: Stage, name: str, latencies: list[float], rate: float) -> None:
    found = {share: quantile(latencies, share / 100) for share in (50, 95, 99)}
    for share, seconds in found.items():
        stage.note(f"{name} p{share}", seconds)
    told = ", ".join(f"p{share} {seconds * 1000:.1f} ms" for share, seconds in found.items())
    stage.say(f"{name} at {rate:.0f}/s: {told}")
