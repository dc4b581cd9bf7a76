"""The pages of a line's templates, as a plain browser gets them: listed, shown, filled in, tried."""

from __future__ import annotations

import html
import time
from datetime import UTC, datetime
from typing import Any

import pytest

from db.tenants import templates
from db.tenants.templates import DueList
from relay.core.templates.listed import (
    LimitedOffer,
    ListedTemplate,
    ShapeButton,
    ShapeCard,
    ShapeHeader,
    TemplateShape,
)
from relay.core.templates.news import TemplateNews
from tests.portal.client import Person
from tests.portal.rows import House

ORDER = TemplateShape(
    "Hello {{1}}, order {{2}}.",
    header=ShapeHeader("IMAGE"),
    footer="Nordwind",
    buttons=(ShapeButton("QUICK_REPLY", "Stop"), ShapeButton("URL", "Track", "https://shop.example/{{1}}")),
    examples={"1": "Ana"},
)
SALE = TemplateShape(
    "تخفيضات {{name}}",
    named=True,
    cards=(ShapeCard(ShapeHeader("IMAGE"), "Boots"), ShapeCard(ShapeHeader("IMAGE"), "Coats")),
    offer=LimitedOffer("Ends tonight"),
)
TENTS = TemplateShape(
    "Hello {{1}}",
    cards=(ShapeCard(ShapeHeader("IMAGE"), "{{1}} EUR", (ShapeButton("URL", "See", "https://shop.example/{{1}}"),)),)
    * 2,
    offer=LimitedOffer("Until Sunday", expires=True),
)
LISTED = [
    ListedTemplate("tents", "en", "APPROVED", "MARKETING", "UNKNOWN", TENTS),
    ListedTemplate("order", "en", "APPROVED", "UTILITY", "GREEN", ORDER, "71"),
    ListedTemplate("order", "de", "PAUSED", "UTILITY", "RED", TemplateShape("Hallo {{1}}")),
    ListedTemplate("sale", "ar", "APPROVED", "MARKETING", "UNKNOWN", SALE, next_category="UTILITY"),
    ListedTemplate("hello", "en", "APPROVED", "UTILITY", "UNKNOWN", TemplateShape("Hello {{1}} & <b>all</b>")),
]


@pytest.fixture(scope="module", autouse=True)
def kept(house: House) -> None:
    with house.pool.transaction() as cursor:
        cursor.execute("INSERT INTO template_lists (tenant_id) VALUES (%s)", (house.tenant_id,))
    now = datetime.now(UTC)
    templates.store(house.pool, DueList(house.tenant_id, house.line_id, now, now), "200", LISTED, whole=True)
    told = TemplateNews("quality", "200", "order", "en", time.time(), value="GREEN", former="YELLOW")
    with house.pool.transaction() as cursor:
        templates.tell(cursor, [(house.tenant_id, told)])


@pytest.fixture
def base(house: House) -> str:
    return f"{house.path}/lines/{house.line_id}/templates"


def shown(page: str) -> str:
    return html.unescape(page)


def test_templates_are_listed_and_filtered(admin: Person, base: str) -> None:
    page = admin.get(base)
    assert all(f"{base}/{one.name}/{one.language}" in page for one in LISTED)
    assert "Read from Meta" in page
    page = admin.get(f"{base}?status=PAUSED")
    assert (f"{base}/order/de" in page, f"{base}/order/en" in page) == (True, False)
    assert "No such template" in admin.get(f"{base}?q=nothing")


def test_a_template_shows_what_the_phone_will_show(admin: Person, base: str) -> None:
    page = shown(admin.get(f"{base}/order/en"))
    for text in ("Hello Ana, order {{2}}.", "Nordwind", "https://shop.example/{{1}}", "from yellow to green", "71"):
        assert text in page
    assert 'dir="ltr"' in page
    page = shown(admin.get(f"{base}/sale/ar"))
    assert all(text in page for text in ("Ends tonight", "Boots", "Coats", 'dir="rtl"', 'lang="ar"', "to be utility"))


def test_what_a_template_says_is_no_markup(admin: Person, base: str) -> None:
    page = admin.get(f"{base}/hello/en")
    assert "&lt;b&gt;all&lt;/b&gt;" in page
    assert "<b>all" not in page


def test_every_mistake_is_said_before_anything_is_sent(admin: Person, base: str) -> None:
    page = shown(admin.post(f"{base}/order/en", {"do": "send", "body_1": "Ada", "number": "+49 151 1"}, status=400))
    assert "needs a picture in its header" in page
    assert "needs a value for {{2}} in its body" in page
    assert 'The button 2 ("Track") of the template order (en) needs the end of its address.' in page
    assert "is paused by Meta" in shown(admin.post(f"{base}/order/de", {"do": "look", "body_1": "x"}, status=400))


def test_what_is_filled_in_is_shown(admin: Person, base: str) -> None:
    page = shown(admin.post(f"{base}/hello/en", {"do": "look", "body_1": "Ada"}, status=200))
    assert "Hello Ada & <b>all</b>" in page
    assert "It can be sent like this." in page


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"number": "+49 151 12345678"}, "WhatsApp wants every recipient's consent"),
        ({"number": "0151", "agreed": "y"}, "Enter the number with its country code"),
    ],
)
def test_nothing_is_sent_without_a_number_that_agreed(
    admin: Person, house: House, base: str, given: dict[str, Any], says: str
) -> None:
    before = sent(house)
    page = admin.post(f"{base}/hello/en", {"do": "send", "body_1": "Ada"} | given, status=400)
    assert says in shown(page)
    assert sent(house) == before


def test_a_test_is_sent_and_can_be_watched(admin: Person, house: House, base: str) -> None:
    before = sent(house)
    page = admin.follow(
        f"{base}/hello/en", {"do": "send", "body_1": "Ada", "number": "+49 151 12345678", "agreed": "y"}
    )
    assert "The test message" in page
    assert sent(house) == before + 1
    [content] = newest(house)
    assert content["template"]["name"] == "hello"
    assert [one["text"] for one in content["template"]["body"]] == ["Ada"]


def test_cards_and_the_end_of_an_offer_have_fields(admin: Person, house: House, base: str) -> None:
    given = {"number": "+49 151 12345678", "agreed": "y", "body_1": "Ada", "offer_ends": "2036-12-24T18:00"}
    for place in range(2):
        given |= {f"card_{place}_file": "https://x.example/a.jpg", f"card_{place}_body_1": f"{place + 4}9"}
        given[f"card_{place}_button_0"] = "4711"
    page = shown(admin.post(f"{base}/tents/en", {"do": "look", "card_0_body_1": "49"}, status=400))
    for missing in ("a picture on its card 1", "{{1}} in its card 2", "the moment at which its offer ends"):
        assert missing in page
    page = shown(admin.post(f"{base}/tents/en", {"do": "look"} | given, status=200))
    assert "59 EUR" in page
    assert "https://shop.example/4711" in page
    wrong = {"do": "send"} | given | {"card_1_file": "http://x.example/a.jpg"}
    assert "An address begins with https://" in shown(admin.post(f"{base}/tents/en", wrong, status=400))
    admin.follow(f"{base}/tents/en", {"do": "send"} | given)
    [content] = newest(house)
    assert [one["link"] for one in content["template"]["cards"]] == ["https://x.example/a.jpg"] * 2
    assert content["template"]["offer_ends"] == datetime(2036, 12, 24, 18, tzinfo=UTC).timestamp()


def test_who_may_only_look_sends_no_test(viewer: Person, base: str) -> None:
    page = viewer.get(f"{base}/hello/en")
    assert "Send the test" not in page
    viewer.post(f"{base}/hello/en", {"do": "send", "body_1": "Ada"}, status=403)


@pytest.mark.parametrize("path", ["order/fr", "nothing/en", "order%00/en"])
def test_what_is_not_listed_is_not_there(admin: Person, base: str, path: str) -> None:
    admin.get(f"{base}/{path}", status=404)


def test_another_tenants_templates_are_not_there(admin: Person, house: House) -> None:
    other = House(house.pool, "Elsewhere")
    admin.get(f"{other.path}/lines/{other.line_id}/templates", status=404)


def sent(house: House) -> int:
    return len(newest(house, 100))


def newest(house: House, most: int = 1) -> list[dict[str, Any]]:
    with house.pool.transaction() as cursor:
        cursor.execute(
            """SELECT content FROM message_tracking WHERE tenant_id = %s AND content->>'type' = 'template'
               ORDER BY arrived_at DESC LIMIT %s""",
            (house.tenant_id, most),
        )
        return [row[0] for row in cursor.fetchall()]
