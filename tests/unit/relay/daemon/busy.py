"""A process whose actor does not end a command: it never lets the loop go (`busy`), or only for so long (`a while`)."""

from gevent import monkey

monkey.patch_all()

import sys
import time
from typing import Any

import gevent

from conf.logging import configure
from relay.core.redaction import redacted
from relay.daemon.watch import LoopWatch
from relay.runtime.actor import Ping, RelayActor

SECRET = "swordfish"


class Spin:
    """The command."""


class Spinner(RelayActor):
    def handle(self, command: Any) -> None:
        self.goes_round_and_round(SECRET, time.monotonic() + (1000 if sys.argv[1] == "busy" else 3.5))

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
