"""The product's own processes, for tests: started as in production, watched, killed, stopped for certain."""

import os
import signal
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Self

import requests

from demo.stack.child import Child
from demo.stack.ports import HOST
from tests.waiting import wait_until

ROOT = Path(__file__).parent.parent


class Process(Child):
    """A child that is ready once `ready()` says so. As a context manager it is started, waited for and stopped."""

    def __init__(
        self,
        name: str,
        command: list[str],
        env: Mapping[str, str],
        logs: Path,
        ready: Callable[[], bool],
        code: Path = ROOT,
    ) -> None:
        temporary = logs / "tmp"
        temporary.mkdir(parents=True, exist_ok=True)
        # What a process leaves among its temporary files when it is killed goes with the test's own.
        environment = os.environ | {"PYTHONUNBUFFERED": "1", "TMPDIR": str(temporary)} | dict(env)
        environment.pop("PYTHONDONTWRITEBYTECODE", None)  # where it is installed it has its bytecode, too
        super().__init__(name, [sys.executable, *command], logs / f"{name}.log", environment, code)
        self._ready = ready

    def __enter__(self) -> Self:
        self.start()
        try:
            self.wait_ready()
        except BaseException:
            self.stop()
            raise
        return self

    def stop(self) -> None:
        """As any child does; whoever has to be killed fails the test."""
        asked = self.running()
        super().stop()
        assert not asked or self.wait(0) != -signal.SIGKILL, f"{self.name} did not stop; its log:\n{self.tail()}"

    def wait_ready(self, deadline: float = 60) -> None:
        wait_until(self._is_ready, deadline, f"{self.name} to be ready; its log:\n{self.tail()}")

    def output(self) -> str:
        """All that the process has written so far."""
        return self.log.read_text(errors="replace") if self.log.exists() else ""

    def _is_ready(self) -> bool:
        self.check()
        return self._ready()


def web(env: Mapping[str, str], logs: Path, workers: int = 1, name: str = "web", code: Path = ROOT) -> Process:
    """Gunicorn with the product's own configuration and `workers` worker processes. `code`: the sources' folder."""
    command = ["-m", "gunicorn", "-c", "conf/gunicorn.py", "web.wsgi:app"]
    ready = answers(f"http://{HOST}:{env['WEB_PORT']}/health/ready")
    return Process(name, command, {**env, "WEB_WORKERS": str(workers)}, logs, ready, code)


def relay(env: Mapping[str, str], logs: Path, name: str = "relay", code: Path = ROOT) -> Process:
    """One daemon. A second one beside it needs another METRICS_PORT."""
    ready = answers(f"http://{HOST}:{env['METRICS_PORT']}/health/ready")
    return Process(name, ["-m", "relay", "run"], env, logs, ready, code)


def sandbox(env: Mapping[str, str], logs: Path, name: str = "sandbox") -> Process:
    """The stand-in for Meta and Genesys."""
    ready = answers(f"http://{HOST}:{env['SANDBOX_PORT']}/control/health")
    return Process(name, ["-m", "sandbox"], env, logs, ready)


@contextmanager
def frozen(child: Child) -> Iterator[None]:
    """The process stands still: it holds its connections and answers nothing, as one that hangs does."""
    child.send(signal.SIGSTOP)
    try:
        yield
    finally:
        child.send(signal.SIGCONT)


def answers(url: str) -> Callable[[], bool]:
    def ready() -> bool:
        try:
            return requests.get(url, timeout=5).status_code == 200
        except (requests.ConnectionError, requests.Timeout):
            return False

    return ready
