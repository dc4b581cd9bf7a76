"""Files that one side cannot take, cannot get, or gives only to somebody with a token."""

from __future__ import annotations

import base64
from typing import Any

import pytest
import requests

from sandbox.samples import sample
from tests.flow.chat import Chat
from tests.flow.installation import Installation, Line
from tests.waiting import wait_until

MB = 1024 * 1024
JPEG = sample("image").data


def file(data: bytes, mime_type: str, filename: str) -> dict[str, Any]:
    return {"data": base64.b64encode(data).decode(), "mime_type": mime_type, "filename": filename}


def test_a_film_too_large_for_whatsapp_goes_as_a_link(installation: Installation, line: Line) -> None:
    chat = Chat(installation, line, "4917300000001").opened()
    data = sample("video").data + bytes(17 * MB)
    chat.answers("the plan", attachment=file(data, "video/mp4", "plan.mp4"))
    chat.answers("got it?")
    wait_until(lambda: len(chat.on_the_phone()) == 2, 30, "both to arrive")
    link, after = chat.on_the_phone()
    assert (link["type"], after["text"]) == ("text", "got it?")
    assert link["text"].startswith("the plan") and "plan.mp4" in link["text"]
    fetched = requests.get(link["text"].split()[-1], timeout=30)
    assert fetched.content == data


@pytest.mark.parametrize(
    ("mime_type", "filename", "served"),
    [
        ("application/zip", "plans.zip", "application/zip"),
        ("image/gif", "cat.gif", "image/gif"),
        ("image/heic", "a.heic", "image/heic"),
        ("text/html", "notes.html", "application/octet-stream"),
        ("image/svg+xml", "a.svg", "application/octet-stream"),
    ],
)
def test_a_type_that_whatsapp_refuses_goes_as_a_link(
    installation: Installation, line: Line, mime_type: str, filename: str, served: str
) -> None:
    chat = Chat(installation, line, f"49173000001{len(filename):02}").opened()
    source = chat.answers(None, attachment=file(b"PK\3\4 something", mime_type, filename))
    wait_until(chat.on_the_phone, 20, "it to arrive")
    [shown] = chat.on_the_phone()
    assert shown["type"] == "text" and filename in shown["text"]
    url = shown["text"].split()[-1]
    fetched = requests.get(url, timeout=30)
    assert fetched.content == b"PK\3\4 something"
    assert fetched.headers["Content-Type"] == served
    assert fetched.headers["Content-Disposition"] == f'attachment; filename="{filename}"'
    assert "X-Amz-Expires=604800" in url, "a person may follow it days later"
    chat.state_in_time(source, "delivered", "read")


OPUS = sample("audio").data
STEREO = OPUS.replace(b"OpusHead\x01\x01", b"OpusHead\x01\x02", 1)


@pytest.mark.parametrize(
    ("data", "mime_type", "filename"),
    [(b"not a film", "video/mp4", "film.mp4"), (STEREO, "audio/ogg", "a.ogg"), (STEREO, "application/ogg", "b.ogg")],
)
def test_what_whatsapp_would_find_wrong_only_afterwards_goes_as_a_link_at_once(
    installation: Installation, line: Line, data: bytes, mime_type: str, filename: str
) -> None:
    chat = Chat(installation, line, f"49173000005{len(mime_type + filename):02}").opened()
    source = chat.answers("listen", attachment=file(data, mime_type, filename))
    chat.answers("next")
    wait_until(lambda: "next" in chat.phone_reads(), message="what came after it to arrive")
    shown = " ".join(chat.phone_reads())
    assert "listen" in shown and f"{filename}: http" in shown
    chat.state_in_time(source, "delivered", "read")


@pytest.mark.parametrize("mime_type", ["audio/ogg", "audio/OGG", "application/ogg", "audio/ogg; codecs=opus"])
def test_sound_is_what_its_bytes_are_whatever_it_is_called(
    installation: Installation, line: Line, mime_type: str
) -> None:
    chat = Chat(installation, line, f"49173000006{len(mime_type) + mime_type.count('O'):02}").opened()
    chat.answers(None, attachment=file(OPUS, mime_type, "a.ogg"))
    wait_until(chat.on_the_phone, message="it to arrive")
    [shown] = chat.on_the_phone()
    assert shown["type"] == "audio"


def test_what_whatsapp_finds_wrong_all_the_same_goes_as_a_link(installation: Installation, line: Line) -> None:
    """Meta takes the upload and the message, and reports 131053 later."""
    chat = Chat(installation, line, "4917300000002").opened()
    phone(chat, online=False)
    source = chat.answers("the offer", sample="document")
    wamid = chat.state_in_time(source, "sent")["provider_id"]
    told = [{"code": 131053, "title": "Media upload error"}]
    installation.control("POST", f"/phone/{chat.wa_id}/status", {"id": wamid, "status": "failed", "errors": told})
    wait_until(lambda: installation.row(source)["attempts"] == 2, message="it to go out again")
    phone(chat, online=True)
    wait_until(chat.on_the_phone, message="it to arrive")
    [shown] = chat.on_the_phone()
    assert shown["text"].startswith("the offer") and "offer.pdf: http" in shown["text"]
    wait_until(lambda: chat.told(source) == ["Delivered"], message="Delivered to be told, and no failure")


def test_what_whatsapp_refuses_at_once_for_its_file_goes_as_a_link(installation: Installation, line: Line) -> None:
    chat = Chat(installation, line, "4917300000020").opened()
    trouble = {"error_rate": 1, "error_codes": [131053], "calls": ["messages"], "only": ['"document":', '"document" :']}
    with installation.faults("meta", **trouble):
        source = chat.answers("the offer", sample="document")
        wait_until(chat.on_the_phone, message="it to arrive")
    [shown] = chat.on_the_phone()
    assert shown["text"].startswith("the offer") and "offer.pdf: http" in shown["text"]
    assert installation.row(source)["attempts"] == 2
    wait_until(lambda: chat.told(source) == ["Delivered"], message="Delivered to be told, and no failure")


def test_it_goes_as_a_link_once(installation: Installation, line: Line) -> None:
    chat = Chat(installation, line, "4917300000019").opened()
    phone(chat, fail_code=131053)
    source = chat.answers("the offer", sample="document")
    row = chat.state_in_time(source, "failed")
    assert (row["reason_code"], row["attempts"]) == ("131053", 2)
    wait_until(lambda: chat.told(source) == ["Failed"], message="the agent's side to be told, once")


def phone(chat: Chat, **settings: Any) -> None:
    chat.installation.control("POST", f"/phone/{chat.wa_id}", settings)


def test_an_empty_file_fails_with_its_reason_and_holds_up_nobody(installation: Installation, line: Line) -> None:
    chat = Chat(installation, line, "4917300000003").opened()
    source = chat.answers(None, attachment=file(b"", "application/pdf", "empty.pdf"))
    chat.answers("next")
    chat.phone_reads_in_time("next")
    row = chat.state_in_time(source, "failed")
    assert row["reason_code"] == "empty_file"
    wait_until(lambda: chat.told(source) == ["Failed"], 20, "the agent's side to be told")
    assert chat.receipts(source)[0]["reasons"][0]["code"] == "InvalidMediaContentLength"


def test_a_customers_file_that_is_gone_becomes_a_notice(installation: Installation, line: Line) -> None:
    chat = Chat(installation, line, "4917300000004").opened()
    with installation.faults("meta", media_404_rate=1):
        chat.writes("look at this", type="image", sample=True)
        chat.writes("do you see it?")
        chat.agent_reads_in_time("do you see it?")
    notice = chat.agent_reads()[1]
    assert notice.startswith("look at this") and "image" in notice and "could not be delivered" in notice


def test_an_agents_file_that_is_gone_fails_with_its_reason(installation: Installation, line: Line) -> None:
    chat = Chat(installation, line, "4917300000005").opened()
    with installation.faults("genesys", media_404_rate=1):
        source = chat.answers("with a text", sample="document")
        chat.answers("next")
        chat.phone_reads_in_time("next")
        assert chat.state_in_time(source, "failed")["reason_code"] == "media_unavailable"
    wait_until(lambda: chat.told(source) == ["Failed"], 20, "the agent's side to be told")


def test_a_file_that_wants_the_token_is_fetched_with_it(installation: Installation, line: Line) -> None:
    chat = Chat(installation, line, "4917300000006").opened()
    with installation.faults("genesys", download_needs_token=True):
        source = chat.answers(None, sample="document")
        chat.state_in_time(source, "read")
    [shown] = chat.on_the_phone()
    assert (shown["type"], shown["media"]["filename"]) == ("document", "offer.pdf")


def test_a_file_that_cannot_be_had_now_is_waited_for(installation: Installation, line: Line) -> None:
    chat, other = (Chat(installation, line, f"491730000001{n}").opened() for n in (1, 2))
    with installation.faults("meta", error_rate=1, error_codes=[500], calls=["media_object", "media_download"]):
        chat.writes(type="image", sample=True)
        chat.writes("after the picture")
        other.writes("somebody else")
        other.agent_reads_in_time("somebody else")
        assert chat.agent_reads() == ["hello"]
    chat.agent_reads_in_time("after the picture")
    assert [bool(one["attachment"]) for one in chat.at_the_desk()] == [False, True, False]


def test_a_sticker_becomes_a_picture(installation: Installation, line: Line) -> None:
    chat = Chat(installation, line, "4917300000007").opened()
    chat.writes(type="sticker", sample=True)
    shown = _attachment(chat)
    assert (shown["media_type"], shown["mime"]) == ("Image", "image/webp")


def test_a_voice_note_travels_both_ways_as_sound(installation: Installation, line: Line) -> None:
    chat = Chat(installation, line, "4917300000008").opened()
    chat.writes(type="audio", sample=True)
    shown = _attachment(chat)
    assert (shown["media_type"], shown["mime"]) == ("Audio", "audio/ogg")
    chat.state_in_time(chat.answers(None, sample="audio"), "read")
    assert chat.on_the_phone()[0]["type"] == "audio"


def test_a_caption_goes_with_its_file_or_right_behind_it(installation: Installation, line: Line) -> None:
    chat = Chat(installation, line, "4917300000009").opened()
    chat.answers("listen", sample="audio")  # WhatsApp takes no caption with sound
    chat.answers("read", sample="document")
    wait_until(lambda: len(chat.on_the_phone()) == 3, 30, "all to arrive")
    assert [(one["type"], one["text"]) for one in chat.on_the_phone()] == [
        ("audio", None),
        ("text", "listen"),
        ("document", "read"),
    ]


def test_a_large_file_of_a_customer_becomes_a_link(installation: Installation, line: Line) -> None:
    """Genesys takes 25 MB."""
    chat = Chat(installation, line, "4917300000010").opened()
    data = sample("document").data + bytes(26 * MB)
    chat.writes("the whole catalogue", type="document", media=file(data, "application/pdf", "catalogue.pdf"))
    wait_until(lambda: len(chat.at_the_desk()) == 2, 40, "it to arrive", interval=0.2)
    shown = chat.at_the_desk()[1]
    assert shown["attachment"] is None and "the whole catalogue" in shown["text"] and "catalogue.pdf" in shown["text"]
    assert "X-Amz-Expires=604800" in shown["text"], "the agent may look at it days later"
    with requests.get(shown["text"].split()[-1], timeout=30, stream=True) as fetched:
        assert int(fetched.headers["Content-Length"]) == len(data)


def _attachment(chat: Chat) -> dict[str, Any]:
    def fetched() -> dict[str, Any] | None:
        shown = [one["attachment"] for one in chat.at_the_desk() if one["attachment"]]
        return shown[0] if shown and shown[0]["fetch"]["state"] == "fetched" else None

    found = wait_until(fetched, 20, "the agent's side to fetch it")
    assert found is not None
    return found
