"""Files as WhatsApp takes them, and pictures made into such."""

import hashlib
import io
import random
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from relay.channels.whatsapp.limits import KB, MB, OPUS, fit_media
from relay.channels.whatsapp.outbound import pictures
from relay.channels.whatsapp.outbound.pictures import PIXELS, SOURCE, convert, converts
from relay.core.errors import CannotCarry
from relay.core.messages import Media

DOCX = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"


@pytest.mark.parametrize(
    ("media", "expected"),
    [
        (Media("image", "image/jpeg", size=5 * MB), ("image", "image/jpeg")),
        (Media("image", "image/jpeg", size=5 * MB + 1), ("link", "image/jpeg")),
        (Media("document", "image/png", size=1), ("image", "image/png")),
        (Media("image", "image/gif", size=1), ("link", "image/gif")),
        (Media("image", "image/webp", size=1), ("link", "image/webp")),
        (Media("sticker", "image/webp", size=100 * KB), ("sticker", "image/webp")),
        (Media("sticker", "image/webp", size=101 * KB), ("link", "image/webp")),
        (Media("sticker", "image/webp", size=500 * KB, animated=True), ("sticker", "image/webp")),
        (Media("sticker", "image/webp", size=501 * KB, animated=True), ("link", "image/webp")),
        (Media("image", "image/webp", size=1, animated=True), ("link", "image/webp")),
        (Media("sticker", "image/png", size=1), ("link", "image/png")),
        (Media("video", "video/mp4", size=16 * MB), ("video", "video/mp4")),
        (Media("video", "video/quicktime", size=1), ("link", "video/quicktime")),
        (Media("document", "video/mp4", size=17 * MB), ("link", "video/mp4")),
        (Media("audio", "audio/ogg", size=1), ("link", "audio/ogg")),
        (Media("audio", "audio/ogg;codecs=Opus", size=1), ("audio", OPUS)),
        (Media("audio", "audio/opus", size=1), ("audio", OPUS)),
        (Media("audio", "audio/mp3", size=1), ("audio", "audio/mpeg")),
        (Media("audio", "audio/wav", size=1), ("link", "audio/wav")),
        (Media("image", "application/pdf", size=1), ("document", "application/pdf")),
        (Media("document", "text/plain; charset=utf-8", size=1), ("document", "text/plain")),
        (Media("document", DOCX, size=100 * MB), ("document", DOCX)),
        (Media("document", DOCX, size=100 * MB + 1), ("link", DOCX)),
        (Media("document", "text/csv", size=1), ("document", "text/plain")),
        (Media("document", "text/calendar; method=REQUEST", size=1), ("document", "text/plain")),
        (Media("document", "application/xml", size=1), ("link", "application/xml")),
        (Media("document", "application/rtf", size=1), ("link", "application/rtf")),
        (Media("document", "application/zip", size=1), ("link", "application/zip")),
        (Media("document", "application/x-msexcel", size=1), ("document", "application/vnd.ms-excel")),
        (Media("audio", "audio/x-hx-aac-adts", size=1), ("audio", "audio/aac")),
        (Media("audio", "audio/webm; codecs=opus", size=1), ("link", "audio/webm; codecs=opus")),
        (Media("video", "video/x-m4v", size=1), ("video", "video/mp4")),
        (Media("image", "image/svg+xml", size=1), ("link", "image/svg+xml")),
        (Media("document", "", size=1), ("link", "")),
        (Media("link", "application/pdf", size=1), ("link", "application/pdf")),
        (Media("image", "image/png"), ("image", "image/png")),
    ],
)
def test_files_are_made_to_fit(media: Media, expected: tuple[str, str]) -> None:
    fitted = fit_media(media)
    known = fitted.mime_type if fitted.kind != "link" else media.mime_type
    assert (fitted.kind, known) == expected
    assert fit_media(fitted) == fitted


def test_an_empty_file_cannot_be_carried() -> None:
    with pytest.raises(CannotCarry) as caught:
        fit_media(Media("image", "image/png", size=0))
    assert caught.value.code == "media_empty"


def test_only_opus_is_a_voice_note() -> None:
    assert fit_media(Media("audio", "audio/ogg; codecs=opus", voice=True)).voice
    assert not fit_media(Media("audio", "audio/mpeg", voice=True)).voice


@pytest.mark.parametrize(
    ("mime", "filename", "expected"),
    [
        ("text/csv", "prices.csv", "prices.csv"),
        ("text/csv", None, "file.csv"),
        ("text/calendar", None, "file.ics"),
        ("text/plain", None, None),
    ],
)
def test_plain_text_keeps_the_name_that_tells_what_opens_it(mime: str, filename: str | None, expected: str) -> None:
    assert fit_media(Media("document", mime, filename=filename, size=1)).filename == expected


def drawn(format_name: str, mode: str = "RGB", size: tuple[int, int] = (40, 30), **more: Any) -> io.BytesIO:
    file = io.BytesIO()
    Image.new(mode, size, more.pop("color", 0)).save(file, format_name, **more)
    return file


def given(file: io.BytesIO, mime: str, kind: Any = "image", filename: str | None = "holiday.v2.webp") -> Media:
    return Media(kind, mime, size=len(file.getvalue()), sha256="00", filename=filename)


@pytest.mark.parametrize(
    ("format_name", "mode", "mime", "expected"),
    [
        ("WEBP", "RGB", "image/webp", ("JPEG", "image/jpeg", "holiday.v2.jpg")),
        ("WEBP", "RGBA", "image/webp", ("PNG", "image/png", "holiday.v2.png")),
        ("GIF", "P", "image/gif", ("JPEG", "image/jpeg", "holiday.v2.jpg")),
        ("BMP", "RGB", "image/x-ms-bmp", ("JPEG", "image/jpeg", "holiday.v2.jpg")),
        ("TIFF", "RGB", "image/tiff", ("JPEG", "image/jpeg", "holiday.v2.jpg")),
        ("AVIF", "RGB", "image/avif", ("JPEG", "image/jpeg", "holiday.v2.jpg")),
        ("AVIF", "RGBA", "image/avif", ("PNG", "image/png", "holiday.v2.png")),
        ("HEIF", "RGB", "image/heic", ("JPEG", "image/jpeg", "holiday.v2.jpg")),
        ("HEIF", "RGBA", "image/heif", ("PNG", "image/png", "holiday.v2.png")),
        # A type that the bytes belie: Meta would refuse it.
        ("WEBP", "RGB", "image/jpeg", ("JPEG", "image/jpeg", "holiday.v2.jpg")),
        ("JPEG", "CMYK", "image/jpeg", ("JPEG", "image/jpeg", "holiday.v2.jpg")),
    ],
)
@pytest.mark.parametrize("kind", ["image", "document"])
def test_pictures_are_made_into_what_whatsapp_shows(
    format_name: str, mode: str, mime: str, expected: tuple[str, str, str], kind: Any
) -> None:
    source = drawn(format_name, mode)
    made = convert(source, given(source, mime, kind))
    assert made is not None
    file, media = made
    content = file.read()
    assert (media.size, media.sha256) == (len(content), hashlib.sha256(content).hexdigest())
    with Image.open(io.BytesIO(content)) as image:
        assert (image.format, media.mime_type, media.filename) == expected
        assert (image.mode, image.size) == ("RGBA" if mode == "RGBA" else "RGB", (40, 30))
    assert fit_media(media) == replace(media, kind="image")


def test_too_large_a_picture_is_made_smaller() -> None:
    noise = Image.frombytes("RGBA", (2000, 1200), random.Random(4).randbytes(2000 * 1200 * 4))
    source = io.BytesIO()
    noise.save(source, "PNG", compress_level=0)
    made = convert(source, given(source, "image/png", filename=None))
    assert made is not None
    file, media = made
    assert media.filename is None
    assert (media.size or 0) <= 5 * MB
    with Image.open(file) as image:
        assert (image.format, max(image.size)) == ("JPEG", 1600)


@pytest.mark.parametrize(
    ("format_name", "mime"), [("WEBP", "image/webp"), ("AVIF", "image/avif"), ("HEIF", "image/heic")]
)
def test_a_picture_keeps_the_way_it_was_held(format_name: str, mime: str) -> None:
    turned = Image.Exif()
    turned[0x0112] = 6
    source = drawn(format_name, exif=turned.tobytes())
    made = convert(source, given(source, mime))
    assert made is not None
    with Image.open(made[0]) as image:
        assert (image.size, dict(image.getexif())) == ((30, 40), {})


def test_what_moves_or_has_pages_or_is_fine_stays_as_it_is() -> None:
    frames = [Image.new("RGB", (8, 8), shade) for shade in ("red", "blue")]
    for format_name, mime in (
        ("GIF", "image/gif"),
        ("WEBP", "image/webp"),
        ("TIFF", "image/tiff"),
        ("AVIF", "image/avif"),
        ("HEIF", "image/heic"),
    ):
        moving = io.BytesIO()
        frames[0].save(moving, format_name, save_all=True, append_images=frames[1:], duration=100)
        assert convert(moving, given(moving, mime)) is None
    sequence = io.BytesIO(drawn("HEIF").getvalue().replace(b"ftypheic", b"ftyphevc"))
    assert convert(sequence, given(sequence, "image/heic")) is None
    for file, mime in ((drawn("PNG"), "image/png"), (drawn("JPEG"), "image/jpeg")):
        assert convert(file, given(file, mime)) is None


@pytest.mark.parametrize(
    ("media", "looked_into"),
    [
        (Media("image", "image/tiff", size=SOURCE), True),
        (Media("document", "image/webp", size=1), True),
        (Media("image", "image/jpeg", size=1), True),
        (Media("image", "image/tiff", size=SOURCE + 1), False),
        (Media("sticker", "image/webp", size=1), False),
        (Media("link", "image/webp", size=1), False),
        (Media("document", "application/pdf", size=1), False),
        (Media("video", "video/mp4", size=1), False),
    ],
)
def test_what_cannot_become_a_picture_waits_for_no_conversion(media: Media, looked_into: bool) -> None:
    assert converts(media) is looked_into


@pytest.mark.parametrize("mode", ["P", "L", "LA", "1", "I;16"])
def test_a_png_of_another_depth_than_whatsapp_takes_is_drawn_anew(mode: str) -> None:
    file = drawn("PNG", mode)
    converted = convert(file, given(file, "image/png"))
    assert converted is not None
    with Image.open(converted[0]) as image:
        assert image.mode in ("RGB", "RGBA")


def test_a_heic_picture_that_says_less_than_it_holds_is_not_decoded() -> None:
    """Too many pixels are left alone by what the file says of itself, so that has to be true."""
    honest = drawn("HEIF", size=(64, 64)).getvalue()
    size = honest.index(b"ispe") + 8
    for claimed, expected in (((7_000, 7_000), None), ((8, 8), "link")):
        said = b"".join(side.to_bytes(4, "big") for side in claimed)
        file = io.BytesIO(honest[:size] + said + honest[size + 8 :])
        converted = convert(file, given(file, "image/heic"))
        assert (converted and converted[1].kind) == expected


def test_hostile_pictures_go_as_links() -> None:
    bomb = drawn("GIF", "P")
    wide = bytearray(bomb.getvalue())
    wide[6:10] = (0xFF, 0xFF, 0xFF, 0xFF)  # 65,535 x 65,535
    cut = (drawn(name, size=(400, 300)).getvalue()[:-60] for name in ("WEBP", "AVIF", "HEIF"))
    for content in (bytes(wide), *cut, b"", b"GIF89a", b"%!PS-Adobe-3.0 EPSF-3.0\n", b"\x00" * 999):
        file = io.BytesIO(content)
        converted = convert(file, given(file, "image/gif"))
        assert converted is not None
        assert (converted[0], converted[1].kind, file.tell()) == (file, "link", 0)


def segment(marker: int, content: bytes) -> bytes:
    return bytes([0xFF, marker]) + (len(content) + 2).to_bytes(2, "big") + content


def scanned(times: int, side: int = 2000) -> bytes:
    """A grey JPEG whose every pixel is refined so many times, by nothing."""
    end_of_blocks = segment(0xDA, bytes.fromhex("01 01 00 01 3f 00")) + bytes.fromhex("3f fe 3f fe 3f fe 3f fe")
    head = segment(0xDB, b"\0" + b"\1" * 64) + segment(0xC2, b"\x08" + side.to_bytes(2, "big") * 2 + b"\1\1\x11\0")
    codes = segment(0xC4, b"\0\1" + b"\0" * 16) + segment(0xC4, b"\x10\1" + b"\0" * 15 + b"\xe0")
    first = segment(0xDA, bytes.fromhex("01 01 00 00 00 00")) + b"\0" * (side * side // 512 + 1)
    return b"\xff\xd8" + head + codes + first + end_of_blocks * times + b"\xff\xd9"


def noted(times: int) -> bytes:
    """A JPEG with so many pieces of notes about how it was taken."""
    return b"\xff\xd8" + segment(0xE1, b"Exif\0\0" + b"M" * 100) * times + drawn("JPEG", "L").getvalue()[2:]


@pytest.mark.parametrize("content", [scanned(20_000), noted(40_000)], ids=["passes", "notes"])
def test_no_picture_takes_as_long_as_it_likes(content: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pictures, "SECONDS", 0.2)
    began = time.thread_time()
    found = convert(io.BytesIO(content), given(io.BytesIO(content), "image/jpeg"))
    assert found is not None
    assert found[1].kind == "link"
    assert time.thread_time() - began < 5, "of a core's time; otherwise it takes ten times that"


def test_more_pixels_than_memory_should_hold_are_not_decoded() -> None:
    side = int(PIXELS**0.5) + 1
    file = drawn("PNG", "1", (side, side))
    assert convert(file, replace(given(file, "image/png"), size=6 * MB)) is None


def test_a_large_picture_takes_no_more_memory_than_said(tmp_path: Path) -> None:
    """In a process of its own, for memory that was once in use counts there for ever."""
    path, size = tmp_path / "large.png", (16_000, 1_000)
    Image.new("LA", size, (90, 128)).save(path, compress_level=1)
    script = f"""
from pathlib import Path
from relay.channels.whatsapp.outbound.pictures import convert
from relay.core.messages import Media
def most() -> int:
    return next(int(line.split()[1]) for line in Path("/proc/self/status").open() if line.startswith("VmHWM"))
before = most()
with Path({str(path)!r}).open("rb") as file:
    made = convert(file, Media("image", "image/png", size=6 * 1024 * 1024))
print(made[1].kind, most() - before)
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True, timeout=60)
    kind, kilobytes = done.stdout.split()
    assert kind == "image"
    assert int(kilobytes) * 1024 < 10 * size[0] * size[1]
