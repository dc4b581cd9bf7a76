"""What a WhatsApp message says, as text an agent understands.

Source: Meta's reference of the messages webhook, one type per function. All fields are optional.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import orjson

from relay.channels.reading import first, joined, record, records
from relay.channels.text import clean

Item = dict[str, Any]

NO_NEWS = "131051"
"""Says only that the type is unsupported, which the notice says already."""


def text(item: Item) -> str:
    return clean(item.get("body")) or ""


def location(item: Item) -> str:
    latitude, longitude = clean(item.get("latitude")), clean(item.get("longitude"))
    link = f"https://maps.google.com/?q={latitude},{longitude}" if latitude and longitude else None
    shown = joined((item.get("name"), item.get("address"), link, item.get("url")))
    return f"📍 Location\n{shown}" if shown else "📍 Location"


def contact_card(card: Item) -> str:
    name = record(card.get("name"))
    shown = clean(name.get("formatted_name")) or joined((name.get("first_name"), name.get("last_name")), " ")
    org = record(card.get("org"))
    lines = [f"👤 {shown or 'Contact'}", joined((org.get("title"), org.get("department"), org.get("company")), ", ")]
    lines += [clean(phone.get("phone")) or clean(phone.get("wa_id")) or "" for phone in records(card.get("phones"))]
    lines += [clean(email.get("email")) or "" for email in records(card.get("emails"))]
    lines += [clean(url.get("url")) or "" for url in records(card.get("urls"))]
    lines += [_address(address) for address in records(card.get("addresses"))]
    return joined(lines)


def _address(item: Item) -> str:
    return joined((item.get(key) for key in ("street", "zip", "city", "state", "country")), ", ")


def reaction(item: Item) -> str:
    """A removed reaction has an empty emoji, or none."""
    emoji = clean(item.get("emoji"))
    return f"reacted {emoji}" if emoji else "removed a reaction"


def button(item: Item) -> str:
    return clean(item.get("text")) or clean(item.get("payload")) or "pressed a button"


def interactive(item: Item) -> str:
    kind = clean(item.get("type")) or ""
    reply = record(item.get(kind))
    if kind == "nfm_reply":
        return _form(reply)
    if kind == "call_permission_reply":
        return f"Permission to call: {clean(reply.get('response')) or 'answered'}"
    return clean(reply.get("title")) or clean(reply.get("id")) or f"[answered: {kind or 'interactive message'}]"


def _form(reply: Item) -> str:
    """A flow's or form's answer. `response_json` is JSON in a string, and not always valid."""
    try:
        answers = record(orjson.loads(clean(reply.get("response_json")) or "{}"))
    except orjson.JSONDecodeError:
        answers = {}
    lines = [f"{key}: {_plain(value)}" for key, value in answers.items() if key != "flow_token"]
    head = clean(reply.get("name")) or "form"
    return joined((f"[{head} answered]", reply.get("body") if not lines else None, *lines))


def _plain(value: Any) -> str:
    return clean(value) or ("" if value is None else orjson.dumps(value, option=orjson.OPT_NON_STR_KEYS).decode())


def order(item: Item) -> str:
    lines = [_product(product) for product in records(item.get("product_items"))]
    return joined(("🛒 Order", *lines, item.get("text")))


def _product(product: Item) -> str:
    count = clean(product.get("quantity")) or "1"
    price = joined((product.get("item_price"), product.get("currency")), " ")
    name = clean(product.get("product_retailer_id")) or "item"
    return f"{count} × {name}" + (f" ({price})" if price else "")


def unsupported(item: Item) -> str:
    kind = clean(item.get("type"))
    return f"[A message of a kind WhatsApp does not pass on{f': {kind}' if kind else ''}]"


def edit(item: Item) -> str:
    """Only numbers that are also used in the app get edits."""
    inner = record(item.get("message"))
    kind = clean(inner.get("type")) or ""
    body = record(inner.get(kind))
    new = clean(body.get("body")) or clean(body.get("caption"))
    return f"[edited a message] {new}" if new else "[edited a message]"


def revoke(item: Item) -> str:
    return "[deleted a message]"


def _code(message: Item) -> str | None:
    return clean(first(message.get("errors")).get("code"))


def error_notice(message: Item) -> str | None:
    """Why the message came without its content, with Meta's code. None when it has no errors."""
    error = first(message.get("errors"))
    if not error:
        return None
    details = clean(record(error.get("error_data")).get("details"))
    reason = details or clean(error.get("message")) or clean(error.get("title")) or "no reason given"
    return f"{reason} ({clean(error.get('code')) or 'no code'})"


READERS: dict[str, Callable[[Item], str]] = {
    "text": text,
    "location": location,
    "reaction": reaction,
    "button": button,
    "interactive": interactive,
    "order": order,
    "unsupported": unsupported,
    "edit": edit,
    "revoke": revoke,
}


def readable(kind: str, message: Item) -> str:
    """The message as text; a notice where there is no better one."""
    if kind == "contacts":
        return "\n\n".join(contact_card(card) for card in records(message.get("contacts"))) or "👤 Contact"
    error = error_notice(message)
    if kind == "unsupported" and _code(message) == NO_NEWS:
        error = None
    if kind in READERS:
        said = READERS[kind](record(message.get(kind)))
        return joined((said, f"[{error}]")) if error else said
    label = f"[A message of a kind the relay does not know: {kind or 'none named'}]"
    return f"[A message without its content: {error}]" if error else label
