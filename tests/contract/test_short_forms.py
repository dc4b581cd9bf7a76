"""What our own short forms become is what Meta takes: the stand-in's strict models read every one of them."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from sandbox.meta.validation import parse_send
from web.api.messages import native, sending_objects
from web.api.messages.native import ObjectError
from web.api.messages.sending_schemas import ToPhone
from web.request.wording import details

TO = {"to": "4915112345678"}
LINK = {"title": "Open", "url": "https://shop.example/1"}
FILE = "https://shop.example/1.png"
YES = {"id": "yes", "title": "Yes"}
SECTION = {"rows": [{"id": "a", "title": "Ada", "description": "the first"}]}
ROWS = {"button": "Choose", "sections": [SECTION]}
ONE_NAME = {"formatted_name": "Ada Brandt"}
NAME = {"formatted_name": "Ada Brandt", "first_name": "Ada"}
FORMS: list[tuple[dict[str, Any], str, str | None]] = [
    ({"type": "buttons", "text": "Now?", "buttons": [YES], "footer": "small"}, "menu", "Now?"),
    ({"type": "buttons", "text": "Now?", "buttons": [YES], "header": {"type": "image", "url": FILE}}, "menu", "Now?"),
    ({"type": "list", "text": "Who?", "list": ROWS, "header": {"text": "People"}}, "menu", "Who?"),
    ({"type": "link", "text": "See", "link": LINK}, "menu", "See"),
    ({"type": "carousel", "text": "See", "cards": [{"url": FILE, "text": "a\nb", "link": LINK}] * 2}, "menu", "See"),
    ({"type": "carousel", "text": "See", "cards": [{"url": FILE, "buttons": [YES]}] * 10}, "menu", "See"),
    ({"type": "flow", "text": "Fill", "flow": {"id": 123, "screen": "HALL", "data": {"a": "b"}}}, "ask", "Fill"),
    ({"type": "flow", "text": "Fill", "flow": {"name": "sign_up", "mode": "draft", "token": "t"}}, "ask", "Fill"),
    ({"type": "location_request", "text": "Where?"}, "ask", "Where?"),
    ({"type": "contact_request", "text": "Number?"}, "ask", "Number?"),
    ({"type": "call_permission_request"}, "ask", None),
    ({"type": "location", "location": {"latitude": 52.5, "longitude": 13}}, "location", "52.5, 13.0"),
    ({"type": "location", "location": {"latitude": 1, "longitude": 2, "name": "Shop"}}, "location", "Shop"),
    ({"type": "reaction", "reaction": {"message_id": "wamid.1", "emoji": "👍🏽"}}, "reaction", "👍🏽"),
    ({"type": "reaction", "reaction": {"message_id": "wamid.1", "emoji": ""}}, "reaction", None),
    ({"type": "contacts", "contacts": [{"name": NAME, "phones": [{"phone": "+49151"}]}]}, "contacts", "Ada Brandt"),
]


@pytest.mark.parametrize(("body", "kind", "text"), FORMS)
def test_meta_takes_what_our_short_form_becomes(body: dict[str, Any], kind: str, text: str | None) -> None:
    made = sending_objects.native(ToPhone.model_validate(TO | body))
    assert made is not None
    parse_send({"messaging_product": "whatsapp", "to": "+4915112345678", "type": made.type, **made.fields})
    assert native.shown(made) == (kind, text)


@pytest.mark.parametrize(
    ("body", "field", "says"),
    [
        ({"type": "buttons", "text": "Now?"}, "buttons", "is missing"),
        ({"type": "buttons", "text": "Now?", "buttons": [YES, YES]}, "buttons", "an id of its own"),
        ({"type": "buttons", "text": "Now?", "buttons": [YES] * 4}, "buttons", "at most 3"),
        ({"type": "buttons", "text": "Now?", "buttons": [YES | {"title": "x" * 21}]}, "buttons.0.title", "at most 20"),
        ({"type": "buttons", "text": "Now?", "buttons": [YES | {"title": "👍" * 11}]}, "buttons.0.title", "at most 20"),
        ({"type": "buttons", "text": "x" * 1025, "buttons": [YES]}, "text", "at most 1024"),
        ({"type": "buttons", "text": "Now?", "buttons": [YES], "footer": "x" * 61}, "footer", "at most 60"),
        ({"type": "buttons", "text": "Now?", "buttons": [YES], "header": {"text": "x" * 61}}, "header.text", "most 60"),
        ({"type": "list", "text": "Who?", "list": ROWS, "header": {"type": "image", "url": FILE}}, "header", "a text"),
        ({"type": "list", "text": "Who?", "list": ROWS | {"button": "x" * 21}}, "list.button", "at most 20"),
        ({"type": "list", "text": "Who?", "list": ROWS | {"sections": [SECTION] * 2}}, "list.sections", "own"),
        ({"type": "link", "text": "See", "link": {"title": "Open", "url": "tel:1"}}, "link.url", "https://"),
        ({"type": "carousel", "text": "See", "cards": [{"url": FILE, "link": LINK}]}, "cards", "at least 2"),
        ({"type": "carousel", "text": "See", "cards": [{"url": FILE, "link": LINK}] * 11}, "cards", "at most 10"),
        ({"type": "flow", "text": "Fill", "flow": {}}, "flow", "either `id` or `name`"),
        ({"type": "flow", "text": "Fill", "flow": {"id": "1", "button": "x" * 31}}, "flow.button", "at most 30"),
        ({"type": "location", "location": {"latitude": 91, "longitude": 0}}, "location.latitude", "90 or less"),
        ({"type": "reaction", "reaction": {"message_id": "wamid.1", "emoji": "ok"}}, "reaction.emoji", "one emoji"),
        ({"type": "contacts", "contacts": []}, "contacts", "not be empty"),
        (
            {"type": "contacts", "contacts": [{"name": {"formatted_name": "A"}}]},
            "contacts.0.name.first_name",
            "missing",
        ),
        ({"type": "sticker", "media_url": FILE, "text": "x"}, "text", "does not go with type sticker"),
        ({"type": "text", "text": "x", "link": LINK}, "link", "say type link"),
        ({"type": "text", "message": {"type": "text"}}, "type", "does not go with `message`"),
    ],
)
def test_a_limit_is_named_with_its_field(body: dict[str, Any], field: str, says: str) -> None:
    with pytest.raises(ValidationError) as caught:
        ToPhone.model_validate(TO | body)
    [mistake] = details(caught.value)
    assert (mistake["field"], says in mistake["message"]) == (field, True), mistake


def test_an_object_is_passed_on_as_it_is() -> None:
    given = {
        "messaging_product": "whatsapp",
        "recipient_type": "individual",
        "to": "+49 151 12345678",
        "type": "hologram",
        "hologram": {"depth": 3, "of": ["tomorrow"]},
        "context": {"message_id": "wamid.1"},
        "unheard_of": True,
        "biz_opaque_callback_data": "order 4711",
    }
    made, person = native.read(given)
    assert made.fields == {name: given[name] for name in ("hologram", "context", "unheard_of")}
    assert (made.type, made.callback_data, person.wa_id) == ("hologram", "order 4711", "4915112345678")
    assert native.shown(made) == (native.OTHER, None)
    assert native.read(given | {"to": None, "recipient": "DE.118157"})[1].bsuid == "DE.118157"
    assert native.read({"to": 4915112345678, "text": {"body": "x"}})[0].type == "text"


DEEP: dict[str, Any] = {}
for _ in range(20):
    DEEP = {"a": DEEP}


@pytest.mark.parametrize(
    ("change", "code", "field"),
    [
        ({"to": None}, 131008, "to"),
        ({"to": "0151"}, 131009, "to"),
        ({"to": ["x"]}, 131009, "to"),
        ({"to": True}, 131009, "to"),
        ({"to": "de.118157"}, 131009, "to"),
        ({"type": "image"}, 131008, "image"),
        ({"type": "to"}, 131009, "type"),
        ({"type": 5}, 131009, "type"),
        ({"messaging_product": "telegram"}, 100, "messaging_product"),
        ({"recipient_type": "group"}, 131009, "recipient_type"),
        ({"biz_opaque_callback_data": "x" * 513}, 131009, "biz_opaque_callback_data"),
        ({"biz_opaque_callback_data": {}}, 131009, "biz_opaque_callback_data"),
        ({"x": "\x00"}, 100, "the message"),
        ({"x": "\ud83d"}, 100, "the message"),
        ({"\ud83d": "x"}, 100, "the message"),
        ({"x": float("nan")}, 100, "the message"),
        ({"x": 2**64}, 100, "the message"),
        ({"x": DEEP}, 100, "the message"),
        ({"x": [0] * 20_001}, 100, "the message"),
    ],
)
def test_what_cannot_be_kept_or_addressed_is_refused(change: dict[str, Any], code: int, field: str) -> None:
    with pytest.raises(ObjectError) as caught:
        native.read({"to": "4915112345678", "type": "text", "text": {"body": "x"}} | change)
    assert (caught.value.code, caught.value.field) == (code, field)
