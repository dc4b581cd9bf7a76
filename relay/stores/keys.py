"""The names of all Redis keys. Nothing else puts one together; docs/redis-keys.md explains each."""

from __future__ import annotations

import hashlib

PREFIX = "relay"


def cached(key: str) -> str:
    """Sealed values: tokens and whatever else asks for a place under its own name."""
    return f"{PREFIX}:cache:{key}"


def route(kind: str, value: str) -> str:
    """Look-ups made before a tenant is known: they are how it becomes known.

    `kind` is whatsapp, genesys (a provider's id), tenant (its id), tenant-number (id/digits), account (a WhatsApp
    account's id/digits), line-key or tenant-key (the unguessable part of a webhook URL, hashed: a list of Redis keys
    must not hand it out).
    """
    shown = hashlib.sha256(value.encode("utf-8", "replace")).hexdigest()[:32] if kind.endswith("-key") else value
    return f"{PREFIX}:route:{kind}:{shown}"


def mapping(tenant_id: str, line_id: str, address: str) -> str:
    """From a contact's address (wa_id, BSUID) on a line to the conversation."""
    return f"{PREFIX}:{tenant_id}:mapping:{line_id}:{address}"


def conversation(tenant_id: str, conversation_id: str) -> str:
    """The reverse: from the conversation to the contact."""
    return f"{PREFIX}:{tenant_id}:conversation:{conversation_id}"


def template(tenant_id: str, name: str) -> str:
    """What is known of a template: all languages of one name."""
    return f"{PREFIX}:{tenant_id}:template:{name}"


def agent(tenant_id: str, conversation_id: str) -> str:
    """What the agent is called who talks in a conversation."""
    return f"{PREFIX}:{tenant_id}:agent:{conversation_id}"


def agent_person(tenant_id: str, user_id: str) -> str:
    """What one of the tenant's people at Genesys is called."""
    return f"{PREFIX}:{tenant_id}:agent-person:{user_id}"


def agent_questions(tenant_id: str) -> str:
    """The tenant's conversations of which it is to be found out who talks in them, by when."""
    return f"{PREFIX}:{tenant_id}:agent-questions"


def agent_turns() -> str:
    """Tenants with such conversations, by when it was last their turn."""
    return f"{PREFIX}:agent-turns"


def fence(key: str) -> str:
    """Says that `key` was forgotten a moment ago: what was read before then must not be written."""
    return f"{key}:fence"


def refused(line_id: str) -> str:
    """Since when webhooks of this line are answered 503, by whichever worker."""
    return f"{PREFIX}:refused:{line_id}"


def bucket(key: str) -> str:
    """A shared rate limit, by what the provider counts: `whatsapp:<tenant>:<number>`, `genesys:<tenant>:<client>`.

    And by who asks us: `web-<limit>:<key, user or address>` (web.request.limits).
    """
    return f"{PREFIX}:limit:{key}"
