"""Messages that WhatsApp keeps to itself, and those that came with an error: what to tell the agent.

Source: Meta's page on unsupported messages, March 2026; the kinds as service providers have seen them.
"""

from __future__ import annotations

from relay.channels.base import JsonObject
from relay.channels.http.reading import first, record
from relay.channels.http.redaction import redact
from relay.channels.text import clean
from relay.channels.whatsapp.inbound.wording import LONGEST_KIND
from relay.core.languages import bracketed, phrase, together

KINDS = ("unsupported", "unknown", "ephemeral")
"""Types of messages whose content WhatsApp keeps to itself."""
_NO_NEWS = ("131051", "501", "131060", "130501")
"""These say only that the message is unsupported or unavailable, which the sentence says already."""
_LONGEST_REASON = 500

_SENTENCES = {
    "poll_creation": phrase(
        "The customer sent a poll. WhatsApp does not pass polls on: ask the customer to write what it says."
    ),
    "poll_update": phrase(
        "The customer voted in a poll. WhatsApp does not pass votes on: ask the customer to write what it says."
    ),
    "edit": phrase(
        "The customer edited an earlier message. WhatsApp does not pass the new text on: ask for it if it matters."
    ),
    "ephemeral": phrase(
        "The customer sent a disappearing message. WhatsApp does not pass it on: "
        "ask the customer to write what it says."
    ),
    "pin": phrase("The customer pinned a message in the chat. Nothing was written."),
    "keep_in_chat": phrase("The customer kept a disappearing message in the chat. Nothing was written."),
    "group_invite": phrase("The customer sent an invitation to a group. WhatsApp does not pass invitations on."),
    "gif": phrase("The customer sent a GIF. WhatsApp does not pass it on: ask for it as a picture or video."),
    "media_placeholder": phrase(
        "The customer sent a photo or video that can be viewed once. WhatsApp does not pass it on: "
        "ask for it as an ordinary one."
    ),
    "link_preview": phrase(
        "The customer sent a link with a preview. WhatsApp does not pass it on: ask for the link alone."
    ),
    "product": phrase(
        "The customer sent a product. WhatsApp does not pass it on: ask the customer to write what it says."
    ),
    "order": phrase(
        "The customer sent an order. WhatsApp does not pass it on: ask the customer to write what it says."
    ),
    "reaction": phrase("The customer reacted to a message. WhatsApp does not pass this reaction on."),
    "image": phrase(
        "The customer sent a photo that WhatsApp does not pass on: ask for it once more, or as a document."
    ),
    "location": phrase(
        "The customer shared a location that WhatsApp does not pass on, such as a live one: "
        "ask the customer to write what it says."
    ),
    "hsm": phrase("Another business sent a template to this number. WhatsApp does not pass it on."),
}
_TAPPED = phrase(
    "The customer sent an interactive message. WhatsApp does not pass it on: ask the customer to write what it says."
)
_SENTENCES |= dict.fromkeys(("button", "list", "interactive"), _TAPPED)
_UNAVAILABLE = phrase(
    "The customer sent a message that WhatsApp shows in the WhatsApp Business app only: "
    "look there, or ask the customer to send it again."
)


def unsupported(message: JsonObject) -> str:
    """A sentence that says what came and what to do; of all of them something did come."""
    kept_back = clean(record(message.get("unsupported")).get("type"))
    kind = (kept_back or ("ephemeral" if message.get("type") == "ephemeral" else ""))[:LONGEST_KIND]
    sentence = _SENTENCES.get(kind)
    if sentence is None:
        sentence = phrase(
            "The customer sent a message of a kind that WhatsApp does not pass on%(named)s: "
            "ask the customer to write what it says.",
            named=f" ({kind})" if kind and kind != "errors" else "",
        )
        if _code(message) == "131060":
            sentence = _UNAVAILABLE
    error = error_notice(message)
    told = bracketed(sentence)
    return told if not error or _code(message) in _NO_NEWS else together((told, bracketed(error)))


def error_notice(message: JsonObject) -> str | None:
    """Why the message came without its content, with Meta's code. None when it has no errors."""
    error = first(message.get("errors"))
    if not error:
        return None
    details = clean(record(error.get("error_data")).get("details"))
    reason = details or clean(error.get("message")) or clean(error.get("title")) or ""
    told = redact(reason, (), _LONGEST_REASON) if reason else phrase("no reason given")
    code = (clean(error.get("code")) or "")[:LONGEST_KIND] or phrase("no code")
    return together((told, " (", code, ")"), "")


def _code(message: JsonObject) -> str | None:
    return clean(first(message.get("errors")).get("code"))
