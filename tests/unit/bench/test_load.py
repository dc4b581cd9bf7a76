"""What the bench sends is what providers send, and what it says of order is true."""

from __future__ import annotations

from array import array

import orjson
import pytest

from bench import provider
from bench.lines import Line
from bench.traffic import Passage
from bench.workload import Kind, Load, of_stream
from relay.channels.genesys import webhook as genesys
from relay.channels.whatsapp import webhook as whatsapp

LINES = (Line(0, "1001", "i-1", "/webhook/meta/a", "secret-a", "/webhook/genesys/1", "hook-1"),
         Line(1, "1002", "i-2", "/webhook/meta/b", "secret-b", "/webhook/genesys/2", "hook-2"))  # fmt: skip


def load(kind: Kind, count: int = 8, streams: int = 2, customers: int = 4) -> Load:
    return Load("0badcafe", kind, LINES, count, customers, streams, 80)


def parts(raw: bytes) -> tuple[bytes, dict[str, str], bytes]:
    head, _, body = raw.partition(b"\r\n\r\n")
    first, *others = head.decode().split("\r\n")
    return first.encode(), dict(one.split(": ", 1) for one in others), body


@pytest.mark.parametrize("kind", ["inbound", "batched"])
def test_a_customers_webhook_is_signed_as_meta_signs(kind: Kind) -> None:
    for stream, line in enumerate(LINES):
        for request in of_stream(load(kind), stream):
            first, headers, body = parts(request.raw)
            assert first == f"POST {line.meta_path} HTTP/1.1".encode()
            assert int(headers["Content-Length"]) == len(body)
            assert whatsapp.verify(line.app_secret, body, headers["X-Hub-Signature-256"])


def test_an_agents_webhook_is_signed_as_genesys_signs() -> None:
    first, headers, body = parts(next(of_stream(load("outbound"), 1)).raw)
    assert first == b"POST /webhook/genesys/2 HTTP/1.1"
    assert genesys.verify("hook-2", body, headers["X-Hub-Signature-256"])
    assert genesys.line_ref(orjson.loads(body)) == "i-2"


@pytest.mark.parametrize("kind", ["inbound", "batched", "outbound"])
def test_the_streams_send_every_message_once(kind: Kind) -> None:
    whole = load(kind, count=1_000)
    sent = [number for stream in (0, 1) for request in of_stream(whole, stream) for number in request.numbers]
    assert sorted(sent) == list(range(1_000))


def test_the_provider_notes_which_message_came() -> None:
    world = provider.World()
    world.note(parts(next(of_stream(load("inbound"), 1)).raw)[2])
    world.note(b"{}")
    assert list(world.runs[b"0badcafe"].numbers) == [1]
    assert world.others == 1


def passage(*numbers: int) -> Passage:
    """Of 8 messages: 0, 4 are the first customer's, 1 and 5 the second's, and so on."""
    times = array("d", [10.0 + place for place in range(len(numbers))])
    sent, answered = array("d", range(8)), array("d", [number + 1 for number in range(8)])
    return Passage(load("inbound"), sent, sent, answered, array("q", numbers), times, 0.0, 0)


def test_a_message_behind_a_later_one_of_its_customer_is_swapped() -> None:
    assert passage(0, 1, 2, 3, 4, 5, 6, 7).swapped == 0
    assert passage(1, 0, 3, 2, 5, 4, 7, 6).swapped == 0
    assert passage(4, 1, 2, 3, 0, 5, 6, 7).swapped == 1


def test_a_message_that_comes_twice_counts_once() -> None:
    found = passage(0, 1, 2, 3, 4, 5, 6, 7, 0)
    assert found.doubled == 1
    assert len(found.latencies) == 8
    assert found.latencies[-1] == 10.0
