"""`python -m bench`: ROUNDS, SECONDS, ONLY and ROWS of the environment say how much; `make bench` hands them on."""

from __future__ import annotations

import os
import signal
import sys
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from bench import goals, table
from bench.limit.contender import Limit
from bench.measures import batched, daemons, full_load, hostile, latency, memory, neighbour, retention, rows
from bench.peer.contender import Peer
from bench.product import Relay
from bench.servers import started
from bench.stage import USUAL_SECONDS, Stage
from bench.traffic import Provider

FULL_LOAD = ("limit inbound", "peer inbound", "relay inbound", "relay outbound", "relay batched", "filled inbound")
NAMES = (
    "limit",
    "peer",
    "inbound",
    "outbound",
    "batched",
    "latency",
    "memory",
    "neighbour",
    "daemons",
    "hostile",
    "rows",
    "retention",
)
FILLED = {"rows", "retention"}
"""They measure a database with ROWS finished messages."""

Measures = dict[str, Callable[[Stage], object]]


@dataclass(frozen=True)
class Wanted:
    rounds: int
    seconds: float
    rows: int
    only: tuple[str, ...]

    @classmethod
    def of(cls, env: Mapping[str, str]) -> Wanted:
        """SystemExit when it names what is not there."""
        rows = int(env.get("ROWS") or 0)
        only = tuple(name.strip() for name in env.get("ONLY", "").split(",") if name.strip())
        if unknown := set(only) - set(NAMES):
            raise SystemExit(f"ONLY names {', '.join(sorted(unknown))}; there are: {', '.join(NAMES)}")
        if set(only) & FILLED and not rows:
            raise SystemExit(f"{' and '.join(sorted(FILLED))} need to know how many rows: ROWS=1000000")
        chosen = only or tuple(name for name in NAMES if name not in FILLED or rows)
        return cls(int(env.get("ROUNDS") or 3), float(env.get("SECONDS") or USUAL_SECONDS), rows, chosen)


def main() -> int:
    wanted = Wanted.of(os.environ)
    # Whoever is ended stops what it started, as it does after Ctrl-C.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("ended"))
    with tempfile.TemporaryDirectory(prefix="relay-bench-") as folder, started(Path(folder)) as servers:
        logs = Path(folder) / "logs"
        relay = Relay(servers, logs)
        filled = Relay(servers, logs, "filled") if FILLED & set(wanted.only) else None
        provider = Provider([one.provider_port for one in (relay, filled) if one], logs)
        with provider.running():
            stage = Stage(servers, provider, relay, logs, wanted.seconds)
            measures = _measures(stage, filled)
            if filled:
                rows.fill(stage, filled, wanted.rows, retention.AGE_DAYS if "retention" in wanted.only else 0)
            for number in range(1, wanted.rounds + 1):
                stage.say(f"round {number} of {wanted.rounds}: {', '.join(wanted.only)}")
                for name in wanted.only:
                    measures[name](stage)
    told = [*table.full_load(stage.figures, FULL_LOAD), ""]
    told += [*table.statements(stage.statements, "relay inbound"), *goals.lines(stage.figures)]
    print("\n".join(["", f"medians of {wanted.rounds} rounds", "", *told]))
    return 0


def _measures(stage: Stage, filled: Relay | None) -> Measures:
    """In the order in which they run: the compared ones one after the other."""
    limit = Limit(stage.servers, stage.relay.provider_url, stage.logs)
    peer = Peer(stage.servers, stage.relay.provider_url, stage.logs)
    found: Measures = {
        "limit": partial(full_load.measure, contender=limit, kind="inbound"),
        "peer": partial(full_load.measure, contender=peer, kind="inbound"),
        "inbound": partial(full_load.measure, contender=stage.relay, kind="inbound"),
        "outbound": partial(full_load.measure, contender=stage.relay, kind="outbound"),
        "batched": batched.measure,
        "latency": partial(latency.measure, limit=limit),
        "memory": memory.measure,
        "neighbour": neighbour.measure,
        "daemons": daemons.measure,
        "hostile": hostile.measure,
    }
    if filled:
        found |= {"rows": partial(rows.measure, filled=filled), "retention": partial(retention.measure, filled=filled)}
    return found


if __name__ == "__main__":
    sys.exit(main())
