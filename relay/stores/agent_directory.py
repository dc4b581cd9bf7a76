"""Which agent talks in which conversation, as far as that is known, and of which it is to be found out.

In Redis, and all of it may be lost at any time: then messages bear no name until an agent comes or goes again.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from dataclasses import asdict, replace

from relay.core.conversation.signature import AgentName, AgentQuestion
from relay.core.messages import dump, load
from relay.stores import keys
from relay.stores.cache import Cache

KNOWN_SECONDS = 8 * 3600.0
"""No agent talks in one conversation for longer without a pause; a leaving that nobody told of ends with it."""
PERSON_SECONDS = 24 * 3600.0
MOST_QUESTIONS = 1_000
"""Of a tenant."""
EACH = 2
"""Of a tenant at one take: whoever has many waits for itself."""


class AgentDirectory:
    def __init__(self, cache: Cache) -> None:
        self._cache = cache

    def of(self, tenant_id: str, conversation_id: str) -> AgentName | None:
        """One look-up in Redis, bounded as all of them are."""
        return _name(self._cache.recall(keys.agent(tenant_id, conversation_id)))

    def keep(self, tenant_id: str, conversation_id: str, agent: AgentName | None) -> None:
        """None: nobody, or nobody knows who."""
        known = asdict(agent) if agent is not None else {}
        self._cache.remember(keys.agent(tenant_id, conversation_id), known, KNOWN_SECONDS)

    def person(self, tenant_id: str, user_id: str) -> AgentName | None:
        """What this person is called, if that was asked within a day."""
        return _name(self._cache.recall(keys.agent_person(tenant_id, user_id)))

    def keep_person(self, tenant_id: str, user_id: str, agent: AgentName) -> None:
        self._cache.remember(keys.agent_person(tenant_id, user_id), asdict(agent), PERSON_SECONDS)

    def moved(self, questions: Sequence[AgentQuestion], *, gone: bool) -> None:
        """An agent was called to these conversations, or has `gone` from them: who talks now is to be found out."""
        for one in questions if gone else ():
            self.keep(one.tenant_id, one.conversation_id, None)
        self.ask(questions)

    def ask(self, questions: Iterable[AgentQuestion], seconds: float = 0.0) -> None:
        """To be found out, by whichever daemon, after `seconds`."""
        at, due = time.time() + seconds, dict[str, dict[str, float]]()
        for one in questions:
            due.setdefault(one.tenant_id, {})[dump(one).decode()] = at
        for tenant_id, members in due.items():
            self._cache.queue(keys.agent_turns(), tenant_id, keys.agent_questions(tenant_id), members, MOST_QUESTIONS)

    def take_due(self, most: int) -> list[AgentQuestion]:
        """Each for one daemon alone; the tenants take turns."""
        found = []
        before, _, behind = keys.agent_questions("*").partition("*")
        for one in self._cache.take_due(keys.agent_turns(), (before, behind), time.time(), most, EACH):
            try:
                found.append(load(AgentQuestion, one))
            except ValueError:
                continue  # written by another version
        return found

    def again(self, question: AgentQuestion, seconds: float) -> None:
        self.ask([replace(question, tries=question.tries + 1)], seconds)


def _name(kept: dict[str, object] | None) -> AgentName | None:
    name = (kept or {}).get("name")
    alias = (kept or {}).get("alias")
    return AgentName(name, alias if isinstance(alias, str) else "") if isinstance(name, str) and name else None
