"""A message as the one or more that WhatsApp takes. Every part costs money, so as few as possible.

Asked at intake, before files were fetched; what a file turned out to be is seen to in render.
The options of a part are exactly those that can be tapped or numbered in it: links stand in its text.
"""

from __future__ import annotations

from dataclasses import replace

from relay.channels.http.reading import joined, joined_once
from relay.channels.parts import numbered
from relay.channels.text import pieces
from relay.channels.whatsapp.limits import (
    BUTTON_TITLE,
    BUTTONS,
    CAPTION,
    CAPTIONED,
    HEADERS,
    LINK,
    ROWS,
    TEXT,
    likely_kind,
    meta_mime,
)
from relay.channels.whatsapp.outbound.asking import BELOW
from relay.channels.whatsapp.outbound.interactive import as_buttons, link_line, sendable_link
from relay.channels.whatsapp.outbound.pins import fit_place
from relay.channels.whatsapp.outbound.titles import buttons_tell_all, listed, one_line, rows_tell_all
from relay.core.filenames import UNTOLD
from relay.core.lengths import units
from relay.core.messages import Media, Message
from relay.core.threads import THREAD_CONTROL


def fit(message: Message) -> list[Message]:
    """The parts, in order. What the message is a reply to stands above the first, what can be tapped in the last."""
    whole = message.native or message.template or message.type in ("template", THREAD_CONTROL)
    if whole or message.unreadable is not None:
        return [message]
    first, *others = _placed(message) if message.ask is None else _asked(message)
    return numbered(message, [first, *(replace(part, reply_to=None) for part in others)])


def _placed(message: Message) -> list[Message]:
    """A place goes below the text that speaks of it, and above what is to be tapped."""
    message = fit_place(message)
    if message.place is None:
        return _answered(message)
    place = replace(message, text=None, media=None, options=(), opener=None)
    rest = replace(message, place=None)
    if rest.text is None and rest.media is None and not rest.options:
        return [place]
    return [place, *_answered(rest)] if rest.options else [*_answered(rest), place]


def _asked(message: Message) -> list[Message]:
    """A file and what of the text is too much go ahead; what is asked for stands below the rest."""
    bare = replace(message, media=None, place=None, ask=None)
    file = _plain(replace(bare, text=None, media=message.media)) if message.media is not None else []
    place = [replace(bare, text=None, place=message.place)] if message.place is not None else []
    *texts, last = pieces(message.text or "", TEXT) or [""]
    if units(last) > CAPTION:
        texts, last = [*texts, last], BELOW
    ahead = [replace(bare, text=text) for text in texts]
    return [*file, *place, *ahead, replace(message, text=last or None, media=None, place=None)]


def _answered(message: Message) -> list[Message]:
    message = _decorated(message)
    if not message.options:
        return _plain(message)
    if message.media is not None:
        text = joined_once(message.text, message.media.caption)
        message = replace(message, text=text or None, media=replace(message.media, caption=None))
    if sendable_link(message.options):
        return _link(message)
    answers = tuple(option for option in message.options if not option.url)
    text = joined((message.text, *(link_line(option) for option in message.options if option.url)))
    message = replace(message, text=text or None, options=answers)
    if not answers:
        return _plain(replace(message, opener=None))
    return _tapped(message) if len(answers) <= ROWS else _written(message)


def _decorated(message: Message) -> Message:
    """A decoration is something to see, or left out; with nothing beside it, it is the message."""
    media = message.media
    if media is None or not media.optional:
        return message
    if not (message.text or media.caption or message.options):
        return replace(message, media=replace(media, optional=False))
    return message if likely_kind(media) in HEADERS else replace(message, text=_text(message), media=None)


def _link(message: Message) -> list[Message]:
    """One link and nothing else to tap: a button that opens it, unless there is too much text for a button."""
    (option,) = message.options
    label = one_line(option.text)
    body = joined((message.text, label if units(label) > BUTTON_TITLE else None)) or label or option.url or ""
    if units(body) > CAPTION:
        return _plain(replace(message, text=joined((message.text, link_line(option))), options=(), opener=None))
    ahead, last = _file_ahead(replace(message, text=body), header=True)
    return [*ahead, last]


def _tapped(message: Message) -> list[Message]:
    """Buttons for three short answers below a short text; else a list, whose body takes four times as much."""
    options = message.options
    if len(options) <= BUTTONS:
        told = _told(message, all_told=buttons_tell_all(options))
        if as_buttons(told):
            ahead, last = _file_ahead(told, header=True)
            return [*ahead, last]
    told = _told(message, all_told=rows_tell_all(options))
    ahead, last = _file_ahead(told, header=False)
    *texts, body = pieces(last.text or "", TEXT if last.media is None else TEXT - LINK) or [""]
    bare = replace(last, media=None, options=(), opener=None)
    return [*ahead, *(replace(bare, text=text) for text in texts), replace(last, text=body or None)]


def _told(message: Message, *, all_told: bool) -> Message:
    """With the options in full below the text, where titles do not hold them."""
    return replace(message, text=joined((message.text, None if all_told else listed(message.options))) or None)


def _written(message: Message) -> list[Message]:
    """Too many to tap: they stand in the text, and the contact writes a number."""
    text = joined((message.text, listed(message.options)), "\n\n")
    *ahead, last = _plain(replace(message, text=text, options=(), opener=None))
    return [*ahead, replace(last, options=message.options, numbered=True)]


def _file_ahead(message: Message, *, header: bool) -> tuple[list[Message], Message]:
    """The file as a part of its own, where it can be neither a header nor a link in the text."""
    media = message.media
    if media is None or likely_kind(media) == "link" or (header and _is_header(media)):
        return [], message
    file = replace(message, text=None, options=(), opener=None)
    if not media.optional:
        return [file], replace(message, media=None)
    caption, rest = _caption(message.text or "")
    if not caption:
        return [replace(file, media=replace(media, optional=False))], replace(message, media=None)
    return [replace(file, text=caption)], replace(message, text=rest, media=None)


def _plain(message: Message) -> list[Message]:
    media = message.media
    if media is None:
        return [replace(message, text=text) for text in pieces(message.text or "", TEXT)] or [message]
    text = _text(message)
    if media.optional:
        return _plain_decorated(message, text or "")
    if text is None or (_takes_caption(media) and units(text) <= _room(media)):
        return [replace(message, text=None, media=replace(media, caption=text))]
    bare = replace(message, text=None, media=replace(media, caption=None))
    return [bare, *(replace(message, text=piece, media=None) for piece in pieces(text, TEXT))]


def _plain_decorated(message: Message, text: str) -> list[Message]:
    """The text stays the message's own: it is sent, whatever becomes of the file."""
    media = message.media and replace(message.media, caption=None)
    caption, rest = _caption(text)
    others = [replace(message, text=piece, media=None) for piece in pieces(rest or "", TEXT)]
    return [replace(message, text=caption, media=media), *others]


def _caption(text: str) -> tuple[str | None, str | None]:
    """What fits below a file, and what is left."""
    text = text.strip()
    if not text:
        return None, None
    caption = pieces(text, CAPTION)[0]
    return caption, text[len(caption) :].lstrip() or None


def _text(message: Message) -> str | None:
    return joined_once(message.text, message.media.caption if message.media else None) or None


def _is_header(media: Media) -> bool:
    """Without a type it may turn out to be sound; a decoration is worth the risk."""
    return likely_kind(media) in HEADERS and (media.optional or meta_mime(media.mime_type) not in UNTOLD)


def _takes_caption(media: Media) -> bool:
    """Without a type it may turn out to be sound, so the text goes apart."""
    if meta_mime(media.mime_type) in UNTOLD:
        return media.kind == "link"
    return likely_kind(media) in CAPTIONED


def _room(media: Media) -> int:
    return TEXT - LINK if likely_kind(media) == "link" else CAPTION
