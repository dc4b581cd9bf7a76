"""Templates between the channel and the stand-in for Meta: listed, told of, sent, marketing by its own way."""

from __future__ import annotations

import time
import uuid
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from relay.channels.base import Request
from relay.channels.whatsapp.account import catalogue
from relay.core.content import FilledCard, Native, Parameter, Template
from relay.core.errors import CannotCarry, SendError
from relay.core.messages import Media, Message, Notice, Person, Receipt
from relay.core.templates.listed import LimitedOffer, ListedTemplate, ShapeHeader
from relay.core.templates.news import TemplateNews
from sandbox.demo_templates import TEMPLATES
from tests.contract.relay_side import CONTACT, PHONE, TO, Relay, soon
from tests.waiting import wait_until

CARD = {"header": {"format": "IMAGE"}, "body": "Boots", "buttons": [{"type": "QUICK_REPLY", "text": "More"}]}
OFFER = {"name": "sale", "language": "ar", "category": "MARKETING", "body": "تخفيضات {{1}}", "quality": "GREEN"}
MORE: list[dict[str, Any]] = [
    {"name": "cards", "language": "en", "category": "MARKETING", "body": "New boots", "cards": [CARD, CARD]},
    OFFER | {"offer": {"text": "Ends tonight", "has_expiration": False}},
    {
        "name": "coupon",
        "language": "en",
        "body": "Hello",
        "buttons": [{"type": "COPY_CODE", "text": "Copy offer code"}],
    },
]


@pytest.fixture(autouse=True)
def templates(relay: Relay) -> Iterator[None]:
    account = {"phone_number_id": relay.number.line_ref}
    relay.control("accounts", whatsapp={**account, "templates": [*TEMPLATES, *MORE]})
    yield
    relay.control("accounts", whatsapp={**account, "templates": TEMPLATES})


def listed(relay: Relay) -> tuple[ListedTemplate, ...]:
    assert relay.meta.catalogue is not None
    found = relay.meta.catalogue.templates(relay.number, soon())
    assert found.whole
    return found.templates


def known(relay: Relay, name: str) -> list[ListedTemplate]:
    return [one for one in listed(relay) if one.name == name]


def test_every_page_of_the_list_is_read(relay: Relay, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(catalogue, "PER_PAGE", 3)
    expected = {(one["name"], one["language"]) for one in [*TEMPLATES, *MORE]}
    assert {(one.name, one.language) for one in listed(relay)} == expected


def test_a_list_that_is_too_long_ends_and_says_so(relay: Relay, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(catalogue, "PER_PAGE", 3)
    monkeypatch.setattr(catalogue, "MOST", 6)
    assert relay.meta.catalogue is not None
    found = relay.meta.catalogue.templates(relay.number, soon())
    assert (len(found.templates), found.whole) == (6, False)


def test_a_template_is_described_with_all_its_parts(relay: Relay) -> None:
    [order] = [one for one in known(relay, "order_update") if one.language == "en"]
    assert (order.status, order.category, order.shape and order.shape.header) == (
        "APPROVED", "UTILITY", ShapeHeader("IMAGE"),
    )  # fmt: skip
    assert order.shape
    assert [one.type for one in order.shape.buttons] == ["QUICK_REPLY", "URL"]
    assert order.shape.examples == {"1": "example 1", "2": "example 2"}
    [cards] = known(relay, "cards")
    assert cards.shape
    assert [card.body for card in cards.shape.cards] == ["Boots", "Boots"]
    [sale] = known(relay, "sale")
    assert (sale.right_to_left, sale.quality) == (True, "GREEN")
    assert sale.shape
    assert sale.shape.offer == LimitedOffer("Ends tonight")


def test_who_may_not_list_them_is_told_so(relay: Relay) -> None:
    assert relay.meta.catalogue is not None
    credentials = {**relay.number.credentials, "access_token": "EAAG-nobody"}
    with pytest.raises(SendError) as refused:
        relay.meta.catalogue.templates(replace(relay.number, credentials=credentials), soon())
    assert refused.value.fate == "credentials"


def on_the_phone(relay: Relay) -> dict[str, Any]:
    path = f"phone/{PHONE}/messages?to={relay.number.line_ref}"
    wait_until(lambda: relay.control(path)["messages"], message="the template on the phone")
    shown: dict[str, Any] = relay.control(path)["messages"][-1]["interactive"]
    return shown


def sent(relay: Relay, template: Template, media: Media | None = None, **settings: Any) -> str:
    """By which way the sandbox took it."""
    message = Message("1", Person(CONTACT), 1.0, "template", template=template, media=media)
    account = replace(relay.number, settings=settings)
    found = known(relay, template.name)
    request = relay.meta.render(message, str(uuid.uuid4()), TO, account, f"{relay.url}/", found)
    assert relay.meta.send(request, account, soon()).provider_id
    return request.path.rpartition("/")[2]


def test_marketing_goes_its_own_way_where_the_line_says_so(relay: Relay) -> None:
    sale = Template("sale", "ar", (Parameter("20"),))
    assert sent(relay, sale) == "messages"
    assert sent(relay, sale, marketing_messages=True) == "marketing_messages"
    assert sent(relay, Template("hello_again", "en"), marketing_messages=True) == "messages"


def test_marketing_in_metas_own_words_goes_the_same_way(relay: Relay) -> None:
    body = {"type": "body", "parameters": [{"type": "text", "text": "20"}]}
    given = {"name": "sale", "language": {"code": "ar"}, "components": [body]}
    account = replace(relay.number, settings={"marketing_messages": True})

    def asked(**change: Any) -> Request:
        native = Native("template", {"template": given | change})
        message = Message("1", Person(CONTACT), 1.0, "template", native=native)
        return relay.meta.render(message, str(uuid.uuid4()), TO, account, None, known(relay, "sale"))

    assert asked().path.endswith("/marketing_messages")
    assert relay.meta.send(asked(), account, soon()).provider_id
    with pytest.raises(CannotCarry, match=r"needs a value for \{\{1\}\} in its body"):
        asked(components=[])


def test_nothing_but_marketing_goes_by_the_marketing_way(relay: Relay) -> None:
    message = Message("1", Person(CONTACT), 1.0, "template", template=Template("hello_again", "en"))
    request = relay.meta.render(message, str(uuid.uuid4()), TO, relay.number, None)
    elsewhere = replace(request, path=request.path.replace("messages", "marketing_messages"))
    with pytest.raises(SendError) as refused:
        relay.meta.send(elsewhere, relay.number, soon())
    assert refused.value.code == "131055"


def test_what_is_known_puts_every_value_into_its_place(relay: Relay) -> None:
    """The header's value gets the name that Meta wants, a code the button that copies it."""
    named = (Parameter("Ada", "customer_name"), Parameter("Monday", "day"))
    assert sent(relay, Template("appointment", "en", named, (Parameter("Ada"),)))
    assert sent(relay, Template("coupon", "en", urls=((0, "SAVE20"),)))
    assert sent(relay, Template("login_code", "en", (Parameter("1234"),), urls=((0, "1234"),)))


def test_a_carousel_goes_out_with_every_card_filled(relay: Relay) -> None:
    picture = f"{relay.url}/"
    cards = tuple(FilledCard("image", picture, (Parameter(price),), ((1, "4711"),)) for price in ("49\n", "99"))
    assert sent(relay, Template("new_season", "en", (Parameter("Ada"),), cards=cards), marketing_messages=True)
    shown = on_the_phone(relay)
    assert [(each["section"], each["title"], each["id"], each["url"]) for each in shown["options"]] == [
        ("1. Two people, 49 EUR", "Tell me more", "1. Tell me more", None),
        ("1. Two people, 49 EUR", "Look closer", None, "https://shop.example/tents/4711"),
        ("2. Four people, 99 EUR", "Tell me more", "2. Tell me more", None),
        ("2. Four people, 99 EUR", "Look closer", None, "https://shop.example/tents/4711"),
    ]


def test_an_offer_goes_out_with_its_end_and_its_code(relay: Relay) -> None:
    urls = ((0, "SAVE20"), (1, "wa"))
    tomorrow = time.time() + 86_400
    wanted = Template("weekend_offer", "en", (Parameter("Ada"),), urls=urls, offer_ends=tomorrow)
    assert sent(relay, wanted, Media("image", "image/jpeg"))


@pytest.mark.parametrize(
    ("template", "says"),
    [
        (Template("order_update", "en", (Parameter("Ada"),)), "needs a picture in its header; the template"),
        (Template("order_update", "en_US"), "exists in de and en, not in en_US"),
        (Template("cards", "en"), "is a carousel of 2 cards"),
        (Template("appointment", "en", (Parameter("Ada"),), (Parameter("Ada"),)), "{{customer_name}} and {{day}}"),
    ],
)
def test_what_does_not_fit_never_leaves(relay: Relay, template: Template, says: str) -> None:
    with pytest.raises(CannotCarry) as refused:
        sent(relay, template)
    assert refused.value.code == "template_mistake"
    assert says in refused.value.text


def directly(relay: Relay, text: str, **more: Any) -> str:
    """The id of a message that goes out by Direct Send."""
    account = replace(relay.number, settings={"direct_send": True, **more})
    message = Message("1", Person(CONTACT), 1.0, text=text, direct=True)
    request = relay.meta.render(message, str(uuid.uuid4()), TO, account, None)
    return relay.meta.send(request, account, soon()).provider_id


def test_direct_send_reaches_who_has_not_written(relay: Relay) -> None:
    relay.control("limits", meta={"direct_send": True})
    sent = directly(relay, "Parcel 42 arrives Friday.", direct_send_template="parcel_eta", link_previews=True)
    receipts = lambda: [one.status for one in relay.events("meta", Receipt) if one.provider_id == sent]  # noqa: E731
    wait_until(lambda: "delivered" in receipts(), message="the message to be delivered")


def test_who_is_not_enabled_for_direct_send_is_told_so(relay: Relay) -> None:
    with pytest.raises(SendError) as refused:
        directly(relay, "Parcel 42 arrives Friday.")
    assert (refused.value.fate, refused.value.code) == ("refused", "direct_send_not_enabled")
    assert "may not use Direct Send" in refused.value.text
    assert relay.meta.cause(refused.value.code) == "window_closed"


CHANGES: list[tuple[dict[str, Any], dict[str, Any]]] = [
    (
        {"status": "PAUSED", "other_info": {"title": "FIRST_PAUSE", "description": "Customers said no."}},
        {"kind": "status", "value": "PAUSED", "title": "FIRST_PAUSE", "told": "Customers said no."},
    ),
    ({"status": "REJECTED", "reason": "SCAM"}, {"kind": "status", "value": "REJECTED", "reason": "SCAM"}),
    ({"quality": "RED"}, {"kind": "quality", "value": "RED", "former": "UNKNOWN"}),
    ({"category": "MARKETING"}, {"kind": "category", "value": "MARKETING", "former": "UTILITY", "done": True}),
    ({"announced_category": "MARKETING"}, {"kind": "category", "value": "MARKETING", "done": False}),
    ({"detected_category": "MARKETING"}, {"kind": "detection", "value": "MARKETING", "former": "UTILITY"}),
    ({"body": "Hello once more!"}, {"kind": "components"}),
]  # fmt: skip


@pytest.mark.parametrize(("change", "told"), CHANGES)
def test_news_of_a_template_are_understood(relay: Relay, change: dict[str, Any], told: dict[str, Any]) -> None:
    name = {"phone_number_id": relay.number.line_ref, "name": "hello_again", "language": "en"}
    assert relay.control("templates", **name, **change) == {"webhooks": 1}
    notice: Notice = relay.event("meta", Notice)
    assert isinstance(notice.template, TemplateNews)
    found = {field: getattr(notice.template, field) for field in told}
    assert (notice.template.name, notice.template.language, found) == ("hello_again", "en", told)
    assert notice.template.waba_id == relay.number.credentials["waba_id"]
