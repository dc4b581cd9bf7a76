"""Two daemons share the shards: order and once hold while one joins, leaves, is killed, or stands still."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator

import gevent
import pytest

from tests.flow import traffic
from tests.flow.installation import Installation, Line
from tests.processes import Process, frozen
from tests.waiting import wait_until

CONVERSATIONS = 24
EACH = 12
SLOW = {"meta": {"latency_ms": [40, 120], "seed": 3}, "genesys": {"latency_ms": [40, 120], "seed": 3}}
TAKEN_OVER_SECONDS = 15 + 8
"""The lease, and a few rounds of whoever takes over: a daemon that stands still is waited for so long."""
UNANSWERED = """
SELECT count(DISTINCT m.id) AS n FROM message_tracking m JOIN message_attempts a ON a.message_id = m.id
WHERE m.line_id = ANY(%s::uuid[]) AND a.outcome IS DISTINCT FROM 'sent'
"""


@pytest.fixture(scope="module")
def own_settings() -> dict[str, str]:
    return {"UNKNOWN_OUTCOME_SECONDS": "5"}


@pytest.fixture(scope="module", autouse=True)
def slow_providers(installation: Installation) -> None:
    """So that calls are under way whenever something happens to a daemon."""
    installation.control("POST", "/limits", traffic.UNLIMITED)
    installation.control("POST", "/faults", SLOW)


@pytest.fixture
def second(installation: Installation) -> Iterator[Process]:
    daemon = installation.another_daemon()
    yield daemon
    daemon.stop()


def owners(installation: Installation) -> list[int]:
    """How many shards each living daemon owns, sorted; shards of nobody living are left out."""
    sql = """SELECT count(s.n) AS n FROM daemons d LEFT JOIN shards s ON s.owner = d.id
             WHERE d.lease_until > now() GROUP BY d.id"""
    return sorted(row["n"] for row in installation.rows(sql))


def shared(installation: Installation, *numbers: int, seconds: float = 30) -> float:
    """Wait until the living daemons own so many shards each; returns how long that took."""
    started = time.monotonic()
    wait_until(lambda: owners(installation) == list(numbers), seconds, f"the shards to be shared out {numbers}")
    return time.monotonic() - started


def calls_under_way(installation: Installation, daemon: Process) -> None:
    """Wait for a moment in which the daemon has several: otherwise there is nothing to withstand."""
    sql = """SELECT count(*) AS n FROM message_tracking m JOIN shards s ON s.n = m.shard
             JOIN daemons d ON d.id = s.owner WHERE m.state = 'sending' AND d.name LIKE %s"""
    wait_until(lambda: installation.rows(sql, f"%:{daemon.pid}")[0]["n"] >= 4, 20, "calls to be under way", 0.01)


class Run:
    """Traffic on two fresh lines, with something happening in the middle of it."""

    def __init__(self, installation: Installation, name: str) -> None:
        self.installation = installation
        self.lines: list[Line] = installation.tenant(name, lines=2)
        self.everybody = traffic.conversations(self.lines, CONVERSATIONS)
        before = traffic.finished(installation)
        traffic.greet(installation, self.everybody)
        self._carried(before + CONVERSATIONS, 30)

    def through(self, happens: Callable[[], object]) -> tuple[traffic.Tally, traffic.Tally]:
        """Send everything; `happens` when a third of it has arrived. Inbound and outbound tally."""
        before, total = traffic.finished(self.installation), CONVERSATIONS * EACH * 2
        sending = gevent.spawn(traffic.run, self.installation, self.everybody, EACH)
        self._carried(before + total // 3, 60)
        happens()
        sending.get(timeout=90)
        self._carried(before + total, 90)
        inbound = [traffic.arrived_inbound(self.installation, one) for one in self.everybody]
        outbound = [traffic.arrived_outbound(self.installation, one) for one in self.everybody]
        return traffic.tally(inbound, EACH), traffic.tally(outbound, EACH)

    def unanswered(self) -> int:
        """Messages with a call whose answer nobody heard: only these may show twice at Genesys."""
        return int(self.installation.rows(UNANSWERED, [line.id for line in self.lines])[0]["n"])

    def repeated(self) -> int:
        """Further calls that were made for messages of customers."""
        sql = """SELECT sum(attempts - 1) AS n FROM message_tracking
                 WHERE direction = 'inbound' AND line_id = ANY(%s::uuid[])"""
        return int(self.installation.rows(sql, [line.id for line in self.lines])[0]["n"])

    def _carried(self, number: int, seconds: float) -> None:
        wait_until(lambda: traffic.finished(self.installation) >= number, seconds, f"{number} messages to be carried")


ALL = traffic.Tally(CONVERSATIONS * EACH, CONVERSATIONS * EACH, 0, 0)


@pytest.mark.each_commit
def test_order_and_once_hold_while_a_daemon_joins_and_leaves(installation: Installation, second: Process) -> None:
    run = Run(installation, "Join and leave")
    assert owners(installation) == [16]

    def comes_and_goes() -> None:
        second.start()
        second.wait_ready()
        shared(installation, 8, 8)
        second.stop()
        assert shared(installation, 16) < 10, "what is handed over is taken at once, and not when the lease runs out"

    assert run.through(comes_and_goes) == (ALL, ALL)


def test_daemons_restarted_one_by_one_cut_no_call_and_swap_nothing(installation: Installation, second: Process) -> None:
    with second:
        shared(installation, 8, 8)
        for number, daemon in enumerate((second, installation.daemon)):
            run = Run(installation, f"Restart {number}")

            def is_restarted(daemon: Process = daemon) -> None:
                calls_under_way(installation, daemon)
                daemon.stop()
                daemon.start()
                daemon.wait_ready()
                shared(installation, 8, 8)

            assert run.through(is_restarted) == (ALL, ALL)
            assert run.unanswered() == 0, "it waits for its calls, and for those whose claim was being written"


def test_the_shards_of_a_killed_daemon_are_taken_within_seconds(
    installation: Installation, second: Process, capsys: pytest.CaptureFixture[str]
) -> None:
    with second:
        shared(installation, 8, 8)
        run = Run(installation, "Kill")

        killed = [second.pid]

        def dies() -> None:
            calls_under_way(installation, second)
            second.kill9()

        inbound, outbound = run.through(dies)
        took = shared(installation, 16, seconds=TAKEN_OVER_SECONDS)
        [dead] = installation.rows("SELECT found_dead_at FROM daemons WHERE name LIKE %s", f"%:{killed[0]}")
        assert dead["found_dead_at"] is not None, "its lease was waited for"
    unanswered = run.unanswered()
    with capsys.disabled():
        print(f"\n  killed: to agents {inbound}; to customers {outbound}; {unanswered} unanswered; {took:.1f} s later")
    assert outbound == ALL
    assert (inbound.arrived, inbound.swapped) == (ALL.arrived, 0)
    assert unanswered > 0, "nothing was under way when it was killed: this run has shown nothing"
    assert inbound.doubled <= unanswered


def test_a_daemon_that_stood_still_repeats_nothing_when_it_wakes(
    installation: Installation, second: Process, capsys: pytest.CaptureFixture[str]
) -> None:
    with second:
        shared(installation, 8, 8)
        run = Run(installation, "Freeze")

        def stands_still() -> None:
            calls_under_way(installation, second)
            with frozen(second):
                shared(installation, 16, seconds=TAKEN_OVER_SECONDS)
                wait_until(lambda: _settled(installation), 60, "the successor to have settled all calls")

        inbound, outbound = run.through(stands_still)
        shared(installation, 8, 8)
        repeated = run.repeated()
        with capsys.disabled():
            print(f"\n  frozen: to agents {inbound}; to customers {outbound}; {repeated} repeated")
        assert outbound == ALL
        assert (inbound.arrived, inbound.swapped) == (ALL.arrived, 0)
        # An answer that it finds when it wakes is written down late, so the calls themselves are counted.
        assert inbound.doubled <= repeated
        # It works on: half of what comes now is its own.
        greeted = traffic.finished(installation)
        traffic.greet(installation, run.everybody)
        wait_until(lambda: traffic.finished(installation) >= greeted + CONVERSATIONS, 30, "both to work")


def _settled(installation: Installation) -> bool:
    sql = "SELECT count(*) AS n FROM message_tracking WHERE state IN ('sending', 'unknown')"
    return int(installation.rows(sql)[0]["n"]) == 0
