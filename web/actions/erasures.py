"""Erasing a person, as page and API ask for it."""

from __future__ import annotations

from db.contacts import erasures
from db.contacts.erasures import Erasure
from relay.core.contacts.phones import dialled
from relay.core.contacts.user_ids import is_user_id
from web.request.context import pool, web_context
from web.request.errors import wrong_field
from web.request.principal import by


def begin(tenant_id: str, contact: str) -> Erasure:
    """`contact`: a number as people write it, or a user id. Raises ApiError, TakenError, NotFoundError."""
    given = contact.strip()
    name = given if is_user_id(given) else dialled(given)
    if name is None:
        raise wrong_field("contact", "must be a phone number with country code, or a business-scoped user id")
    context = web_context()
    return erasures.begin(pool(), context.cipher, context.signers, by(), tenant_id, name)
