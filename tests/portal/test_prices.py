"""The pages of prices: a tenant's month, all tenants' month, and rate cards."""

from __future__ import annotations

import io
from collections.abc import Iterator
from uuid import uuid4

import pytest
from flask import Flask

from db.pool import Pool
from tests.portal.client import Person
from tests.portal.conftest import new_user
from tests.portal.rows import House
from web.actions.prices import months, this_month

HEAD = "valid_from,currency,market,countries,category,rate\n"


@pytest.fixture(scope="module")
def operator(app: Flask, pool: Pool) -> Person:
    email = f"{uuid4().hex}@relay.example"
    new_user(pool, email, "operator")
    return Person(app, email)


@pytest.fixture(autouse=True)
def no_cards(pool: Pool) -> Iterator[None]:
    yield
    with pool.transaction() as cursor:
        cursor.execute("DELETE FROM rate_cards")


def counted(house: House, *rows: tuple[str, str, str, int]) -> None:
    with house.pool.transaction() as cursor:
        for row in rows:
            cursor.execute(
                "INSERT INTO message_prices VALUES (%s, %s, %s, %s, %s, %s, '', %s)",
                (house.line_id, house.tenant_id, this_month(), *row),
            )


def upload(operator: Person, text: str, status: int = 302) -> str:
    file = (io.BytesIO(text.encode()), "card.csv")
    return operator.post("/portal/prices/cards", {"file": file}, status, form_on="/portal/prices")


def test_a_month_in_volume_and_with_a_card_in_money(house: House, admin: Person, operator: Person) -> None:
    page = f"{house.path}/prices"
    assert "Nothing was charged" in admin.get(page)
    counted(
        house,
        ("DE", "service", "free_customer_service", 640),
        ("DE", "utility", "regular", 100),
        ("FR", "marketing", "regular", 7),
        ("", "telepathy", "half_price", 3),
    )
    seen = admin.get(page)
    for text in ("750", "640 of 1,000 free service messages used", "Utility", "telepathy", "half_price", "Not known"):
        assert text in seen
    assert "There is no rate card yet" in seen
    assert "The operator of this relay has the rate cards" in seen
    upload(operator, f"{HEAD}{this_month()},EUR,Germany,DE,utility,0.0456\n")
    seen = admin.get(page)
    assert ">4.56<" in seen
    assert "10 of 750 messages are in no cost" in seen
    everybody = operator.get("/portal/prices")
    assert house.path in everybody
    assert "4.56 EUR" in everybody
    assert "Nothing was charged" in admin.get(f"{page}?month={months()[1]:%Y-%m}")


def test_a_tenants_people_see_their_own_and_no_cards(house: House, viewer: Person) -> None:
    assert "Prices" in viewer.get(f"{house.path}/prices")
    viewer.get("/portal/prices", status=403)


def test_a_card_is_uploaded_replaced_and_deleted(operator: Person) -> None:
    now, before = months()[:2]
    for rate in ("0.05", "0.06"):
        upload(operator, f"{HEAD}{now},EUR,,DE,utility,{rate}\n{before},EUR,,DE,utility,0.04\n{now},EUR,,DE,fun,1\n")
    seen = operator.get("/portal/prices")
    assert f"Taken: EUR from {before}, EUR from {now}." in seen
    assert "These are no categories that Meta is known to have: fun." in seen
    assert seen.count("data-confirm=") == 2
    operator.post(f"/portal/prices/cards/EUR/{now}/delete", form_on="/portal/prices")
    assert f"EUR from {now}" not in operator.get("/portal/prices")
    for nothing in (f"/portal/prices/cards/EUR/{now}/delete", "/portal/prices/cards/EUR/never/delete"):
        operator.post(nothing, form_on="/portal/prices")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (f'{HEAD}2026-10-01,EUR,,DE,utility,"0,05"\n', "Line 2, column rate: “0,05” is no rate"),
        ("nothing\n", "Line 1, column valid_from: the column is missing"),
        ("", "Choose the CSV file"),
    ],
)
def test_what_is_wrong_with_a_card_is_said(operator: Person, text: str, said: str) -> None:
    assert said in upload(operator, text, status=400)
    assert "There is none yet" in operator.seen[-1]


def test_a_comparison_that_meta_refuses_says_what_to_do(house: House, admin: Person) -> None:
    counted(house, ("AT", "utility", "regular", 5))
    page = f"{house.path}/prices"
    seen = admin.post(f"{page}/{house.line_id}/comparison", status=200, form_on=page)
    assert "Meta does not say what it charged" in seen
    assert "Check the line" in seen
