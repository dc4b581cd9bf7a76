"""Files as WhatsApp takes them, and pictures made into such."""

import hashlib
import io
import random
from dataclasses import replace
from typing import Any

import pytest
from PIL import Image

from relay.channels.whatsapp.limits import KB, MB, OPUS, fit_media
from relay.channels.whatsapp.outbound.pictures import PIXELS, convert
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


def test_a_picture_keeps_the_way_it_was_held() -> None:
    turned = Image.Exif()
    turned[0x0112] = 6
    source = drawn("WEBP", exif=turned)
    made = convert(source, given(source, "image/webp"))
    assert made is not None
    with Image.open(made[0]) as image:
        assert (image.size, dict(image.getexif())) == ((30, 40), {})


def test_what_moves_or_has_pages_or_is_fine_stays_as_it_is() -> None:
    frames = [Image.new("RGB", (8, 8), shade) for shade in ("red", "blue")]
    for format_name, mime in (("GIF", "image/gif"), ("WEBP", "image/webp"), ("TIFF", "image/tiff")):
        moving = io.BytesIO()
        frames[0].save(moving, format_name, save_all=True, append_images=frames[1:], duration=100)
        assert convert(moving, given(moving, mime)) is None
    for file, mime, kind in (
        (drawn("PNG"), "image/png", "image"),
        (drawn("JPEG"), "image/jpeg", "image"),
        (drawn("WEBP"), "image/webp", "sticker"),
        (drawn("WEBP"), "image/webp", "link"),
        (drawn("WEBP"), "application/pdf", "document"),
    ):
        assert convert(file, given(file, mime, kind)) is None


@pytest.mark.parametrize("mode", ["P", "L", "LA", "1", "I;16"])
def test_a_png_of_another_depth_than_whatsapp_takes_is_drawn_anew(mode: str) -> None:
    file = drawn("PNG", mode)
    converted = convert(file, given(file, "image/png"))
    assert converted is not None
    with Image.open(converted[0]) as image:
        assert image.mode in ("RGB", "RGBA")


def test_hostile_pictures_go_as_links() -> None:
    bomb = drawn("GIF", "P")
    wide = bytearray(bomb.getvalue())
    wide[6:10] = (0xFF, 0xFF, 0xFF, 0xFF)  # 65,535 x 65,535
    cut = drawn("WEBP", size=(400, 300)).getvalue()[:60]
    for content in (bytes(wide), cut, b"", b"GIF89a", b"%!PS-Adobe-3.0 EPSF-3.0\n", b"\x00" * 999):
        file = io.BytesIO(content)
        converted = convert(file, given(file, "image/gif"))
        assert converted is not None
        assert (converted[0], converted[1].kind, file.tell()) == (file, "link", 0)


def test_more_pixels_than_memory_should_hold_are_not_decoded() -> None:
    side = int(PIXELS**0.5) + 1
    file = drawn("PNG", "1", (side, side))
    assert convert(file, replace(given(file, "image/png"), size=6 * MB)) is None
