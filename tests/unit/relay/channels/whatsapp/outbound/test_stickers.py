"""A sticker that moves may have five times the bytes of one that does not; the file itself says which it is."""

from __future__ import annotations

import io

import pytest

from relay.channels.whatsapp.limits import KB, fit_media
from relay.channels.whatsapp.outbound.stickers import identified, is_doubtful
from relay.core.messages import Media
from sandbox.meta.fitness import unfit
from sandbox.samples import sample

MOVING, STILL = sample("animated").data, sample("sticker").data


def sent_as(data: bytes, size: int) -> str:
    media = Media("sticker", "image/webp", size=size)
    if is_doubtful(media):
        file = io.BytesIO(data)
        media = identified(file, media)
        assert file.read() == data, "whoever sends it reads it from its beginning"
    return fit_media(media).kind


@pytest.mark.parametrize(
    ("data", "kilobytes", "kind"),
    [
        (MOVING, 3, "sticker"),
        (MOVING, 100, "sticker"),
        (MOVING, 101, "sticker"),
        (MOVING, 500, "sticker"),
        (MOVING, 501, "link"),
        (STILL, 100, "sticker"),
        (STILL, 101, "link"),
        (MOVING[:20], 101, "link"),
        (b"RIFF\0\0\0\0WEBPVP8 " + b"\xff" * 40, 101, "link"),
        (b"\x89PNG" + b"\xff" * 40, 101, "link"),
        (b"", 101, "link"),
    ],
)
def test_its_own_bytes_say_whether_it_moves(data: bytes, kilobytes: int, kind: str) -> None:
    assert sent_as(data, kilobytes * KB) == kind


@pytest.mark.parametrize("data", [MOVING, STILL])
@pytest.mark.parametrize("kilobytes", [99, 101, 499, 501])
def test_what_goes_as_a_sticker_is_one_that_whatsapp_takes(data: bytes, kilobytes: int) -> None:
    """The sandbox is as strict as Meta's page."""
    whole = data.ljust(kilobytes * KB, b"\0")
    assert (sent_as(whole, len(whole)) == "sticker") == (unfit("sticker", "image/webp", whole) is None)
