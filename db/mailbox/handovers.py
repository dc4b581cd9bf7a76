"""Asking for a conversation to be handed over: a row among the messages, which its actor sees to in its turn.

So it comes after what was written before it, is claimed like a message, and is shown with what became of it.
"""

from __future__ import annotations

from dataclasses import asdict

from db.mailbox import sends
from db.mailbox.sends import PREFIX, NewSend
from db.pool import Pool
from relay.core.contacts.mapping import ConversationMapping
from relay.core.messages import Message, Person
from relay.core.threads import THREAD_CONTROL, ThreadControl, in_words


def ask(pool: Pool, mapping: ConversationMapping, control: ThreadControl, key: str, by: str, at: float) -> str:
    """The id of the row, written and its shard's owner told; with a `key` that was used before, of that one.

    `by`: who asked, `at`: Unix seconds. After `threads.LATEST_SECONDS` it is not done any more. Raises
    OtherRequestError where something else was asked for with the key.
    """
    address = mapping.wa_id or mapping.bsuid or mapping.genesys_address
    message = Message(
        f"{PREFIX}{key}", Person(address), at, type=THREAD_CONTROL, text=in_words(control), control=control
    )
    request = {"conversation": mapping.conversation_id, "control": asdict(control)}
    asked = NewSend(mapping.tenant_id, mapping.line_id, "outbound", message, at, by, request, mapping.conversation_id)
    return sends.put(pool, asked, shards=0)
