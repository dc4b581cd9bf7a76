"""One load through one contender: sent, awaited at the provider, and what came of it."""

from __future__ import annotations

import json
import secrets
import subprocess
import sys
import tempfile
from array import array
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import requests

from bench.workload import Load
from demo.stack.child import Child
from demo.stack.ports import HOST, listens
from tests.processes import ROOT
from tests.waiting import wait_until

DRAIN_SECONDS = 600.0
HELD_SECONDS = 0.5
"""The hold window, and as much for the first ones to pass all hops."""


class Provider:
    """The no-work providers' process, on the ports that the contenders have been told."""

    def __init__(self, ports: list[int], logs: Path) -> None:
        self.port = ports[0]
        command = [sys.executable, "-m", "bench.provider", *map(str, ports)]
        self.child = Child("provider", command, logs / "provider.log", cwd=ROOT)
        self._http = requests.Session()

    @contextmanager
    def running(self) -> Iterator[Provider]:
        with self.child:
            wait_until(lambda: listens(self.port), message="the providers to listen")
            yield self

    def arrived(self, run: str) -> int:
        counts: dict[str, int] = self._http.get(self._url("counts"), timeout=30).json()["runs"]
        return counts.get(run, 0)

    def arrivals(self, run: str) -> tuple[array[int], array[float]]:
        """Numbers and times, in the order of their coming."""
        raw = self._http.get(self._url(f"arrivals/{run}"), timeout=60).content
        numbers, times = array("q"), array("d")
        numbers.frombytes(raw[: len(raw) // 2])
        times.frombytes(raw[len(raw) // 2 :])
        return numbers, times

    @contextmanager
    def slow(self, delays: dict[str, float]) -> Iterator[None]:
        """Seconds that an answer takes, by integration or phone number id; "*" for all others."""
        self._http.post(self._url("delays"), json=delays, timeout=30).raise_for_status()
        try:
            yield
        finally:
            self._http.post(self._url("delays"), json={}, timeout=30).raise_for_status()

    def _url(self, name: str) -> str:
        return f"http://{HOST}:{self.port}/bench/{name}"


@dataclass(frozen=True)
class Passage:
    """What became of one load. Times are monotonic seconds; latencies begin when a message was due."""

    load: Load
    due: array[float]
    sent: array[float]
    answered: array[float]
    numbers: array[int]
    times: array[float]
    sender_cpu: float
    repeated: int

    @property
    def rate(self) -> float:
        """Messages a second, from the first that was sent to the last that arrived."""
        return len(self.sent) / (max(self.times) - min(self.sent))

    @property
    def webhook_rate(self) -> float:
        """Messages a second that were answered."""
        return len(self.sent) / (max(self.answered) - min(self.sent))

    @property
    def rate_while_arriving(self) -> float:
        """Messages a second that left while webhooks were still coming, from when the first may have left."""
        begin, end = min(self.sent) + HELD_SECONDS, max(self.answered)
        return sum(1 for at in self.times if begin <= at <= end) / (end - begin) if begin < end else 0.0

    @property
    def latencies(self) -> list[float]:
        """Seconds from due to arrival, sorted; of a message that came twice the first."""
        first: dict[int, float] = {}
        for number, at in zip(self.numbers, self.times, strict=True):
            first.setdefault(number, at)
        return sorted(at - self.due[number] for number, at in first.items())

    @property
    def webhook_latencies(self) -> list[float]:
        return sorted(answered - sent for sent, answered in zip(self.sent, self.answered, strict=True))

    @property
    def doubled(self) -> int:
        return len(self.numbers) - len(set(self.numbers))

    @property
    def swapped(self) -> int:
        """Messages that arrived behind a later one of the same customer."""
        last: dict[int, int] = {}
        found = 0
        share = max(self.load.conversations, self.load.streams) // self.load.streams
        for number in self.numbers:
            stream, place = number % self.load.streams, number // self.load.streams
            customer = (place % share) * self.load.streams + stream
            found += number < last.get(customer, -1)
            last[customer] = max(number, last.get(customer, -1))
        return found


def quantile(values: Sequence[float], share: float) -> float:
    """Of sorted values."""
    return values[min(len(values) - 1, int(len(values) * share))]


class Sender:
    """A load generator that is ready to go."""

    def __init__(self, load: Load, provider: Provider) -> None:
        self.load = load
        self._found: Passage | None = None
        self._provider = provider
        self._folder = tempfile.TemporaryDirectory(prefix="relay-bench-")
        self._file = Path(self._folder.name) / "findings"
        self._process = subprocess.Popen(
            [sys.executable, "-m", "bench.sender"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=ROOT, text=True
        )
        self._say(json.dumps(asdict(load) | {"file": str(self._file)}))
        self._hear()

    def go(self) -> None:
        self._say("go")

    def stop(self) -> None:
        """For a load that is given up."""
        self._process.kill()
        self._process.wait()
        self._folder.cleanup()

    def answered(self) -> Passage:
        """Waits until all is sent and answered. Nothing is said of arrivals."""
        if self._found is None:
            found = json.loads(self._hear())
            self._process.communicate(timeout=30)
            due, sent, answered = array("d"), array("d"), array("d")
            with self._file.open("rb") as kept:
                for values in (due, sent, answered):
                    values.fromfile(kept, self.load.count)
            self._folder.cleanup()
            nothing = array("q"), array("d")
            self._found = Passage(self.load, due, sent, answered, *nothing, found["cpu"], found["repeated"])
        return self._found

    def passage(self, patience: float = DRAIN_SECONDS) -> Passage:
        """Waits until all is sent and has arrived. DeadlinePassed when messages are missing."""
        sent, run = self.answered(), self.load.run
        wait_until(
            lambda: self._provider.arrived(run) >= self.load.count,
            patience,
            f"{self.load.count} messages to reach the provider",
        )
        numbers, times = self._provider.arrivals(run)
        return replace(sent, numbers=numbers, times=times)

    def _say(self, line: str) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(line + "\n")
        self._process.stdin.flush()

    def _hear(self) -> str:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            raise RuntimeError(f"the load generator ended with {self._process.wait()}; its words are above")
        return line


def new_run() -> str:
    return secrets.token_hex(4)


def passed(load: Load, provider: Provider) -> Passage:
    """The whole of it: prepared, sent, arrived."""
    sender = Sender(load, provider)
    try:
        sender.go()
        return sender.passage()
    except BaseException:
        sender.stop()
        raise
