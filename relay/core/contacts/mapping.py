"""One contact on one line, as its row says it. A value; `db.contacts.mappings` reads and writes it."""

from __future__ import annotations

from dataclasses import dataclass, replace

from relay.core.messages import Recipient
from relay.core.threads import ThreadFact, ThreadState, as_of, prevailing, told_before

OUT_OF_DATE = -1
"""In place of a `names_version`: found by names that changed hands meanwhile."""


@dataclass(frozen=True, slots=True)
class ConversationMapping:
    """One contact on one line. `shard` and `genesys_address` are set at creation and never changed.

    Times are Unix seconds. `window_until`: till then the business may write freely; None: nobody knows.
    `invited_at`: a template went out since the window closed. `last_inbound_id`: the provider's id of the newest
    message of the contact. `names_version`: raised with every name given up or lost; `OUT_OF_DATE` in what was
    found by names that changed hands meanwhile. `thread_state`, `thread_role`, `thread_at`: what was last heard of who
    answers the contact (`thread`); `heard_at`: when the contact last wrote, to whomever.
    """

    conversation_id: str
    tenant_id: str
    line_id: str
    genesys_address: str
    shard: int
    wa_id: str | None
    bsuid: str | None
    parent_bsuid: str | None
    name: str | None
    genesys_conversation_id: str | None
    username: str | None = None
    last_inbound_id: str | None = None
    names_version: int = 0
    thread_state: ThreadState | None = None
    thread_role: str | None = None
    window_until: float | None = None
    invited_at: float | None = None
    thread_at: float | None = None
    heard_at: float | None = None

    def after(self, known: ConversationMapping) -> ConversationMapping:
        """Whoever wrote this may know less than `known`: what only grows stays."""
        genesys_id = self.genesys_conversation_id or known.genesys_conversation_id
        until = max(filter(None, (self.window_until, known.window_until)), default=None)
        last = self.last_inbound_id or known.last_inbound_id
        heard = max(filter(None, (self.heard_at, known.heard_at)), default=None)
        fact = prevailing(self.thread, known.thread) if self.thread else known.thread
        mine = (self.genesys_conversation_id, self.window_until, self.last_inbound_id, self.heard_at, self.thread)
        if (genesys_id, until, last, heard, fact) == mine:
            return self
        return replace(
            self, genesys_conversation_id=genesys_id, window_until=until, last_inbound_id=last, heard_at=heard,
        ).told(fact)  # fmt: skip

    @property
    def thread(self) -> ThreadFact | None:
        """What was last heard of who answers the contact, however long ago."""
        return told_before(self.thread_state, self.thread_at, self.thread_role)

    def thread_now(self, now: float) -> ThreadFact:
        """Who answers the contact at `now` (Unix seconds)."""
        return as_of(self.thread, self.heard_at, now)

    def told(self, fact: ThreadFact | None) -> ConversationMapping:
        """The same once this has been heard about its thread."""
        if fact is None:
            return self
        found = prevailing(fact, self.thread)
        return replace(self, thread_state=found.state, thread_role=found.role, thread_at=found.at)

    @property
    def recipient(self) -> Recipient:
        return Recipient(
            self.genesys_address, self.wa_id, self.bsuid, self.name, self.genesys_conversation_id is not None,
            self.names_version == 0,
        )  # fmt: skip
