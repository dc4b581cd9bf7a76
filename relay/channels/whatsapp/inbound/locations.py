"""A location that a customer sent: for people with a link to a map, and as the point that it is."""

from __future__ import annotations

import math
from typing import Any

from relay.channels.http.reading import joined
from relay.channels.text import clean
from relay.core.content import Location
from relay.core.languages import phrase

_LONGEST = 1000


def text(item: dict[str, Any]) -> str:
    found = place(item)
    link = f"https://maps.google.com/?q={_degrees(found.latitude)},{_degrees(found.longitude)}" if found else None
    shown = joined((item.get("name"), item.get("address"), link, item.get("url")))
    return joined((phrase("📍 Location"), shown))


def place(item: dict[str, Any]) -> Location | None:
    """None where the degrees cannot be read. Numbers in Meta's samples, texts in clients' types."""
    latitude, longitude = _number(item.get("latitude"), 90), _number(item.get("longitude"), 180)
    if latitude is None or longitude is None:
        return None
    name, address = ((clean(item.get(each)) or "")[:_LONGEST] or None for each in ("name", "address"))
    return Location(latitude, longitude, name, address)


def _number(value: Any, most: float) -> float | None:
    try:
        found = float(clean(value) or "nan")
    except ValueError:
        return None
    return found if math.isfinite(found) and abs(found) <= most else None


def _degrees(value: float) -> str:
    """Never in exponents: seven decimals are a centimetre."""
    return f"{value:.7f}".rstrip("0").rstrip(".")
