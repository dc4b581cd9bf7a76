"""Erasing a person, as page and API ask for it."""

from __future__ import annotations

from db.contacts import erasures
from db.contacts.erasures import Erasure
from relay.core.erasure import sought
from web.request.context import pool, web_context
from web.request.errors import wrong_field
from web.request.principal import by


def begin(tenant_id: str, contact: str) -> Erasure:
    """`contact`: a number as people write it, or a user id. Raises ApiError, TakenError, NotFoundError."""
    try:
        name = sought(contact)
    except ValueError as error:
        raise wrong_field("contact", str(error)) from None
    context = web_context()
    return erasures.begin(pool(), context.cipher, context.signers, by(), tenant_id, name)
