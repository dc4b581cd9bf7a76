"""Messages of somebody who is being erased: their conversation lost its names in the transaction that asked for it."""

from __future__ import annotations

from relay.core.languages import phrase

ERASED = """EXISTS (SELECT 1 FROM conversation_mappings c
         WHERE c.id = m.conversation_id AND c.genesys_address = 'erased-' || c.id)"""
"""Of the row `m`. One look by its key, and only where a call did not go through."""
CODE, REASON = "erased", phrase("the person is being erased")
