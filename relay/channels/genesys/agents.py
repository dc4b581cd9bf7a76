"""Who talks in a conversation at Genesys: told of by the events of agents who come and go, and read back.

The webhooks name no agent [genesys.md 3.4]. Source: SDK models ConversationUserStartEvent, MessageMediaParticipant and
User, whose `preferredName` is what an agent wants to be called.
"""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

from relay.channels.base import Account
from relay.channels.genesys.client import GenesysClient
from relay.channels.genesys.errors import failure
from relay.channels.genesys.events import conversation_of, opened
from relay.channels.genesys.history import MESSAGES
from relay.channels.http.client import HttpResponse
from relay.channels.http.reading import record, records
from relay.channels.text import clean
from relay.core.conversation.signature import AgentName

MOVES = {"user.start": False, "user.end": True}
TALKING = ("connected",)
LONGEST = 200


class GenesysAgents:
    """The contract of base.Agents."""

    def __init__(self, client: GenesysClient) -> None:
        self._client = client

    @staticmethod
    def moves(body: Any) -> dict[str, bool]:
        found: dict[str, bool] = {}
        for topic, event in opened(body):
            left = next((gone for name, gone in MOVES.items() if topic.endswith(name)), None)
            conversation = conversation_of(event)
            if left is not None and conversation is not None:
                found[conversation] = found.get(conversation, False) or left
        return found

    def talking(self, conversation: str, account: Account, deadline: float) -> dict[str, AgentName]:
        data = record(self._asked(f"{MESSAGES}/{quote(conversation, safe='')}", account, deadline).data)
        found: dict[str, AgentName] = {}
        for one in records(data.get("participants")):
            user = record(one.get("user"))
            user_id = clean(user.get("id"))
            if clean(one.get("purpose")) == "agent" and clean(one.get("state")) in TALKING and user_id:
                found[user_id] = AgentName((clean(user.get("name")) or "")[:LONGEST])
        return found

    def person(self, user_id: str, account: Account, deadline: float) -> AgentName:
        user = record(self._asked(f"/api/v2/users/{quote(user_id, safe='')}", account, deadline).data)
        name, alias = clean(user.get("name")) or "", clean(user.get("preferredName")) or ""
        return AgentName(name[:LONGEST], alias[:LONGEST])

    def _asked(self, path: str, account: Account, deadline: float) -> HttpResponse:
        answer = self._client.call("GET", path, account, deadline)
        if answer.status == 200 and isinstance(answer.data, dict):
            return answer
        raise failure(answer, account.credentials.values(), about_another=True)
