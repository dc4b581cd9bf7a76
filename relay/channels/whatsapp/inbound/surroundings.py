"""What stands around a message: where it came from, what it is about, and how it got here."""

from __future__ import annotations

import re
import time
from typing import Any

from relay.channels.base import JsonObject
from relay.channels.http.reading import joined, record
from relay.channels.text import clean
from relay.channels.whatsapp.inbound import answers
from relay.channels.whatsapp.inbound.wording import identifier
from relay.core.languages import phrase

DAY = 86_400.0
GROUP_LINE = phrase("[Written in a group. What is answered here goes to this customer alone.]")
_LONGEST = 1000
_LONGEST_LINE = 300


def lines(message: JsonObject) -> list[str]:
    """What the agent should see before the message itself."""
    context = record(message.get("context"))
    found: list[str] = [GROUP_LINE] if message.get("group_id") else []
    if context.get("frequently_forwarded"):
        found.append(phrase("[Forwarded many times]"))
    elif context.get("forwarded"):
        found.append(phrase("[Forwarded]"))
    if referral := record(message.get("referral")):
        found.append(_referral(referral))
    if product := _short(record(context.get("referred_product")).get("product_retailer_id")):
        found.append(phrase("[About the product %(product)s]", product=product))
    return found


def attributes(message: JsonObject, contact: JsonObject) -> dict[str, str]:
    """What a flow or an agent's script may want to know. All of it is text."""
    referral, context = record(message.get("referral")), record(message.get("context"))
    interactive = record(message.get("interactive"))
    product = record(context.get("referred_product")) or record(interactive.get("product"))
    found = {
        **{f"referral_{name}": referral.get(key) for name, key in _REFERRAL.items()},
        "referral_welcome": record(referral.get("welcome_message")).get("text"),
        "product_id": product.get("product_retailer_id"),
        "catalog_id": product.get("catalog_id") or record(message.get("order")).get("catalog_id"),
        "forwarded": _forwarded(context),
        "group_id": message.get("group_id"),
        "username": (clean(record(contact.get("profile")).get("username")) or "").removeprefix("@"),
        "sticker": _sticker(message),
        "voice": "true" if _voice(message) else None,
        **answers.attributes(message),
    }
    return {key: text[:_LONGEST] for key, value in found.items() if (text := clean(value))}


def reply_to(kind: str, message: JsonObject) -> str | None:
    """The message this one is about: quoted, reacted to, edited or deleted."""
    if kind == "reaction":
        return identifier(record(message.get(kind)).get("message_id"))
    if kind in ("edit", "revoke"):
        return identifier(record(message.get(kind)).get("original_message_id"))
    return identifier(record(message.get("context")).get("id"))


def window_until(message: JsonObject, when: float) -> float | None:
    """How long the business may answer freely: a day, and up to seven after an advertisement.

    Those seven (three until September 2026) Meta gives only to who answers within the first, and it says when they end
    (`window_told`): until then its word decides, and a refusal closes the window. Never counted from the future: a
    wrong clock must not keep it open for years. None for what was written in a group: it opens none.
    """
    if message.get("group_id"):
        return None
    referral = record(message.get("referral"))
    days = 7 if referral and referral.get("source_type") != "post" else 1
    return min(when, time.time()) + days * DAY


def window_told(status: JsonObject) -> float | None:
    """Until when the business may write freely, as a status says it after an advertisement; None where it says nothing.

    Never more than ten days from now: a wrong clock must not keep a window open for years.
    """
    told = clean(record(status.get("conversation")).get("expiration_timestamp")) or ""
    if not re.fullmatch(r"[1-9][0-9]{8,10}", told):
        return None
    return min(float(told), time.time() + 10 * DAY)


_REFERRAL = {
    "url": "source_url",
    "id": "source_id",
    "type": "source_type",
    "headline": "headline",
    "body": "body",
    "click_id": "ctwa_clid",
    "image": "image_url",
    "video": "video_url",
}


_FROM = {
    (False, False): phrase("From the advertisement"),
    (False, True): phrase("From the advertisement “%(headline)s”"),
    (True, False): phrase("From the post"),
    (True, True): phrase("From the post “%(headline)s”"),
}
"""By whether it is a post, and whether it says anything."""


def _referral(referral: JsonObject) -> str:
    headline = _short(referral.get("headline")) or _short(referral.get("body"))
    named = _FROM[referral.get("source_type") == "post", bool(headline)]
    if headline:
        named = phrase(named, headline=headline)
    return joined((named, _short(referral.get("source_url"))), ": ")


def _forwarded(context: JsonObject) -> str | None:
    if context.get("frequently_forwarded"):
        return "many times"
    return "true" if context.get("forwarded") else None


def _voice(message: JsonObject) -> bool:
    return record(message.get("audio")).get("voice") is True or message.get("type") == "voice"


def _sticker(message: JsonObject) -> str | None:
    """What moves on the phone may stand still on the agent's side."""
    animated = record(message.get("sticker")).get("animated")
    return ("animated" if animated else "static") if isinstance(animated, bool) else None


def _short(value: Any) -> str:
    return " ".join((clean(value) or "")[:_LONGEST_LINE].split())
