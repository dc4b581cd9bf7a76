"""Who talks in a conversation: told by events, found out beside the path, known to whoever sends."""

from __future__ import annotations

from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any
from uuid import uuid4

import pytest
from cryptography.fernet import Fernet
from psycopg2.extras import Json

from db.contacts import agents, conversations
from db.pool import Pool
from db.sealing import Cipher
from relay.actors.agents import AgentsActor
from relay.channels.base import Account
from relay.core.conversation.signature import AgentName, AgentQuestion
from relay.core.mailbox import Row
from relay.runtime.commands import Tick
from relay.runtime.context import Limits
from relay.stores.agent_directory import AgentDirectory
from relay.stores.cache import Cache
from tests.integration.rows import new_line, new_message
from tests.waiting import wait_until

ANA = AgentName("Ana", "Annie")


class AgentsDesk:
    """The agents' side: who talks, and what they are called."""

    def __init__(self) -> None:
        self.now: dict[str, AgentName] = {}

    def talking(self, conversation: str, account: Account, deadline: float) -> dict[str, AgentName]:
        return self.now

    def person(self, user_id: str, account: Account, deadline: float) -> AgentName:
        return ANA


@pytest.fixture
def cipher() -> Cipher:
    return Cipher([Fernet.generate_key().decode()])


@pytest.fixture
def directory(redis_url: str, cipher: Cipher) -> Iterator[AgentDirectory]:
    cache = Cache(redis_url, cipher)
    made = AgentDirectory(cache)
    while made.take_due(1000):  # of other tests
        pass
    yield made
    cache.close()


@pytest.fixture
def talk(pool: Pool) -> Row:
    """A conversation of a line that shows aliases."""
    line_id = new_line(pool)
    with pool.autocommit() as cursor:
        cursor.execute(
            """UPDATE lines SET status = 'active', phone_number_id = id, integration_id = id, settings = %s
               WHERE id = %s""",
            (Json({"agent_name": "alias"}), line_id),
        )
    row = new_message(pool, line_id)
    with pool.transaction() as cursor:
        conversations.see_genesys_conversations(cursor, [(row.conversation_id, str(uuid4()))])
    return row


def genesys_id(pool: Pool, row: Row) -> str:
    with pool.autocommit() as cursor:
        cursor.execute(
            "SELECT genesys_conversation_id FROM conversation_mappings WHERE id = %s", (row.conversation_id,)
        )
        return str(cursor.fetchone()[0])


def test_only_the_tenants_own_conversations_whose_line_shows_names_are_asked_about(pool: Pool, talk: Row) -> None:
    named = genesys_id(pool, talk).replace("-", "")
    [question] = agents.asked_about(pool, talk.tenant_id, [named, str(uuid4())])[named]
    assert (question.line_id, question.conversation_id) == (talk.line_id, talk.conversation_id)
    assert agents.asked_about(pool, str(uuid4()), [named]) == {}
    with pool.autocommit() as cursor:
        cursor.execute("UPDATE lines SET settings = '{}' WHERE id = %s", (talk.line_id,))
    assert agents.asked_about(pool, talk.tenant_id, [named]) == {}


def test_who_talks_is_found_out_and_whoever_goes_is_forgotten_at_once(
    pool: Pool, talk: Row, cipher: Cipher, directory: AgentDirectory
) -> None:
    desk = AgentsDesk()
    desk.now = {"u-1": AgentName("Ana")}
    bucket, timers = SimpleNamespace(owe=lambda *_: True), SimpleNamespace(after=lambda *_: None)
    channels = {"genesys": SimpleNamespace(ends=SimpleNamespace(agents=desk))}
    parts: Any = SimpleNamespace(
        pool=pool, cipher=cipher, timers=timers, bucket=bucket, channels=channels, agents=directory,
        limits=Limits(1, 1.0, 1.0, 300.0, 80.0, 60, 60), call=lambda: pytest.MonkeyPatch.context(),
    )  # fmt: skip
    question = AgentQuestion(talk.tenant_id, talk.line_id, talk.conversation_id, "g-1")
    directory.moved([question], gone=False)
    actor = AgentsActor.start(parts)

    def known() -> AgentName | None:
        actor.tell(Tick())
        return directory.of(talk.tenant_id, talk.conversation_id)

    try:
        wait_until(lambda: known() == ANA, message="the agent to be known")
        desk.now = {}
        directory.moved([question], gone=True)
        assert directory.of(talk.tenant_id, talk.conversation_id) is None
        wait_until(lambda: known() is None and not directory.take_due(9), message="nobody to be known")
        desk.now = {"u-1": AgentName("Ana"), "u-2": AgentName("Ben")}
        directory.moved([question], gone=False)
        wait_until(lambda: known() is None, message="of two nobody to be known")
    finally:
        actor.stop()


def test_a_question_is_for_one_daemon_alone_and_waits_for_its_time(directory: AgentDirectory) -> None:
    question = AgentQuestion("t", "l", uuid4().hex, "g")
    directory.ask([question])
    assert directory.take_due(10) == [question]
    assert directory.take_due(10) == []
    directory.again(question, 60.0)
    assert directory.take_due(10) == []


def test_a_tenant_with_many_questions_keeps_nobody_elses_waiting(directory: AgentDirectory) -> None:
    many, few = uuid4().hex, uuid4().hex
    directory.ask(AgentQuestion(many, "l", uuid4().hex, "g") for _ in range(50))
    directory.ask([AgentQuestion(few, "l", uuid4().hex, "g")])
    taken = [one.tenant_id for _ in range(3) for one in directory.take_due(2)]
    assert (taken.count(few), len(taken)) == (1, 6)
    assert len({one.conversation_id for _ in range(60) for one in directory.take_due(8)}) == 50 - 5
    assert directory.take_due(8) == []
