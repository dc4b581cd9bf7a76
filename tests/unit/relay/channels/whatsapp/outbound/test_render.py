"""Messages as Meta wants them, and how they are made to fit."""

from dataclasses import replace
from typing import Any

import pytest

from relay.channels.whatsapp.limits import OPUS
from relay.channels.whatsapp.outbound.fitting import fit
from relay.channels.whatsapp.outbound.render import render
from relay.core.errors import CannotCarry
from relay.core.messages import Media, Message, Person, Recipient
from tests.unit.relay.channels.accounts import BSUID, CONTACT, PHONE, WHATSAPP

MESSAGE_ID = "0b6c3f8e-3f5c-4d0e-9a57-0d4f5b1c2a3e"
TO = Recipient(CONTACT, wa_id=PHONE, bsuid=BSUID)
URL = "https://files.example.org/tenant/file?X-Amz-Signature=abc"


def message(text: str | None = None, media: Media | None = None, **more: Any) -> Message:
    return Message("7f3c", Person(CONTACT), 1764000000.0, text=text, media=media, **more)


def body(it: Message, to: Recipient = TO, url: str | None = None) -> dict[str, Any]:
    return render(it, MESSAGE_ID, to, WHATSAPP, url).body


def test_text() -> None:
    request = render(message("Hello"), MESSAGE_ID, TO, WHATSAPP, None)
    assert (request.method, request.path, request.query) == ("POST", "/300000000000001/messages", {})
    assert request.body == {
        "messaging_product": "whatsapp",
        "recipient_type": "individual",
        "to": "+4915112345678",
        "type": "text",
        "text": {"body": "Hello"},
        "biz_opaque_callback_data": MESSAGE_ID,
    }


def test_the_line_decides_the_number_not_the_tenants_credentials() -> None:
    other = replace(WHATSAPP, line_ref="300000000000002")
    assert render(message("x"), MESSAGE_ID, TO, other, None).path == "/300000000000002/messages"


@pytest.mark.parametrize(
    ("to", "expected"),
    [
        (Recipient(CONTACT, wa_id=PHONE), {"to": "+4915112345678"}),
        (Recipient(CONTACT, wa_id="+49 151 12345678"), {"to": "+4915112345678"}),
        (Recipient(CONTACT, wa_id=PHONE, bsuid=BSUID), {"to": "+4915112345678"}),
        (Recipient(CONTACT, bsuid=BSUID), {"recipient": BSUID}),
        (Recipient(CONTACT, bsuid="DE.ENT.118157"), {"recipient": "DE.ENT.118157"}),
        (Recipient(CONTACT, wa_id=BSUID), {"recipient": BSUID}),
        # Somebody who never wrote: an agent dialled the number.
        (Recipient("+4915112345678"), {"to": "+4915112345678"}),
        (Recipient("+49 151 1234-5678"), {"to": "+4915112345678"}),
        (Recipient("0049 (0)151/12345678"), {"to": "+4915112345678"}),
        (Recipient("4915112345678", bsuid=BSUID), {"recipient": BSUID}),
        (Recipient(BSUID), {"recipient": BSUID}),
    ],
)
def test_a_user_id_never_stands_in_to(to: Recipient, expected: dict[str, str]) -> None:
    """Meta answers 200 to that, and the message vanishes."""
    given = body(message("x"), to)
    assert {key: given[key] for key in ("to", "recipient") if key in given} == expected


@pytest.mark.parametrize("address", [CONTACT, "0151 12345678", "0", "+", ""])
def test_nobody_to_send_to(address: str) -> None:
    with pytest.raises(CannotCarry, match=r"with [+] and country code") as caught:
        body(message("x"), Recipient(address))
    assert caught.value.code == "no_address"


def test_a_number_that_is_somebody_elses_is_not_dialled() -> None:
    with pytest.raises(CannotCarry, match="belongs to somebody else") as caught:
        body(message("x"), Recipient("4915112345678", dialled=False))
    assert caught.value.code == "no_address"
    assert body(message("x"), Recipient("4915112345678", PHONE, dialled=False))["to"] == f"+{PHONE}"


def test_reply() -> None:
    assert body(message("x", reply_to="wamid.asked"))["context"] == {"message_id": "wamid.asked"}


@pytest.mark.parametrize(
    ("media", "expected"),
    [
        (Media("image", "image/png", upload_id="9", caption="c"), ("image", {"id": "9", "caption": "c"})),
        (Media("video", "video/mp4", upload_id="9"), ("video", {"id": "9"})),
        (Media("audio", "audio/mpeg", upload_id="9"), ("audio", {"id": "9"})),
        (Media("audio", OPUS, upload_id="9", voice=True), ("audio", {"id": "9", "voice": True})),
        (Media("sticker", "image/webp", upload_id="9"), ("sticker", {"id": "9"})),
        (
            Media("document", "application/pdf", upload_id="9", filename="é.pdf", caption="c"),
            ("document", {"id": "9", "caption": "c", "filename": "é.pdf"}),
        ),
        (Media("document", "application/pdf", upload_id="9"), ("document", {"id": "9", "filename": "file.pdf"})),
    ],
)
def test_files_go_by_upload_id(media: Media, expected: tuple[str, dict[str, Any]]) -> None:
    given = body(message(media=media))
    assert (given["type"], given[given["type"]]) == expected


def test_a_file_goes_by_link_only_without_an_upload() -> None:
    assert body(message(media=Media("image", "image/png")), url=URL)["image"] == {"link": URL}
    with pytest.raises(CannotCarry, match="not uploaded"):
        body(message(media=Media("image", "image/png")))


def test_what_cannot_be_carried_becomes_a_text_with_a_link() -> None:
    media = Media("link", "application/zip", filename="all.zip", caption="the plans")
    assert body(message(media=media), url=URL)["text"] == {
        "body": f"the plans\nall.zip: {URL}",
        "preview_url": False,
    }
    with pytest.raises(CannotCarry, match="no link"):
        body(message(media=media))


def test_nothing_is_dropped_in_silence() -> None:
    with pytest.raises(CannotCarry, match="no text with audio"):
        body(message(media=Media("audio", "audio/mpeg", upload_id="9", caption="listen")))
    with pytest.raises(CannotCarry, match="no text"):
        body(message("  "))
    with pytest.raises(CannotCarry, match="4,096"):
        body(message("x" * 4097))


def test_a_short_text_stays_one() -> None:
    it = message("x" * 4096)
    assert fit(it) == [it]


def test_a_long_text_becomes_parts() -> None:
    parts = fit(message("word " * 1000, reply_to="wamid.asked"))
    assert [(part.source_id, part.part, part.parts, part.report_id) for part in parts] == [
        ("7f3c", 1, 2, "7f3c"),
        ("7f3c#2", 2, 2, "7f3c"),
    ]
    assert " ".join(part.text or "" for part in parts) == "word " * 1000
    assert [part.reply_to for part in parts] == ["wamid.asked", None]


def test_text_and_caption_go_below_the_file() -> None:
    media = Media("image", "image/png", caption="the map")
    (part,) = fit(message("the map", media))
    assert (part.text, part.media) == (None, media)
    (part,) = fit(message("Look:", media))
    assert part.media is not None
    assert part.media.caption == "Look:\nthe map"


@pytest.mark.parametrize(
    ("kind", "mime", "text"),
    [
        ("image", "image/png", "x" * 1025),
        ("audio", "audio/mpeg", "listen"),
        ("document", "audio/mpeg", "listen"),
        ("document", "", "listen"),
        ("sticker", "image/webp", "haha"),
        ("link", "application/zip", "x" * 3000),
    ],
)
def test_what_does_not_fit_below_a_file_follows_it(kind: Any, mime: str, text: str) -> None:
    """What the MIME type will make of the file counts: a caption on sound would be refused later."""
    first, second = fit(message(text, Media(kind, mime), reply_to="wamid.asked"))
    assert (first.source_id, first.text, first.media and first.media.caption) == ("7f3c", None, None)
    assert (second.source_id, second.text, second.media) == ("7f3c#2", text, None)
    assert (first.reply_to, second.reply_to) == ("wamid.asked", None)


def test_parts_of_parts_have_ids_of_their_own() -> None:
    image = Media("image", "image/png")
    first = fit(message("x" * 2000, image, part=1, parts=2))
    second = fit(replace(message("y" * 2000, image, part=2, parts=2), source_id="7f3c#2"))
    assert [part.source_id for part in first + second] == ["7f3c", "7f3c#1.2", "7f3c#2", "7f3c#2.2"]
    assert {part.report_id for part in first + second} == {"7f3c"}
