"""`make smoke`: the demo without a person. Each kind goes both ways and is looked at on the other side.

A message counts when the other side shows the same bytes and the database says how it ended.
"""

import sys
import time
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass

import psycopg2

from demo.smoke_ways import SmokeChat, SmokeMessage
from demo.stack.installation import Installation
from demo.stack.ports import Ports
from demo.stack.session import FAILED, port, run, say, seeded_installation
from demo.stack.waiting import DeadlinePassed, wait_until

KINDS = ("text", "image", "document", "video", "audio")
FINAL = {"inbound": ("sent", "delivered", "read"), "outbound": ("delivered", "read")}
ARRIVED = {"inbound": "customer to agent", "outbound": "agent to customer"}
MESSAGE_SECONDS = 30
TOTAL_SECONDS = 150


@dataclass(frozen=True)
class Result:
    """One message's way."""

    kind: str
    direction: str
    seconds: float
    state: str
    problem: str = ""


def main() -> int:
    return run(_smoke, interrupted=130)


def _smoke() -> int:
    ports = Ports(port("WEB_PORT"), port("SANDBOX_PORT"), port("METRICS_PORT"))
    with seeded_installation("smoke", ports) as (it, _seeded):
        results = _send_all(it)
    say(_table(results))
    failed = [result for result in results if result.problem]
    for result in failed:
        say(f"FAILED {result.kind}, {ARRIVED[result.direction]}: {result.problem}")
    return FAILED if failed else 0


def _send_all(it: Installation) -> list[Result]:
    """In turn, so that the time of each is its own."""
    ways = SmokeChat(it.sandbox)
    end = time.monotonic() + TOTAL_SECONDS
    return [
        _send_one(it, kind, direction, send, min(MESSAGE_SECONDS, end - time.monotonic()))
        for direction, send in (("inbound", ways.customer_writes), ("outbound", ways.agent_writes))
        for kind in KINDS
    ]


def _send_one(
    it: Installation, kind: str, direction: str, send: Callable[[str], SmokeMessage], seconds: float
) -> Result:
    started = time.monotonic()
    sent = send(kind)
    try:
        wait_until(_unless_dead(it, sent.arrived), seconds, f"the {kind} to arrive on the other side")
        arrived = time.monotonic() - started
        finished = _unless_dead(it, lambda: _state(it, sent.id, direction) in FINAL[direction])
        wait_until(finished, seconds, f"the state {' or '.join(FINAL[direction])}")
    except DeadlinePassed as problem:
        state = _state(it, sent.id, direction)
        return Result(kind, direction, time.monotonic() - started, state, f"{problem}; state: {state}")
    return Result(kind, direction, arrived, _state(it, sent.id, direction))


def _unless_dead(it: Installation, predicate: Callable[[], bool]) -> Callable[[], bool]:
    def asked() -> bool:
        it.check()
        return predicate()

    return asked


def _state(it: Installation, source_id: str, direction: str) -> str:
    with closing(psycopg2.connect(it.env["DATABASE_URL"])) as connection, connection.cursor() as cursor:
        cursor.execute(
            "SELECT state FROM message_tracking WHERE direction = %s AND source_id = %s", (direction, source_id)
        )
        row = cursor.fetchone()
    return str(row[0]) if row else "not in the database"


def _table(results: list[Result]) -> str:
    head = f"{'kind':<10}{'direction':<20}{'seconds':>8}  {'final state':<22}result"
    rows = [
        f"{it.kind:<10}{ARRIVED[it.direction]:<20}{it.seconds:>8.2f}  {it.state:<22}{'FAILED' if it.problem else 'ok'}"
        for it in results
    ]
    return "\n".join(["", head, "-" * len(head), *rows, ""])


if __name__ == "__main__":
    sys.exit(main())
