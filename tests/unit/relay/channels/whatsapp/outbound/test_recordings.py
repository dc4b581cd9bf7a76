"""What a file with sound or film in it is sent as, by its bytes."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path

import psutil
import pytest

from relay.channels.whatsapp.limits import OPUS, fit_media
from relay.channels.whatsapp.outbound import recording_type, recordings
from relay.channels.whatsapp.outbound.recordings import holds_recording, identified
from relay.core.messages import Media, MediaKind
from sandbox.samples import sample
from tests.waiting import PATIENCE

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
    with tempfile.SpooledTemporaryFile(max_size=1024 * 1024) as file:
        file.write(data)
        found = identified(file, media)
        assert found is not None, "MediaInfo is installed wherever tests run"
        file.seek(0)
        assert file.read() == data, "whoever sends it reads it from its beginning"
    found = fit_media(found)
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


def by(monkeypatch: pytest.MonkeyPatch, program: str, seconds: float = PATIENCE) -> Media | None:
    """What a note is sent as when this program looks into it, for so long."""
    monkeypatch.setattr(recordings, "_COMMAND", (sys.executable, "-I", "-c", program))
    monkeypatch.setattr(recordings, "SECONDS", seconds)
    with tempfile.TemporaryFile() as file:
        file.write(NOTE)
        found = identified(file, Media("audio", "audio/ogg", size=len(NOTE)))
        file.seek(0)
        assert file.read() == NOTE
    assert psutil.Process().children() == [], "it has ended"
    return found


@pytest.mark.parametrize(
    "program",
    [
        "import os; print('audio/aac', flush=True); os.abort()",
        "print('audio/aac', flush=True); raise SystemExit(1)",
        "print('application/pdf')",
        "print('audio/aac\\naudio/aac')",
        "import os; os.write(1, bytes([255]))",
        "pass",
    ],
    ids=["crash", "failure", "another type", "two answers", "no text", "nothing"],
)
def test_without_a_proper_answer_a_recording_goes_as_a_link(monkeypatch: pytest.MonkeyPatch, program: str) -> None:
    found = by(monkeypatch, program)
    assert found is not None and found.kind == "link"


@pytest.mark.parametrize(
    "program",
    [
        "import time; print('audio/aac', flush=True); time.sleep(600)",
        "while True: pass",
        "while True: print('audio/aac', flush=True)",
    ],
    ids=["asleep", "busy", "endless answer"],
)
def test_a_reader_that_does_not_end_is_ended(monkeypatch: pytest.MonkeyPatch, program: str) -> None:
    found = by(monkeypatch, program, seconds=0.5)
    assert found is not None and found.kind == "link"


FOLDER = str(Path(recording_type.__file__).parent)
READER = f"""
import sys
sys.path.insert(0, {FOLDER!r})
import pymediainfo, recording_type
parse = pymediainfo.MediaInfo.parse
def instead(file, **options):
    DOES
    return parse(file, **options)
pymediainfo.MediaInfo.parse = instead
recording_type.main()
"""


@pytest.mark.parametrize(
    ("does", "kind"),
    [
        ("pass", "audio"),
        (f"bytearray({recording_type.MEMORY})", "link"),
        ("import os; os.write(0, b'changed')", "link"),
    ],
    ids=["nothing", "memory", "disk"],
)
def test_the_reader_takes_only_so_much(monkeypatch: pytest.MonkeyPatch, does: str, kind: str) -> None:
    found = by(monkeypatch, READER.replace("DOES", does))
    assert found is not None and found.kind == kind


@pytest.mark.parametrize("does", ["while True: pass", "import time; time.sleep(600)"], ids=["busy", "asleep"])
def test_the_reader_ends_though_nobody_waits_for_it(does: str) -> None:
    main = "recording_type.main()"
    soon = READER.replace("DOES", does).replace(main, f"recording_type.SECONDS = 1\n{main}")
    with tempfile.TemporaryFile() as file:
        file.write(NOTE)
        file.flush()
        ended = subprocess.run((sys.executable, "-I", "-c", soon), stdin=file, timeout=PATIENCE, check=False)
    assert ended.returncode < 0, "by a signal"


def test_the_reader_is_given_nothing_but_the_file(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CREDENTIALS_KEYS", "a secret")
    with tempfile.TemporaryFile() as other:
        program = f"""
import os
given = "CREDENTIALS_KEYS" in os.environ or os.path.exists("/proc/self/fd/{other.fileno()}")
print("refused" if given else "audio/aac")
"""
        found = by(monkeypatch, program)
    assert found is not None and found.mime_type == "audio/aac"


@pytest.mark.parametrize(
    "lacks",
    ["sys.modules['pymediainfo'] = None", "import pymediainfo; pymediainfo.MediaInfo.can_parse = lambda: False"],
    ids=["its package", "its library"],
)
def test_where_nobody_can_look_what_was_said_counts(monkeypatch: pytest.MonkeyPatch, lacks: str) -> None:
    program = f"import sys; sys.path.insert(0, {FOLDER!r}); {lacks}; import recording_type; recording_type.main()"
    assert by(monkeypatch, program) is None
