"""Every kind of message, status and change Meta is known to send, and what becomes of it."""

import json
import random
import time
from typing import Any

import pytest
import vobject

from relay.channels.whatsapp.inbound.parse import parse
from relay.channels.whatsapp.webhook import split
from relay.core.errors import ParseError
from relay.core.messages import Event, Ignored, Media, Message, Notice, Receipt, dump
from tests.unit.relay.channels.recorded import recorded, shown

MESSAGES = recorded("whatsapp", "messages")
STATUSES = recorded("whatsapp", "statuses")
CHANGES = recorded("whatsapp", "changes")
TEXT = MESSAGES[0]["message"]


def by_name(cases: list[dict[str, Any]]) -> list[Any]:
    return [pytest.param(case, id=case["name"].replace(" ", "-")) for case in cases]


def read(message: dict[str, Any], contact: dict[str, Any] | None = None) -> Event:
    (event,) = parse({"kind": "message", "message": message, "contact": contact})
    return event


def message(kind: str, body: Any, **more: Any) -> Message:
    event = read({**TEXT, "type": kind, kind: body, **more})
    assert isinstance(event, Message)
    return event


@pytest.mark.parametrize("case", by_name(MESSAGES))
def test_messages(case: dict[str, Any]) -> None:
    assert shown(read(case["message"], case["contact"]), case["expect"]) == case["expect"]


@pytest.mark.parametrize("case", by_name(STATUSES))
def test_statuses(case: dict[str, Any]) -> None:
    (event,) = parse({"kind": "status", "status": case["status"], "contact": case.get("contact")})
    assert shown(event, case["expect"]) == case["expect"]


@pytest.mark.parametrize("case", by_name(CHANGES))
def test_changes(case: dict[str, Any]) -> None:
    events = [event for part in split(webhook(case)) for event in parse(part.payload)]
    assert [shown(event, like) for event, like in zip(events, case["expect"], strict=True)] == case["expect"]


@pytest.mark.parametrize("payload", [{}, {"kind": "carrier pigeon"}, {"kind": ["message"]}])
def test_what_split_never_makes_is_refused(payload: dict[str, Any]) -> None:
    with pytest.raises(ParseError, match="not an item"):
        parse(payload)


@pytest.mark.parametrize(
    "message", [None, {}, {"id": 7}, {"id": "wamid.x", "from": {"no": "text"}}, {"from": "4" * 257}, {"from": "\x00"}]
)
def test_a_message_of_nobody_is_kept_as_a_notice(message: Any) -> None:
    event = read(message)
    assert isinstance(event, Notice)
    assert event.kind == "unreadable"
    assert "no sender" in event.reason


@pytest.mark.parametrize("timestamp", [None, "", "soon", -5, "nan", "inf", [], "1e400"])
def test_time_that_cannot_be_read_becomes_now(timestamp: Any) -> None:
    """So that the arrival decides the order, and no message sorts before all others."""
    event = read({**TEXT, "timestamp": timestamp})
    assert isinstance(event, Message)
    assert abs(event.provider_time - time.time()) < 60


def test_a_wrong_clock_does_not_keep_the_window_open() -> None:
    event = read({**TEXT, "timestamp": "9999999999"})
    assert isinstance(event, Message)
    assert event.window_until is not None
    assert event.window_until < time.time() + 86_401


def test_a_message_without_id_gets_the_same_one_each_time() -> None:
    without = {key: value for key, value in TEXT.items() if key != "id"}
    one, again = read(without), read(dict(reversed(without.items())))
    other = read({**without, "text": {"body": "other"}})
    assert isinstance(one, Message)
    assert isinstance(again, Message)
    assert isinstance(other, Message)
    assert one.source_id == again.source_id != other.source_id
    assert one.source_id.startswith("sha256:")
    assert len(one.source_id) == len("sha256:") + 32


def test_an_id_that_no_index_takes_is_none() -> None:
    event = read({**TEXT, "id": "w" * 100_000, "context": {"id": "q" * 100_000}})
    assert isinstance(event, Message)
    assert event.source_id.startswith("sha256:")
    assert event.reply_to is None


@pytest.mark.parametrize(
    ("tapped", "ours"),
    [
        ("0b6c3f8e-3f5c-4d0e-9a57-0d4f5b1c2a3e.0", True),
        ("0b6c3f8e-3f5c-4d0e-9a57-0d4f5b1c2a3e.x", False),
        ("0b6c3f8e-3f5c-4d0e-9a57-0d4f5b1c2a3e", False),
        ("0b6c3f8e-3f5c-4d0e-9a57-0d4f5b1c2a3e.99999", False),
        ("x0b6c3f8e-3f5c-4d0e-9a57-0d4f5b1c2a3e.0", False),
        ("STOP", False),
    ],
)
def test_only_ids_that_we_gave_are_answers(tapped: str, ours: bool) -> None:
    event = message("interactive", {"type": "list_reply", "list_reply": {"id": tapped, "title": "x"}})
    assert (event.answer is not None) == ours
    assert event.attributes.get("button_id") == (None if ours else tapped)


def test_a_flows_answer_is_an_attribute_of_bounded_length() -> None:
    reply = {"name": "flow", "response_json": json.dumps({"essay": "long " * 1000})}
    event = message("interactive", {"type": "nfm_reply", "nfm_reply": reply})
    assert len(event.attributes["flow_response"]) == 1000


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("\u3164", None), ("\u2060\u200b", None), (" \u00a0\u3000", None), ("\u2800\ufe0f", None),
        ("\U000e0041\u00ad", None), ("\u115f\u202e", None), ("\u2060Ada\u3164", "Ada"), ("❤️", "❤️"), ("-", "-"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("username", [None, "\u2060", "ada.b"])
def test_a_name_that_shows_as_nothing_is_none(name: str, shown: str | None, username: str | None) -> None:
    contact = {"wa_id": "4917", "profile": {"name": name, "username": username}}
    message = {"id": "wamid.1", "from": "4917", "timestamp": "1790000000", "type": "text", "text": {"body": "x"}}
    (event,) = parse({"kind": "message", "field": "messages", "message": message, "contact": contact})
    assert isinstance(event, Message)
    assert event.person.name == (shown or (username if username == "ada.b" else None))


def test_several_contacts_are_one_file_that_address_books_read() -> None:
    people = [
        {"name": {"formatted_name": f"Bo; {n}, \nBEGIN:VCARD"}, "phones": [{"phone": f"+49 {n}", "type": 'A"\r\nX:1'}]}
        for n in range(3)
    ]
    event = message("contacts", [*people, {"name": {"formatted_name": "Nobody"}}])
    assert isinstance(event.media, Media)
    cards = list(vobject.readComponents(event.media.inline))
    assert [card.fn.value for card in cards] == [f"Bo; {n},  BEGIN:VCARD" for n in range(3)]
    assert [card.tel.value for card in cards] == [f"+49 {n}" for n in range(3)]
    assert event.media.filename == "contacts.vcf"
    assert event.text is not None
    assert event.text.endswith("👤 Nobody")


@pytest.mark.parametrize("key", ["phones", "emails", "urls", "addresses"])
@pytest.mark.parametrize(("number", "left"), [(25, 0), (50, 0), (51, 1), (2050, 2000)])
def test_no_part_of_a_contact_vanishes_without_a_word(key: str, number: int, left: int) -> None:
    entry = {"phone": "+49 {}", "email": "{}@example.org", "url": "https://example.org/{}", "city": "Town {}"}
    several = [{name: value.format(n) for name, value in entry.items()} for n in range(number)]
    said = message("contacts", [{"name": {"formatted_name": "Bo"}, key: several}]).text or ""
    assert sum(any(f"{n}" in line for n in range(50)) for line in said.splitlines()) >= min(number, 50)
    assert (f"[and {left:,} more " in said) == bool(left)


def test_a_vcard_that_is_none_is_made_anew() -> None:
    card = {"name": {"formatted_name": "Bo"}, "phones": [{"phone": "1"}], "vcard": "<script>"}
    event = message("contacts", [card])
    assert event.media is not None
    assert event.media.inline == "BEGIN:VCARD\r\nVERSION:3.0\r\nFN:Bo\r\nN:;Bo;;;\r\nTEL:1\r\nEND:VCARD\r\n"


@pytest.mark.parametrize("price", ["1e999999", "nan", "-inf", "ten", None, [], "9" * 50, "0.0000001"])
def test_an_order_with_an_odd_price_has_no_total(price: Any) -> None:
    items = [{"product_retailer_id": "A", "quantity": 2, "item_price": price, "currency": "EUR"}]
    said = message("order", {"product_items": items}).text or ""
    assert said.startswith("🛒 Order\n2 × A")
    assert "Total" not in said


@pytest.mark.parametrize("degrees", [("north", "1"), (91, 1), (1, "181"), (None, 1), (True, 1), ("nan", 1), ([], {})])
def test_a_location_that_is_nowhere_is_no_place(degrees: tuple[Any, Any]) -> None:
    event = message("location", {"latitude": degrees[0], "longitude": degrees[1], "name": "Office"})
    assert event.place is None
    assert event.text == "📍 Location\nOffice"


def test_the_type_is_found_by_what_is_there() -> None:
    kinds: list[Any] = [[], None, 7, "id", "tomorrow"]
    for kind in kinds:
        event = read({**TEXT, "type": kind})
        assert isinstance(event, Message)
        assert (event.type, event.text) == ("text", "Hello")


def test_a_known_type_of_another_shape_is_shown_as_far_as_it_can_be_read() -> None:
    assert message("text", "Hello").text == "Hello"
    assert message("text", [{"body": "Hello"}]).text == "Hello"
    assert message("text", {"body": {"text": "Hello"}}).text == "Hello"


def webhook(change: Any) -> dict[str, Any]:
    if isinstance(change, dict):
        change = {name: change[name] for name in ("field", "value") if name in change}
    return {"entry": [{"id": "200000000000001", "changes": [change]}]}


def bodies() -> list[dict[str, Any]]:
    metadata = {"phone_number_id": "300000000000001"}
    found = [webhook(case) for case in CHANGES]
    for case in MESSAGES:
        contacts = [case["contact"]] if case["contact"] else []
        value = {"metadata": metadata, "contacts": contacts, "messages": [case["message"]]}
        found.append(webhook({"field": "messages", "value": value}))
    statuses = [case["status"] for case in STATUSES]
    return [*found, webhook({"field": "messages", "value": {"metadata": metadata, "statuses": statuses}})]


ODD: list[Any] = [
    None, True, 0, -1, 1e308, "", " ", "\x00", "\ud800", "\u202e\u200f", "👩‍👩‍👧‍👦" * 50, "x" * 100_000, [], {}, [[]],
    [None], {"a": {"b": []}}, "2026-11-23", 10**18, "\\u0000", "}{", "id#2",
]  # fmt: skip


def mutated(value: Any, chance: random.Random) -> Any:
    """The value with one of its members, anywhere, dropped, retyped, emptied, or one added."""
    if isinstance(value, (dict, list)) and value and chance.random() < 0.9:
        places: list[Any] = list(value) if isinstance(value, dict) else list(range(len(value)))
        place = chance.choice(places)
        copy: Any = value.copy()
        if isinstance(copy, dict) and chance.random() < 0.1:
            copy[f"added_{chance.randrange(9)}"] = chance.choice(ODD)
        elif chance.random() < 0.07:
            del copy[place]
        else:
            copy[place] = mutated(copy[place], chance)
        return copy
    return chance.choice(ODD)


def test_no_mutation_raises_or_vanishes() -> None:
    """Every item gives an event, which can be written and fits into the database's indexes."""
    chance = random.Random(4)
    seeds = bodies()
    for number in range(5000):
        seed = chance.choice(seeds)
        # Most of them inside, or half of them would lose all they hold.
        body = webhook(mutated(seed["entry"][0]["changes"][0], chance)) if number % 10 else mutated(seed, chance)
        for part in list(split(body)) or pytest.fail(f"nothing came of {body!r:.500}"):
            found = parse(part.payload)
            # What another responder told of the customer is a note of its own, ahead of the message.
            assert 1 <= len(found) <= 3
            for event in found:
                dump(event)
                assert_bounded(event)
                if isinstance(event, (Message, Ignored)):
                    assert event.person.address == part.address


def test_deep_nesting_is_survived() -> None:
    deep: Any = "end"
    for _ in range(200):
        deep = {"text": [deep], "title": "x"}
    for body in ({**TEXT, "text": deep}, {**TEXT, "type": "hologram", "hologram": deep}, {**TEXT, "id": deep}):
        assert isinstance(read(body), Message)
    form = {"type": "nfm_reply", "nfm_reply": {"response_json": json.dumps({"a": deep})}}
    assert "…" in (message("interactive", form).text or "")


def assert_bounded(event: Event) -> None:
    if isinstance(event, Notice):
        assert event.kind
        assert event.reason
        assert len(event.kind) <= 64
        assert len(event.reason) <= 600
    elif isinstance(event, Receipt):
        assert all(0 < len(alias) <= 256 for alias in event.aliases)
    else:
        assert isinstance(event, (Message, Ignored))
        person = event.person
        named = [person.wa_id, person.bsuid, person.parent_bsuid, person.name, person.username, *person.previous]
        assert all(0 < len(name) <= 256 for name in [person.address, *filter(None, named)])
        assert 0 < len(event.source_id) <= 600
        assert 0 < len(event.type) <= 64
        if isinstance(event, Message):
            assert (event.text or "").strip() or event.media
            assert all(len(value) <= 1000 for value in event.attributes.values())


@pytest.mark.parametrize(
    ("told", "until"),
    [("9999999999", "clamped"), (1790000000, 1790000000.0), ("0", None), ("soon", None), (None, None), ([], None)],
)
def test_a_status_tells_until_when_the_business_may_write(told: Any, until: Any) -> None:
    item = {
        "id": "wamid.a",
        "status": "sent",
        "timestamp": "1789000000",
        "conversation": {"expiration_timestamp": told},
    }
    [receipt] = parse({"kind": "status", "status": item})
    assert isinstance(receipt, Receipt)
    if until == "clamped":
        assert receipt.window_until is not None
        assert receipt.window_until < time.time() + 11 * 86_400
    else:
        assert receipt.window_until == until
