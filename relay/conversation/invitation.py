"""After the 24-hour window: the line's template in place of a message that may no longer be sent."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from db.mailbox import invitations
from db.pool import Pool
from relay.core.contacts.mapping import ConversationMapping
from relay.core.conversation import window
from relay.core.explain.causes import own_cause
from relay.core.messages import Message, Report


@dataclass(frozen=True, slots=True)
class Invited:
    """`contains`: a template goes out with the message's text in it, so that nothing failed after all."""

    contains: bool
    reason: str | None


def invite(pool: Pool, mapping: ConversationMapping, report: Report, settings: Mapping[str, Any]) -> Invited:
    """Send the line's template in place of the message, if it has one and the contact was not invited yet.

    One that does not hold the text goes out once, until the contact writes again. Raises StoreError.
    """
    now = time.time()
    closed_at = report.time if own_cause(report.code) is None else None

    def in_its_place(message: Message, invited_at: float | None) -> Message | None:
        template = window.in_its_place(message, settings, mapping.name)
        if template is None or template.template is None:
            return None
        return None if template.template.instead and invited_at is not None else template

    sent = invitations.send(pool, mapping.conversation_id, report.message_id, in_its_place, now, closed_at)
    if sent is None:
        return Invited(False, report.reason)
    return Invited(not sent.template.instead, sent.reason)
