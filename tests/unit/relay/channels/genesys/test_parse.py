"""Every kind of object Genesys is known to send, and what becomes of it."""

import copy
import random
from collections.abc import Iterator
from typing import Any

import pytest

from relay.channels.genesys.drafts import NO_QUESTION
from relay.channels.genesys.limits import fit
from relay.channels.genesys.parse import LONGEST_ID, parse
from relay.channels.genesys.webhook import split
from relay.channels.http.redaction import KEPT
from relay.core.messages import Event, Ignored, Message, Notice, Receipt, Typing, dump, load
from tests.unit.relay.channels.recorded import recorded, shown

CASES = [*recorded("genesys", "messages"), *recorded("genesys", "structured")]
ITEMS = [case["item"] for case in CASES]
ADDRESS = "c0ffee00-0000-4000-8000-000000000009"
HUGE = "ä" * 100_000
ODD: tuple[Any, ...] = (
    None, 0, 2.5, True, "", " ", "\u0000", "\ud800", "\u202e\u200d😀", HUGE, [], {}, [[]], [None], {"id": {}}, ["x"],
)  # fmt: skip


def text(said: Any = "x", **more: Any) -> dict[str, Any]:
    return {"type": "Text", "id": "7f3c", "text": said, "channel": {"to": {"id": ADDRESS}}, **more}


def one(item: dict[str, Any]) -> Any:
    (event,) = parse(item)
    return event


@pytest.mark.parametrize("case", [pytest.param(case, id=case["name"].replace(" ", "-")) for case in CASES])
def test_objects(case: dict[str, Any]) -> None:
    events = parse(case["item"])
    assert [shown(event, like) for event, like in zip(events, case["expect"], strict=True)] == case["expect"]


@pytest.mark.parametrize("payload", [{}, {"unreadable": 5}, {"unreadable": [[]]}, None, [], "x"])
def test_what_is_no_object_is_kept_with_its_reason(payload: Any) -> None:
    assert one(payload) == Notice("unreadable", "not an object with something in it")


@pytest.mark.parametrize(("address", "reason"), [(None, "missing"), ("x" * (LONGEST_ID + 1), "too long")])
def test_whom_it_is_for_must_be_known(address: str | None, reason: str) -> None:
    assert one(text(channel={"to": {"id": address}})) == Notice("unreadable", f"channel.to.id is {reason}")


def test_the_channels_message_id_stands_in_for_a_missing_id() -> None:
    assert one(text(id=None, channel={"messageId": "m", "to": {"id": "c"}})).source_id == "m"


@pytest.mark.parametrize("odd", [None, "", "x" * (LONGEST_ID + 1), {"a": 1}, "a#2"])
def test_what_has_no_usable_id_gets_one_of_its_content(odd: Any) -> None:
    """The same for a repetition; "#" is what tells our parts apart."""
    first, again, other = (one(text(said, id=odd)).source_id for said in ("x", "x", "y"))
    assert first == again != other
    assert first.startswith("sha256:")
    assert len(first) == len("sha256:") + 32


def test_an_object_of_any_depth_has_an_id() -> None:
    deep: Any = []
    for _ in range(5000):
        deep = [deep]
    assert one(text(id=None, metadata=deep)).source_id.startswith("sha256:")


def test_a_receipt_says_no_more_than_can_be_kept() -> None:
    reasons = [{"code": "MediaTypeNotAllowed", "message": HUGE}] * 5
    receipt = one({"type": "Receipt", "id": "7f3c", "status": "Failed", "reasons": reasons})
    assert receipt.code == "MediaTypeNotAllowed"
    assert len(receipt.answer) <= KEPT
    assert len(receipt.reason) <= 1000


@pytest.mark.parametrize("odd", [None, HUGE, {}])
def test_a_receipt_for_nothing_is_kept(odd: Any) -> None:
    assert isinstance(one({"type": "Receipt", "id": odd, "status": "Failed"}), Notice)


def test_a_canned_responses_link_is_completed_by_what_its_button_holds() -> None:
    button = {"type": "Url", "text": "Follow it", "url": "https://shop.example/parcel/{{1}}", "index": 0}
    given = {"body": {"text": "On its way"}, "buttons": [{**button, "parameters": [{"name": "1", "text": "4711"}]}]}
    found = one(text(type="Structured", content=[{"contentType": "Notification", "template": given}]))
    assert [option.url for option in found.options] == ["https://shop.example/parcel/4711"]


def test_an_unusable_conversation_is_left_out() -> None:
    assert one(text(conversationId=HUGE)).genesys_conversation_id is None


@pytest.mark.parametrize("content", [[], [{"contentType": "Text", "text": {"body": "\u2060 "}}]])
def test_what_cannot_be_seen_is_empty(content: list[Any]) -> None:
    """WhatsApp refuses it."""
    event = one(text("\u200b\n\u2800\ufeff", content=content))
    assert isinstance(event, Ignored)
    assert event.reason == "no text and no file in it"


def test_and_is_left_out_beside_what_can() -> None:
    reply = {"contentType": "QuickReply", "quickReply": {"text": "Yes", "payload": "yes"}}
    assert one(text("\u200b", content=[reply])).text == NO_QUESTION


def test_whatever_is_in_it_nothing_is_raised_or_dropped() -> None:
    """Fields dropped, null, retyped, unknown ones added: each object and many mixtures, always the same ones."""
    for item in mutations(random.Random(4), 3000):
        for part in split(item):
            events = parse(part.payload)
            assert events, item
            for event in events:
                holds(event)


def holds(event: Event) -> None:
    """What the actors rely on."""
    kind = type(event)
    assert load(kind, dump(event)) == event
    if isinstance(event, Message):
        assert event.type == "template" or (event.text or "").strip() or event.media or event.place
        assert all(option.text.strip() and (option.url or option.payload) for option in event.options)
        assert not event.options or event.text
        fit(event)
    if isinstance(event, (Message, Ignored)):
        assert 0 < len(event.source_id) < LONGEST_ID + 8
    if isinstance(event, (Message, Ignored, Typing)):
        assert 0 < len(event.person.address) <= LONGEST_ID
    if isinstance(event, Receipt):
        assert 0 < len(event.provider_id) <= LONGEST_ID


def mutations(dice: random.Random, number: int) -> Iterator[Any]:
    for _ in range(number):
        item = copy.deepcopy(dice.choice(ITEMS))
        for _ in range(dice.randint(1, 4)):
            mutate(item, dice)
        yield item


def mutate(item: dict[str, Any], dice: random.Random) -> None:
    """One place, anywhere within."""
    if not (found := list(places(item))):
        return
    holder, key = dice.choice(found)
    odd = copy.deepcopy(dice.choice(ODD))
    match dice.randrange(4):
        case 0:
            del holder[key]
        case 1:
            holder[key] = odd
        case 2:
            holder[key] = copy.deepcopy(dice.choice(ITEMS)).get("content")
        case _ if isinstance(holder, dict):
            holder[dice.choice(("text", "url", "payload", "contentType", "x\ud800", "id"))] = odd


def places(value: Any) -> Iterator[tuple[Any, Any]]:
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, item in inner:
        yield value, key
        yield from places(item)
