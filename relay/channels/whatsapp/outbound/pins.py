"""Places on the map. Source: Meta's location-messages page; an address shows below a name only."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from relay.channels.http.reading import joined_once, without_none
from relay.channels.whatsapp.outbound.titles import one_line
from relay.core.content import Location
from relay.core.lengths import units
from relay.core.messages import Message

NAME = 100
"""A text up to this long is taken for the place's name. Meta documents no limit."""


def fit_place(message: Message) -> Message:
    """A short text beside a place becomes its name or address, which saves a message.

    What is no place on earth is told as text.
    """
    place = message.place
    if place is None:
        return message
    if not (-90 <= place.latitude <= 90 and -180 <= place.longitude <= 180):
        return replace(message, place=None, text=joined_once(message.text, place.name, place.address) or None)
    text = None if one_line(message.text) in ("", one_line(place.name), one_line(place.address)) else message.text
    if text and not (message.media or message.options):
        place, text = _taken_in(place, text)
    if not one_line(place.name):
        place = replace(place, name=place.address, address=None)
    return replace(message, place=place, text=text)


def location(place: Location) -> dict[str, Any]:
    """The message's content."""
    named = {"name": one_line(place.name) or None, "address": one_line(place.address) or None}
    return without_none({"latitude": place.latitude, "longitude": place.longitude, **named})


def _taken_in(place: Location, text: str) -> tuple[Location, str | None]:
    if "\n" in text.strip() or units(text) > NAME:
        return place, text
    if not one_line(place.name):
        return replace(place, name=text), None
    if not one_line(place.address):
        return replace(place, address=text), None
    return place, text
