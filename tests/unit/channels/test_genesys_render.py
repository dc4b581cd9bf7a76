"""Messages and receipts as Genesys wants them, and how they are made to fit."""

from dataclasses import replace
from typing import Any

import orjson
import pytest

from relay.channels.genesys.limits import FILE, fit, fit_media
from relay.channels.genesys.render import render, render_report
from relay.core.errors import CannotCarry
from relay.core.messages import Media, Message, Person, Recipient, Report
from tests.unit.channels.accounts import BSUID, CONTACT, GENESYS, PHONE

TO = Recipient(CONTACT, wa_id=PHONE, bsuid=BSUID, name="Ada Brandt", genesys_conversation_known=True)
URL = "https://files.example.org/tenant/file?X-Amz-Signature=abc"
BASE = "/api/v2/conversations/messages/22222222-bbbb-4000-8000-000000000001/inbound/open"


def message(text: str | None = None, media: Media | None = None, **more: Any) -> Message:
    return Message("wamid.A", Person(PHONE, wa_id=PHONE), 1764000000.0, text=text, media=media, **more)


def body(it: Message, to: Recipient = TO, url: str | None = None) -> dict[str, Any]:
    return render(it, "id", to, GENESYS, url).body


def test_text() -> None:
    request = render(message("Hello", attributes={"button_id": "b1"}), "id", TO, GENESYS, None)
    assert (request.method, request.path, request.query) == ("POST", f"{BASE}/message", {})
    assert request.body == {
        "channel": {
            "from": {"id": CONTACT, "idType": "Opaque", "nickname": "Ada Brandt"},
            "time": "2025-11-24T16:00:00.000Z",
            "messageId": "wamid.A",
            "metadata": {
                "customAttributes": {
                    "whatsapp_button_id": "b1",
                    "whatsapp_phone": "+4915112345678",
                    "whatsapp_bsuid": BSUID,
                    "whatsapp_name": "Ada Brandt",
                    "whatsapp_type": "text",
                }
            },
        },
        "text": "Hello",
    }


def test_a_conversation_is_asked_for_only_when_unknown() -> None:
    request = render(message("Hello"), "id", Recipient(CONTACT), GENESYS, None)
    assert request.query == {"prefetchConversationId": "true"}
    assert "nickname" not in request.body["channel"]["from"]


def test_the_line_decides_the_integration() -> None:
    other = replace(GENESYS, line_ref="int/2")
    assert render(message("x"), "id", TO, other, None).path == (
        "/api/v2/conversations/messages/int%2F2/inbound/open/message"
    )


@pytest.mark.parametrize(
    ("kind", "mime", "expected"),
    [
        ("image", "image/jpeg", "Image"),
        ("sticker", "image/webp", "Image"),
        ("video", "video/mp4", "Video"),
        ("audio", "audio/ogg; codecs=opus", "Audio"),
        ("document", "application/pdf", "File"),
        ("document", "", "File"),
    ],
)
def test_files(kind: Any, mime: str, expected: str) -> None:
    media = Media(kind, mime, filename="a.bin", sha256="00ff", caption="see")
    given = body(message(media=media), url=URL)
    (content,) = given["content"]
    assert content["contentType"] == "Attachment"
    assert content["attachment"] == {
        "mediaType": expected,
        "url": URL,
        "mime": mime.partition(";")[0] or "application/octet-stream",
        "filename": "a.bin",
        "sha256": "00ff",
        "text": "see",
    }
    assert given["text"] == "see"


def test_a_bare_file_has_no_text() -> None:
    given = body(message(media=Media("image", "image/png")), url=URL)
    assert "text" not in given
    assert "text" not in given["content"][0]["attachment"]


def test_a_file_that_is_too_large_goes_as_a_link() -> None:
    media = fit_media(Media("video", "video/mp4", size=FILE + 1, filename="film.mp4", caption="see"))
    given = body(message(media=media), url=URL)
    assert given["text"] == f"see\nfilm.mp4: {URL}"
    assert "content" not in given


def test_nothing_is_sent_without_content() -> None:
    with pytest.raises(CannotCarry, match="neither"):
        body(message(" "))
    with pytest.raises(CannotCarry, match="no link"):
        body(message(media=Media("image", "image/png")))


@pytest.mark.parametrize(
    ("media", "expected"),
    [
        (Media("sticker", "image/webp", size=1), ("image", "image/webp")),
        (Media("sticker", "", size=1), ("image", "image/webp")),
        (Media("audio", "audio/ogg; codecs=opus", size=1), ("audio", "audio/ogg")),
        (Media("document", "", size=1), ("document", "application/octet-stream")),
        (Media("document", "odd", size=FILE), ("document", "application/octet-stream")),
        (Media("document", "application/pdf", size=FILE + 1), ("link", "application/pdf")),
        (Media("link", "application/pdf"), ("link", "application/pdf")),
    ],
)
def test_files_are_made_to_fit(media: Media, expected: tuple[str, str]) -> None:
    fitted = fit_media(media)
    assert (fitted.kind, fitted.mime_type) == expected
    assert fit_media(fitted) == fitted


def test_an_empty_file_cannot_be_carried() -> None:
    with pytest.raises(CannotCarry):
        fit_media(Media("image", "image/png", size=0))


def test_a_caption_becomes_the_text() -> None:
    (part,) = fit(message(media=Media("image", "image/png", caption="see")))
    assert (part.text, part.media) == ("see", Media("image", "image/png"))


def test_the_longest_whatsapp_text_stays_below_the_size_of_a_request() -> None:
    parts = fit(message("😀" * 32_000))
    assert [part.source_id for part in parts[:2]] == ["wamid.A", "wamid.A#2"]
    assert "".join(part.text or "" for part in parts) == "😀" * 32_000
    assert all(len(orjson.dumps(body(part))) < 512_000 for part in parts)


def test_a_long_text_follows_its_file() -> None:
    first, *others = fit(message("x " * 3000, Media("document", "application/pdf")))
    assert (first.text, first.media is not None) == (None, True)
    assert [part.source_id for part in others] == ["wamid.A#2", "wamid.A#3"]


def test_delivered() -> None:
    request = render_report(Report("id", "7f3c", "delivered", 1764000000.5), TO, GENESYS)
    assert (request.method, request.path) == ("POST", f"{BASE}/receipt")
    assert request.body == {
        "id": "7f3c",
        "channel": {"to": {"id": CONTACT, "idType": "Opaque"}, "time": "2025-11-24T16:00:00.500Z"},
        "status": "Delivered",
        "isFinalReceipt": True,
    }


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("131047", "MessageExpired"),
        ("131026", "InvalidDestination"),
        ("131056", "RateLimited"),
        ("130429", "RateLimited"),
        ("80007", "RateLimited"),
        ("131051", "UnsupportedMessage"),
        ("131053", "MediaTypeNotAllowed"),
        ("131050", "RecipientOptedOut"),
        ("too_large", "InvalidMediaContentLength"),
        ("999999", "GeneralError"),
        (None, "GeneralError"),
    ],
)
def test_failed_says_why(code: str | None, expected: str) -> None:
    report = Report("id", "7f3c", "failed", 1764000000.0, code, "too late" if code else None)
    given = render_report(report, TO, GENESYS).body
    assert given["status"] == "Failed"
    assert given["isFinalReceipt"] is True
    assert given["reasons"] == [{"code": expected, "message": f"{code}: too late" if code else "not delivered"}]
