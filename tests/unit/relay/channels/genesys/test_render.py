"""Messages and receipts as Genesys wants them, and how they are made to fit."""

from dataclasses import replace
from typing import Any, get_args

import orjson
import pytest

from relay.channels.genesys.limits import FILE, fit, fit_media
from relay.channels.genesys.render import MEDIA_TYPES, render, render_report
from relay.channels.whatsapp.errors import cause
from relay.core.content import Answer, Option
from relay.core.errors import CannotCarry
from relay.core.messages import Media, MediaKind, Message, Person, Recipient, Report
from tests.unit.relay.channels.accounts import BSUID, CONTACT, GENESYS, PHONE

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


def attributes(it: Message, to: Recipient = TO) -> dict[str, str]:
    given: dict[str, str] = body(it, to)["channel"]["metadata"]["customAttributes"]
    return given


def test_what_architect_may_want_to_know() -> None:
    person = Person(PHONE, wa_id=PHONE, username="ada.b")
    known = attributes(message("x", window_until=1764086400.0, reply_to="wamid.Q"), TO)
    assert known["whatsapp_window_until"] == "2025-11-25T16:00:00.000Z"
    assert known["whatsapp_reply_to"] == "wamid.Q"
    assert "whatsapp_username" not in known
    assert attributes(replace(message("x"), person=person))["whatsapp_username"] == "ada.b"


def test_attributes_are_flat_short_and_few() -> None:
    """The relay's own come first; a provider's oddity never pushes them out."""
    known = attributes(message("x", attributes={f"a{n}": "ä" * 2000 for n in range(100)}))
    assert len(known) == 32
    assert {"whatsapp_phone", "whatsapp_bsuid", "whatsapp_name", "whatsapp_type", "whatsapp_a0"} <= known.keys()
    assert known["whatsapp_a0"] == "ä" * 1000


PAYLOAD = "pay " + "lo😀ad" * 200
TAPPED = Answer("our-id", 2, Option("Monday, and everything else that stood there", PAYLOAD), "7f3c")


@pytest.mark.parametrize(
    ("kind", "name"), [("quick_reply", "QuickReply"), ("button", "Button"), ("date", "DatePicker")]
)
def test_a_tapped_answer_comes_back_with_its_payload(kind: Any, name: str) -> None:
    option = replace(TAPPED.option, kind=kind)  # type: ignore[type-var]
    tapped = message("Monday, and ev…", answer=replace(TAPPED, option=option))
    (fitted,) = fit(tapped)
    request = render(fitted, "id", Recipient(CONTACT), GENESYS, None)
    assert (request.method, request.path, request.query) == ("POST", f"{BASE}/structured/response", {})
    channel = request.body.pop("channel")
    assert channel["messageId"] == "wamid.A"
    assert channel["from"] == {"id": CONTACT, "idType": "Opaque"}
    assert request.body == {
        "buttonResponse": {"type": name, "text": "Monday, and everything else that stood there", "payload": PAYLOAD},
        "originatingMessageId": "7f3c",
    }


def test_an_answer_of_any_length_is_one_call() -> None:
    long = message("x" * 9000, answer=replace(TAPPED, option=Option("x" * 9000, "y" * 9000)))
    assert fit(long) == [long]


def test_an_answer_without_payload_says_its_text() -> None:
    given = body(message("Monday", answer=replace(TAPPED, option=Option("Monday"))))
    assert given["buttonResponse"] == {"type": "QuickReply", "text": "Monday", "payload": "Monday"}


@pytest.mark.parametrize("lost", [{"option": None}, {"offered_by": None}, {"option": None, "offered_by": None}])
def test_an_answer_that_nobody_waits_for_is_a_text(lost: dict[str, Any]) -> None:
    tapped = message("Monday", answer=replace(TAPPED, **lost))
    request = render(tapped, "id", TO, GENESYS, None)
    assert request.path == f"{BASE}/message"
    assert request.body["text"] == "Monday"
    told = attributes(tapped)
    assert told["whatsapp_answer_id"] == "our-id.2"
    assert told.get("whatsapp_payload") == (None if "option" in lost else PAYLOAD[:1000])


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
        ("document", "text/vcard", "File"),
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


def test_every_kind_of_file_has_a_name_there() -> None:
    """A link is none: it stands in the text."""
    assert {*MEDIA_TYPES, "link"} == {*get_args(MediaKind)}


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
        ("window_closed", "MessageExpired"),
        ("131026", "InvalidDestination"),
        ("131056", "RateLimited"),
        ("130429", "RateLimited"),
        ("80007", "RateLimited"),
        ("131049", "MessageNotAllowed"),
        ("131051", "UnsupportedMessage"),
        ("131009", "InvalidMessageStructure"),
        ("131000", "ServerError"),
        ("131053", "MediaTypeNotAllowed"),
        ("131050", "RecipientOptedOut"),
        ("too_large", "InvalidMediaContentLength"),
        ("131042", "GeneralError"),
        ("999999", "GeneralError"),
        (None, "GeneralError"),
    ],
)
def test_failed_says_why(code: str | None, expected: str) -> None:
    """Meta's code, the cause that it has in either side's words, Genesys' reason."""
    report = Report("id", "7f3c", "failed", 1764000000.0, code, "too late" if code else None, cause(code))
    given = render_report(report, TO, GENESYS).body
    assert given["status"] == "Failed"
    assert given["isFinalReceipt"] is True
    assert given["reasons"] == [{"code": expected, "message": f"{code}: too late" if code else "not delivered"}]
