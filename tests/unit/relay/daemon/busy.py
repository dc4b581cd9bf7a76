"""A process whose actor does not end a command: it never lets the loop go (`busy`), also while it writes a log line
(`busy logging`), or only for so long (`a while`)."""

from gevent import monkey

monkey.patch_all()

import sys
import time
from contextlib import nullcontext
from typing import Any

import gevent
import structlog

from conf.logging import configure
from relay.core.redaction import redacted
from relay.daemon.watch import LoopWatch
from relay.runtime.actor import Ping, RelayActor

SECRET = "swordfish"


class Spin:
    """The command."""


class Spinner(RelayActor):
    def handle(self, command: Any) -> None:
        lock = structlog._output._get_lock_for_file(sys.stderr.buffer)
        with lock if sys.argv[1] == "busy logging" else nullcontext():
            self.spins()

    def spins(self) -> None:
        self.goes_round_and_round(SECRET, time.monotonic() + (3.5 if sys.argv[1] == "a while" else 1000))

    def goes_round_and_round(self, whose: str, until: float) -> None:
        while time.monotonic() < until:
            pass


if __name__ == "__main__":
    configure(redacted)
    watch = LoopWatch(5.0)
    watch.start()
    spinner = Spinner.start()
    gevent.sleep(0.1)
    spinner.tell(Spin())
    spinner.ask(Ping())
    watch.stop()
    print("went on")
