"""What a file with sound or film in it is sent as, by its bytes."""

from __future__ import annotations

import io

import pytest

from relay.channels.whatsapp.limits import OPUS, fit_media
from relay.channels.whatsapp.outbound.recordings import holds_recording, identified
from relay.core.messages import Media, MediaKind
from sandbox.samples import sample

NOTE = sample("audio").data
FILM = sample("video").data
STEREO = NOTE.replace(b"OpusHead\x01\x01", b"OpusHead\x01\x02", 1)
MP3 = b"ID3\x03\x00\x00\x00\x00\x00\x00" + (b"\xff\xfb\x90\x64" + bytes(413)) * 20
AAC = (b"\xff\xf1\x50\x80\x02\x1f\xfc" + bytes(9)) * 20
AMR = b"#!AMR\n" + (b"\x3c" + bytes(31)) * 20
WAV = (
    b"RIFF\x24\x08\x00\x00WAVEfmt \x10\x00\x00\x00\x01\x00\x01\x00\x40\x1f\x00\x00\x80\x3e\x00\x00"
    b"\x02\x00\x10\x00data" + bytes(2052)
)
NAMED = ["audio/ogg", "audio/OGG", "application/ogg", "audio/mpeg", "video/mp4", "audio/x-wav", "audio/wma; x=y"]


def sent_as(data: bytes, mime_type: str, kind: MediaKind = "audio", caption: str | None = None) -> tuple[str, str]:
    media = Media(kind, mime_type, size=len(data), caption=caption)
    assert holds_recording(media)
    found = fit_media(identified(io.BytesIO(data), media) or media)
    return found.kind, found.mime_type


@pytest.mark.parametrize("named", NAMED)
@pytest.mark.parametrize(
    ("data", "kind", "mime_type"),
    [
        (NOTE, "audio", OPUS),
        (MP3, "audio", "audio/mpeg"),
        (AAC, "audio", "audio/aac"),
        (AMR, "audio", "audio/amr"),
        (FILM, "video", "video/mp4"),
    ],
    ids=["opus", "mp3", "aac", "amr", "mp4"],
)
def test_its_bytes_decide_whatever_it_is_called(data: bytes, kind: str, mime_type: str, named: str) -> None:
    assert sent_as(data, named) == (kind, mime_type)


@pytest.mark.parametrize("named", NAMED)
@pytest.mark.parametrize(
    "data",
    [STEREO, WAV, FILM.replace(b"avcC", b"hvcC").replace(b"avc1", b"hev1"), FILM[:64], b"not a film", b"\x00" * 100,
     NOTE[:20], sample("image").data, b"OggS" + bytes(60)],
    ids=["stereo", "wav", "hevc", "cut", "text", "zeros", "beginning", "picture", "empty ogg"],
)  # fmt: skip
def test_what_whatsapp_would_refuse_goes_as_a_link(data: bytes, named: str) -> None:
    assert sent_as(data, named)[0] == "link"


def test_sound_with_a_text_goes_as_a_link_so_that_both_arrive() -> None:
    assert sent_as(NOTE, "video/mp4", "video", caption="listen")[0] == "link"
    assert sent_as(FILM, "video/mp4", "video", caption="look")[0] == "video"


@pytest.mark.parametrize(
    ("media", "may"),
    [
        (Media("audio"), True),
        (Media("video", "application/octet-stream"), True),
        (Media("document"), False),
        (Media("document", "audio/mpeg"), True),
        (Media("document", "application/pdf"), False),
        (Media("link", "audio/mpeg"), False),
    ],
)
def test_only_what_may_be_sound_or_film_is_looked_into(media: Media, may: bool) -> None:
    assert holds_recording(media) == may
