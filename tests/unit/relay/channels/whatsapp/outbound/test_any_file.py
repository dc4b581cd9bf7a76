"""Whatever an agent's file is called, said to be, and begins with: it arrives as itself or as a link, with its text."""

from __future__ import annotations

import hashlib
import io
import tempfile
from dataclasses import replace
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from relay.actors.media import _spool
from relay.channels.base import Account, Download
from relay.channels.genesys.parse import parse
from relay.channels.whatsapp.limits import CAPTIONED, MB, OPUS, TEXT, fit_media
from relay.channels.whatsapp.outbound.fitting import fit
from relay.channels.whatsapp.outbound.pictures import convert, converts
from relay.channels.whatsapp.outbound.recordings import holds_recording, identified
from relay.channels.whatsapp.outbound.render import render
from relay.core.conversation.another_form import in_some_form
from relay.core.filenames import LONGEST
from relay.core.lengths import units
from relay.core.messages import Media, Message, Recipient
from sandbox.samples import sample

TO = Recipient("4915112345678", wa_id="4915112345678")
LINE = Account("t", "l", "1", {})
MAGIC = [
    *(sample(kind).data for kind in ("image", "audio", "document", "video", "sticker")),
    b"\x89PNG\r\n\x1a\n", b"GIF89a", b"BM", b"II*\0", b"RIFF\0\0\0\0WEBPVP8 ", b"OggS\0\x02", b"ID3\x03", b"\xff\xfb",
    b"\xff\xf1", b"#!AMR\n", b"\0\0\0\x18ftypmp42", b"\0\0\0\x18ftypheic", b"\0\0\0\x18ftyp3gp4", b"\x1aE\xdf\xa3",
    b"PK\3\4", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", b"%PDF-1.7", b"{\\rtf1", b"<svg>", b"<!doctype html>",
    b"\xff\xfea\0", b"\0",
]  # fmt: skip
TYPES = [
    "", "application/octet-stream", "image/jpeg", "image/png", "image/gif", "image/webp", "image/heic", "image/svg+xml",
    "audio/ogg", "audio/OGG", OPUS, "application/ogg", "audio/mpeg", "audio/mp4", "audio/wav", "video/mp4",
    "video/quicktime", "application/pdf", "application/zip", "text/plain", "text/csv", "text/html; charset=utf-8",
    "application/msword", "APPLICATION/PDF", "a/b; c=d", "/", ";", "\u2060", "image/", "text/plain\r\nX: y",
]  # fmt: skip
NAMES = st.none() | st.text(max_size=40) | st.builds(
    "{}{}".format,
    st.text(st.characters() | st.sampled_from("./\\ \u2060\u202e"), max_size=200),
    st.sampled_from(["", ".", "..", ".pdf", ".PDF", ".txt", ".csv", ".ogg", ".mp4", ".jpg", ".tar.gz", ".\u2060pdf"]),
)  # fmt: skip
FILES = st.builds(bytes.__add__, st.sampled_from(MAGIC) | st.binary(max_size=12), st.binary(min_size=1, max_size=30))


@st.composite
def attachments(draw: st.DrawFn) -> tuple[dict[str, Any], bytes, int]:
    """What Genesys' webhook says of a file beside a text, the file's beginning, and its size."""
    named = {
        "mediaType": draw(st.sampled_from(["Image", "Video", "Audio", "File", "Other", None])),
        "mime": draw(st.sampled_from(TYPES) | st.text(max_size=20)),
        "filename": draw(NAMES),
        "url": "https://api.mypurecloud.de/f",
    }
    text = draw(st.sampled_from(["", "see this", "x" * 1024, "é" * 1500, "y" * 5000]) | st.text(max_size=30))
    content: list[dict[str, Any]] = [{"contentType": "Attachment", "attachment": named}]
    if draw(st.booleans()):
        options = [{"contentType": "QuickReply", "quickReply": {"text": f"o{n}", "payload": "p"}} for n in range(3)]
        content += options
    told = {"id": "a" * 32, "type": "Structured", "text": text, "content": content, "direction": "Outbound"}
    size = draw(st.sampled_from([0, 101 * 1024, 6 * MB, 17 * MB]))
    return told | {"channel": {"to": {"id": "4915112345678"}, "id": "i"}}, draw(FILES), size


@settings(max_examples=250, deadline=None, suppress_health_check=list(HealthCheck))
@given(attachments(), st.sampled_from(["upload", "link"]), st.sampled_from(["refused", "sound", "film"]))
def test_nothing_fails_where_a_link_would_have_arrived(
    told: tuple[dict[str, Any], bytes, int], upload: str, recording: str
) -> None:
    payload, data, size = told
    messages = [one for one in parse(payload) if isinstance(one, Message)]
    parts = [part for message in messages for part in fit(message)]
    assert sum(part.media is not None for part in parts) == sum(one.media is not None for one in messages) == 1
    for part in parts:
        sent = replace(part, media=_prepared(part.media, data, size, recording)) if part.media else part
        for other in (sent, _as_link(sent)):
            _check(other, upload)


def _prepared(media: Media, data: bytes, size: int, recording: str) -> Media:
    """As the MediaActor does it; a recording is what another process says it is."""
    with tempfile.SpooledTemporaryFile() as file:
        media = _spool(file, media, Download(iter([data]), "", len(data)))
        if holds_recording(media):
            media = _recording(media, recording)
        elif converts(media):
            media = (convert(file, media) or (file, media))[1]
    assert media.sha256 == hashlib.sha256(data).hexdigest() or media.mime_type in ("image/jpeg", "image/png")
    return fit_media(replace(media, size=max(size, media.size or 1), bucket="b", object_key="k"))


def _recording(media: Media, what: str) -> Media:
    if what == "film":
        return replace(media, kind="video", mime_type="video/mp4")
    bare_sound = what == "sound" and not media.caption
    return replace(media, kind="audio", mime_type=OPUS) if bare_sound else replace(media, kind="link")


def _as_link(message: Message) -> Message:
    """What is left when WhatsApp refuses the file."""
    return replace(message, media=replace(message.media, kind="link")) if message.media else message


def _check(message: Message, upload: str) -> None:
    media = message.media
    if media is not None and media.kind != "link" and upload == "upload":
        message = replace(message, media=replace(media, upload_id="1"))
    url = "https://files.example/" + "k" * 1300 if media is not None else None
    body = in_some_form(lambda one: render(one, "m" * 36, TO, LINE, url), message).body
    kind = body["type"]
    if media is None:
        return
    if kind in ("text", "interactive") and not body[kind].get("header"):
        text = body["text"]["body"] if kind == "text" else body["interactive"]["body"]["text"]
        assert (url or "") in text
        assert units(text) <= TEXT
    elif kind == "document":
        assert 0 < len(body["document"]["filename"]) <= LONGEST
    if kind in ("image", "video", "document") and media.caption:
        assert kind in CAPTIONED and body[kind]["caption"]


@settings(max_examples=8, deadline=None, suppress_health_check=list(HealthCheck))
@given(FILES, st.sampled_from(["audio/ogg", "video/mp4", "audio/mpeg"]))
def test_whatever_recordings_hold_somebody_says_what_they_are_or_a_link_goes(data: bytes, mime_type: str) -> None:
    with tempfile.TemporaryFile() as file:
        file.write(data)
        found = identified(file, Media("audio", mime_type, size=len(data)))
        assert found is None or found.kind in ("audio", "video", "link")
        file.seek(0)
        assert io.BytesIO(file.read()).getvalue() == data
