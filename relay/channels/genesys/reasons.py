"""Why a message failed, in the words of Genesys' receipts.

Source: enum of ConversationReason in the SDK; the mapping of the other side's codes is ours.
Agents see a failed mark only; the code shows in the conversation's details.
"""

from __future__ import annotations

_REASONS = {
    "MessageExpired": ("131047", "message_expired", "expired"),
    "RateLimited": ("4", "80007", "130429", "131048", "131056", "131064"),
    "MessageNotAllowed": ("130497", "131049", "368", "131031"),
    "UnsupportedMessage": ("131051", "caption_not_allowed"),
    "InvalidMessageStructure": ("100", "131008", "131009", "empty", "text_too_long"),
    "InvalidDestination": ("131026", "131021", "131030", "131062", "no_address"),
    "ServerError": ("1", "2", "131000", "131016", "133004"),
    "MediaTypeNotAllowed": ("131052", "131053", "media_type_not_allowed"),
    "InvalidMediaContentLength": ("media_too_large", "media_empty", "too_large", "empty_file"),
    "RecipientOptedOut": ("131050",),
}
_CODES = {code: reason for reason, codes in _REASONS.items() for code in codes}


def reason_code(code: str | None) -> str:
    """Genesys' reason for a code of ours or of the other side."""
    return _CODES.get(code or "", "GeneralError")
