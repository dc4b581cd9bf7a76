"""One child process: started in a session of its own, output in a log file, stopped for certain.

Used for the embedded services, for the product's own processes in demo and smoke, and by the tests.
"""

import ctypes
import os
import pwd
import signal
import subprocess
import sys
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self

PR_SET_PDEATHSIG = 1
TAIL_LINES = 30


class ChildDied(Exception):
    """A child ended that should be running; the message shows the end of its log."""


class Child:
    """Start, look at and stop one process.

    `stop_signal` is what it takes as a polite request; `user` is who it runs as, where root starts it.
    """

    def __init__(
        self,
        name: str,
        command: Sequence[str],
        log: Path,
        env: Mapping[str, str] | None = None,
        cwd: Path | None = None,
        stop_signal: signal.Signals = signal.SIGTERM,
        stop_seconds: float = 35.0,
        user: pwd.struct_passwd | None = None,
    ) -> None:
        self.name = name
        self.log = log
        self._command = list(command)
        self._env = dict(os.environ if env is None else env)
        self._cwd = cwd
        self._stop_signal = stop_signal
        self._stop_seconds = stop_seconds
        self._user = user
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        self.stop()

    @property
    def pid(self) -> int:
        if self._process is None:
            raise ChildDied(f"{self.name} was not started")
        return self._process.pid

    def start(self) -> None:
        self.log.parent.mkdir(parents=True, exist_ok=True)
        with self.log.open("ab") as output:
            self._process = subprocess.Popen(
                self._command,
                env=self._env,
                cwd=self._cwd,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                preexec_fn=_end_with_parent(self._stop_signal),
                **acting_as(self._user),
            )

    def running(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def check(self) -> None:
        """Raise ChildDied when the process is gone."""
        if not self.running():
            code = self._process.returncode if self._process else None
            raise ChildDied(f"{self.name} ended with exit code {code}. The end of {self.log}:\n{self.tail()}")

    def wait(self, seconds: float) -> int:
        """The exit code of a process that ends by itself."""
        if self._process is None:
            raise ChildDied(f"{self.name} was not started")
        return self._process.wait(seconds)

    def send(self, number: signal.Signals) -> None:
        if self._process is not None and self.running():
            self._process.send_signal(number)

    def kill9(self) -> None:
        """SIGKILL to the process and all that it started, as a crash of the machine would do."""
        self._signal_group(signal.SIGKILL)
        if self._process is not None:
            self._process.wait()

    def stop(self) -> None:
        """Ask politely, wait, then kill; whatever the process left in its session is killed too."""
        if self._process is None:
            return
        self.send(self._stop_signal)
        try:
            self._process.wait(self._stop_seconds)
        except subprocess.TimeoutExpired:
            print(f"{self.name} did not stop within {self._stop_seconds:g} s and is killed", file=sys.stderr)
        self.kill9()

    def tail(self, lines: int = TAIL_LINES) -> str:
        if not self.log.exists():
            return ""
        with self.log.open(errors="replace") as text:
            return "".join(deque(text, maxlen=lines))

    def _signal_group(self, number: signal.Signals) -> None:
        # The session's leader is gone once it has been waited for; its group lives on while a member does.
        try:
            os.killpg(self.pid, number)
        except ProcessLookupError:
            return


def acting_as(user: pwd.struct_passwd | None) -> dict[str, Any]:
    """What subprocess needs to run a program as somebody else, in no other group; nothing for None."""
    return {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []} if user else {}


def _end_with_parent(number: signal.Signals) -> Callable[[], object] | None:
    """A child must not outlive a parent that was killed and could stop nothing; Linux can promise that."""
    if sys.platform != "linux":
        return None
    libc = ctypes.CDLL(None)
    return lambda: libc.prctl(PR_SET_PDEATHSIG, int(number))
