"""What demo and smoke share: start the installation, say how far it is, end well on Ctrl-C, explain a failure."""

import os
import signal
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

import requests

from demo.seed import Seeded, SeedError, seed
from demo.stack.child import ChildDied
from demo.stack.installation import Installation, installation
from demo.stack.ports import HOST, Ports, WrongPorts, free_port
from demo.stack.run_folder import run_folder
from demo.stack.waiting import DeadlinePassed

FAILED = 1
EXPECTED = (
    ChildDied,
    WrongPorts,
    SeedError,
    DeadlinePassed,
    FileNotFoundError,
    RuntimeError,
    requests.RequestException,
)


@contextmanager
def seeded_installation(kind: str, ports: Ports) -> Iterator[tuple[Installation, Seeded]]:
    """The installation with the demo tenant in it. `KEEP_LOGS=1` keeps the log files."""
    started = time.monotonic()
    ports.check()
    with run_folder(kind, keep=bool(os.environ.get("KEEP_LOGS"))) as folder:
        say(f"Starting; logs go to {folder.logs}")
        with installation(folder, ports, lambda what: say(f"  {what}")) as it:
            say("  the demo tenant")
            seeded = seed(it.env)
            say(f"Ready after {time.monotonic() - started:.1f} s")
            try:
                yield it, seeded
            finally:
                say("Stopping")


def run(work: Callable[[], int], interrupted: int) -> int:
    """The exit code of `work`, or `interrupted` after Ctrl-C or SIGTERM; what may go wrong needs no traceback."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _stop_once)
    # All that is spoken to is on this machine: a proxy could not reach it.
    os.environ["NO_PROXY"] = os.environ["no_proxy"] = HOST
    try:
        return work()
    except KeyboardInterrupt:
        return interrupted
    except EXPECTED as error:
        print(f"\n{error}", file=sys.stderr)
        return FAILED
    finally:
        say("Everything is stopped")


def port(name: str, default: int | None = None) -> int:
    """A port from the environment, else the default, else a free one; WrongPorts for what is no number."""
    text = os.environ.get(name) or str(default or free_port())
    if not text.isdecimal():
        raise WrongPorts(f"{name}={text!r} is no port: a number from 1 to 65535 is.")
    return int(text)


def say(text: str) -> None:
    print(text, flush=True)


def _stop_once(_number: int, _frame: FrameType | None) -> None:
    # A second Ctrl-C would cut the tidying up that the first one began.
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    raise KeyboardInterrupt
