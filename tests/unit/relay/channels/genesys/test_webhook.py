"""Genesys' webhook body: signature in base64, items, and what is kept for a tenant."""

import base64
import hashlib
import hmac
from typing import Any

import pytest

from relay.channels.genesys import webhook
from relay.channels.genesys.webhook import keep, verify
from relay.channels.raw_update import RawUpdate


def split(body: Any) -> list[RawUpdate]:
    return list(webhook.split(body))


SECRET = "webhook-secret-of-the-line"
RAW = b'{"id": "7f3c", "text": "caf\xc3\xa9"}'
ITEM = {"id": "7f3c", "channel": {"id": "int-1", "from": {"id": "int-1"}, "to": {"id": "contact-1"}}, "type": "Text"}


def signature(raw: bytes, secret: str = SECRET) -> str:
    return "sha256=" + base64.b64encode(hmac.new(secret.encode(), raw, hashlib.sha256).digest()).decode()


def test_the_raw_bytes_are_signed_in_base64() -> None:
    assert verify(SECRET, RAW, signature(RAW))
    assert not verify(SECRET, RAW + b" ", signature(RAW))


@pytest.mark.parametrize(
    "given",
    [
        None,
        "",
        "sha256=",
        "sha256=ü",
        signature(RAW)[7:],
        signature(RAW).rstrip("="),
        signature(RAW, "another"),
        "sha256=" + hmac.new(SECRET.encode(), RAW, hashlib.sha256).hexdigest(),
    ],
)
def test_other_signatures_are_refused(given: str | None) -> None:
    """Hex too: that is Meta's way, and a verifier that takes both would take a forgery of neither."""
    assert not verify(SECRET, RAW, given)


def test_an_empty_secret_verifies_nothing() -> None:
    assert not verify("", RAW, signature(RAW, ""))


def test_an_object_is_one_part_and_stays_as_it_came() -> None:
    (part,) = split(ITEM)
    assert (part.line_ref, part.address, part.index) == ("int-1", "contact-1", 0)
    assert part.payload is ITEM


def test_a_list_is_as_many_parts() -> None:
    assert [part.index for part in split([ITEM, ITEM])] == [0, 1]


@pytest.mark.parametrize("odd", [None, 5, "x", [1], []])
def test_what_is_no_object_is_a_part_too(odd: Any) -> None:
    """It names no line and nobody, and `parse` says what it is."""
    parts = split([ITEM, odd])
    assert [(part.line_ref, part.index) for part in parts] == [("int-1", 0), ("", 1)]
    assert parts[1].payload == {"unreadable": odd}


@pytest.mark.parametrize("body", [[], None])
def test_nothing_has_no_parts(body: Any) -> None:
    assert split(body) == []


def test_the_sender_names_the_line_where_the_channel_has_no_id() -> None:
    (part,) = split({"channel": {"from": {"id": "int-1"}, "to": {"id": "c"}}})
    assert (part.line_ref, part.address) == ("int-1", "c")


def test_a_receipt_seen_from_the_customer_has_the_sides_swapped() -> None:
    item = {"type": "Receipt", "channel": {"id": "int-1", "to": {"id": "int-1"}, "from": {"id": "contact-1"}}}
    assert split(item)[0].address == "contact-1"


def test_the_first_file_is_named() -> None:
    content = [{"attachment": {"mediaType": "File", "mime": "application/pdf"}}]
    part = split({**ITEM, "content": content})[0]
    assert (part.media_type, part.mime_type) == ("document", "application/pdf")


@pytest.mark.parametrize("body", [None, 5, "x", [], [[1]], {"channel": []}, {"channel": {"to": 3, "from": []}}])
def test_any_body_can_be_split_and_kept(body: Any) -> None:
    split(body)
    keep(body, {"int-1"})


def test_a_tenant_gets_its_own_objects_only() -> None:
    assert keep(ITEM, {"int-1"}) == ITEM
    assert keep(ITEM, {"int-2"}) is None
    assert keep([ITEM, 5, {"channel": {"id": "int-2"}}], {"int-2"}) == [{"channel": {"id": "int-2"}}]
    assert keep([ITEM, 5], {"int-1", ""}) == [ITEM, 5]
    assert keep(5, {"int-1"}) is None
