"""PostgreSQL and RabbitMQ away at the same time: what was ahead in a queue is waited for, whoever is back first.

OVERLAPS says how many overlaps by chance are tried, each with PAIRS pairs; its default is for `make outages`.
"""

from __future__ import annotations

import os
import time
from collections.abc import Sequence
from random import Random
from typing import Any

import gevent
import pytest

from demo.stack import Postgres
from tests.faults.test_outages import known_to_every_worker, posted
from tests.flow import traffic
from tests.flow.chat import Chat
from tests.flow.installation import Installation, Line
from tests.services.rabbitmq import RabbitMQ
from tests.waiting import DeadlinePassed, wait_until

PAIRS = 14
WINDOW_SECONDS = 3.0
SOON_AGAIN = {"webhook_wait_scale": 0.1}
"""What nobody took is posted again within seconds, not minutes."""
OVERLAPS = int(os.environ.get("OVERLAPS", "3"))


@pytest.fixture(scope="module")
def own_settings() -> dict[str, str]:
    """A window that is still open when PostgreSQL has gone: the first of each pair arrives at web within it."""
    return {"REORDER_WINDOW_MS": str(round(WINDOW_SECONDS * 1000))}


@pytest.fixture(scope="module")
def neighbour(installation: Installation) -> Chat:
    """A customer of another tenant, whose program writes through the API."""
    return Chat(installation, installation.tenant("Neighbour")[0], "4917959000001").opened()


def _programs_message_arrives(chat: Chat, text: str) -> None:
    """Written to PostgreSQL and sent from there: the daemon has its database back."""
    chat.installation.api("POST", "/whatsapp/send", {"to": chat.wa_id, "text": text}, chat.line.tenant_id)
    chat.phone_reads_in_time(text, seconds=60)


def _back(server: Postgres | RabbitMQ) -> None:
    (server.child if isinstance(server, RabbitMQ) else server).start()
    server.wait_ready()


@pytest.mark.parametrize("first_back", ["postgresql", "rabbitmq"])
def test_nothing_overtakes_what_waits_in_a_queue_of_a_broker_that_is_away(
    installation: Installation,
    line: Line,
    neighbour: Chat,
    postgres_server: Postgres,
    rabbitmq: RabbitMQ,
    first_back: str,
) -> None:
    chats = [Chat(installation, line, f"491795{len(first_back):03}{n:04}") for n in range(PAIRS)]
    for chat in chats:
        chat.writes("hello")
    for chat in chats:
        chat.agent_reads_in_time("hello")
    known_to_every_worker(installation)
    wait_until(lambda: traffic.unfinished(installation) == 0, 20, "nothing to be under way")
    now = int(time.time())
    for chat in chats:
        chat.writes("second", timestamp=now)
    wait_until(lambda: traffic.unfinished(installation) == PAIRS, 10, "the second of each pair to be stored", 0.01)
    postgres_server.stop()
    for chat in chats:
        chat.writes("first", timestamp=now - 5)
    accepted = lambda: all(posted(chat.sent_by_phone())[-1] == (1, 200) for chat in chats)  # noqa: E731
    wait_until(accepted, 20, "the first of each pair to be accepted")
    rabbitmq.child.kill9()
    if first_back == "postgresql":
        _back(postgres_server)
        _programs_message_arrives(neighbour, "while RabbitMQ is away")
        assert {tuple(chat.agent_reads()) for chat in chats} == {("hello",)}
        _back(rabbitmq)
    else:
        _back(rabbitmq)
        _back(postgres_server)
    wait_until(lambda: all(len(chat.agent_reads()) == 3 for chat in chats), 60, "both of each pair to arrive")
    swapped = [chat.agent_reads() for chat in chats if chat.agent_reads() != ["hello", "first", "second"]]
    assert not swapped, f"{len(swapped)} of {PAIRS} pairs"


def test_in_no_overlap_of_their_outages_is_a_pair_swapped(
    installation: Installation,
    line: Line,
    postgres_server: Postgres,
    rabbitmq: RabbitMQ,
    capsys: pytest.CaptureFixture[str],
) -> None:
    chats = [Chat(installation, line, f"491796{n:07}") for n in range(PAIRS)]
    for chat in chats:
        chat.writes("hello")
    for chat in chats:
        chat.agent_reads_in_time("hello")
    installation.control("POST", "/faults", {"meta": SOON_AGAIN})
    tried, swapped = 0, list[str]()
    for number in range(OVERLAPS):
        known_to_every_worker(installation)
        wait_until(lambda: traffic.unfinished(installation) == 0, 60, "nothing to be under way")
        Overlap(Random(number), postgres_server, rabbitmq).between(chats, number)
        pair = [f"first {number}", f"second {number}"]
        missing = lambda: [chat for chat in chats if not set(pair) <= set(chat.agent_reads()[-4:])]  # noqa: B023, E731
        try:
            wait_until(lambda: not missing(), 240, f"both of each pair of overlap {number} to arrive")  # noqa: B023
        except DeadlinePassed as passed:
            raise AssertionError(f"{passed}: {[_known(chat) for chat in missing()]}") from None
        in_time = [chat for chat in chats if _taken_in_time(*chat.sent_by_phone()[-2:])]
        tried += len(in_time)
        swapped += [f"{chat.wa_id}: {chat.agent_reads()[-2:]}" for chat in in_time if chat.agent_reads()[-2:] != pair]
        with capsys.disabled():
            print(f"\n  {number + 1} overlaps, {tried} pairs, swapped {len(swapped)}", end="")
    assert tried, "of no pair the first was taken in time: this run has shown nothing"
    assert not swapped, swapped


def _known(chat: Chat) -> list[tuple[dict[str, Any], dict[str, Any]]]:
    return [(one["webhook"], chat.installation.row(one["id"])) for one in chat.sent_by_phone()[-2:]]


def _taken_in_time(second: dict[str, Any], first: dict[str, Any]) -> bool:
    """Posted once, and taken while the other was still held. Where a broker was away sooner, Meta had to repeat it."""
    one, other = first["webhook"], second["webhook"]
    return one["attempts"] == 1 and one["answered_at"] < other["posted_at"] + 0.8 * WINDOW_SECONDS


class Overlap:
    """Who goes first, how, who is back first, and how long all that takes, is chance."""

    def __init__(self, chance: Random, postgres: Postgres, rabbitmq: RabbitMQ) -> None:
        self._chance, self._postgres, self._rabbitmq = chance, postgres, rabbitmq

    def between(self, chats: Sequence[Chat], number: int) -> None:
        """The second of each pair is stored when it begins; the first is written when one of them has gone, or both."""
        now = int(time.time())
        for chat in chats:
            chat.writes(f"second {number}", timestamp=now)
        wait_until(lambda: traffic.unfinished(chats[0].installation) == len(chats), 10, "the second of each", 0.01)
        database_first = self._chance.random() < 0.7
        if database_first:
            self._postgres.stop()
        writing = gevent.spawn(self._write, chats, f"first {number}", now - 5)
        gevent.sleep(self._chance.uniform(0.1, 1.5))
        self._end_broker()
        if not database_first:
            gevent.sleep(self._chance.uniform(0.0, 1.0))
            self._postgres.stop()
        gevent.sleep(self._chance.uniform(0.0, 2.0))
        both: list[Postgres | RabbitMQ] = [self._postgres, self._rabbitmq]
        self._chance.shuffle(both)
        for server in both:
            _back(server)
            gevent.sleep(self._chance.uniform(0.0, 2.0))
        writing.get(timeout=60)

    @staticmethod
    def _write(chats: Sequence[Chat], text: str, dated: int) -> None:
        for chat in chats:
            chat.writes(text, timestamp=dated)

    def _end_broker(self) -> None:
        if self._chance.random() < 0.8:
            self._rabbitmq.child.kill9()
        else:
            self._rabbitmq.child.stop()
