"""What the phone will show of a template."""

from __future__ import annotations

from dataclasses import replace

from relay.core.content import FilledCard, Parameter, Template
from relay.core.templates.listed import LimitedOffer, ListedTemplate, ShapeButton, ShapeCard, ShapeHeader, TemplateShape
from relay.core.templates.preview import PreviewedButton, preview

SHAPE = TemplateShape(
    "Hello {{1}}, order {{2}}",
    header=ShapeHeader("TEXT", "No. {{1}}"),
    footer="Nordwind",
    buttons=(
        ShapeButton("URL", "Track", "https://shop.example/{{1}}"),
        ShapeButton("PHONE_NUMBER", "Call", phone="+49301"),
        ShapeButton("SOMETHING_NEW", "Try"),
    ),
    cards=(ShapeCard(ShapeHeader("IMAGE"), "Boots, {{1}}", (ShapeButton("QUICK_REPLY", "More"),)),),
    offer=LimitedOffer("Ends tonight"),
    examples={"1": "Ana"},
)


def test_examples_stand_where_nothing_is_filled_in() -> None:
    shown = preview(ListedTemplate("order", "en", "APPROVED", "UTILITY", shape=SHAPE))
    assert (shown.bubble.title, shown.bubble.body) == ("No. {{1}}", "Hello Ana, order {{2}}")
    assert (shown.footer, shown.offer, shown.right_to_left) == ("Nordwind", "Ends tonight", False)
    assert [(card.file, card.body) for card in shown.cards] == [("image", "Boots, {{1}}")]


def test_what_is_filled_in_shows_in_its_place() -> None:
    given = Template("order", "ar", (Parameter("Ada"), Parameter("7 {{1}}")), (Parameter("9"),), ((0, "a b"),))
    given = replace(given, cards=(FilledCard("image", "https://x.example/a", (Parameter("49"),)),))
    shown = preview(ListedTemplate("order", "ar_EG", "APPROVED", "UTILITY", shape=SHAPE), given)
    assert (shown.bubble.title, shown.bubble.body, shown.right_to_left) == ("No. 9", "Hello Ada, order 7 {{1}}", True)
    assert [card.body for card in shown.cards] == ["Boots, 49"]
    assert shown.bubble.buttons == (
        PreviewedButton("Track", "https://shop.example/a b", link=True),
        PreviewedButton("Call", "calls +49301"),
        PreviewedButton("Try", "something new"),
    )


def test_a_template_that_nobody_described_shows_nothing() -> None:
    assert preview(ListedTemplate("order", "en", "APPROVED", "UTILITY")).bubble.body == ""
