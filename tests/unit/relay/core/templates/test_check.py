"""What keeps a template from being sent, and in which words: many templates, filled in in many ways."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest

from relay.core.content import FilledCard, Parameter, Template
from relay.core.templates.check import mistakes
from relay.core.templates.listed import (
    STOPPED,
    LimitedOffer,
    ListedTemplate,
    ShapeButton,
    ShapeCard,
    ShapeHeader,
    TemplateShape,
)


def known(name: str = "order", category: str = "UTILITY", status: str = "APPROVED", **shape: Any) -> ListedTemplate:
    return ListedTemplate(name, "en", status, category, shape=TemplateShape(**shape))


LINK = ShapeButton("URL", "Track", "https://shop.example/{{1}}")
COPY = ShapeButton("URL", "Copy", "https://whatsapp.example/otp?code={{1}}")
PLAIN_LINK = ShapeButton("URL", "Shop", "https://shop.example/")
STOP, CALL, COUPON = ShapeButton("QUICK_REPLY", "Stop"), ShapeButton("PHONE_NUMBER", "Call"), ShapeButton("COPY_CODE")
CARD = ShapeCard(ShapeHeader("IMAGE"), "{{1}} EUR", (STOP, LINK))
TEMPLATES = {
    "plain": known(body="Hello"),
    "one": known(body="Hello {{1}}"),
    "two": known(body="{{2}} of {{1}}, {{1}}", footer="Nordwind"),
    "names": known(body="Dear {{customer}}, on {{day}}", named=True, header=ShapeHeader("TEXT", "For {{customer}}")),
    "title": known(body="Hello", header=ShapeHeader("TEXT", "Order {{1}}")),
    "fixed title": known(body="Hello", header=ShapeHeader("TEXT", "News")),
    "picture": known(body="Hello", header=ShapeHeader("IMAGE")),
    "film": known(body="Hello", header=ShapeHeader("VIDEO")),
    "paper": known(body="Hello", header=ShapeHeader("DOCUMENT")),
    "place": known(body="Hello", header=ShapeHeader("LOCATION")),
    "newer": known(body="Hello", header=ShapeHeader("HOLOGRAM")),
    "link": known(body="Hello", buttons=(STOP, LINK)),
    "plain link": known(body="Hello", buttons=(PLAIN_LINK, CALL)),
    "coupon": known(body="Hello", buttons=(COUPON,)),
    "code": known(category="AUTHENTICATION", body="{{1}} is it", buttons=(COPY,)),
    "new code": known(category="AUTHENTICATION", body="{{1}} is it", buttons=(ShapeButton("OTP", "Copy"),)),
    "cards": known(body="Hello", cards=(CARD, CARD)),
    "films": known(body="Hello", named=True, cards=(ShapeCard(ShapeHeader("VIDEO"), "{{price}} EUR"),)),
    "products": known(body="Hello", cards=(ShapeCard(ShapeHeader("PRODUCT")),)),
    "offer": known(body="Hello", offer=LimitedOffer("Ends soon", expires=True)),
    "endless offer": known(body="Hello", offer=LimitedOffer("Always")),
    "goods": known(body="Hello", buttons=(ShapeButton("MPM", "See"),)),
    "form": known(body="Hello", buttons=(ShapeButton("FLOW", "Open"), ShapeButton("CATALOG", "See"))),
}  # fmt: skip


def filling(
    *body: str,
    header: str = "",
    urls: Mapping[int, str] | None = None,
    cards: tuple[FilledCard, ...] = (),
    ends: float | None = None,
    **named: str,
) -> Template:
    parameters = (*map(Parameter, body), *(Parameter(text, name) for name, text in named.items()))
    given = (Parameter(header),) if header else ()
    return Template("order", "en", parameters, given, tuple((urls or {}).items()), cards=cards, offer_ends=ends)


def on_card(*body: str, link: str = "https://x.example/a", file: Any = "image", end: str | None = "4711") -> FilledCard:
    return FilledCard(file, link, tuple(map(Parameter, body)), ((1, end),) if end else ())


def cards(*second: str, **more: Any) -> Template:
    return filling(cards=(on_card("49"), on_card(*second, **more)))


GOOD: list[tuple[str, Template, str | None, int]] = [
    ("plain", filling(), None, 0),
    ("one", filling("Ada"), None, 0),
    ("one", filling("Ada   Brandt"), None, 0),
    ("one", filling("x" * 32_768), None, 0),
    ("two", filling("Ada", "4711"), None, 0),
    ("two", filling("x" * 1024, "1"), None, 0),
    ("names", filling(header="Ada", day="Monday", customer="Ada"), None, 0),
    ("title", filling(header="4711"), None, 0),
    ("fixed title", filling(), None, 0),
    ("picture", filling(), "image", 0),
    ("film", filling(), "video", 0),
    ("paper", filling(), "document", 0),
    ("newer", filling(), None, 0),
    ("newer", filling(), "image", 0),
    ("link", filling(urls={1: "4711"}), None, 0),
    ("link", filling(urls={1: "4711"}), None, 1),
    ("plain link", filling(), None, 0),
    ("coupon", filling(urls={0: "SAVE20"}), None, 0),
    ("code", filling("1234", urls={0: "1234"}), None, 0),
    ("new code", filling("1234", urls={0: "1234"}), None, 0),
    ("endless offer", filling(), None, 0),
    ("form", filling(), None, 0),
    ("cards", cards("99"), None, 0),
    ("films", filling(cards=(FilledCard("video", "https://x.example/a", (Parameter("49", "price"),)),)), None, 0),
    ("offer", filling(ends=1.8e9), None, 0),
]  # fmt: skip

BAD: list[tuple[str, Template, str | None, int, str, str]] = [
    ("plain", filling("Ada"), None, 0, "parameters", "a value number 1 has no place there"),
    ("plain", filling(name="Ada"), None, 0, "parameters", "has nothing to fill in in its body"),
    ("plain", filling(header="4711"), None, 0, "header", "has nothing to fill in in its header"),
    ("plain", filling(), "image", 0, "header", "takes no file: its header is empty"),
    ("plain", filling(urls={0: "x"}), None, 0, "urls", "has no button 1"),
    ("plain", filling(), None, 1, "buttons", "has 0 buttons to answer with, not 1"),
    ("one", filling(), None, 0, "parameters", "needs a value for {{1}} in its body"),
    ("one", filling("Ada", "Brandt"), None, 0, "parameters", "its body; a value number 2"),
    ("one", filling(name="Ada"), None, 0, "parameters", "of its body by their place, without names: {{1}}"),
    ("one", filling(" "), None, 0, "parameters", "{{1}} in the body of the template order (en) is"),
    ("one", filling("Ada\nBrandt"), None, 0, "parameters", "{{1}} in the body of the template order (en) holds"),
    ("one", filling("Ada\tBrandt"), None, 0, "parameters", "a tab or four spaces"),
    ("one", filling("Ada    Brandt"), None, 0, "parameters", "four spaces in a row"),
    ("one", filling("x" * 32_769), None, 0, "parameters", "has 32,769 characters, 32,768 fit"),
    ("two", filling("Ada"), None, 0, "parameters", "needs a value for {{2}} in its body"),
    ("two", filling("Ada", "x" * 1025), None, 0, "parameters", "{{2}} in the body of the template order (en) has"),
    ("two", filling("Ada", "1", "2"), None, 0, "parameters", "has only {{1}} and {{2}} in its body"),
    ("names", filling("Ada", "Monday", header="Ada"), None, 0, "parameters", "by name: {{customer}} and {{day}}"),
    ("names", filling(header="Ada", customer="Ada"), None, 0, "parameters", "needs a value for {{day}} in its body"),
    ("names", filling(header="Ada", customer="Ada", day="1", hour="2"), None, 0, "parameters", "{{hour}} has no place"),
    ("names", filling(customer="Ada", day="1"), None, 0, "header", "a value for {{customer}} in its header"),
    ("title", filling(), None, 0, "header", "needs a value for {{1}} in its header"),
    ("title", filling(header="x" * 61), None, 0, "header", "{{1}} in the header of the template order (en) has"),
    ("title", filling(header="4711"), "image", 0, "header", "takes no file: its header is a text"),
    ("fixed title", filling(header="4711"), None, 0, "header", "has nothing to fill in in its header"),
    ("picture", filling(), None, 0, "header", "needs a picture in its header"),
    ("picture", filling(), "document", 0, "header", "needs a picture in its header, not a document"),
    ("film", filling(), "image", 0, "header", "needs a video in its header, not a picture"),
    ("paper", filling(), "link", 0, "header", "not a file of the kind link"),
    ("place", filling(), None, 0, "header", "has a place on the map in its header"),
    ("link", filling(), None, 0, "urls", 'the button 2 ("Track") of the template order'),
    ("link", filling(urls={0: "x", 1: "1"}), None, 0, "urls", 'the button 1 ("Stop") of the template'),
    ("link", filling(urls={1: "a b\nc"}), None, 0, "urls", 'the button 2 ("Track") of the template'),
    ("link", filling(urls={1: "1"}), None, 2, "buttons", "has 1 button to answer with, not 2"),
    ("plain link", filling(urls={0: "x"}), None, 0, "urls", 'the button 1 ("Shop") of the template'),
    ("coupon", filling(), None, 0, "urls", "needs the code"),
    ("coupon", filling(urls={0: "x" * 16}), None, 0, "urls", "has 16 characters, 15 fit"),
    ("code", filling("1234"), None, 0, "urls", "needs the code"),
    ("code", filling("1234", urls={0: "12345"}), None, 0, "urls", "has to hold the same code as {{1}}"),
    ("new code", filling("1234"), None, 0, "urls", 'the button 1 ("Copy") of the template'),
    ("cards", filling(), None, 0, "cards", "is a carousel of 2 cards"),
    ("cards", filling(cards=(on_card("49"),)), None, 0, "cards", "has 2 cards, not 1"),
    ("cards", filling(cards=(on_card("49"),) * 3), None, 0, "cards", "has 2 cards, not 3"),
    ("cards", cards(), None, 0, "cards", "needs a value for {{1}} in its card 2"),
    ("cards", cards("a\nb"), None, 0, "cards", "{{1}} in card 2 of the template order (en) holds a line break"),
    ("cards", cards("x" * 161), None, 0, "cards", "161 characters, 160 fit"),
    ("cards", cards("99", "1"), None, 0, "cards", "in its card 2; a value number 2"),
    ("cards", cards("99", link=""), None, 0, "cards", "needs a picture on its card 2"),
    ("cards", cards("99", file="video"), None, 0, "cards", "needs a picture on its card 2, not a video"),
    ("cards", cards("99", end=None), None, 0, "cards", 'the button 2 ("Track") of card 2 of the template order'),
    ("films", filling(cards=(on_card(file="video", end=None),)), None, 0, "cards", "value for {{price}} in its card 1"),
    ("plain", filling(cards=(on_card(end=None),)), None, 0, "cards", "has no cards to fill in"),
    ("products", filling(cards=(on_card(end=None),)), None, 0, "name", "shows products on its cards"),
    ("offer", filling(), None, 0, "offer_ends", "needs the moment at which its offer ends"),
    ("endless offer", filling(ends=1.8e9), None, 0, "offer_ends", "no offer that ends at a moment"),
    ("plain", filling(ends=1.8e9), None, 0, "offer_ends", "no offer that ends at a moment"),
    ("goods", filling(), None, 0, "name", "shows products of a catalogue"),
]  # fmt: skip


@pytest.mark.parametrize(("name", "given", "file", "answers"), GOOD)
def test_what_fits_goes_out(name: str, given: Template, file: str | None, answers: int) -> None:
    assert mistakes([TEMPLATES[name]], given, file, answers) == []


@pytest.mark.parametrize(("name", "given", "file", "answers", "where", "says"), BAD)
def test_what_does_not_fit_is_named(
    name: str, given: Template, file: str | None, answers: int, where: str, says: str
) -> None:
    [found] = mistakes([TEMPLATES[name]], given, file, answers)
    assert found.where == where
    assert says in found.text
    assert "the template order (en)" in found.text


def test_every_mistake_is_told_at_once() -> None:
    found = mistakes([known(body="{{1}} {{2}}", header=ShapeHeader("IMAGE"), buttons=(LINK,))], filling("a\nb"))
    assert [one.where for one in found] == ["header", "parameters", "parameters", "urls"]


@pytest.mark.parametrize("status", STOPPED)
def test_only_approved_ones_go_out(status: str) -> None:
    [found] = mistakes([known(status=status, body="Hello {{1}}")], filling())
    assert found.where == "name"
    assert "the template order (en)" in found.text
    assert found.text.endswith("; only an approved template can be sent")


@pytest.mark.parametrize("status", ["APPROVED", "FLAGGED", "REINSTATED", "UNARCHIVED", "UNKNOWN", "SOMETHING_NEW"])
def test_of_a_status_that_nobody_knows_meta_decides(status: str) -> None:
    assert mistakes([known(status=status, body="Hello")], filling()) == []


def test_the_language_is_the_exact_one() -> None:
    german = ListedTemplate("order", "de", "APPROVED", "UTILITY", shape=TemplateShape("Hallo"))
    wanted = Template("order", "en_US")
    [found] = mistakes([TEMPLATES["plain"], german], wanted)
    assert found.where == "language"
    assert found.text == "the template order exists in de and en, not in en_US; write the language like that"


def test_what_is_not_known_is_left_to_meta() -> None:
    assert mistakes([], filling("a\nb")) == []
    assert mistakes([ListedTemplate("order", "en", "APPROVED", "UTILITY")], filling("a\nb")) == []


def test_a_doubtful_list_leaves_language_and_status_to_meta_and_still_says_what_does_not_fit() -> None:
    paused = replace(known(status="PAUSED", body="Hello {{1}}"), doubtful=True)
    assert mistakes([paused], filling("Ada")) == []
    assert mistakes([paused], Template("order", "de")) == []
    assert [one.where for one in mistakes([paused], filling())] == ["parameters"]
