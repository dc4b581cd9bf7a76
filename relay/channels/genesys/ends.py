"""What Genesys tells of a conversation's end, whichever way it comes, and how one is ended there.

Source: Resource Center, overview of triggers; SDK models ConversationUserEndEvent and ConversationCustomerEndEvent.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

from relay.channels.base import Account, Agents, Listening
from relay.channels.genesys.agents import GenesysAgents
from relay.channels.genesys.client import GenesysClient
from relay.channels.genesys.errors import failure
from relay.channels.genesys.events import conversation_of, opened, word
from relay.channels.genesys.history import MESSAGES
from relay.channels.genesys.listening import GenesysListening
from relay.channels.http.client import HttpTransport
from relay.channels.text import unix_seconds
from relay.core.conversation.ends import ConversationEnd

TOPICS = ("customer.end", "user.end")


class GenesysEnds:
    """The contract of base.Ends."""

    def __init__(self, client: GenesysClient, transport: HttpTransport) -> None:
        self._client = client
        self.agents: Agents = GenesysAgents(client)
        self.listening: Listening = GenesysListening(client, transport)

    def told(self, body: Any) -> Iterator[ConversationEnd]:
        return ends(body)

    def end(self, conversation: str, account: Account, deadline: float) -> None:
        """All participants leave. Source: CLI; it takes conversation:communication:disconnect."""
        path = f"{MESSAGES}/{quote(conversation, safe='')}"
        answer = self._client.call("PATCH", path, account, deadline, body={"state": "disconnected"})
        if answer.status >= 300:
            raise failure(answer, account.credentials.values(), about_another=True)


def ends(body: Any) -> Iterator[ConversationEnd]:
    """The ends that it tells of, in its order. Over: the customer's part has ended. An agent has left: a part in which
    it came to talking has ended, and was not passed on to somebody else."""
    for topic, event in opened(body):
        found = _end(topic, event)
        if found is not None:
            yield found


def _end(topic: str, event: dict[str, Any]) -> ConversationEnd | None:
    kind = next((name for name in TOPICS if topic.endswith(name)), None)
    conversation = conversation_of(event)
    if kind is None or conversation is None:
        return None
    reason = word(event, "disconnectType").upper()
    if kind == "user.end" and (not _talked(event) or reason.endswith("TRANSFER")):
        return None
    told = event.get("eventTime") or event.get("eventDate")
    at = unix_seconds(told) if told else time.time()
    who = word(event, "participantId")
    return ConversationEnd("over" if kind == "customer.end" else "agent_left", conversation, at, who, reason)


def _talked(event: dict[str, Any]) -> bool:
    """Whoever was only called, and did not answer, has not left. As a text where a workflow wrote it."""
    try:
        return float(event.get("interactingDurationMs") or 0) > 0
    except (TypeError, ValueError, OverflowError):
        return False
