"""A message together with the one it is about, in words that an agent understands at a glance. Pure.

A channel's parser writes what is said here about "a message"; once it is known which one that was,
`with_quote` says so. The texts read well if that never happens.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from relay.core.content import Quote
from relay.core.lengths import whole
from relay.core.messages import Message

EXCERPT = 120

DELETED = "Deleted a message"
UNREACTED = "Removed the reaction from a message"
_EDITED = "Edited a message"
_A_MESSAGE = " a message"
_QUOTED = ("In reply to: “", "In reply to their own message: “", "In reply to an earlier message")
_LABELS = {"image": "photo", "video": "video", "audio": "audio", "document": "document", "sticker": "sticker"}


def reacted(emoji: str) -> str:
    """What a reaction says; its removal says UNREACTED."""
    return f"Reacted with {emoji} to a message"


def edited(new: str) -> str:
    """What an edit says; it may have no text, as a picture without a caption has none."""
    return f"{_EDITED} to: {new}" if new else _EDITED


def new_words(message: Message) -> str | None:
    """What an edit, as a parser wrote it down, changed the words of another message to; None for anything else."""
    if message.about != "edit" or not message.text or not message.text.startswith(f"{_EDITED} to: "):
        return None
    return message.text.removeprefix(f"{_EDITED} to: ") or None


def with_quote(message: Message, quote: Quote | None) -> Message:
    """The message with the words of the one it is about; None: that one is not known here.

    What is about nothing stays as it is, and so does an answer whose question is found: it stands below it.
    """
    if message.answer is not None and message.answer.found:
        return message
    if message.reply_to is None and message.about == "reply":
        return message
    return replace(message, text=_COMPOSED[message.about](message, quote))


def excerpt(message: Message) -> str:
    """The message in one line: the beginning of what it says, else what it is. Never empty."""
    media = message.media
    said = _line(message.edited) or _line(_own_words(message.text)) or _line(media.caption if media else None)
    return shortened(said or _line(_label(message)))


def shortened(text: str, limit: int = EXCERPT) -> str:
    """At most `limit` characters, with an ellipsis where some are missing; no sign is torn apart."""
    if len(text) <= limit:
        return text
    return text[: whole(text, limit - 1)].rstrip() + "…"


def _reply(message: Message, quote: Quote | None) -> str:
    begun = "In reply to their own message" if _own(message, quote) else "In reply to"
    line = f"{begun}: “{quote.text}”" if quote else "In reply to an earlier message"
    return f"{line}\n{message.text}" if message.text else line


def _reaction(message: Message, quote: Quote | None) -> str:
    text = (message.text or UNREACTED).removesuffix(_A_MESSAGE)
    if quote is None:
        return f"{text} an earlier message"
    return f"{text} their own message: “{quote.text}”" if _own(message, quote) else f"{text}: “{quote.text}”"


def _edit(message: Message, quote: Quote | None) -> str:
    old = f"Edited “{quote.text}”" if quote else "Edited an earlier message"
    return (message.text or _EDITED).replace(_EDITED, old, 1)


def _revocation(message: Message, quote: Quote | None) -> str:
    text = (message.text or DELETED).removesuffix(_A_MESSAGE)
    return f"{text}: “{quote.text}”" if quote else f"{text} an earlier message"


_COMPOSED: dict[str, Callable[[Message, Quote | None], str]] = {
    "reply": _reply,
    "reaction": _reaction,
    "edit": _edit,
    "revocation": _revocation,
}


def _own(message: Message, quote: Quote | None) -> bool:
    """The contact wrote both. News that the contact did not write (`notice`) are somebody else's words."""
    return quote is not None and quote.by == "contact" and not message.notice


def _own_words(text: str | None) -> str | None:
    """Without the quote that the message itself began with."""
    if text and text.startswith(_QUOTED):
        return text.partition("\n")[2]
    return text


def _line(text: str | None) -> str:
    # Nothing behind the first few lines is ever shown: a text of a hundred thousand is not read for it.
    return " ".join((text or "")[: EXCERPT * 20].split())


def _label(message: Message) -> str:
    media = message.media
    if media is not None:
        if media.voice:
            return "voice note"
        return " ".join(filter(None, (_LABELS.get(media.kind, "file"), media.filename)))
    if message.place is not None:
        return " ".join(filter(None, ("location", message.place.name or message.place.address)))
    if message.template is not None:
        return f"template {message.template.name}"
    if message.ask is not None:
        return f"request: {message.ask.kind}"
    if message.native is not None:
        return message.native.type
    return " / ".join(option.text for option in message.options) or "a message"
