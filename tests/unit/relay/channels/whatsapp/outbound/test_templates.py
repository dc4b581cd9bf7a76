"""Templates and places as Meta wants them."""

from typing import Any

import pytest

from relay.channels.whatsapp.outbound.fitting import fit
from relay.channels.whatsapp.outbound.render import render
from relay.core.content import Location, Option, Parameter, Template
from relay.core.errors import CannotCarry
from relay.core.messages import Media, Message, Person, Recipient
from tests.unit.relay.channels.accounts import CONTACT, PHONE, WHATSAPP

MESSAGE_ID = "0b6c3f8e-3f5c-4d0e-9a57-0d4f5b1c2a3e"
TO = Recipient(CONTACT, wa_id=PHONE)


def message(**more: Any) -> Message:
    return Message("7f3c", Person(CONTACT), 1764000000.0, **more)


def sent(it: Message, url: str | None = None) -> list[tuple[str, dict[str, Any]]]:
    bodies = [render(part, MESSAGE_ID, TO, WHATSAPP, url).body for part in fit(it)]
    return [(body["type"], body[body["type"]]) for body in bodies]


def test_a_template_without_parameters() -> None:
    it = message(type="template", template=Template("hello", "en_US"), reply_to="wamid.asked")
    assert sent(it) == [("template", {"name": "hello", "language": {"code": "en_US"}})]
    assert render(it, MESSAGE_ID, TO, WHATSAPP, None).body["context"] == {"message_id": "wamid.asked"}


def test_a_template_with_everything() -> None:
    template = Template(
        "order",
        "de",
        body=(Parameter("Ann", "first_name"), Parameter("one\n\ttwo     three", "lines"), Parameter("  ", "empty")),
        urls=((1, "abc/def"),),
    )
    options = (Option("Yes", "x" * 1000), Option("No", "n"))
    header = Media("document", "application/pdf", upload_id="9", filename="bill.pdf")
    ((kind, content),) = sent(message(type="Notification", template=template, options=options, media=header))
    assert kind == "template"
    assert content["components"] == [
        {"type": "header", "parameters": [{"type": "document", "document": {"id": "9", "filename": "bill.pdf"}}]},
        {
            "type": "body",
            "parameters": [
                {"type": "text", "parameter_name": "first_name", "text": "Ann"},
                {"type": "text", "parameter_name": "lines", "text": "one two three"},
                {"type": "text", "parameter_name": "empty", "text": "–"},
            ],
        },
        {"type": "button", "sub_type": "url", "index": "1", "parameters": [{"type": "text", "text": "abc/def"}]},
        {
            "type": "button",
            "sub_type": "quick_reply",
            "index": "0",
            "parameters": [{"type": "payload", "payload": f"{MESSAGE_ID}.0"}],
        },
        {
            "type": "button",
            "sub_type": "quick_reply",
            "index": "2",
            "parameters": [{"type": "payload", "payload": f"{MESSAGE_ID}.1"}],
        },
    ]


def test_an_answer_keeps_its_place_behind_links_that_need_nothing() -> None:
    """Meta refuses it in the place of a link or number, which have places even where nothing completes them."""
    options = (Option("Visit us", url="https://shop.example"), Option("Call", url="tel:+49"), Option("Stop", "s"))
    ((_, content),) = sent(message(template=Template("order", "de"), options=options))
    payload = {"type": "payload", "payload": f"{MESSAGE_ID}.2"}
    assert content["components"] == [
        {"type": "button", "sub_type": "quick_reply", "index": "2", "parameters": [payload]}
    ]


def test_a_templates_header_may_be_a_text() -> None:
    ((_, content),) = sent(message(template=Template("order", "de", header=(Parameter("No. 7"),))))
    assert content["components"] == [{"type": "header", "parameters": [{"type": "text", "text": "No. 7"}]}]


@pytest.mark.parametrize(
    ("it", "code"),
    [
        (message(type="template", text="/template"), "template_unreadable"),
        (message(template=Template("a", "en"), media=Media("link", "image/gif")), "media_type_not_allowed"),
        (message(template=Template("a", "en"), media=Media("audio", upload_id="9")), "media_type_not_allowed"),
        (message(template=Template("a", "en"), media=Media("image", "image/png")), "media_not_ready"),
    ],
)
def test_templates_that_cannot_be_sent(it: Message, code: str) -> None:
    with pytest.raises(CannotCarry) as caught:
        sent(it)
    assert caught.value.code == code


def test_who_sends_a_notification_that_names_no_template_is_told_how_it_is_named() -> None:
    with pytest.raises(CannotCarry, match="its id is whatsapp@ and the template's name"):
        sent(message(type="template", text="whatsapp@Order"))


@pytest.mark.parametrize(
    ("place", "text", "expected"),
    [
        (Location(52.5, 13.4), None, {}),
        (Location(52.5, 13.4, "Office", "Street 1"), None, {"name": "Office", "address": "Street 1"}),
        (Location(52.5, 13.4, None, "Street 1"), None, {"name": "Street 1"}),
        (Location(52.5, 13.4), "Our office", {"name": "Our office"}),
        (Location(52.5, 13.4, "Office"), "Second floor", {"name": "Office", "address": "Second floor"}),
        (Location(52.5, 13.4, "Office", "Street 1"), " Office\n", {"name": "Office", "address": "Street 1"}),
        (Location(0.0, -180.0, "a\nb"), None, {"name": "a b"}),
    ],
)
def test_a_place_is_one_message_where_it_holds_the_text(
    place: Location, text: str | None, expected: dict[str, Any]
) -> None:
    named = {"latitude": place.latitude, "longitude": place.longitude, **expected}
    assert sent(message(place=place, text=text)) == [("location", named)]


def test_a_text_too_long_for_a_places_name_goes_first() -> None:
    place = Location(52.5, 13.4, "Office", "Street 1")
    assert [kind for kind, _ in sent(message(place=place, text="Come to"))] == ["text", "location"]
    assert [kind for kind, _ in sent(message(place=Location(1, 2), text="x" * 101))] == ["text", "location"]
    parts = fit(message(place=place, text="Come to", reply_to="wamid.asked"))
    assert [(part.source_id, part.reply_to, bool(part.place)) for part in parts] == [
        ("7f3c", "wamid.asked", False),
        ("7f3c#2", None, True),
    ]


def test_what_is_tapped_stands_below_a_place() -> None:
    it = message(place=Location(1, 2), text="Is this where you live?", options=(Option("Yes"), Option("No")))
    (first, _), (second, content) = sent(it)
    assert (first, second) == ("location", "interactive")
    assert content["body"] == {"text": "Is this where you live?"}


def test_what_is_no_place_on_earth_is_told_as_text() -> None:
    assert sent(message(place=Location(91, 2, "Moon", "Far"))) == [("text", {"body": "Moon\nFar"})]
    assert sent(message(place=Location(float("nan"), 2, "Moon"))) == [("text", {"body": "Moon"})]
