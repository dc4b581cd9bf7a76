"""What a phone shows of a message beside its text: things to tap, places, contacts, answers."""

from typing import Any

from sandbox.meta.approved import ApprovedTemplate, TemplateButton, filled
from sandbox.meta.requests import SendRequest
from sandbox.meta.template import address, payload, values
from sandbox.meta.template_request import Filling, TemplateObject

_REQUESTS = {
    "location_request_message": "Send location",
    "request_contact_info": "Share contact info",
    "address_message": "Provide address",
    "call_permission_request": "Choose preference",
}
_KINDS = {"QUICK_REPLY": "quick_reply", "URL": "url", "PHONE_NUMBER": "phone", "REQUEST_CONTACT_INFO": "request"}
Shown = dict[str, Any]


def of_request(request: SendRequest, approved: ApprovedTemplate | None) -> Shown:
    """What the business sends, by the names in entry.SHOWN."""
    match request.type:
        case "interactive":
            return {"interactive": _dialogue(request.content)}
        case "location":
            return {"location": _location(request.content.model_dump())}
        case "contacts":
            return {"contacts": [_contact(each.model_dump()) for each in request.content]}
        case "template":
            assert approved is not None
            return _template(request.content, approved)
    return {}


def text_of(request: SendRequest, shown: Shown) -> str | None:
    """One line, whatever the type."""
    content = request.content
    text: str | None
    match request.type:
        case "text":
            text = content.body
        case "reaction":
            text = content.emoji
        case "interactive" | "template":
            text = shown["interactive"]["body"]
        case "location":
            text = content.name or content.address
        case "contacts":
            text = content[0].name.formatted_name
        case _:
            text = getattr(content, "caption", None)
    return text


def of_message(message: dict[str, Any]) -> Shown:
    """What a customer wrote. Read with care: tests may send any shape."""
    shown: Shown = {}
    kind, content = message.get("type"), message.get(str(message.get("type")))
    if kind == "location" and isinstance(content, dict):
        shown["location"] = _location(content)
    elif kind == "contacts" and isinstance(content, list):
        shown["contacts"] = [_contact(each) for each in content if isinstance(each, dict)]
    elif kind == "order":
        shown["order"] = content
    elif kind in ("interactive", "button") and isinstance(content, dict):
        shown["answer"] = _answer(str(kind), content)
    if "referral" in message:
        shown["referral"] = message["referral"]
    return shown


def _answer(kind: str, content: dict[str, Any]) -> Shown:
    if kind == "button":
        return _tapped("button", content.get("payload"), content.get("text"))
    name = str(content.get("type"))
    reply = content.get(name)
    reply = reply if isinstance(reply, dict) else {}
    title = reply.get("title") or reply.get("body") or reply.get("response")
    return _tapped(name, reply.get("id") or reply.get("name"), title, reply.get("description"))


def _tapped(kind: str, identity: Any, title: Any, description: Any = None) -> Shown:
    return {"kind": kind, "id": identity, "title": title, "description": description}


def _location(content: dict[str, Any]) -> Shown:
    return {name: content.get(name) for name in ("latitude", "longitude", "name", "address", "url")}


def _contact(content: dict[str, Any]) -> Shown:
    name, organisation = content.get("name") or {}, content.get("org") or {}
    return {
        "name": name.get("formatted_name"),
        "phones": [each.get("phone") or each.get("wa_id") for each in content.get("phones") or []],
        "emails": [each.get("email") for each in content.get("emails") or []],
        "organisation": organisation.get("company"),
    }


def _dialogue(content: Any) -> Shown:
    header, footer, body = (getattr(content, name, None) for name in ("header", "footer", "body"))
    return {
        "kind": content.type,
        "header": {"type": header.type, "text": header.text, "media": None} if header else None,
        "body": body.text if body else None,
        "footer": footer.text if footer else None,
        "button": content.action.button if content.type == "list" else None,
        "options": [_option(place, **each) for place, each in enumerate(_choices(content))],
    }


def _choices(content: Any) -> list[Shown]:
    action = content.action
    match content.type:
        case "button":
            return [{"kind": "reply", "id": each.reply.id, "title": each.reply.title} for each in action.buttons]
        case "list":
            return [
                {"kind": "row", "section": section.title} | row.model_dump()
                for section in action.sections
                for row in section.rows
            ]
        case "cta_url":
            return [{"kind": "url", "title": action.parameters.display_text, "url": action.parameters.url}]
        case "carousel":
            return [each for card in action.cards for each in _of_card(card)]
        case "flow":
            return [{"kind": "request", "title": action.parameters.flow_cta}]
    return [{"kind": "request", "title": _REQUESTS[content.type]}] if content.type in _REQUESTS else []


def _of_card(card: Any) -> list[Shown]:
    """Below which card each stands is said by its section."""
    name = (card.header.file.link or card.header.type).split("?")[0].rsplit("/", 1)[-1]
    section = f"{card.card_index + 1}. {card.body.text if card.body else name}"
    if card.action.parameters is not None:
        link = card.action.parameters
        return [{"kind": "url", "title": link.display_text, "url": link.url, "section": section}]
    replies = [each.quick_reply for each in card.action.buttons]
    return [{"kind": "reply", "id": each.id, "title": each.title, "section": section} for each in replies]


def _option(index: int, **known: Any) -> Shown:
    empty = {"id": None, "title": None, "description": None, "section": None, "url": None, "tapped": False}
    return {"index": index} | empty | known


def _template(template: TemplateObject, approved: ApprovedTemplate) -> Shown:
    header = approved.header
    text = filled(header.text, values(template, "header")) if header else None
    options = [*_template_options(template, approved.buttons), *_cards(template, approved)]
    return {
        "template": {"name": approved.name, "language": approved.language},
        "interactive": {
            "kind": "template",
            "header": {"type": header.format.lower(), "text": text or None, "media": None} if header else None,
            "body": filled(approved.body, values(template, "body")),
            "footer": approved.footer,
            "button": None,
            "options": [_option(place, **each) for place, each in enumerate(options)],
        },
    }


def _cards(template: TemplateObject, approved: ApprovedTemplate) -> list[Shown]:
    """What stands below each card of a carousel; the section names the card by its place and text."""
    given = next((each.cards or [] for each in template.components if each.type == "carousel"), [])
    found = []
    for card in sorted(given, key=lambda each: each.card_index):
        shape = approved.cards[card.card_index]
        section = f"{card.card_index + 1}. {filled(shape.body, values(card, 'body'))}"
        found += [each | {"section": section} for each in _template_options(card, shape.buttons)]
    return found


def _template_options(given: Filling, buttons: list[TemplateButton]) -> list[Shown]:
    return [_template_option(given, index, button) for index, button in enumerate(buttons)]


def _template_option(given: Filling, index: int, button: TemplateButton) -> Shown:
    kind = _KINDS.get(button.type, "request")
    known: Shown = {"kind": kind, "title": button.text}
    if kind == "quick_reply":
        known["id"] = payload(given, index, button)
    elif kind == "url":
        known["url"] = address(given, index, button)
    elif kind == "phone":
        known["url"] = f"tel:{button.phone_number}"
    return known
