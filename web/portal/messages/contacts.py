"""Names beside ids: the contacts of a page of messages."""

from __future__ import annotations

from collections.abc import Iterable

from db.contacts import named
from db.contacts.named import Contact
from relay.core.explain.steps import Tracked
from web.portal.frame.blueprint import tenant_pool


def of(messages: Iterable[Tracked]) -> dict[str, Contact]:
    """By conversation."""
    return named.named(tenant_pool(), (one.conversation_id for one in messages))
