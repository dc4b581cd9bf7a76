"""AgentsActor: finds out beside the messages' path which agent talks in a conversation, where its line shows that."""

from __future__ import annotations

import time
from collections import Counter
from dataclasses import replace

import structlog
from gevent.pool import Pool as Greenlets

from db.tenants import lines
from relay import metrics
from relay.channels.base import Account, Agents
from relay.checks.line_checks import account_of
from relay.core.conversation.signature import AgentName, AgentQuestion
from relay.core.errors import SendError, StoreError
from relay.runtime.context import Parts
from relay.runtime.regular import RegularActor
from relay.runtime.side import count_call

log = structlog.get_logger(__name__)

AT_ONCE = 8
OF_A_TENANT = 2
"""Of those at once: one whose Genesys does not answer leaves the others' theirs."""
CALL_SECONDS = 10.0
BUSY_SECONDS = 2.0
AGAIN_SECONDS = (3.0, 10.0, 30.0, 60.0)
"""An agent who is called may take a while to answer, and Genesys tells of no answer."""


class AgentsActor(RegularActor):
    """What cannot be found out is not known: then messages bear no name."""

    every_seconds = 1.0
    busy_seconds = 0.1

    def __init__(self, parts: Parts) -> None:
        super().__init__(parts)
        self._calls = Greenlets(AT_ONCE)
        self._under_way: Counter[str] = Counter()
        """By tenants."""

    def work(self) -> bool:
        free = self._calls.free_count()
        due = self._parts.agents.take_due(free) if free else []
        for question in due:
            if self._under_way[question.tenant_id] >= OF_A_TENANT:
                self._parts.agents.ask([question], BUSY_SECONDS)
                continue
            self._under_way[question.tenant_id] += 1
            self._calls.spawn(self._ask_one, question)
        self._under_way = +self._under_way
        return len(due) > 0

    def _ask_one(self, question: AgentQuestion) -> None:
        try:
            self._ask(question)
        except (SendError, StoreError) as error:
            log.info("agent_not_known", line_id=question.line_id, error=str(error))
            self._forget(question)
        except Exception:
            metrics.actor_failures.labels(type(self).__name__).inc()
            log.exception("agent_not_looked_for", line_id=question.line_id)
        finally:
            self._under_way[question.tenant_id] -= 1

    def _ask(self, question: AgentQuestion) -> None:
        held = lines.accounts(self._parts.pool, self._parts.cipher, question.line_id)
        ends = self._parts.channels["genesys"].ends
        if held is None or ends is None or not held.settings.get("agent_name"):
            return
        account, deadline = account_of(held, "genesys"), time.monotonic() + CALL_SECONDS
        count_call(self._parts, account)
        with self._parts.call():
            talking = ends.agents.talking(question.genesys_conversation_id, account, deadline)
        if len(talking) != 1:  # of two nobody knows who writes
            self._forget(question)
            return
        [(user_id, name)] = talking.items()
        person = self._person(ends.agents, user_id, name, account)
        self._parts.agents.keep(question.tenant_id, question.conversation_id, person)

    def _person(self, agents: Agents, user_id: str, name: AgentName, account: Account) -> AgentName:
        """What the conversation says is enough, but for an alias."""
        if name.name and account.settings.get("agent_name") != "alias":
            return name
        known = self._parts.agents.person(account.tenant_id, user_id)
        if known is not None:
            return known
        try:
            count_call(self._parts, account)
            with self._parts.call():
                person = agents.person(user_id, account, time.monotonic() + CALL_SECONDS)
        except SendError as error:
            log.info("agent_without_alias", line_id=account.line_id, error=str(error))
            return name
        person = replace(person, name=person.name or name.name)
        self._parts.agents.keep_person(account.tenant_id, user_id, person)
        return person

    def _forget(self, question: AgentQuestion) -> None:
        """Nobody is known; whoever was called may have answered a little later."""
        self._parts.agents.keep(question.tenant_id, question.conversation_id, None)
        if question.tries < len(AGAIN_SECONDS):
            self._parts.agents.again(question, AGAIN_SECONDS[question.tries])
