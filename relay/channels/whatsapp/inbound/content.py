"""What a WhatsApp message says, as text an agent understands: one function per type.

Source: Meta's reference of the messages webhook. All fields are optional, and any may be of another type.
"""

from __future__ import annotations

from collections.abc import Callable

from relay.channels.base import JsonObject
from relay.channels.http.reading import first, joined, record
from relay.channels.text import clean
from relay.channels.whatsapp.inbound import answers, locations, orders, vcards
from relay.channels.whatsapp.inbound.unsupported import KINDS, error_notice, unsupported
from relay.channels.whatsapp.inbound.wording import LONGEST_KIND, words
from relay.channels.whatsapp.webhook import MEDIA
from relay.core.conversation import quoting
from relay.core.conversation.fallback import KINDS as KINDS_OF_FILES
from relay.core.languages import bracketed, phrase

_AROUND = ("context", "referral", "errors", "identity")
_LONGEST_EMOJI = 64
_NAMES = KINDS_OF_FILES | {"voice": phrase("voice note")}


def text(item: JsonObject) -> str:
    return clean(item.get("body")) or ""


def reaction(item: JsonObject) -> str:
    """A removed reaction has an empty emoji, or none."""
    emoji = (clean(item.get("emoji")) or "").strip()
    return quoting.reacted(quoting.shortened(emoji, _LONGEST_EMOJI)) if emoji else quoting.UNREACTED


def edit(item: JsonObject) -> str:
    """Only numbers that are also used in the app get edits. A caption is all that changes of a file."""
    inner = record(item.get("message"))
    kind = kind_of(inner)
    if kind in MEDIA:
        return quoting.edited(clean(record(inner.get(kind)).get("caption")) or "")
    return quoting.edited("" if kind in ("edit", "revoke") else readable(kind, inner))


def revoke(item: JsonObject) -> str:
    return quoting.DELETED


READERS: dict[str, Callable[[JsonObject], str]] = {
    "text": text,
    "location": locations.text,
    "reaction": reaction,
    "button": answers.button,
    "interactive": answers.interactive,
    "order": orders.text,
    "edit": edit,
    "revoke": revoke,
}
_KINDS = (*READERS, *MEDIA, "contacts", "system", "unsupported")


def kind_of(message: JsonObject) -> str:
    """Its type; where that is missing or names nothing that is there, the one known thing that is."""
    named = (clean(message.get("type")) or "")[:LONGEST_KIND]
    if _holds(message, named) or named in (*KINDS, "request_welcome"):
        return named
    present = [kind for kind in _KINDS if _holds(message, kind)]
    return present[0] if len(present) == 1 else named


def _holds(message: JsonObject, kind: str) -> bool:
    return isinstance(message.get(kind), (dict, list)) and bool(message[kind])


def readable(kind: str, message: JsonObject) -> str:
    """The message as text; a notice where there is no better one."""
    error = error_notice(message)
    if kind in MEDIA:
        return _missing_file(kind, message, error)
    if kind == "contacts":
        return vcards.text(message.get("contacts"))
    if kind in KINDS:
        return joined((unsupported(message), *_readable_words(kind, message)))
    if kind in READERS:
        said = READERS[kind](first(message.get(kind))) or joined(_readable_words(kind, message))
        return joined((said, bracketed(error) if error else None))
    label = phrase("[A message of a kind that the relay does not know: %(kind)s]", kind=kind or phrase("none named"))
    lost = phrase("[A message without its content: %(error)s]", error=error) if error else None
    return joined((lost or label, *_readable_words(kind, message)))


def _readable_words(kind: str, message: JsonObject) -> list[str]:
    """Whatever is written in a message that is none of the known ones."""
    if kind in message:
        return words(message[kind])
    return words({name: inner for name, inner in message.items() if name not in _AROUND})


def _missing_file(kind: str, message: JsonObject, error: str | None) -> str:
    """The sentence in place of a file that cannot be had, for it came with errors, or without its id."""
    item = record(message.get(kind))
    file = joined((_NAMES.get(kind, kind), item.get("filename")), " ")
    why = error or phrase("WhatsApp gave no file")
    return joined((phrase("[A file that did not arrive: %(file)s. %(why)s]", file=file, why=why), item.get("caption")))
