"""Templates in Meta's own words: judged by the list as those that the relay fills in, as far as they are understood."""

from __future__ import annotations

from typing import Any

import pytest

from relay.channels.whatsapp.outbound.native_templates import template_of, wrong
from relay.core.content import Native
from relay.core.templates.listed import LimitedOffer, ListedTemplate, ShapeButton, ShapeCard, ShapeHeader, TemplateShape

STOP, TRACK = ShapeButton("QUICK_REPLY", "Stop"), ShapeButton("URL", "Track", "https://x.example/{{1}}")
PICTURE = ShapeHeader("IMAGE")
ORDER = TemplateShape("{{1}}, {{2}}", header=PICTURE, buttons=(STOP, TRACK))
TENTS = TemplateShape("Hello {{1}}", cards=(ShapeCard(PICTURE, "{{1}} EUR", (STOP, TRACK)),) * 2)
NAMED = TemplateShape("{{day}}", named=True, header=ShapeHeader("TEXT", "For {{name}}"))
OFFER = TemplateShape("Hello", buttons=(ShapeButton("COPY_CODE", "Copy"),), offer=LimitedOffer("Soon", expires=True))
PLACE = TemplateShape("Hello {{1}}", header=ShapeHeader("LOCATION"))


def text(value: Any, **more: Any) -> dict[str, Any]:
    return {"type": "text", "text": value, **more}


def part(kind: str, *parameters: Any, **more: Any) -> dict[str, Any]:
    return {"type": kind, "parameters": list(parameters), **more}


HEADER = part("header", {"type": "image", "image": {"id": "9"}})
BODY = part("body", text("Ada"), text("4711"))
REPLY = part("button", {"type": "payload", "payload": "x"}, sub_type="quick_reply", index=0)
END = part("button", text("4711"), sub_type="URL", index="1")
CODE = part("button", {"type": "coupon_code", "coupon_code": "SAVE20"}, sub_type="copy_code", index=0)
UNTIL = part("limited_time_offer", {"type": "limited_time_offer", "limited_time_offer": {"expiration_time_ms": 2**41}})
MONEY = {"type": "currency", "currency": {"fallback_value": "9 EUR", "code": "EUR", "amount_1000": 9000}}


def card(place: int, *components: Any) -> dict[str, Any]:
    return {"card_index": place, "components": list(components or (HEADER, part("body", text("49")), REPLY, END))}


def tents(*cards: Any) -> list[Any]:
    return [part("body", text("Ada")), {"type": "carousel", "cards": list(cards)}]


def said(shape: TemplateShape, components: Any) -> list[tuple[str, str]]:
    given = {"name": "order", "language": {"code": "en"}, "components": components}
    listed = ListedTemplate("order", "en", "APPROVED", "UTILITY", shape=shape)
    return [(one.where, one.text) for one in wrong(Native("template", {"template": given}), [listed])]


@pytest.mark.parametrize(
    ("shape", "components"),
    [
        (ORDER, [HEADER, BODY, REPLY, END]),
        (ORDER, [{**HEADER, "type": "HEADER"}, part("BODY", text("Ada"), MONEY), END]),
        (ORDER, [part("header", {"type": "image", "image": {"link": "https://x.example/a"}}), BODY, END]),
        (TENTS, tents(card(1), card(0))),
        (
            NAMED,
            [part("header", text("Ada", parameter_name="name")), part("body", text("Monday", parameter_name="day"))],
        ),
        (NAMED, [part("header", text("Ada")), part("body", text("Monday", parameter_name="day"))]),
        (OFFER, [UNTIL, CODE]),
        (TemplateShape("Hello"), None),
        (TemplateShape("Hello", buttons=(ShapeButton("FLOW", "Open"),)), [part("button", sub_type="flow", index=0)]),
    ],
)
def test_what_fits_goes_out(shape: TemplateShape, components: Any) -> None:
    assert said(shape, components) == []


@pytest.mark.parametrize(
    ("shape", "components", "where", "says"),
    [
        (ORDER, [HEADER, part("body", text("Ada")), END], "parameters", "needs a value for {{2}}"),
        (ORDER, [HEADER, part("body", text("Ada"), text("a\nb")), END], "parameters", "{{2}} in the body of"),
        (ORDER, [BODY, END], "header", "needs a picture in its header"),
        (ORDER, [part("header", {"type": "image", "image": {}}), BODY, END], "header", "needs a picture"),
        (ORDER, [part("header", {"type": "video", "video": {"id": "9"}}), BODY, END], "header", "not a video"),
        (ORDER, [HEADER, BODY], "urls", "needs the end of its address"),
        (ORDER, [HEADER, BODY, END, REPLY, REPLY], "buttons", "has 1 button to answer with, not 2"),
        (TENTS, tents(card(0)), "cards", "has 2 cards, not 1"),
        (TENTS, tents(card(0), card(1, HEADER, END)), "cards", "needs a value for {{1}} in its card 2"),
        (NAMED, [part("header", text("Ada")), part("body", text("Monday"))], "parameters", "by name: {{day}}"),
        (OFFER, [CODE], "offer_ends", "needs the moment"),
        (OFFER, [UNTIL], "urls", "needs the code"),
    ],
)  # fmt: skip
def test_what_does_not_fit_is_named(shape: TemplateShape, components: Any, where: str, says: str) -> None:
    [found] = said(shape, components)
    assert (found[0], says in found[1]) == (where, True), found


@pytest.mark.parametrize(
    "components",
    [
        "none", [1], [{"type": "order_details"}], [{}], [part("body", {"type": "hologram"})], [part("body", text(7))],
        [part("body", {"type": "image", "image": {"id": "9"}})], [part("body", *[text("x")] * 101)],
        [part("button", text("x"), sub_type="url", index="12")], [part("button", text("x"), sub_type="url")],
        tents({"components": []}), tents(card(0, *tents(card(0)))), tents(card(0, part("header", text("x")))),
        [part("limited_time_offer", {"limited_time_offer": {"expiration_time_ms": "soon"}})],
    ],
)  # fmt: skip
def test_what_is_not_understood_is_left_to_meta(components: Any) -> None:
    assert said(ORDER, components) == []


def test_of_what_only_metas_own_words_fill_nothing_is_said() -> None:
    assert said(PLACE, [part("header", {"type": "location", "location": {}})]) == []
    assert said(PLACE, []) == []


@pytest.mark.parametrize(
    "fields", [{}, {"template": None}, {"template": []}, {"template": {"name": "a"}}, {"template": {"language": {}}}]
)
def test_what_names_no_template_is_none(fields: dict[str, Any]) -> None:
    native = Native("template", fields)
    assert (template_of(native), wrong(native, [])) == (None, [])
    assert template_of(Native("text", {"template": {"name": "a", "language": {"code": "en"}}})) is None
