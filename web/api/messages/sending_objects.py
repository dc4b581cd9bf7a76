"""Our own short form of a message as WhatsApp's object of it. Source: Meta's *-messages pages of 2026. No I/O."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from relay.core.content import Native
from web.api.messages.sending_contents import CarouselCard, Heading, LinkChoice, ReplyChoice, plain

if TYPE_CHECKING:
    from web.api.messages.sending_schemas import ToPhone

Json = dict[str, Any]


def native(body: ToPhone) -> Native | None:
    """WhatsApp's object of what was asked for; None for what the relay itself makes one of: texts, files, templates."""
    make = _MAKERS.get(body.type)
    if make is None:
        return None
    kind, content = make(body)
    return Native(kind, {kind: content})


def _dialogue(kind: str, body: ToPhone, action: Json) -> tuple[str, Json]:
    parts = {
        "header": _header(body.header) if body.header else None,
        "body": {"text": body.text} if body.text else None,
        "footer": {"text": body.footer} if body.footer else None,
    }
    return "interactive", {"type": kind, **{name: part for name, part in parts.items() if part}, "action": action}


def _header(given: Heading) -> Json:
    if given.text is not None:
        return {"type": "text", "text": given.text}
    return {"type": given.type, str(given.type): {"link": given.url}}


def _link(given: LinkChoice) -> Json:
    return {"name": "cta_url", "parameters": {"display_text": given.title, "url": given.url}}


def _buttons(kind: str, given: Sequence[ReplyChoice]) -> Json:
    return {"buttons": [{"type": kind, kind: plain(one)} for one in given]}


def _card(place: int, given: CarouselCard) -> Json:
    action = _link(given.link) if given.link else _buttons("quick_reply", given.buttons or ())
    header = {"type": given.type, given.type: {"link": given.url}}
    text = {"body": {"text": given.text}} if given.text else {}
    return {"card_index": place, "type": "cta_url", "header": header, **text, "action": action}


def _carousel(body: ToPhone) -> tuple[str, Json]:
    return _dialogue("carousel", body, {"cards": [_card(place, one) for place, one in enumerate(body.cards or ())]})


def _flow(body: ToPhone) -> tuple[str, Json]:
    given = body.flow
    assert given is not None
    parameters: Json = {
        "flow_message_version": "3",
        "flow_id": given.id,
        "flow_name": given.name,
        "flow_cta": given.button,
        "flow_token": given.token,
        "mode": given.mode,
    }
    if given.screen:
        data = {"data": given.data} if given.data else {}
        parameters |= {"flow_action": "navigate", "flow_action_payload": {"screen": given.screen, **data}}
    known = {name: value for name, value in parameters.items() if value is not None}
    return _dialogue("flow", body, {"name": "flow", "parameters": known})


def _asking(kind: str, action: str) -> Callable[[ToPhone], tuple[str, Json]]:
    return lambda body: _dialogue(kind, body, {"name": action})


_MAKERS: dict[str, Callable[[ToPhone], tuple[str, Any]]] = {
    "buttons": lambda body: _dialogue("button", body, _buttons("reply", body.buttons or ())),
    "list": lambda body: _dialogue("list", body, plain(body.list)),  # type: ignore[arg-type]
    "link": lambda body: _dialogue("cta_url", body, _link(body.link)),  # type: ignore[arg-type]
    "carousel": _carousel,
    "flow": _flow,
    "location_request": _asking("location_request_message", "send_location"),
    "contact_request": _asking("request_contact_info", "request_contact_info"),
    "call_permission_request": _asking("call_permission_request", "call_permission_request"),
    "location": lambda body: ("location", plain(body.location)),  # type: ignore[arg-type]
    "reaction": lambda body: ("reaction", plain(body.reaction)),  # type: ignore[arg-type]
    "contacts": lambda body: ("contacts", [plain(one) for one in body.contacts or ()]),
}
