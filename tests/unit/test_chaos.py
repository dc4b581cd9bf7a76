"""What `make faults` counts, and that a seed is a sequence: a judge who sees nothing would find every run in order."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from itertools import islice

import gevent
import pytest
from gevent.server import StreamServer

from demo.stack.ports import HOST
from tests.chaos import schedule
from tests.chaos.catalogue import BY_NAME, KINDS
from tests.chaos.ledger import Arrival, Direction, Entry
from tests.chaos.schedule import Happened
from tests.chaos.verdict import UNKNOWN_SECONDS, Counts, judge
from tests.chaos.wire import Slowness, Wire

NOON = 1_800_000_000.0


def written(number: int, *arrivals: float, direction: Direction = "to the agent", **more: object) -> Entry:
    """Posted a second after the one before, taken at once, arrived so many seconds after noon."""
    posted = NOON + number
    entry = Entry(f"id-{number}", number, "text", direction, "line/customer", posted, 1, posted + 0.05)
    entry.arrivals = [Arrival(round(at * 1000), NOON + at, True) for at in arrivals]
    if direction == "to the customer":
        entry.shown, entry.receipts = (
            bool(arrivals),
            {"Delivered": [NOON + at for at in arrivals[:1]]} if arrivals else {},
        )
    for name, value in more.items():
        setattr(entry, name, value)
    return entry


def happened(name: str, begin: float, ready: float) -> Happened:
    return Happened(BY_NAME[name], NOON + begin, NOON + ready - 1, NOON + ready, step=0)


def counted(*entries: Entry, troubles: tuple[Happened, ...] = ()) -> Counts:
    return judge(entries, troubles).counts[entries[0].direction]


def test_a_message_that_was_taken_and_never_arrived_is_lost() -> None:
    assert counted(written(0, 0.5), written(1)).lost == 1


def test_a_message_that_nobody_took_is_the_providers_to_give_up() -> None:
    counts = counted(written(0, taken_at=None, attempts=6))
    assert (counts.lost, counts.given_up) == (0, 1)


def test_a_message_before_an_earlier_one_that_was_taken_in_time_is_swapped() -> None:
    assert counted(written(0, 3.0), written(1, 2.0)).swapped == 1


def test_a_message_that_the_provider_had_to_repeat_may_be_late() -> None:
    counts = counted(written(0, 3.0, attempts=2), written(1, 2.0))
    assert (counts.swapped, counts.late) == (0, 1)


def test_a_message_that_was_taken_after_the_next_one_could_leave_is_late() -> None:
    assert counted(written(0, 3.0, taken_at=NOON + 2.5), written(1, 2.0)).late == 1


def test_a_second_arrival_without_a_reason_is_a_double() -> None:
    counts = counted(written(0, 0.5, 0.9))
    assert (counts.doubled, counts.doubled_excused) == (1, 0)


def test_at_genesys_a_lost_answer_excuses_a_double() -> None:
    troubles = (happened("a daemon killed", 0.0, 4.0),)
    assert counted(written(0, 0.5, 3.0), troubles=troubles).doubled_excused == 1
    assert counted(written(20, 20.5, 23.0), troubles=troubles).doubled == 1
    kept_back = written(0, 0.5, 3.0)
    kept_back.arrivals[0] = Arrival(500, NOON + 0.5, answered=False)
    assert counted(kept_back).doubled_excused == 1


def test_at_whatsapp_a_repeat_before_the_bound_is_a_double_whatever_was_lost() -> None:
    troubles = (happened("a daemon killed", 0.0, 4.0),)
    early = written(0, 0.5, 3.0, direction="to the customer")
    assert counted(early, troubles=troubles).doubled == 1
    late = written(0, 0.5, 0.6 + UNKNOWN_SECONDS, direction="to the customer")
    assert counted(late, troubles=troubles).doubled_excused == 1
    assert counted(late).doubled == 1


def test_a_message_on_the_phone_that_the_agent_was_not_told_of_misses_its_receipt() -> None:
    assert counted(written(0, 0.5, direction="to the customer", receipts={})).receipts_missing == 1
    assert counted(written(0, 0.5, direction="to the customer", shown=False, receipts={})).receipts_missing == 0


def test_a_receipt_told_twice_counts_and_is_excused_by_a_lost_answer() -> None:
    twice = written(0, 0.5, direction="to the customer", receipts={"Delivered": [NOON + 100.0, NOON + 104.0]})
    assert counted(twice).receipts_doubled == 1
    of_the_first_word = (happened("all daemons killed", 98.0, 102.0),)
    assert counted(twice, troubles=of_the_first_word).receipts_doubled_excused == 1
    of_the_message_only = (happened("all daemons killed", 0.0, 4.0),)
    assert counted(twice, troubles=of_the_message_only).receipts_doubled == 1


def test_a_seed_is_a_sequence_and_every_kind_comes_before_any_comes_again() -> None:
    one, other, same = (list(islice(schedule.steps(seed, KINDS), 60)) for seed in (1, 2, 1))
    assert one == same != other
    names = [stroke.kind.name for _, strokes in one for stroke in strokes]
    assert set(names[: len(KINDS)]) == set(BY_NAME)
    assert any(len(strokes) == 2 for _, strokes in one)
    assert all(len({stroke.kind.where for stroke in strokes}) == len(strokes) for _, strokes in one)


@pytest.fixture
def wire() -> Iterator[Wire]:
    """To somebody who sends back what they hear."""

    def echo(connection: socket.socket, _: object) -> None:
        while heard := connection.recv(4096):
            connection.sendall(heard)

    server = StreamServer((HOST, 0), echo)
    server.start()
    found = Wire(server.server_port)
    found.start()
    yield found
    found.stop()
    server.stop()


def called(wire: Wire) -> socket.socket:
    return socket.create_connection((HOST, wire.port), timeout=30)


def test_a_wire_hands_on_slowly_when_it_is_slow(wire: Wire) -> None:
    with called(wire) as line, wire.slow(Slowness(0.01, 1_000_000)):
        line.sendall(b"hello")
        assert line.recv(10) == b"hello"


def test_a_cut_wire_resets_its_connections_and_refuses_new_ones(wire: Wire) -> None:
    with called(wire) as line:
        line.sendall(b"hello")
        assert line.recv(10) == b"hello"
        with wire.cut():
            with pytest.raises(ConnectionRefusedError):
                called(wire)
            with pytest.raises(ConnectionResetError):
                line.recv(10)
    with called(wire) as line:
        line.sendall(b"again")
        assert line.recv(10) == b"again"


def test_a_held_wire_carries_what_was_sent_when_it_is_let_go(wire: Wire) -> None:
    with called(wire) as line:
        with wire.held():
            line.sendall(b"hello")
            with gevent.Timeout(0.3, False):
                raise AssertionError(f"it came through: {line.recv(10)!r}")
        assert line.recv(10) == b"hello"


def test_a_wire_answers_in_the_servers_place(wire: Wire) -> None:
    with wire.answering(b"HTTP/1.1 503 Slow Down\r\n\r\n"), called(wire) as line:
        line.sendall(b"PUT / HTTP/1.1\r\n\r\n")
        assert line.recv(100).startswith(b"HTTP/1.1 503")
