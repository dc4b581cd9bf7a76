"""The ids of Genesys' messages: 32 hexadecimal digits, which its documents show with dashes as well."""

from __future__ import annotations

from uuid import UUID


def plain(message_id: str) -> str:
    """As webhooks write it: 32 hexadecimal digits. Anything else stays what it is."""
    found = _uuid(message_id)
    return found.hex if found else message_id


def forms(message_id: str) -> set[str]:
    """As it came, without dashes, and with them: all that it may have been written down as."""
    found = _uuid(message_id)
    return {message_id, found.hex, str(found)} if found else {message_id}


def is_genesys_own(message_id: str) -> bool:
    """Has it the shape of those that Genesys makes? WhatsApp's, by which the relay names messages to it, have not."""
    return _uuid(message_id) is not None


def _uuid(message_id: str) -> UUID | None:
    try:
        return UUID(message_id)
    except ValueError:
        return None
