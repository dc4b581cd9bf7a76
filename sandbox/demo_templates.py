"""Templates that every number has from the start, all approved."""

from typing import Any

_ORDER = {"header": {"format": "IMAGE"}, "category": "UTILITY"}
_ORDER_LINK = "https://shop.example/orders/{{1}}"


def _card(body: str) -> dict[str, Any]:
    link = {"type": "URL", "text": "Look closer", "url": "https://shop.example/tents/{{1}}"}
    return {
        "header": {"format": "IMAGE"},
        "body": body,
        "buttons": [{"type": "QUICK_REPLY", "text": "Tell me more"}, link],
    }


TEMPLATES: list[dict[str, Any]] = [
    {"name": "hello_world", "language": "en_US", "body": "Welcome and congratulations!"},
    {"name": "follow_up", "language": "en", "body": "Hello {{1}}, we have an answer for you."},
    {"name": "follow_up", "language": "de", "body": "Hallo {{1}}, wir haben eine Antwort."},
    {"name": "hello_again", "language": "en", "body": "Hello again! Shall we go on where we left off?"},
    {"name": "hello_again", "language": "de", "body": "Hallo! Wollen wir da weitermachen, wo wir aufgehört haben?"},
    {"name": "reply_waiting", "language": "en", "body": "We have answered you: {{1}} Write to us to go on."},
    {"name": "reply_waiting", "language": "de", "body": "Wir haben Ihnen geantwortet: {{1}} Schreiben Sie uns gern."},
    {
        "name": "order_update",
        "language": "en",
        "body": "Hello {{1}}, your order {{2}} is on its way.",
        "footer": "Nordwind Outdoor",
        "buttons": [
            {"type": "QUICK_REPLY", "text": "Stop updates"},
            {"type": "URL", "text": "Track order", "url": _ORDER_LINK},
        ],
        **_ORDER,
    },
    {
        "name": "order_update",
        "language": "de",
        "body": "Hallo {{1}}, Ihre Bestellung {{2}} ist unterwegs.",
        "footer": "Nordwind Outdoor",
        "buttons": [
            {"type": "QUICK_REPLY", "text": "Keine Updates mehr"},
            {"type": "URL", "text": "Sendung verfolgen", "url": _ORDER_LINK},
        ],
        **_ORDER,
    },
    {
        "name": "appointment",
        "language": "en",
        "parameter_format": "NAMED",
        "header": {"format": "TEXT", "text": "Your appointment, {{customer_name}}"},
        "body": "Dear {{customer_name}}, we expect you on {{day}}.",
        "buttons": [{"type": "QUICK_REPLY", "text": "Confirm"}, {"type": "QUICK_REPLY", "text": "Change"}],
    },
    {
        "name": "login_code",
        "language": "en",
        "category": "AUTHENTICATION",
        "body": "{{1}} is your verification code.",
        "buttons": [{"type": "URL", "text": "Copy code", "url": "https://www.whatsapp.com/otp/code/?code={{1}}"}],
    },
    {
        "name": "new_season",
        "language": "en",
        "category": "MARKETING",
        "body": "Hello {{1}}, our tents for the new season are here.",
        "cards": [_card("Two people, {{1}} EUR"), _card("Four people, {{1}} EUR")],
    },
    {
        "name": "weekend_offer",
        "language": "en",
        "category": "MARKETING",
        "header": {"format": "IMAGE"},
        "offer": {"text": "Until Sunday", "has_expiration": True},
        "body": "Hello {{1}}, take 20 % off with this code.",
        "buttons": [
            {"type": "COPY_CODE", "text": "Copy code"},
            {"type": "URL", "text": "Shop now", "url": "https://shop.example/sale?from={{1}}"},
        ],
    },
]
