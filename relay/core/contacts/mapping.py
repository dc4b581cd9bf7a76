"""One contact on one line, as its row says it. A value; `db.contacts.mappings` reads and writes it."""

from __future__ import annotations

from dataclasses import dataclass, replace

from relay.core.messages import Recipient

OUT_OF_DATE = -1
"""In place of a `names_version`: found by names that changed hands meanwhile."""


@dataclass(frozen=True, slots=True)
class ConversationMapping:
    """One contact on one line. `shard` and `genesys_address` are set at creation and never changed.

    Times are Unix seconds. `window_until`: till then the business may write freely; None: nobody knows.
    `invited_at`: a template went out since the window closed. `last_inbound_id`: the provider's id of the newest
    message of the contact. `names_version`: raised with every name given up or lost; `OUT_OF_DATE` in what was
    found by names that changed hands meanwhile.
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
    window_until: float | None = None
    invited_at: float | None = None

    def after(self, known: ConversationMapping) -> ConversationMapping:
        """Whoever wrote this may know less than `known`: what only grows stays."""
        genesys_id = self.genesys_conversation_id or known.genesys_conversation_id
        until = max(filter(None, (self.window_until, known.window_until)), default=None)
        last = self.last_inbound_id or known.last_inbound_id
        if (genesys_id, until, last) == (self.genesys_conversation_id, self.window_until, self.last_inbound_id):
            return self
        return replace(self, genesys_conversation_id=genesys_id, window_until=until, last_inbound_id=last)

    @property
    def recipient(self) -> Recipient:
        return Recipient(
            self.genesys_address, self.wa_id, self.bsuid, self.name, self.genesys_conversation_id is not None,
            self.names_version == 0,
        )  # fmt: skip
