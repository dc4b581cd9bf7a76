"""Why a message failed, in the words of Genesys' receipts, and back.

Source: enum of ConversationReason in the SDK. Agents see a failed mark only; the code shows in the
conversation's details.
"""

from __future__ import annotations

from relay.core.explain.causes import Cause, own_cause

CODES: dict[Cause, str] = {
    "window_closed": "MessageExpired",
    "elsewhere": "MessageNotAllowed",
    "rate": "RateLimited",
    "not_allowed": "MessageNotAllowed",
    "unsupported": "UnsupportedMessage",
    "invalid": "InvalidMessageStructure",
    "recipient": "InvalidDestination",
    "server": "ServerError",
    "media_type": "MediaTypeNotAllowed",
    "media_size": "InvalidMediaContentLength",
    "opted_out": "RecipientOptedOut",
    "credentials": "GeneralError",
    "general": "GeneralError",
}
_CAUSES: dict[str, Cause] = {code: known for known, code in CODES.items() if code != "GeneralError"}


def cause(code: str | None) -> Cause:
    """Why a customer's message failed, from the code in Genesys' receipt."""
    return own_cause(code) or _CAUSES.get(code or "", "general")
