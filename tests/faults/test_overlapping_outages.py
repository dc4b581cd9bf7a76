"""PostgreSQL and RabbitMQ away at the same time: what was ahead in a queue is waited for, whoever is back first."""

from __future__ import annotations

import time

import pytest

from demo.stack import Postgres
from tests.faults.test_outages import known_to_every_worker, posted
from tests.flow import traffic
from tests.flow.chat import Chat
from tests.flow.installation import Installation, Line
from tests.services.rabbitmq import RabbitMQ
from tests.waiting import wait_until

PAIRS = 14


@pytest.fixture(scope="module")
def own_settings() -> dict[str, str]:
    """A window that is still open when PostgreSQL has gone: the first of each pair arrives at web within it."""
    return {"REORDER_WINDOW_MS": "3000"}


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


@pytest.mark.parametrize(
    "first_back", [pytest.param("postgresql", marks=pytest.mark.each_commit), pytest.param("rabbitmq")]
)
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
