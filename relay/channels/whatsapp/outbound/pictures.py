"""Pictures of kinds that WhatsApp does not show, as JPEG or PNG. CPU work: call it outside of the event loop.

Meta takes JPEG and PNG, 8-bit RGB or RGBA, up to 5 MB (media page, November 2025). What moves stays
as it is, since a still picture would not tell the same.
"""

from __future__ import annotations

import hashlib
import tempfile
import time
from dataclasses import replace
from typing import IO, Any

from PIL import Image, ImageOps

from relay.channels.whatsapp.decoders import FORMATS
from relay.channels.whatsapp.limits import MB, PICTURE, likely_kind, meta_mime
from relay.core.filenames import renamed
from relay.core.messages import Media

PIXELS = 40_000_000
"""More are not decoded: so many take 320 MB for a moment (a TIFF with LZW 360). A telephone's has 12 to 24 million."""
SOURCE = 50 * MB

SECONDS = 10.0
"""Of a core's time for reading one. The largest takes two; one that was made to can take hours, by 100,000 passes over
its pixels, or by notes that the library puts together one by one."""

_MIMES = {"JPEG": "image/jpeg", "MPO": "image/jpeg", "PNG": "image/png"}
_SIDES = (4096, 2560, 1600)
"""Longest sides in pixels, tried in turn until the file is small enough; a JPEG of the last one always is."""


def converts(media: Media) -> bool:
    """Whether it may be a picture that has to be drawn anew: even a JPEG is looked into."""
    return media.kind not in ("sticker", "link") and likely_kind(media) == "image" and (media.size or 0) <= SOURCE


def convert(file: IO[bytes], media: Media) -> tuple[IO[bytes], Media] | None:
    """The picture as WhatsApp shows it, with what is now true of the file; None: leave it as it is.

    Only where `converts` says so. What cannot be read as a picture goes as a link. Runs in a thread of its own: it
    must not log.
    """
    file.seek(0)
    try:
        whole = _within(_read(file, media))
        return None if whole is None else _saved(whole, media)
    # A decoder fed with a stranger's bytes may raise anything. WhatsApp would not show it either: it goes as a link.
    except Exception:  # noqa: BLE001
        return file, replace(media, kind="link")
    finally:
        file.seek(0)


class _TimeLimitedFile:
    """The file of a picture, which cannot be read on when its time is up. Decoders read it piece by piece."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self._ends = time.thread_time() + SECONDS

    def __getattr__(self, name: str) -> Any:
        return getattr(self._file, name)

    def read(self, size: int = -1) -> bytes:
        if time.thread_time() > self._ends:
            raise TimeoutError("this picture takes too long to read")
        return self._file.read(size)


def _is_fine(image: Image.Image, media: Media) -> bool:
    """A JPEG or PNG with 8 bits of RGB or RGBA, and not something else under such a name."""
    if _MIMES.get(image.format or "") != meta_mime(media.mime_type) or ";16" in str(getattr(image, "tile", "")):
        return False
    return image.mode in ("RGB", "RGBA") and (media.size or 0) <= PICTURE


def _is_still(image: Image.Image) -> bool:
    """One picture: neither moving nor of several pages. (A telephone's JPEG may hold a second, smaller one.)

    A sequence of HEIC pictures is told by its brand; only its first one would be read.
    """
    if image.format in ("JPEG", "MPO"):
        return True
    sequence = str(getattr(image, "custom_mimetype", "")).endswith("-sequence")
    return not sequence and not getattr(image, "is_animated", False)


def _read(file: IO[bytes], media: Media) -> Image.Image | None:
    """The picture upright, in RGB or RGBA; None: leave it as it is. What it was decoded to is let go on return."""
    with Image.open(_TimeLimitedFile(file), formats=FORMATS) as image:
        if _is_fine(image, media) or not _is_still(image) or image.width * image.height > PIXELS:
            return None
        image.draft("RGB", (_SIDES[0], _SIDES[0]))
        if image.mode not in ("RGB", "RGBA"):
            image.info.pop("icc_profile", None)  # of other colours
        mode = "RGBA" if image.has_transparency_data else "RGB"
        ImageOps.exif_transpose(image, in_place=True)
        return image if image.mode == mode else image.convert(mode)


def _within(whole: Image.Image | None) -> Image.Image | None:
    """At its first size. Pillow shrinks what is transparent by way of a copy: here the original is let go before."""
    if whole is None or whole.mode != "RGBA" or max(whole.size) <= _SIDES[0]:
        return whole
    whole = whole.convert("RGBa")
    whole.thumbnail((_SIDES[0], _SIDES[0]))
    return whole.convert("RGBA")


def _saved(whole: Image.Image, media: Media) -> tuple[IO[bytes], Media] | None:
    clear, profile = whole.mode == "RGBA", whole.info.get("icc_profile")
    for side in _SIDES:
        whole.thumbnail((side, side))
        format_name = "PNG" if clear and side != _SIDES[-1] else "JPEG"
        file: IO[bytes] = tempfile.SpooledTemporaryFile(MB)  # noqa: SIM115
        (_on_white(whole) if clear and format_name == "JPEG" else whole).save(
            file, format_name, quality=88, icc_profile=profile
        )
        size = file.tell()
        if size <= PICTURE:
            return file, _described(media, file, size, format_name)
        file.close()
    return None


def _on_white(image: Image.Image) -> Image.Image:
    ground = Image.new("RGB", image.size, "white")
    ground.paste(image, mask=image.getchannel("A"))
    return ground


def _described(media: Media, file: IO[bytes], size: int, format_name: str) -> Media:
    file.seek(0)
    digest = hashlib.sha256()
    while block := file.read(64 * 1024):
        digest.update(block)
    file.seek(0)
    return replace(
        media,
        kind="image",
        mime_type=_MIMES[format_name],
        filename=renamed(media.filename, _MIMES[format_name]) if media.filename else None,
        size=size,
        sha256=digest.hexdigest(),
    )
