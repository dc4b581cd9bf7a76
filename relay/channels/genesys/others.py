"""Content that WhatsApp has nothing like, as text with its links. Source: SDK models of each name."""

from __future__ import annotations

from typing import Any

from relay.channels.base import JsonObject
from relay.channels.genesys.drafts import ElementContent
from relay.channels.http.reading import joined, record, records
from relay.channels.text import clean
from relay.core.content import Location

MESSAGES = ("receivedMessage", "replyMessage", "notificationMessage", "introduction")


def text(body: Any) -> ElementContent:
    """A text among other elements."""
    found = record(body)
    return ElementContent(text=clean(body) or clean(found.get("body")) or clean(found.get("text")) or "")


def location(body: Any) -> ElementContent:
    """A point on the map; without coordinates what is known of it, with a link."""
    found = record(body)
    latitude, longitude = _degrees(found.get("latitude"), 90), _degrees(found.get("longitude"), 180)
    if latitude is None or longitude is None:
        return ElementContent(text=_where(found))
    return ElementContent(place=Location(latitude, longitude, clean(found.get("text")), clean(found.get("address"))))


def rich_link(body: Any) -> ElementContent:
    found = record(body)
    header = record(found.get("header")).get("value")
    link = joined((found.get("urlLabel"), found.get("url")), ": ")
    return ElementContent(text=joined((found.get("title"), header, found.get("text"), link, found.get("footer"))))


def form(body: Any) -> ElementContent:
    """Its questions in order, so that they can be answered in words."""
    found = record(body)
    head = next((shown for name in ("introduction", "receivedMessage") if (shown := _heading(found.get(name)))), "")
    return ElementContent(
        text=joined((head, *(line for page in records(found.get("formPages")) for line in _page(page))))
    )


def payment_request(body: Any) -> ElementContent:
    found = record(body)
    currency = clean(found.get("currencyCode")) or ""
    total = joined((found.get("orderTotal"), currency), " ")
    items = (_priced(item, currency) for item in records(found.get("lineItems")))
    return ElementContent(
        text=joined((_heading(found.get("receivedMessage")), *items, f"= {total}" if total else None))
    )


def payment_response(body: Any) -> ElementContent:
    found = record(body)
    return ElementContent(text=joined((found.get("paymentStatus"), found.get("failureReason")), ": "))


def roadside_assistance(body: Any) -> ElementContent:
    found = record(body)
    return ElementContent(
        text=joined((found.get("text"), found.get("phoneNumber"), _where(record(found.get("location")))))
    )


def other(body: Any) -> ElementContent:
    """What people read in content of any kind: titles, texts, and links."""
    found = record(body)
    inner = (_heading(found.get(name)) for name in MESSAGES)
    names = ("header", "title", "subtitle", "name", "text", "body", "description", "notificationText", "url")
    return ElementContent(text=joined((*inner, *(found.get(name) for name in names))))


def _heading(message: Any) -> str:
    found = record(message)
    return joined(found.get(name) for name in ("header", "title", "subtitle", "body"))


def _page(page: JsonObject) -> list[str]:
    lines = [joined((page.get("title"), page.get("subtitle")))]
    for component in records(page.get("pageComponents")):
        lines += [shown for part in component.values() if (shown := _component(record(part)))]
    return lines


def _component(part: JsonObject) -> str:
    """A question, with what can be chosen where there is a choice."""
    sections = list(records(part.get("sections")))
    items = [*records(part.get("items")), *(item for section in sections for item in records(section.get("items")))]
    chosen = (joined((item.get("title"), item.get("subtitle")), " – ") for item in items)
    titles = (section.get("title") for section in sections)
    return joined((part.get("title"), part.get("subtitle"), *titles, *(f"• {shown}" for shown in chosen if shown)))


def _priced(item: JsonObject, currency: str) -> str:
    price = joined((item.get("price"), currency), " ") if clean(item.get("price")) else None
    return joined((joined((item.get("name"), item.get("description")), " – "), price), ": ")


def _where(found: JsonObject) -> str:
    latitude, longitude = clean(found.get("latitude")), clean(found.get("longitude"))
    link = f"https://maps.google.com/?q={latitude},{longitude}" if latitude and longitude else None
    return joined((found.get("text"), found.get("address"), found.get("url") or link))


def _degrees(value: Any, most: int) -> float | None:
    """Within what there is on earth."""
    try:
        degrees = float(clean(value) or "")
    except ValueError:
        return None
    return degrees if -most <= degrees <= most else None
