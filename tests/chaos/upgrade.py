"""`python -m tests.chaos.upgrade`: web and daemons are replaced one by one under traffic; then it is counted.

FROM says what runs at the beginning: `previous` (the release before, from the repository's history: `make
upgrade-test`), `itself` (a rolling restart: `make restart-test`), or a commit. RATE (9): so many messages a second each
side writes. Exit code 0: every promise was kept.
The table as JSON: build/upgrade.json.
"""

from __future__ import annotations

from gevent import monkey

monkey.patch_all()

import os
import re
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext, suppress
from itertools import pairwise
from pathlib import Path

import gevent
import requests
from gevent.event import Event

from demo.stack.ports import HOST
from relay.core.releases import PREVIOUS
from tests.chaos import evidence, ledger, providers, report, verdict
from tests.chaos.__main__ import DEAD, Watch, wait_until_quiet
from tests.chaos.catalogue import EVERYWHERE, Kind
from tests.chaos.plant import Part, Plant, migrate, running_plant
from tests.chaos.schedule import Happened
from tests.chaos.traffic import PER_SECOND, Traffic
from tests.flow.traffic import what_the_sandbox_did
from tests.processes import ROOT
from tests.waiting import wait_until

SEED = 12
QUIET_SECONDS, SETTLE_SECONDS = 240.0, 8.0
FINDINGS, LOGS = ROOT / "build" / "upgrade.json", ROOT / "build" / "upgrade-logs"
BOUND_SECONDS = 5.0
"""Nobody is to be delayed by more."""


def commit_of(wanted: str) -> str:
    """`previous`, or a name that git knows. A release is the commit that wrote its heading into the changelog."""
    if wanted != "previous":
        return wanted
    heading = rf"^## \[{re.escape(PREVIOUS)}\]"
    found = _git("log", "--reverse", "--format=%H", f"-G{heading}", "--", "CHANGELOG.md").split()
    if not found:
        raise SystemExit(f"the history has no release {PREVIOUS}: fetch all of it (git fetch --unshallow)")
    return found[0]


@contextmanager
def sources(wanted: str) -> Iterator[Path]:
    """The folder with them; those of here where `itself` is wanted."""
    if wanted == "itself":
        yield ROOT
        return
    commit = commit_of(wanted)
    with tempfile.TemporaryDirectory(prefix="relay-before-") as folder:
        archive = subprocess.run(["git", "archive", commit], cwd=ROOT, check=True, capture_output=True)
        subprocess.run(["tar", "-x", "-C", folder], input=archive.stdout, check=True)
        print(f"before: {wanted}, commit {commit[:8]}", flush=True)
        yield Path(folder)


class Replacing:
    """What an operator does, one thing after the other. Each leaves a line in the table."""

    def __init__(self, plant: Plant, before: Path, watch: Watch) -> None:
        self._plant, self._before, self._watch = plant, before, watch
        self.happened: list[Happened] = []

    def run(self) -> None:
        webs, daemons = self._plant.webs, self._plant.daemons
        gevent.sleep(SETTLE_SECONDS)
        if self._before != ROOT:
            with self._doing("migrated"):
                migrate(self._plant.installation.env, ROOT)
            gevent.sleep(SETTLE_SECONDS)
            # Half of it, both ways: whoever finds a fault in the new version goes back.
            self._replace([webs[0], daemons[0]], ROOT, "replaced")
            self._replace([daemons[0], webs[0]], self._before, "taken back")
        self._replace([*webs, *daemons], ROOT, "replaced")
        gevent.sleep(SETTLE_SECONDS)

    def _replace(self, parts: Sequence[Part], code: Path, what: str) -> None:
        for part in parts:
            with self._doing(f"a {part.name.partition('-')[0]} {what}"):
                part.become(code)
            gevent.sleep(SETTLE_SECONDS)

    @contextmanager
    def _doing(self, what: str) -> Iterator[None]:
        self._watch.say(what)
        begin = time.time()
        yield
        # An orderly stop loses nobody's answer, so nothing is excused.
        kind = Kind(what, EVERYWHERE, lambda *_: nullcontext())
        self.happened.append(Happened(kind, begin, time.time(), time.time(), len(self.happened)))


def main() -> int:
    wanted = os.environ.get("FROM") or "previous"
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("ended"))
    with (
        sources(wanted) as before,
        tempfile.TemporaryDirectory(prefix="relay-upgrade-") as folder,
        running_plant(Path(folder), before) as plant,
    ):
        run, entries = _run(plant, before)
        alone = away_alone(plant)
        if not run.kept:
            evidence.keep_logs(plant.installation.logs, LOGS)
    print("\n".join([*report.table(run), *delays(entries), alone]), flush=True)
    report.write(run, FINDINGS)
    return 0 if run.kept else 1


def delays(entries: Sequence[ledger.Entry]) -> Iterator[str]:
    """From the provider's first post until the other side has it: with all repeats, and with all turns and holds."""
    for direction in verdict.DIRECTIONS:
        whole = sorted(
            one.arrivals[0].at - one.posted_at for one in entries if one.direction == direction and one.arrivals
        )
        over = sum(1 for one in whole if one > BOUND_SECONDS)
        half, nearly_all = whole[len(whole) // 2], whole[len(whole) * 99 // 100]
        yield (
            f"{direction}: half within {half:.2f} s, 99 of 100 within {nearly_all:.2f} s, "
            f"the longest {whole[-1]:.2f} s, {over} over {BOUND_SECONDS:g} s"
        )


def away_alone(plant: Plant) -> str:
    """How long the only web is away when it is restarted: between the last and the next answer."""
    one = plant.webs[0]
    address = f"http://{HOST}:{plant.web_ports[0]}/health/live"
    answered: list[float] = []
    ended = Event()

    def ask() -> None:
        while not ended.is_set():
            with suppress(requests.RequestException):
                if requests.get(address, timeout=1).ok:
                    answered.append(time.monotonic())
            gevent.sleep(0.01)

    asking = gevent.spawn(ask)
    wait_until(lambda: answered, message="web to answer")
    one.become(ROOT)
    ended.set()
    asking.join()
    longest = max(later - earlier for earlier, later in pairwise(answered))
    return f"a web that is the only one, stopped and started: away for {longest:.2f} s"


def _run(plant: Plant, before: Path) -> tuple[report.Run, list[ledger.Entry]]:
    traffic = Traffic(plant.installation, plant.lines, SEED, float(os.environ.get("RATE") or PER_SECOND))
    journal = ledger.Journal(plant.installation)
    traffic.greet()
    wait_until_quiet(plant, 60)
    for side in ("meta", "genesys"):
        providers.as_always(plant, side)
    watch = Watch(traffic, journal)
    watching = gevent.spawn(watch.run)
    traffic.start()
    replacing = Replacing(plant, before, watch)
    replacing.run()
    traffic.stop()
    seconds = time.time() - watch.began
    quiet_after = wait_until_quiet(plant, QUIET_SECONDS)
    watching.kill()
    entries = ledger.entries(plant.installation, journal, traffic.talks)
    judged = verdict.judge(entries, replacing.happened)
    told = report.passages(replacing.happened, entries, judged)
    looked_into = [entry for entry, _ in report.first(judged)] + [one.slowest for one in told if one.slowest]
    known = {entry.id: list(evidence.of(plant.installation, entry)) for entry in looked_into}
    dead = int(plant.installation.rows(DEAD)[0]["n"])
    did = what_the_sandbox_did(plant.installation)
    return report.Run(SEED, seconds, quiet_after, dead, plant.ended, did, told, judged, known), entries


def _git(*command: str) -> str:
    return subprocess.run(["git", *command], cwd=ROOT, check=True, capture_output=True, text=True).stdout


if __name__ == "__main__":
    sys.exit(main())
