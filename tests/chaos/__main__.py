"""`python -m tests.chaos`: MINUTES, SEED and ONLY of the environment say how long, which sequence, and which troubles.

`make faults` hands them on. Exit code 0: every promise was kept. The table as JSON: build/faults.json; where one was
broken, the logs: build/faults-logs.
"""

from __future__ import annotations

from gevent import monkey

monkey.patch_all()

import os
import random
import signal
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import gevent

from tests.chaos import evidence, ledger, providers, report, schedule, verdict
from tests.chaos.catalogue import BY_NAME, KINDS, Kind
from tests.chaos.plant import Plant, running_plant
from tests.chaos.traffic import Traffic
from tests.flow.traffic import what_the_sandbox_did
from tests.processes import ROOT
from tests.waiting import DeadlinePassed, wait_until

USUAL_MINUTES = 4.0
PROGRESS_SECONDS, STILL_SECONDS, QUIET_SECONDS = 10.0, 4.0, 240.0
FINDINGS, LOGS = ROOT / "build" / "faults.json", ROOT / "build" / "faults-logs"
DEAD = "SELECT count(*) AS n FROM message_tracking WHERE state = 'dead'"
UNFINISHED = "SELECT count(*) AS n FROM message_tracking WHERE state IN ('received', 'sending', 'unknown')"


@dataclass(frozen=True)
class Wanted:
    minutes: float
    seed: int
    kinds: Sequence[Kind]

    @classmethod
    def of(cls, env: Mapping[str, str]) -> Wanted:
        """SystemExit when it names what is not there."""
        only = [name.strip() for name in env.get("ONLY", "").split(",") if name.strip()]
        if unknown := set(only) - set(BY_NAME):
            raise SystemExit(f"ONLY names {', '.join(sorted(unknown))}; there are:\n  " + "\n  ".join(BY_NAME))
        kinds = [BY_NAME[name] for name in only] or KINDS
        seed = int(env.get("SEED") or random.randrange(1_000_000))
        return cls(float(env.get("MINUTES") or USUAL_MINUTES), seed, kinds)


class Watch:
    """Tells how far it is, and reads the journal while it grows."""

    def __init__(self, traffic: Traffic, journal: ledger.Journal) -> None:
        self._traffic, self._journal = traffic, journal
        self.began = time.time()

    def say(self, text: str) -> None:
        print(f"{time.time() - self.began:6.0f} s  {text}", flush=True)

    def run(self) -> None:
        while True:
            gevent.sleep(PROGRESS_SECONDS)
            self._journal.read()
            arrived = self._journal.arrived()
            customers = sum(len(talk.customer.sent) for talk in self._traffic.talks)
            agents = sum(len(talk.agent.sent) for talk in self._traffic.talks)
            self.say(
                f"customers wrote {customers}, {arrived['to the agent']} arrived; "
                f"agents wrote {agents}, {arrived['to the customer']} arrived"
            )


def main() -> int:
    wanted = Wanted.of(os.environ)
    # Whoever is ended stops what it started, as it does after Ctrl-C.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("ended"))
    print(f"seed {wanted.seed}: the same again with SEED={wanted.seed}. Starting everything", flush=True)
    with tempfile.TemporaryDirectory(prefix="relay-chaos-") as folder, running_plant(Path(folder)) as plant:
        run = _run(plant, wanted)
        if not run.kept:
            evidence.keep_logs(plant.installation.logs, LOGS)
    print("\n".join(report.table(run)), flush=True)
    report.write(run, FINDINGS)
    return 0 if run.kept else 1


def _run(plant: Plant, wanted: Wanted) -> report.Run:
    traffic = Traffic(plant.installation, plant.lines, wanted.seed)
    journal = ledger.Journal(plant.installation)
    traffic.greet()
    wait_until_quiet(plant, 60)
    for side in ("meta", "genesys"):
        providers.as_always(plant, side)
    watch = Watch(traffic, journal)
    watching = gevent.spawn(watch.run)
    traffic.start()
    until = watch.began + wanted.minutes * 60
    happened = schedule.run(plant, schedule.steps(wanted.seed, _possible(plant, wanted)), until, watch.say)
    traffic.stop()
    seconds = time.time() - watch.began
    watch.say("all is well again and nobody writes any more: waiting until it is quiet")
    quiet_after = wait_until_quiet(plant, QUIET_SECONDS)
    watching.kill()
    entries = ledger.entries(plant.installation, journal, traffic.talks)
    judged = verdict.judge(entries, happened)
    dead = int(plant.installation.rows(DEAD)[0]["n"])
    told = report.passages(happened, entries, judged)
    looked_into = [entry for entry, _ in report.first(judged)] + [one.slowest for one in told if one.slowest]
    known = {entry.id: list(evidence.of(plant.installation, entry)) for entry in looked_into}
    did = what_the_sandbox_did(plant.installation)
    return report.Run(wanted.seed, seconds, quiet_after, dead, plant.ended, did, told, judged, known)


def _possible(plant: Plant, wanted: Wanted) -> Sequence[Kind]:
    """Without what this machine does not let anybody do, which is said."""
    has = {"": True, "clocks": bool(plant.clocks), "disk": plant.disk is not None}
    if missing := [kind.name for kind in wanted.kinds if not has[kind.needs]]:
        print(f"left out, since this machine does not permit it (docs/testing.md): {', '.join(missing)}", flush=True)
    return [kind for kind in wanted.kinds if has[kind.needs]]


def wait_until_quiet(plant: Plant, deadline: float) -> float:
    """Seconds until nothing was under way, anywhere. A line says when it never was, the count what is missing."""
    began = time.time()
    still_since = [began]

    def quiet() -> bool:
        if _under_way(plant):
            still_since[0] = time.time()
        return time.time() - still_since[0] >= STILL_SECONDS

    try:
        wait_until(quiet, deadline, "messages and webhooks that are under way", interval=0.5)
    except DeadlinePassed as passed:
        print(passed, flush=True)
    return still_since[0] - began


def _under_way(plant: Plant) -> int:
    stats = plant.installation.control("GET", "/stats")
    hooks = sum(int(stats[side]["webhooks"]["waiting"]) for side in ("meta", "genesys"))
    return hooks + int(plant.installation.rows(UNFINISHED)[0]["n"])


if __name__ == "__main__":
    sys.exit(main())
