"""A message together with the one it is about, in words that an agent understands at a glance. Pure.

A channel's parser writes what is said here about "a message"; once it is known which one that was,
`with_quote` says so. The texts read well if that never happens. All are phrases, not yet in anybody's language.
"""

from __future__ import annotations

from dataclasses import replace

from relay.core.content import Quote
from relay.core.languages import Phrase, phrase, together
from relay.core.lengths import whole
from relay.core.messages import Message

EXCERPT = 120

DELETED = phrase("Deleted a message")
UNREACTED = phrase("Removed the reaction from a message")
_REACTED = phrase("Reacted with %(emoji)s to a message")
_EDITED = phrase("Edited a message")
_EDITED_TO = phrase("Edited a message to: %(new)s")
_ABOUT_ANOTHER: dict[str, tuple[Phrase, Phrase, Phrase]] = {
    DELETED: (
        phrase("Deleted an earlier message"),
        phrase("Deleted: “%(quote)s”"),
        phrase("Deleted: “%(quote)s”"),
    ),
    UNREACTED: (
        phrase("Removed the reaction from an earlier message"),
        phrase("Removed the reaction from: “%(quote)s”"),
        phrase("Removed the reaction from their own message: “%(quote)s”"),
    ),
    _REACTED: (
        phrase("Reacted with %(emoji)s to an earlier message"),
        phrase("Reacted with %(emoji)s to: “%(quote)s”"),
        phrase("Reacted with %(emoji)s to their own message: “%(quote)s”"),
    ),
    _EDITED: (
        phrase("Edited an earlier message"),
        phrase("Edited “%(quote)s”"),
        phrase("Edited “%(quote)s”"),
    ),
    _EDITED_TO: (
        phrase("Edited an earlier message to: %(new)s"),
        phrase("Edited “%(quote)s” to: %(new)s"),
        phrase("Edited “%(quote)s” to: %(new)s"),
    ),
}
"""What a parser writes, and what is said in its place: of a message not known here, of the business', of their own."""
_LABELS = {
    "image": phrase("photo"),
    "video": phrase("video"),
    "audio": phrase("audio"),
    "document": phrase("document"),
    "sticker": phrase("sticker"),
}


def reacted(emoji: str) -> str:
    """What a reaction says; its removal says UNREACTED."""
    return phrase(_REACTED, emoji=emoji)


def edited(new: str) -> str:
    """What an edit says; it may have no text, as a picture without a caption has none."""
    return phrase(_EDITED_TO, new=new) if new else _EDITED


def new_words(message: Message) -> str | None:
    """What an edit, as a parser wrote it down, changed the words of another message to; None for anything else."""
    found = _found(message.text, _EDITED_TO) if message.about == "edit" else None
    return found.values["new"] if found else None


def with_quote(message: Message, quote: Quote | None) -> Message:
    """The message with the words of the one it is about; None: that one is not known here.

    What is about nothing stays as it is, and so does an answer whose question is found: it stands below it.
    """
    if _answers(message):
        return message
    if message.reply_to is None and message.about == "reply":
        return message
    own = (
        quote is not None and quote.by == "contact" and not message.notice
    )  # what they did not write is no word of theirs
    if message.about == "reply":
        return replace(message, text=together(filter(None, (_in_reply(quote, own), message.text))))
    place = 0 if quote is None else 2 if own else 1
    return replace(message, text=_about_another(message.text or "", place, quote.text if quote else ""))


def _in_reply(quote: Quote | None, own: bool) -> str:
    if quote is None:
        return phrase("In reply to an earlier message")
    if own:
        return phrase("In reply to their own message: “%(quote)s”", quote=quote.text)
    return phrase("In reply to: “%(quote)s”", quote=quote.text)


def _about_another(text: str, place: int, quote: str) -> str:
    """`text` with what it says about a message said about that one, wherever it stands between other words."""
    if not isinstance(text, Phrase):
        return text
    if text.pattern in _ABOUT_ANOTHER:
        return phrase(_ABOUT_ANOTHER[text.pattern][place], **text.values, quote=quote)
    return phrase(text.pattern, **{name: _about_another(one, place, quote) for name, one in text.values.items()})


def _found(text: object, pattern: str) -> Phrase | None:
    """The phrase of that pattern in a text."""
    if not isinstance(text, Phrase) or text.pattern == pattern:
        return text if isinstance(text, Phrase) else None
    return next(filter(None, (_found(one, pattern) for one in text.values.values())), None)


def excerpt(message: Message, *, with_its_quote: bool = False) -> str:
    """The message in one line: the beginning of what it says, else what it is. Never empty.

    `with_its_quote`: it was made by `with_quote`, whose first line is not its own.
    """
    media = message.media
    text = _below_quote(message) if with_its_quote else message.text
    said = _line(message.edited) or _line(text) or _line(media.caption if media else None)
    return shortened(said) if said else _label(message)


def shortened(text: str, limit: int = EXCERPT) -> str:
    """At most `limit` characters, with an ellipsis where some are missing; no sign is torn apart."""
    if len(text) <= limit:
        return text
    return text[: whole(text, limit - 1)].rstrip() + "…"


def _below_quote(message: Message) -> str | None:
    quotes = message.reply_to is not None and message.about == "reply" and not _answers(message)
    return (message.text or "").partition("\n")[2] if quotes else message.text


def _answers(message: Message) -> bool:
    """A question that is known: it stands above, and is not quoted."""
    return message.answer is not None and message.answer.found


def _line(text: str | None) -> str:
    # Nothing behind the first few lines is ever shown: a text of a hundred thousand is not read for it.
    return " ".join((text or "")[: EXCERPT * 20].split())


def _label(message: Message) -> str:
    media = message.media
    if media is not None:
        if media.voice:
            return phrase("voice note")
        return _named(_LABELS.get(media.kind, phrase("file")), media.filename)
    if message.place is not None:
        return _named(phrase("location"), message.place.name or message.place.address)
    if message.template is not None:
        return _named(phrase("template"), message.template.name)
    if message.ask is not None:
        return phrase("request: %(kind)s", kind=message.ask.kind)
    if message.native is not None:
        return message.native.type
    return shortened(_line(" / ".join(option.text for option in message.options))) or phrase("a message")


def _named(kind: Phrase, name: str | None) -> str:
    shown = shortened(_line(name), EXCERPT - len(kind) - 1)
    return together((kind, shown), " ") if shown else kind
