"""What the relay itself says in a conversation is said in its tenant's language; what people write stays as it is."""

from __future__ import annotations

from tests.content.rows_inbound import gesture
from tests.flow.chat import Chat
from tests.flow.installation import Installation
from tests.waiting import wait_until

POLL = (
    "[Der Kunde hat eine Umfrage gesendet. WhatsApp gibt Umfragen nicht weiter: "
    "Bitten Sie den Kunden, den Inhalt zu schreiben.]"
)


def test_agents_read_what_the_relay_says_in_their_language(installation: Installation) -> None:
    line = installation.tenant("Sprachen")[0]
    chat = Chat(installation, line, "4915700000001")
    installation.api("PATCH", f"/api/tenants/{line.tenant_id}", {"language": "de"})
    wait_until(lambda: told_of_a_poll(chat) == POLL, message="web to know the tenant's language")
    first = chat.writes("Order")
    gesture(chat, "reactions", id=first, emoji="👍")
    chat.writes("Continue", reply_to=first)
    chat.agent_reads_in_time(
        POLL,
        "Order",
        "Hat mit 👍 auf die eigene Nachricht reagiert: „Order“",
        "Als Antwort auf die eigene Nachricht: „Order“\nContinue",
    )


def told_of_a_poll(chat: Chat) -> str:
    before = len(chat.agent_reads())
    chat.writes(type="poll", sample=True)
    return str(wait_until(lambda: chat.agent_reads()[before:], message="the agent to be told of a poll")[0])
