"""`python -m bench`: ROUNDS, SECONDS and ONLY of the environment say how much; `make bench` hands them on."""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Callable
from functools import partial
from pathlib import Path

from bench import table
from bench.contender import Contender
from bench.limit.contender import Limit
from bench.measures import full_load, hostile
from bench.peer.contender import Peer
from bench.product import Relay
from bench.servers import started
from bench.stage import Stage
from bench.traffic import Provider

NAMES = ("limit inbound", "peer inbound", "relay inbound", "relay outbound", "relay batched")


def main() -> int:
    rounds = int(os.environ.get("ROUNDS") or 3)
    seconds = float(os.environ.get("SECONDS") or 15)
    with tempfile.TemporaryDirectory(prefix="relay-bench-") as folder, started(Path(folder)) as servers:
        logs = Path(folder) / "logs"
        relay = Relay(servers, logs)
        provider = Provider(relay.provider_port, logs)
        with provider.running():
            stage = Stage(servers, provider, relay, logs, seconds)
            limit = Limit(servers, relay.provider_url, logs)
            peer = Peer(servers, relay.provider_url, logs)
            measures = _chosen(limit, peer, relay)
            stage.say(f"ready: {', '.join(measures)}; {rounds} rounds")
            for number in range(1, rounds + 1):
                stage.say(f"round {number} of {rounds}")
                for measure in measures.values():
                    measure(stage)
            print("\n".join(["", *table.full_load(stage.figures, NAMES)]))
    return 0


def _chosen(limit: Contender, peer: Contender, relay: Contender) -> dict[str, Callable[[Stage], object]]:
    every: dict[str, Callable[[Stage], object]] = {
        "limit": partial(full_load.measure, contender=limit, kind="inbound"),
        "peer": partial(full_load.measure, contender=peer, kind="inbound"),
        "inbound": partial(full_load.measure, contender=relay, kind="inbound"),
        "outbound": partial(full_load.measure, contender=relay, kind="outbound"),
        "batched": partial(full_load.measure, contender=relay, kind="batched"),
        "hostile": hostile.measure,
    }
    only = [name.strip() for name in os.environ.get("ONLY", "").split(",") if name.strip()]
    if unknown := set(only) - set(every):
        raise SystemExit(f"ONLY names {', '.join(sorted(unknown))}; there are {', '.join(every)}")
    return {name: every[name] for name in every if name in only} if only else every


if __name__ == "__main__":
    sys.exit(main())
