"""Templates at the stand-in for Meta: what fits the approved one is shown, all else is refused at once."""

from typing import Any

import pytest

from sandbox.samples import sample
from tests.contract.conftest import CUSTOMER, NUMBER, Sandbox
from tests.contract.conftest import graph_refusal as refused

LONG_AGO = 1_700_000_000
ACCOUNT = {
    "whatsapp": {
        "phone_number_id": NUMBER,
        "templates": [
            {"name": "plain", "language": "en", "body": "Hello {{1}}"},
            {"name": "resting", "language": "en", "body": "Hello", "status": "PAUSED"},
            {"name": "ended", "language": "en", "body": "Hello", "status": "DISABLED"},
            {"name": "new", "language": "en", "body": "Hello", "status": "PENDING"},
        ],
    }
}


def text(value: str, name: str = "") -> dict[str, str]:
    return {"type": "text", "text": value} | ({"parameter_name": name} if name else {})


def body(*parameters: dict[str, Any]) -> dict[str, Any]:
    return {"type": "body", "parameters": list(parameters)}


def header(*parameters: dict[str, Any]) -> dict[str, Any]:
    return {"type": "header", "parameters": list(parameters)}


def button(index: int | str, sub_type: str, *parameters: dict[str, Any]) -> dict[str, Any]:
    return {"type": "button", "sub_type": sub_type, "index": index, "parameters": list(parameters)}


def stop(payload: str) -> dict[str, Any]:
    return button(0, "quick_reply", {"type": "payload", "payload": payload})


def template(name: str, *components: dict[str, Any], language: str = "en", **to: str) -> dict[str, Any]:
    content = {"name": name, "language": {"code": language}, "components": list(components)}
    return {"type": "template", "template": content} | (to or {"to": f"+{CUSTOMER}"})


PICTURE = header({"type": "image", "image": {"link": "https://shop.example/order.jpg"}})
ORDER = body(text("Ada"), text("4711"))
TRACK = button(1, "url", text("4711"))
NAMED = header(text("Ada", "customer_name"))

COPY = button(0, "copy_code", {"type": "coupon_code", "coupon_code": "SAVE20"})


def card(place: int, *components: dict[str, Any]) -> dict[str, Any]:
    usual = components or (PICTURE, body(text("49")), TRACK)
    return {"card_index": place, "components": list(usual)}


def carousel(*cards: dict[str, Any]) -> dict[str, Any]:
    return template("new_season", body(text("Ada")), {"type": "carousel", "cards": list(cards)})


def offer(*ends: dict[str, Any]) -> dict[str, Any]:
    expiry = {"type": "limited_time_offer", "parameters": list(ends)}
    return template("weekend_offer", PICTURE, expiry, body(text("Ada")), COPY, TRACK)


def ending(**when: Any) -> dict[str, Any]:
    return {"type": "limited_time_offer", "limited_time_offer": when}


BAD: dict[str, tuple[dict[str, Any], int]] = {
    "unknown": (template("nothing"), 132001),
    "other language": (template("hello_again", language="fr"), 132001),
    "too few parameters": (template("order_update", PICTURE, body(text("Ada")), TRACK), 132000),
    "too many parameters": (template("hello_again", body(text("Ada"))), 132000),
    "no header": (template("order_update", ORDER, TRACK), 132012),
    "header of another type": (template("order_update", header(text("Ada")), ORDER, TRACK), 132012),
    "header without its file": (template("order_update", header({"type": "image"}), ORDER, TRACK), 132012),
    "unknown file in the header": (
        template("order_update", header({"type": "image", "image": {"id": "1"}}), ORDER, TRACK),
        100,
    ),
    "picture in the body": (template("follow_up", body({"type": "image", "image": {"id": "1"}})), 132012),
    "empty parameter": (template("follow_up", body(text(""))), 131008),
    "new line": (template("follow_up", body(text("Ada\nBrandt"))), 132018),
    "tab": (template("follow_up", body(text("Ada\tBrandt"))), 132018),
    "four spaces": (template("follow_up", body(text("Ada    Brandt"))), 132018),
    "parameter too long": (template("order_update", PICTURE, body(text("x" * 1025), text("1")), TRACK), 132005),
    "names missing": (template("appointment", header(text("Ada")), body(text("Ada"), text("Monday"))), 100),
    "wrong names": (template("appointment", NAMED, body(text("Ada", "name"), text("Mon", "day"))), 132012),
    "link without its parameter": (template("order_update", PICTURE, ORDER), 131008),
    "button of another type": (template("order_update", PICTURE, ORDER, TRACK, button(0, "url", text("1"))), 132012),
    "no such button": (template("order_update", PICTURE, ORDER, TRACK, button(2, "url", text("1"))), 132000),
    "quick reply without payload": (template("order_update", PICTURE, ORDER, TRACK, button(0, "quick_reply")), 131008),
    "payload too long": (template("order_update", PICTURE, ORDER, TRACK, stop("x" * 257)), 100),
    "button without place": (
        template("order_update", PICTURE, ORDER, TRACK, {"type": "button", "sub_type": "quick_reply"}),
        131008,
    ),
    "no cards": (template("new_season", body(text("Ada"))), 132012),
    "a card too few": (carousel(card(0)), 132012),
    "a card too many": (carousel(card(0), card(1), card(2)), 132012),
    "a card twice": (carousel(card(0), card(0)), 132012),
    "a card without its picture": (carousel(card(0), card(1, body(text("49")), TRACK)), 132012),
    "a card without its value": (carousel(card(0), card(1, PICTURE, TRACK)), 132000),
    "a card without its link": (carousel(card(0), card(1, PICTURE, body(text("49")))), 131008),
    "a card's value too long": (carousel(card(0), card(1, PICTURE, body(text("x" * 161)), TRACK)), 132005),
    "a card in a card": (carousel(card(0), card(1, *card(1)["components"], {"type": "carousel", "cards": []})), 100),
    "a card of no template": (template("hello_again", {"type": "carousel", "cards": [card(0)]}), 132012),
    "an offer without its end": (offer(), 131008),
    "an offer with two ends": (offer(ending(expiration_time_ms=1), ending(expiration_time_ms=1)), 131008),
    "an offer that is over": (offer(ending(expiration_time_ms=LONG_AGO * 1000)), 131009),
    "an end that is no number": (offer(ending(expiration_time_ms="soon")), 131009),
    "an end of no offer": (
        template("hello_again", {"type": "limited_time_offer", "parameters": [ending(expiration_time_ms=2**41)]}),
        132012,
    ),
    "component twice": (template("follow_up", body(text("Ada")), body(text("Ada"))), 100),
    "code to a user id": (
        template("login_code", body(text("1234")), button(0, "url", text("1234")), recipient="DE.13491208655302741918"),
        131062,
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", BAD)
def test_what_does_not_fit_is_refused(sandbox: Sandbox, name: str) -> None:
    message, code = BAD[name]
    refused(sandbox.send(message), code, 404 if code == 132001 else 400)


def test_only_approved_ones_are_sent(sandbox: Sandbox) -> None:
    before = sandbox.control("/accounts")["whatsapp"][0]["templates"]
    sandbox.control("/accounts", ACCOUNT)
    try:
        refused(sandbox.send(template("resting")), 132015)
        refused(sandbox.send(template("ended")), 132016)
        refused(sandbox.send(template("new")), 132001, 404)
        assert sandbox.send(template("plain", body(text("Ada")))).status_code == 200
    finally:
        sandbox.control("/accounts", {"whatsapp": {"phone_number_id": NUMBER, "templates": before}})


def test_it_is_shown_with_header_and_buttons(sandbox: Sandbox) -> None:
    media_id = sandbox.upload(sample("image").data, "image/jpeg").json()["id"]
    picture = header({"type": "image", "image": {"id": media_id}})
    sent = sandbox.send(template("order_update", picture, ORDER, stop("stop-4711") | {"index": "0"}, TRACK)).json()[
        "messages"
    ][0]
    shown = sandbox.wait_for_status(sent["id"], "read")
    dialogue = shown["interactive"]
    assert (shown["text"], dialogue["footer"]) == ("Hello Ada, your order 4711 is on its way.", "Nordwind Outdoor")
    assert (dialogue["header"]["type"], dialogue["header"]["media"]["id"], shown["media"]) == ("image", media_id, None)
    assert [(each["kind"], each["title"], each["id"], each["url"]) for each in dialogue["options"]] == [
        ("quick_reply", "Stop updates", "stop-4711", None),
        ("url", "Track order", None, "https://shop.example/orders/4711"),
    ]


def test_named_parameters_may_come_in_any_order(sandbox: Sandbox) -> None:
    named = body(text("Monday", "day"), text("Ada", "customer_name"))
    sent = sandbox.send(template("appointment", NAMED, named)).json()["messages"][0]
    shown = sandbox.wait_for_status(sent["id"], "read")
    assert shown["text"] == "Dear Ada, we expect you on Monday."
    assert shown["interactive"]["header"]["text"] == "Your appointment, Ada"
    # Without a payload of its own a quick reply reports its text.
    assert [each["id"] for each in shown["interactive"]["options"]] == ["Confirm", "Change"]


def test_it_opens_nothing_until_the_customer_answers(sandbox: Sandbox) -> None:
    sandbox.write("Hello", timestamp=LONG_AGO)
    sent = sandbox.send(template("hello_again")).json()["messages"][0]
    sandbox.wait_for_status(sent["id"], "read")
    assert sandbox.phone()["window_open"] is False
    late = sandbox.send_text("Too late").json()["messages"][0]
    assert sandbox.wait_for_status(late["id"], "failed")["errors"][0]["code"] == 131047
    sandbox.write("Yes?", reply_to=sent["id"])
    assert sandbox.phone()["window_open"] is True
    now = sandbox.send_text("There you are").json()["messages"][0]
    sandbox.wait_for_status(now["id"], "read")
