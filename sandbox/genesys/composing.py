"""Checks what the desk is to send: contents, one by one, as the contract has them."""

from typing import Any

from pydantic import ValidationError

from sandbox.genesys import rich, rich_elsewhere
from sandbox.genesys.agent import NotSent
from sandbox.genesys.models import GenesysModel
from sandbox.genesys.rich import field_of

_KINDS: dict[str, type[GenesysModel]] = {
    "Attachment": rich.Offered,
    "Card": rich.Card,
    "Carousel": rich.Carousel,
    "DatePicker": rich.DatePicker,
    "ListPicker": rich.ListPicker,
    "Location": rich.ContentLocation,
    "Notification": rich.Notification,
    "QuickReply": rich.QuickReply,
    "QuickReplyV2": rich.QuickReplyV2,
    "Text": rich.ContentText,
    "Form": rich_elsewhere.Form,
    "InteractiveApplication": rich_elsewhere.InteractiveApplication,
    "PaymentRequest": rich_elsewhere.PaymentRequest,
    "Push": rich_elsewhere.Push,
}


def checked(content: list[Any]) -> list[dict[str, Any]]:
    for place, item in enumerate(content):
        _check(f"content.{place}", item)
    if len(content) > 1 and any(item["contentType"] == "Attachment" for item in content):
        raise NotSent("content: an Attachment stands alone")
    _check_unique(content)
    return content


def _check(place: str, item: Any) -> None:
    kind = item.get("contentType") if isinstance(item, dict) else None
    if kind not in _KINDS:
        raise NotSent(
            f"{place}.contentType: {kind} is none of {', '.join(_KINDS)}; what Genesys may have one day goes in message"
        )
    field = field_of(kind)
    if set(item) != {"contentType", field}:
        raise NotSent(f"{place}: {kind} has the fields contentType and {field}, and no other")
    try:
        _KINDS[kind].model_validate(item[field])
    except ValidationError as problem:
        first = problem.errors()[0]
        raise NotSent(f"{'.'.join(map(str, (place, field, *first['loc'])))}: {first['msg']}") from None


def _check_unique(content: list[dict[str, Any]]) -> None:
    """Text and payload of a button together say which one was pressed, over all of a card or carousel."""
    for item in content:
        if item["contentType"] not in ("Card", "Carousel"):
            continue
        cards = item["carousel"]["cards"] if "carousel" in item else [item["card"]]
        pairs = [
            (action["text"], action["payload"]) for card in cards for action in card["actions"] if "payload" in action
        ]
        if len(pairs) != len(set(pairs)):
            raise NotSent("content: text and payload must be unique over all buttons of a card or carousel")
