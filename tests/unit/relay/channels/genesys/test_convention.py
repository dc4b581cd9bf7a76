"""How agents write templates, and what is refused so that no customer reads it."""

from typing import Any

import pytest

from relay.channels.genesys.convention import applied
from relay.core.content import Ask, FilledCard, Option, Parameter, Template
from relay.core.messages import Media, Message, Person


def message(text: str | None, **more: Any) -> Message:
    return Message("7f3c", Person("c"), 1764000000.0, text=text, **more)


def template(*body: str, **more: Any) -> Template:
    return Template("order_update", "en_US", tuple(map(Parameter, body)), **more)


ADA = (Parameter("Ada", "name"), Parameter("19.90", "total"))
GOOD: list[tuple[str, Template]] = [
    ("/template order_update en_US", template()),
    ("  /Template   order_update\ten_US  \n", template()),
    ("/template order_update en_US\nAda\n\n 4711 ", template("Ada", "4711")),
    ("/template order_update en_US\r\nAda | Bea", template("Ada | Bea")),
    ("/template order_update en_US | Ada | 4711", template("Ada", "4711")),
    ("/template order_update en_US | a|b", template("a|b")),
    ("/template order_update en_US\nname=Ada\ntotal = 19.90", template()),
    ("/template order_update en_US | name=Ada | total=19.90", template()),
    ("/template order_update en_US\nhttps://example.org/?a=b", template("https://example.org/?a=b")),
    ("/template order_update en_US\nheader: Order 77\nAda", template("Ada", header=(Parameter("Order 77"),))),
    ("/template order_update en_US | HEADER: 77 | Ada", template("Ada", header=(Parameter("77"),))),
    ("/template order_update en_US\nbutton 2: b\nbutton 1: a:1", template(urls=((0, "a:1"), (1, "b")))),
    ("\u2060/template order_update en_US", template()),
    ("\u200b \u3164/template\u2060 order_update\u200b en\u00ad_US\u2060\nAda\u200e", template("Ada")),
    ("／template order_update en_US", template()),
    ("\u2215template order_update en_US", template()),
    ("／ｔｅｍｐｌａｔｅ order_update en_US ｜ Ada ｜ 4711", template("Ada", "4711")),
    ("/template\u00a0order_update\u3000en_US\nheader： 77", template(header=(Parameter("77"),))),
    ("/template order_update en_US\nBody lotion: 20", template("Body lotion: 20")),
    ("/template order_update en_US\nCard holders: 20", template("Card holders: 20")),
    (
        "/template order_update en_US\nAda\ncard 1 header: https://x.example/a.jpg?b=1\ncard 1: Boots\ncard 1: 49"
        "\nCARD 1 button 2: 4711\ncard 2 header: https://x.example/b.mp4\ncard 2: button 1: c",
        template(
            "Ada",
            cards=(
                FilledCard(
                    "image", "https://x.example/a.jpg?b=1", (Parameter("Boots"), Parameter("49")), ((1, "4711"),)
                ),
                FilledCard("video", "https://x.example/b.mp4", (), ((0, "c"),)),
            ),
        ),
    ),
    ("/template order_update en_US | card 1: 49", template(cards=(FilledCard(body=(Parameter("49"),)),))),
    ("/template order_update en_US\noffer ends: 2026-12-24 18:00 +01:00", template(offer_ends=1798131600.0)),
    ("/template order_update en_US | Offer ends: 2026-12-24T17:00Z", template(offer_ends=1798131600.0)),
]


@pytest.mark.parametrize(("text", "expected"), GOOD)
def test_templates(text: str, expected: Template) -> None:
    found = applied(message(text))
    named = "name" in text
    assert found.template == (Template("order_update", "en_US", ADA) if named else expected)
    assert (found.type, found.text) == ("template", text)


@pytest.mark.parametrize("language", ["en", "en_US", "fil", "pt_BR"])
def test_languages(language: str) -> None:
    found = applied(message(f"/template x {language}")).template
    assert found is not None
    assert found.language == language


@pytest.mark.parametrize(
    "text",
    [None, "", "Hello", "See /template a en", "/tmpl a en", "template a en", "/asking for more", "ask location x"],
)
def test_ordinary_texts_stay_as_they_are(text: str | None) -> None:
    assert applied(message(text)) == message(text)


@pytest.mark.parametrize(
    "text",
    [
        "/template",
        "/template order_update",
        "/templates order_update en",
        "/template:order_update en",
        "/ template order_update en",
        "\u2060/template:order_update",
        "\u3164／Template-order_update en",
        "\u202e/tem\u00adplate",
        "/template_order_update",
        "/template order_update english",
        "/template order_update EN",
        "/template Order-Update en",
        f"/template {'x' * 513} en",
        "/template order update en",
        "/template order_update en Ada",
        "/template order_update en Ada\n77",
        "/template order_update en | Ada |  | 77",
        "/template order_update en | Ada |",
        "/template order_update en\nname=",
        "/template order_update en\nName=Ada",
        "/template order_update en\nname=Ada\nname=Bea",
        "/template order_update en\nname=Ada\nBea",
        "/template order_update en\nheader:",
        "/template order_update en\nheader 2: x",
        "/template order_update en\nheader: a\nheader: b",
        "/template order_update en\nfooter: a",
        "/template order_update en\nbutton: a",
        "/template order_update en\nbutton 0: a",
        "/template order_update en\nbutton 11: a",
        "/template order_update en\nbutton 1: a\nbutton 1: b",
        "/template order_update en\nheader: https://[::1/a.png",
        "/template order_update en\ncard 2: Boots",
        "/template order_update en\ncard 0: Boots",
        "/template order_update en\ncard 11: Boots",
        "/template order_update en\ncard 1:",
        "/template order_update en\ncard 1: a\ncard 1: b=c",
        "/template order_update en\ncard 1 header: Boots",
        "/template order_update en\ncard 1 header: http://x.example/a.jpg",
        "/template order_update en\ncard 1 header: https://[::1/a.png",
        "/template order_update en\ncard 1 button 11: x",
        "/template order_update en\noffer ends: tomorrow",
        "/template order_update en\noffer ends: 2026-12-24 18:00",
        "/template order_update en\noffer ends: 2026-12-24T17:00Z\noffer ends: 2026-12-24T17:00Z",
    ],
)
def test_what_cannot_be_read_is_a_template_without_one(text: str) -> None:
    """Its receiver refuses it; as a text it would reach the customer."""
    found = applied(message(text))
    assert (found.type, found.template, found.text) == ("template", None, text)
    assert "write /template, its name and its language" in str(found.unreadable)


@pytest.mark.parametrize(
    ("address", "kind", "name"),
    [
        ("https://example.org/a/b.png?x=1", "image", "b.png"),
        ("https://example.org/b.mp4", "video", "b.mp4"),
        ("https://example.org/b.pdf", "document", "b.pdf"),
        ("https://example.org/", "document", None),
    ],
)
def test_a_file_in_the_header(address: str, kind: Any, name: str | None) -> None:
    found = applied(message(f"/template order_update en_US\nheader: {address}\nAda"))
    assert found.template == template("Ada")
    assert found.media == Media(kind, source_url=address, filename=name, public=True)


def test_what_came_along_stays() -> None:
    media, options = Media("image", source_url="https://example.org/a.png"), (Option("Stop", "stop"),)
    found = applied(message("/template order_update en_US\nAda", media=media, options=options))
    assert (found.template, found.media, found.options) == (template("Ada"), media, options)


FORM = Ask("flow", "1234567890")


@pytest.mark.parametrize(
    ("text", "ask", "shown"),
    [
        ("/ask location Where to?", Ask("location"), "Where to?"),
        ("\u2060／Ask  LOCATION\u00a0 Where to?\nHouse, street ", Ask("location"), "Where to?\nHouse, street"),
        ("/ask \u2060 location Where to?", Ask("location"), "Where to?"),
        ("/ask contact | Your number?", Ask("contact"), "Your number?"),
        ("/ask contact\n\nYour number?\n\nThanks | Ada", Ask("contact"), "Your number?\n\nThanks | Ada"),
        ("/ask call", Ask("call"), None),
        ("/ask call May we call?", Ask("call"), "May we call?"),
        ("/ask flow 1234567890 The form: see below", FORM, "The form: see below"),
        (
            "/ask flow sign_up\nThe form\nbutton: Open it\nScreen： HALL",
            Ask("flow", "sign_up", "Open it", "HALL"),
            "The form",
        ),
        ("/ask flow 1234567890 | The form | button: Go", Ask("flow", "1234567890", "Go"), "The form"),
    ],
)
def test_what_a_customer_is_asked_for(text: str, ask: Ask, shown: str | None) -> None:
    found = applied(message(text))
    assert (found.type, found.ask, found.text, found.unreadable) == ("ask", ask, shown, None)


@pytest.mark.parametrize(
    "text",
    [
        "/ask",
        "/ask me",
        "/ask: location Where to?",
        "/ask_location Where to?",
        "/ ask location",
        "/ask location",
        "/ask location \u200b\n",
        "/ask location: Where to?",
        "/ask flow",
        "/ask flow 1234567890",
        "/ask flow 1\nThe form\nbutton:",
        "/ask flow 1\nThe form\nbutton: a\nbutton: b",
        f"/ask flow {'1' * 129} The form",
    ],
)
def test_a_request_that_cannot_be_read_never_goes_out(text: str) -> None:
    found = applied(message(text))
    assert (found.type, found.ask, found.text) == ("ask", None, text)
    assert "write /ask, then location, contact, call or flow" in str(found.unreadable)


def test_one_message_asks_for_one_thing() -> None:
    assert applied(message("/ask call", options=(Option("Yes", "yes"),))).unreadable
