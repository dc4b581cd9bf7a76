"""Why a file cannot travel as this type of message: Meta looks into it after it has answered 200.

As far as bytes tell, by the limits of Meta's media and message pages: 8-bit RGB or RGBA pictures, H.264 with at
most one AAC track, ogg with mono Opus.
"""

import re

from sandbox.meta.media import SIZES, TYPES, UPLOADABLE, base_type

STATIC_STICKER = 100 * 1024
_FTYP = ("video/mp4", "video/3gp", "video/3gpp", "audio/mp4")
_CODECS = {b"avc1", b"avc3", b"mp4a"}
_OLD_CODECS = {b"s263", b"mp4v", b"samr"}
_FRAMES = (0xC0, 0xC1, 0xC2, 0xC3)


def unfit(kind: str, mime_type: str, data: bytes) -> str | None:
    base = base_type(mime_type)
    allowed = TYPES.get(kind, UPLOADABLE - {"image/webp"})
    if base not in allowed:
        return f"Unsupported {kind.capitalize()} mime type {base}. Please use one of {', '.join(sorted(allowed))}."
    if len(data) > SIZES[kind]:
        return f"{kind.capitalize()} file of {len(data)} bytes is too big. Max size is {SIZES[kind]} bytes."
    if kind == "sticker" and b"ANIM" not in data[:64] and len(data) > STATIC_STICKER:
        return f"Static sticker of {len(data)} bytes is too big. Max size is {STATIC_STICKER} bytes."
    if not _looks_like(base, data):
        return f"{kind.capitalize()} is invalid. The content does not match its mime type {base}."
    flaw = _flaw(kind, base, data)
    return f"{kind.capitalize()} is invalid. {flaw}" if flaw else None


def unfit_voice(mime_type: str) -> str | None:
    return None if base_type(mime_type) == "audio/ogg" else "A voice message must be audio/ogg; codecs=opus."


def _looks_like(base: str, data: bytes) -> bool:
    match base:
        case "image/jpeg":
            return data.startswith(b"\xff\xd8\xff")
        case "image/png":
            return data.startswith(b"\x89PNG\r\n\x1a\n")
        case "image/webp":
            return data.startswith(b"RIFF") and data[8:12] == b"WEBP"
        case "audio/ogg":
            return data.startswith(b"OggS") and b"OpusHead" in data[:512]
        case "audio/amr":
            return data.startswith(b"#!AMR")
        case "audio/mpeg":
            return data.startswith(b"ID3") or data[:1] == b"\xff"
    return base not in _FTYP or data[4:8] == b"ftyp"


def _flaw(kind: str, base: str, data: bytes) -> str | None:
    if kind == "image":
        return _picture_flaw(base, data)
    if base == "audio/ogg" and data[data.index(b"OpusHead") + 9] != 1:
        return "The audio must be mono."
    if kind == "video":
        return _film_flaw(base, data)
    return None


def _picture_flaw(base: str, data: bytes) -> str | None:
    if base == "image/png":
        right = data[24:25] == b"\x08" and data[25:26] in (b"\x02", b"\x06")
    else:
        right = _frame(data) in ((8, 1), (8, 3), None)
    return None if right else "The picture must be 8-bit RGB or RGBA."


def _frame(data: bytes) -> tuple[int, int] | None:
    """Bits per sample and number of components, from the first frame header of a JPEG."""
    place = 2
    while place + 9 < len(data) and data[place] == 0xFF:
        if data[place + 1] in _FRAMES:
            return data[place + 4], data[place + 9]
        place += 2 + int.from_bytes(data[place + 2 : place + 4], "big")
    return None


def _film_flaw(base: str, data: bytes) -> str | None:
    """Each sample table names its codec 12 bytes behind its own name."""
    codecs = [data[found.end() + 12 : found.end() + 16] for found in re.finditer(b"stsd", data)]
    taken = _CODECS if base == "video/mp4" else _CODECS | _OLD_CODECS
    strange = [each for each in codecs if each not in taken]
    if strange:
        return f"The codec {strange[0].decode('latin-1')} is not supported: use H.264 and AAC."
    return "Only one audio track is supported." if codecs.count(b"mp4a") > 1 else None
