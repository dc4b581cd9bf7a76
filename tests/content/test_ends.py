"""The end of a conversation, from the desk to the phone, each way that Genesys tells of it."""

from __future__ import annotations

from itertools import count
from typing import Any

import pytest

from tests.flow.chat import Chat
from tests.flow.installation import Installation, Line

numbers = count(4915500800001)


@pytest.fixture(scope="module")
def line(installation: Installation) -> Line:
    return installation.tenant("Ends", settings={"end_text": "Goodbye."})[0]


@pytest.fixture(scope="module", autouse=True)
def key(installation: Installation, line: Line) -> str:
    wanted = {"name": "EventBridge", "scopes": ["events:write"]}
    return str(installation.api("POST", f"/api/tenants/{line.tenant_id}/keys", wanted)["key"])


def told_by(installation: Installation, line: Line, **how: Any) -> None:
    """Where this line's Genesys posts its events."""
    installation.control("POST", "/accounts", {"genesys": {"integration_id": line.integration_id, **how}})


@pytest.mark.parametrize("shape", ["eventbridge", "trigger"])
def test_what_follows_an_end_arrives_after_the_agents_last_word(
    installation: Installation, line: Line, key: str, shape: str
) -> None:
    url = f"{installation.env['PUBLIC_URL']}/genesys/events"
    told_by(installation, line, events_url=url, events_key=key, events_shape=shape)
    chat = Chat(installation, line, str(next(numbers)))
    chat.writes("hello")
    chat.agent_reads_in_time("hello")
    chat.answers("anything else?")
    chat.answers("then have a good day")
    contact = chat.wa_id
    installation.control("POST", f"/agent/{contact}/leave", {"integration_id": line.integration_id, "how": "TRANSFER"})
    installation.control("POST", f"/agent/{contact}/end", {"integration_id": line.integration_id})
    chat.phone_reads_in_time("anything else?", "then have a good day", "Goodbye.")
    conversation = installation.rows("SELECT conversation_id FROM conversation_ends ORDER BY id DESC LIMIT 1")[0]
    path = f"/api/conversations/{conversation['conversation_id']}/ends"
    kinds = [one["kind"] for one in installation.api("GET", path, tenant=line.tenant_id)["items"]]
    assert kinds == ["agent_left", "over"]
