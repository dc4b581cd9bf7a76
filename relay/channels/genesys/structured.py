"""The elements of a Genesys message, each by its kind. Source: SDK model ConversationMessageContent, real webhooks."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from relay.channels.genesys import attached, cards, notifications, others, pickers, quick_replies
from relay.channels.genesys.drafts import ElementContent
from relay.channels.http.reading import records
from relay.channels.text import clean

SOCIAL = ("story", "mention", "reactions")
"""Of social networks; nothing in them is for the customer."""

_READERS: dict[str, Callable[[Any], ElementContent]] = {
    "attachment": attached.attachment,
    "quickReply": quick_replies.quick_reply,
    "quickReplyV2": quick_replies.quick_replies,
    "card": cards.card,
    "template": notifications.notification,
    "notification": notifications.notification,
    "datePicker": pickers.date_picker,
    "listPicker": pickers.list_picker,
    "location": others.location,
    "form": others.form,
    "paymentRequest": others.payment_request,
    "paymentResponse": others.payment_response,
    "roadsideAssistance": others.roadside_assistance,
    "richLink": others.rich_link,
    "text": others.text,
}


def contents(item: dict[str, Any]) -> Iterator[ElementContent]:
    """In order; an element that nobody knows says what can be read in it."""
    for element in records(item.get("content")):
        key = _key(element)
        if key == "carousel":
            yield from cards.carousel(element.get(key))
        elif key not in SOCIAL:
            yield _READERS.get(key, others.other)(element.get(key))


def social(item: dict[str, Any]) -> list[str]:
    """Which social content is in it."""
    return [key for element in records(item.get("content")) if (key := _key(element)) in SOCIAL]


def _key(element: dict[str, Any]) -> str:
    """Where the body of an element stands: under its kind, or under the first name known."""
    kind = clean(element.get("contentType")) or ""
    key = "template" if kind == "Notification" and "template" in element else kind[:1].lower() + kind[1:]
    if element.get(key) or key in SOCIAL:
        return key
    return next((known for known in (*_READERS, "carousel") if element.get(known)), key)
