"""What a customer may answer to a structured message, and whether an answer was on offer."""

from typing import Any

from sandbox.genesys.rich import field_of

Option = dict[str, str]
_BY_PAYLOAD = ("DatePicker", "ListPicker")
"""Kinds whose answers carry a text of the phone's own making."""


def options(content: list[dict[str, Any]]) -> list[Option]:
    """All of them in order, as the button response that each one asks for."""
    return [option for item in content for option in _of(item)]


def offered(content: list[dict[str, Any]], text: str, payload: str) -> bool:
    """Genesys documents no such check; a bot that gets something else cannot go on."""
    for item in content:
        for option in _of(item):
            same_text = option["text"] == text or item.get("contentType") in _BY_PAYLOAD
            if option["payload"] == payload and same_text:
                return True
    return False


def _of(item: dict[str, Any]) -> list[Option]:
    kind = str(item.get("contentType"))
    body = item.get(field_of(kind)) or {}
    match kind:
        case "QuickReply":
            return [_option("QuickReply", body)]
        case "QuickReplyV2":
            return [_option("QuickReply", action) for action in body["actions"]]
        case "Card":
            return _postbacks(body)
        case "Carousel":
            return [option for card in body["cards"] for option in _postbacks(card)]
        case "Notification":
            wanted = (button for button in body.get("buttons", []) if button["type"] == "QuickReply")
            return [_option("QuickReply", button) for button in wanted]
        case "DatePicker":
            times = [slot["dateTime"] for slot in body.get("availableTimes", [])]
            return [{"type": "DatePicker", "text": time, "payload": time} for time in times]
        case "ListPicker":
            items = (each for section in body["sections"] for each in section["items"])
            return [{"type": "QuickReply", "text": each["title"], "payload": each["id"]} for each in items]
    return []


def _postbacks(card: dict[str, Any]) -> list[Option]:
    return [_option("Button", action) for action in card["actions"] if action["type"] == "Postback"]


def _option(kind: str, body: dict[str, Any]) -> Option:
    return {"type": kind, "text": body.get("text") or "", "payload": body.get("payload") or body.get("text") or ""}
