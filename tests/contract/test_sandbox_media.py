"""Media at the stand-in for Meta: upload, media object, download, and what Meta finds out after its 200."""

import hashlib

import pytest

from sandbox.samples import sample
from tests.contract.conftest import CUSTOMER, TOKEN, Sandbox
from tests.contract.conftest import graph_refusal as refused

OTHER_NUMBER, OTHER_TOKEN = "300000000000002", "EAAG-other-tenant"
OTHER = {
    "phone_number_id": OTHER_NUMBER,
    "waba_id": "200000000000002",
    "access_token": OTHER_TOKEN,
    "app_id": "100000000000002",
}


def test_media_goes_up_and_comes_down(sandbox: Sandbox) -> None:
    sandbox.write("Hello")
    picture = sample("image")
    media_id = sandbox.upload(picture.data, "image/jpeg").json()["id"]
    found = sandbox.graph("GET", media_id).json()
    assert found["sha256"] == hashlib.sha256(picture.data).hexdigest()
    assert (found["mime_type"], found["file_size"]) == ("image/jpeg", len(picture.data))
    assert sandbox.http.get(found["url"]).status_code == 401
    assert sandbox.http.get(found["url"], headers={"Authorization": f"Bearer {TOKEN}"}).content == picture.data
    sent = sandbox.send({"to": f"+{CUSTOMER}", "type": "image", "image": {"id": media_id, "caption": "Look"}})
    shown = sandbox.wait_for_status(sent.json()["messages"][0]["id"], "read")
    assert (shown["text"], shown["media"]["sha256"]) == ("Look", found["sha256"])
    assert sandbox.http.get(sandbox.url + shown["media"]["url"]).content == picture.data
    assert sandbox.graph("DELETE", media_id).json() == {"success": True}
    assert refused(sandbox.graph("GET", media_id), 100)["error_subcode"] == 33


@pytest.mark.parametrize(
    ("part_type", "size", "code"),
    [
        ("application/octet-stream", 10, 100),
        ("text/html", 10, 100),
        ("audio/ogg", 10, 100),
        ("audio/opus", 10, 100),
        ("image/jpeg", 5 * 1024 * 1024 + 1, 131053),
        ("image/webp", 500 * 1024 + 1, 131053),
        ("image/jpeg", 0, 131053),
    ],
)
def test_an_upload_of_the_wrong_type_or_size_is_refused(sandbox: Sandbox, part_type: str, size: int, code: int) -> None:
    refused(sandbox.upload(b"x" * size, part_type), code)


def test_an_upload_names_itself_completely(sandbox: Sandbox) -> None:
    picture = sample("image").data
    refused(sandbox.upload(picture, "image/jpeg", messaging_product=""), 131008)
    refused(sandbox.upload(picture, "image/jpeg", type="image/png"), 131009)
    refused(sandbox.upload(picture, "image/jpeg", caption="no"), 100)


def test_media_of_another_number_is_not_visible(sandbox: Sandbox) -> None:
    sandbox.control("/accounts", {"whatsapp": OTHER})
    media_id = sandbox.upload(sample("image").data, "image/jpeg").json()["id"]
    refused(sandbox.graph("GET", media_id, OTHER_TOKEN), 100)
    foreign = {"to": f"+{CUSTOMER}", "type": "image", "image": {"id": media_id}}
    refused(sandbox.send(foreign, number=OTHER_NUMBER, token=OTHER_TOKEN), 100)


@pytest.mark.parametrize(
    ("data", "part_type", "kind"),
    [
        (b"<html>not a picture</html>", "image/jpeg", "image"),
        (sample("document").data, "application/pdf", "image"),
        (sample("sticker").data, "image/webp", "image"),
        (sample("sticker").data, "image/webp", "document"),
        (sample("sticker").data + b"x" * (100 * 1024), "image/webp", "sticker"),
        (sample("png").data[:24] + b"\x10" + sample("png").data[25:], "image/png", "image"),
        (sample("png").data[:25] + b"\x03" + sample("png").data[26:], "image/png", "image"),
        (sample("audio").data.replace(b"OpusHead\x01\x01", b"OpusHead\x01\x02"), "audio/ogg; codecs=opus", "audio"),
        (sample("video").data.replace(b"avc1", b"hvc1"), "video/mp4", "video"),
    ],
)
def test_a_file_unfit_for_its_message_fails_after_the_200(
    sandbox: Sandbox, data: bytes, part_type: str, kind: str
) -> None:
    sandbox.write("Hello")
    media_id = sandbox.upload(data, part_type).json()["id"]
    sent = sandbox.send({"to": f"+{CUSTOMER}", "type": kind, kind: {"id": media_id}})
    assert sandbox.wait_for_status(sent.json()["messages"][0]["id"], "failed")["errors"][0]["code"] == 131053


def test_a_picture_in_a_header_is_looked_into_too(sandbox: Sandbox) -> None:
    sandbox.write("Hello")
    media_id = sandbox.upload(b"<html>not a picture</html>", "image/jpeg").json()["id"]
    message = {
        "type": "button",
        "header": {"type": "image", "image": {"id": media_id}},
        "body": {"text": "?"},
        "action": {"buttons": [{"type": "reply", "reply": {"id": "1", "title": "Yes"}}]},
    }
    sent = sandbox.send({"to": f"+{CUSTOMER}", "type": "interactive", "interactive": message})
    assert sandbox.wait_for_status(sent.json()["messages"][0]["id"], "failed")["errors"][0]["code"] == 131053


def test_only_opus_is_a_voice_message(sandbox: Sandbox) -> None:
    sandbox.write("Hello")
    media_id = sandbox.upload(b"ID3 music", "audio/mpeg").json()["id"]
    for voice, status in ((True, "failed"), (False, "read")):
        sent = sandbox.send({"to": f"+{CUSTOMER}", "type": "audio", "audio": {"id": media_id, "voice": voice}})
        sandbox.wait_for_status(sent.json()["messages"][0]["id"], status)


def test_media_by_link_is_fetched_by_meta(sandbox: Sandbox) -> None:
    sandbox.write("Hello", type="image", sample=True)
    copy = sandbox.url + sandbox.phone()["messages"][0]["media"]["url"]
    good = sandbox.send({"to": f"+{CUSTOMER}", "type": "image", "image": {"link": copy}})
    sandbox.wait_for_status(good.json()["messages"][0]["id"], "read")
    bad = sandbox.send({"to": f"+{CUSTOMER}", "type": "image", "image": {"link": f"{sandbox.url}/nothing.jpg"}})
    failed = sandbox.wait_for_status(bad.json()["messages"][0]["id"], "failed")
    assert (failed["errors"][0]["code"], "404" in failed["errors"][0]["details"]) == (131053, True)


def test_a_customers_media_has_base64_digest_and_a_download(sandbox: Sandbox) -> None:
    sandbox.write("", type="audio", sample=True)
    shown = sandbox.phone()["messages"][0]
    content = shown["payload"]["audio"]
    assert (content["voice"], content["mime_type"]) == (True, "audio/ogg; codecs=opus")
    assert len(content["sha256"]) == 44
    got = sandbox.http.get(content["url"], headers={"Authorization": f"Bearer {TOKEN}"})
    assert hashlib.sha256(got.content).hexdigest() == shown["media"]["sha256"]
