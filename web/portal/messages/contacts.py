"""Names beside ids: the contacts of a page of messages, and the tenant's lines for filters."""

from __future__ import annotations

from collections.abc import Iterable

from db.contacts import named
from db.contacts.named import Contact
from db.tenants import onboarding
from relay.core.explain.steps import Tracked
from web.portal.frame.blueprint import tenant, tenant_pool


def of(messages: Iterable[Tracked]) -> dict[str, Contact]:
    """By conversation."""
    return named.named(tenant_pool(), (one.conversation_id for one in messages))


def lines() -> dict[str, str]:
    """The tenant's lines by id, called by their WhatsApp number's id."""
    return {line.id: line.phone_number_id for line in onboarding.listed(tenant_pool(), tenant().id)}


def line_choices(known: dict[str, str]) -> dict[str, str]:
    """For a filter: all of them, or one."""
    return {"": "All lines", **known}
