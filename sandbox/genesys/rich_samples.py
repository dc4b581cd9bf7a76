"""One message of every content that Genesys' side can send, so that a test and the page need none of their own."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from sandbox.clock import iso_milliseconds
from sandbox.samples import sample

if TYPE_CHECKING:
    from sandbox.world import World

Item = dict[str, Any]
LONG = 1000
_DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_MONTHS = (
    "January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November",
    "December",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Composed:
    """`type` is the webhook's, `text` its top-level text."""

    content: list[Item] = field(default_factory=list)
    text: str | None = None
    type: str = "Structured"


def composed(name: str, world: "World") -> Composed:
    return _SAMPLES[name](_Picture(world))


def names() -> list[str]:
    return list(_SAMPLES)


class _Picture:
    """Stands on the sandbox's own origin; put there once a sample wants it."""

    def __init__(self, world: "World") -> None:
        self._world = world

    @property
    def url(self) -> str:
        file = sample("png")
        return self._world.url + self._world.blobs.add(file.data).path(file.mime_type, file.filename)


def _reply(text: str, payload: str | None = None) -> Item:
    return {"text": text, "payload": payload or text.lower()}


def _replies(question: str, replies: list[Item]) -> Composed:
    """One content item for each answer, the question beside them."""
    return Composed([{"contentType": "QuickReply", "quickReply": reply} for reply in replies], question)


def _long(_: _Picture) -> Composed:
    titles = [f"I would like an appointment with a consultant on {day}" for day in _DAYS[:3]]
    replies = [_reply(title, f"day-{number}-".ljust(LONG, "x")) for number, title in enumerate(titles, 1)]
    return _replies("When shall we call?", replies)


def _quick_reply_v2(_: _Picture) -> Composed:
    actions = [_reply("Yes, please"), _reply("No, thanks"), _reply("Ask me later")]
    body = {"title": "Shall we keep you informed?", "actions": actions}
    return Composed([{"contentType": "QuickReplyV2", "quickReplyV2": body}])


def _postback(text: str, payload: str) -> Item:
    return {"type": "Postback", "text": text, "payload": payload}


def _link(text: str, path: str) -> Item:
    return {"type": "Link", "text": text, "url": f"https://shop.example/{path}"}


def _card(picture: _Picture, *actions: Item, **more: Any) -> Composed:
    card = {"title": "Mountain hut", "description": "Two nights, breakfast included", "image": picture.url}
    return Composed([{"contentType": "Card", "card": card | {"actions": list(actions)} | more}])


def _carousel(picture: _Picture) -> Composed:
    cards = [
        {
            "title": hut,
            "description": f"{nights} {'night' if nights == 1 else 'nights'}",
            "image": picture.url,
            "actions": [_postback("Book", f"book-{nights}"), _postback("Details", f"details-{nights}")],
        }
        for nights, hut in enumerate(("Lake hut", "Mountain hut", "Forest hut"), 1)
    ]
    return Composed([{"contentType": "Carousel", "carousel": {"cards": cards}}])


def _date_picker(_: _Picture) -> Composed:
    tomorrow = datetime.now(UTC).replace(hour=9, minute=0, second=0, microsecond=0) + timedelta(days=1)
    times = [
        {"dateTime": iso_milliseconds((tomorrow + timedelta(hours=hours)).timestamp()), "duration": 1800}
        for hours in range(5)
    ]
    body = {"title": "Your appointment", "subtitle": "Half an hour with Ana", "availableTimes": times}
    return Composed([{"contentType": "DatePicker", "datePicker": body | {"dateDisplayFormat": "dayMonthYear"}}])


def _list_picker(_: _Picture) -> Composed:
    def item(key: str, title: str, subtitle: str) -> Item:
        return {"id": key, "title": title, "subtitle": subtitle}

    delivery = [item("post", "Post", "Two days"), item("courier", "Courier", "Today"), item("shop", "Collect", "Now")]
    payment = [item("invoice", "Invoice", "Within 14 days"), item("card", "Card", "At once")]
    body = {
        "id": "order",
        "sections": [
            {"title": "Delivery", "multipleSelection": False, "items": delivery},
            {"title": "Payment", "multipleSelection": False, "items": payment},
        ],
        "receivedMessage": {"title": "How shall we deliver?", "subtitle": "One choice", "buttonLabel": "Choose"},
        "replyMessage": {"title": "Thank you"},
    }
    return Composed([{"contentType": "ListPicker", "listPicker": body}])


def _notification(header: Item) -> Composed:
    body = {
        "header": header,
        "body": {"text": "Your parcel arrives tomorrow between 9 and 12."},
        "footer": {"text": "Nordwind delivery"},
        "buttons": [
            {"type": "QuickReply", "text": "I am at home", "payload": "at-home", "index": 0},
            {"type": "Url", "text": "Follow it", "url": "https://shop.example/parcel/4711", "index": 1},
            {"type": "PhoneNumber", "text": "Call us", "phoneNumber": "+493012345678", "index": 2},
        ],
    }
    return Composed([{"contentType": "Notification", "template": body}])


def _media_header(picture: _Picture) -> Item:
    file = sample("png")
    media = {"mediaType": "Image", "url": picture.url, "mime": file.mime_type, "filename": file.filename}
    return {"type": "Media", "media": media}


def _template(_: _Picture) -> Composed:
    body = {
        "id": "whatsapp@order_update",
        "language": "en",
        "body": {
            "text": "Hello {{1}}, your order {{2}} is on its way.",
            "parameters": [{"name": "1", "text": "Ada"}, {"name": "2", "text": "4711"}],
        },
        "buttons": [{"type": "QuickReply", "text": "Thanks", "payload": "thanks-4711", "index": 0}],
    }
    return Composed([{"contentType": "Notification", "template": body}])


def _location(_: _Picture) -> Composed:
    place = {"latitude": 52.5163, "longitude": 13.3777, "text": "Nordwind", "address": "Pariser Platz 1, Berlin"}
    return Composed([{"contentType": "Location", "location": place}])


def _link_message(_: _Picture) -> Composed:
    link = {"mediaType": "Link", "url": "https://shop.example/terms", "mime": "text/html", "filename": "Our terms"}
    return Composed([{"contentType": "Attachment", "attachment": link}], type="Text")


def _form(_: _Picture) -> Composed:
    pages = [
        {
            "title": "Your address",
            "pageComponents": [{"formComponentType": "Input", "input": {"id": "street", "title": "Street"}}],
        }
    ]
    body = {
        "introduction": {"title": "Please check your data", "subtitle": "It takes a minute", "buttonText": "Begin"},
        "formPages": pages,
        "receivedMessage": {"title": "A form for you"},
        "replyMessage": {"title": "Thank you"},
        "showSummary": True,
    }
    return Composed([{"contentType": "Form", "form": body}])


def _application(_: _Picture) -> Composed:
    body = {"name": "Seat map", "url": "https://shop.example/seats", "receivedMessage": {"title": "Choose your seat"}}
    return Composed([{"contentType": "InteractiveApplication", "interactiveApplication": body}])


def _payment(_: _Picture) -> Composed:
    body = {
        "paymentPlatform": "ApplePay",
        "countryCode": "DE",
        "currencyCode": "EUR",
        "orderTotal": 49.9,
        "lineItems": [{"name": "Hiking map", "price": 49.9}],
        "receivedMessage": {"title": "Your order", "subtitle": "Pay with one tap"},
    }
    return Composed([{"contentType": "PaymentRequest", "paymentRequest": body}])


def _push(_: _Picture) -> Composed:
    body = {"deviceType": "Android", "notificationMessage": {"title": "Nordwind", "body": "Your agent has answered"}}
    return Composed([{"contentType": "Push", "push": body}])


_SAMPLES: dict[str, Callable[[_Picture], Composed]] = {
    "quick_replies": lambda _: _replies("Which day suits you?", [_reply(day) for day in _DAYS[:3]]),
    "quick_replies_list": lambda _: _replies("Which day suits you?", [_reply(day) for day in _DAYS]),
    "quick_replies_many": lambda _: _replies("When were you born?", [_reply(month) for month in _MONTHS]),
    "quick_replies_long": _long,
    "quick_reply_v2": _quick_reply_v2,
    "card": lambda picture: _card(picture, _postback("Book", "book-hut"), _postback("Details", "details-hut")),
    "card_link": lambda picture: _card(picture, _link("Open the shop", "hut"), defaultAction=_link("Hut", "hut")),
    "card_mixed": lambda picture: _card(picture, _postback("Book", "book-hut"), _link("Open the shop", "hut")),
    "carousel": _carousel,
    "date_picker": _date_picker,
    "list_picker": _list_picker,
    "notification": lambda _: _notification({"type": "Text", "text": "On its way"}),
    "notification_media": lambda picture: _notification(_media_header(picture)),
    "notification_template": _template,
    "location": _location,
    "text_content": lambda _: Composed([{"contentType": "Text", "text": {"type": "Text", "body": "Text as content"}}]),
    "link": _link_message,
    "form": _form,
    "interactive_application": _application,
    "payment_request": _payment,
    "push": _push,
}
