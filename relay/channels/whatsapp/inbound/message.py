"""One message object, whoever wrote it: text, file, place, and what it is about."""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace

from relay.channels.base import JsonObject
from relay.channels.http.reading import first, joined, record
from relay.channels.text import clean, unix_seconds
from relay.channels.whatsapp.inbound import answers, locations, surroundings, vcards
from relay.channels.whatsapp.inbound.content import kind_of, readable
from relay.channels.whatsapp.inbound.wording import LONGEST_ID, identifier
from relay.channels.whatsapp.webhook import MEDIA
from relay.core.brevity import shallow
from relay.core.content import About
from relay.core.filenames import cleaned
from relay.core.languages import phrase
from relay.core.messages import Ignored, Media, MediaKind, Message, Person
from relay.core.visible import blank

_NOTHING_TO_RELAY = {"request_welcome": phrase("the chat was opened, nothing was written")}
_ABOUT: dict[str, About] = {"reaction": "reaction", "edit": "edit", "revoke": "revocation"}
_LONGEST_NAME = 255


def read(message: JsonObject, contact: JsonObject, writer: Person) -> Message | Ignored:
    """As a customer's message; nothing to show is Ignored."""
    kind, when = kind_of(message), unix_seconds(message.get("timestamp"))
    window = surroundings.window_until(message, when)
    if kind in _NOTHING_TO_RELAY:
        return Ignored(source_id(message, writer), writer, when, kind, _NOTHING_TO_RELAY[kind])
    media, text = _media(kind, message), _text(kind, message)
    if not media and blank(text):
        return Ignored(source_id(message, writer), writer, when, kind or "unknown", phrase("an empty message"), window)
    return Message(
        source_id=source_id(message, writer),
        person=writer,
        provider_time=when,
        type=kind or "unknown",
        text=joined((*surroundings.lines(message), text)) or None,
        media=media,
        reply_to=surroundings.reply_to(kind, message),
        about=_ABOUT.get(kind, "reply"),
        attributes=surroundings.attributes(message, contact),
        answer=answers.answer(message) if kind in ("interactive", "button") else None,
        place=locations.place(record(message.get("location"))) if kind == "location" else None,
        window_until=window,
    )


def source_id(item: JsonObject, writer: Person) -> str:
    """Its own id; what has none gets one from writer and content, so that a repetition is known for one."""
    found = identifier(item.get("id"))
    if found:
        return found
    told = [writer.address, shallow(item)]
    digest = hashlib.sha256(json.dumps(told, sort_keys=True).encode()).hexdigest()
    return f"sha256:{digest[:32]}"


def _text(kind: str, message: JsonObject) -> str:
    """A file has its caption; an edited one comes once more, and its text says what is new."""
    return "" if kind in MEDIA and _file(kind, message) else readable(kind, message)


def _media(kind: str, message: JsonObject) -> Media | None:
    if kind == "contacts":
        return vcards.media(message.get(kind))
    if kind != "edit":
        return _file(kind, message) if kind in MEDIA else None
    inner = record(first(message.get(kind)).get("message"))
    changed = _file(kind_of(inner), inner) if kind_of(inner) in MEDIA else None
    return replace(changed, caption=None) if changed else None


def _file(kind: str, message: JsonObject) -> Media | None:
    """The file, if it can be had: a message that is too large comes with errors instead."""
    item = first(message.get(kind))
    media_id = identifier(item.get("id"))
    if not media_id:
        return None
    shown: MediaKind = "audio" if kind == "voice" else kind  # type: ignore[assignment]
    url = clean(item.get("url"))
    return Media(
        kind=shown,
        mime_type=(clean(item.get("mime_type")) or "")[:_LONGEST_NAME],
        source_id=media_id,
        source_url=url if url and len(url) <= 4 * LONGEST_ID else None,
        filename=cleaned(clean(item.get("filename"))) or None,
        caption=clean(item.get("caption")),
        voice=kind == "voice" or item.get("voice") is True,
    )
