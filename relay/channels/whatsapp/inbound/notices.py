"""What reaches a number and is no contact's message, each with a reason that says what it is."""

from __future__ import annotations

import re
from itertools import islice

from relay.channels.base import JsonObject
from relay.channels.http.reading import joined, record, records
from relay.channels.text import clean
from relay.channels.whatsapp.fields import known_as
from relay.channels.whatsapp.inbound import account_news
from relay.channels.whatsapp.inbound.template_news import template_news
from relay.channels.whatsapp.inbound.unsupported import error_notice
from relay.channels.whatsapp.inbound.wording import LONGEST_KIND
from relay.core.messages import Notice

_FIELD = re.compile(r"[A-Za-z0-9_.-]{1,64}")
_TELLING = (
    "event", "alert_severity", "alert_type", "alert_status", "decision", "rejection_reason",
    "message_template_name", "message_template_language", "reason", "current_limit", "max_daily_conversation_per_phone",
    "max_daily_conversations_per_business", "previous_quality_score", "new_quality_score", "new_category",
    "correct_category", "requested_verified_name", "username",
)  # fmt: skip
_MOST = 10
_LONGEST = 1000


def notice(item: JsonObject) -> Notice:
    """Of an item that is no message, no call and no status."""
    match item.get("kind"):
        case "error":
            return Notice("errors", f"reported by WhatsApp: {error_notice({'errors': record(item.get('error'))})}")
        case "unreadable":
            return unreadable((clean(item.get("reason")) or "nothing in it can be read")[:_LONGEST])
    if not isinstance(item.get("value"), dict):
        return unreadable("a change whose value is no object")
    named = clean(item.get("field")) or ""
    field = named if _FIELD.fullmatch(named) else "unknown"
    value = record(item.get("value"))
    return Notice(field, _about(field, value)[:_LONGEST], template_news(field, item.get("waba_id"), value))


def unreadable(reason: str) -> Notice:
    return Notice("unreadable", reason)


def _about(field: str, value: JsonObject) -> str:
    facts = [f"{name} {text}" for name in _TELLING if (text := (clean(value.get(name)) or "")[:LONGEST_KIND])]
    preferences = list(map(_preference, islice(records(value.get("user_preferences")), _MOST)))
    others = [f"it holds {name[:LONGEST_KIND]}" for name in sorted(value) if field == "messages" and name not in _KNOWN]
    said = joined((known_as(field).news, joined((*facts, *preferences, *others[:_MOST]), ", ")), ": ")
    meaning = account_news.sentences(field, value)
    return joined((f"{said}.", *meaning), " ") if meaning else said


_KNOWN = ("messaging_product", "metadata", "contacts")


def _preference(item: JsonObject) -> str:
    """A customer's wish about marketing messages."""
    wish = {"stop": "no more", "resume": "again"}.get(clean(item.get("value")) or "", "another wish about")
    return f"a customer wants {wish} marketing messages"
