"""Dates and lists to choose from. Source: SDK models ConversationContentDatePicker and ...ListPicker.

An answer to a date picker has the moment's ISO text as its payload [fixtures of go-gcloudcx].
"""

from __future__ import annotations

import re
from typing import Any

from relay.channels.genesys.attached import picture
from relay.channels.genesys.drafts import ElementContent
from relay.channels.http.reading import joined, record, records
from relay.channels.text import clean
from relay.core.content import Option
from relay.core.messages import Media

_MOMENT = re.compile(r"(\d{4}-\d\d-\d\d)T(\d\d:\d\d)(?::\d\d(?:\.\d+)?)?(Z|[+-]\d\d:?\d\d)?")


def date_picker(body: Any) -> ElementContent:
    """Times to tap, or where any day will do from when until when."""
    found = record(body)
    options = tuple(option for slot in records(found.get("availableTimes")) if (option := _slot(slot)))
    location = record(found.get("location"))
    days = None if options else _range(found)
    text = (found.get("title"), found.get("subtitle"), location.get("text"), location.get("address"), days)
    return ElementContent(text=joined(text), media=_image(found), options=options, card=True)


def list_picker(body: Any) -> ElementContent:
    """One list; choosing several at once is not possible on WhatsApp."""
    found = record(body)
    head = record(found.get("receivedMessage"))
    reply = record(found.get("replyMessage"))
    options = tuple(option for section in records(found.get("sections")) for option in _rows(section))
    opener = clean(head.get("buttonLabel")) or clean(reply.get("buttonLabel"))
    text = joined(head.get(name) for name in ("header", "title", "subtitle"))
    return ElementContent(text=text, media=_image(head), options=options, opener=opener if options else None, card=True)


def moment(text: str) -> str:
    """2026-11-23T10:00:00.000Z as 2026-11-23 10:00 UTC; anything else as it is."""
    match = _MOMENT.fullmatch(text)
    if not match:
        return text
    zone = "UTC" if match[3] == "Z" else match[3]
    return f"{match[1]} {match[2]} {zone or ''}".rstrip()


def _slot(slot: dict[str, Any]) -> Option | None:
    payload = clean(slot.get("dateTime"))
    if not payload or not payload.strip():
        return None
    return Option(moment(payload.strip()), payload, "date", description=_lasting(slot.get("duration")))


def _lasting(seconds: Any) -> str | None:
    if isinstance(seconds, bool) or not isinstance(seconds, int) or not 60 <= seconds <= 86_400:
        return None
    return f"{seconds // 60} min"


def _range(body: dict[str, Any]) -> str:
    days = (clean(body.get(name)) for name in ("dateMinimum", "dateMaximum"))
    return joined((moment(day) if day else None for day in days), " – ")


def _rows(section: dict[str, Any]) -> list[Option]:
    title = clean(section.get("title"))
    found = []
    for item in records(section.get("items")):
        ref, description = clean(item.get("id")), clean(item.get("subtitle"))
        shown = (clean(item.get("title")), description, ref)
        text = next((said.strip() for said in shown if said and said.strip()), None)
        if text:
            found.append(Option(text, ref or text, description=description, section=title))
    return found


def _image(body: dict[str, Any]) -> Media | None:
    return picture(clean(body.get("imageUrl")), "image")
