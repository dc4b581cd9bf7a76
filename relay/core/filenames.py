"""File names, in both directions: cleaned, bounded, and with the ending that tells what the file is.

The ending decides which icon and which program a telephone or a desk takes (Meta's media page), so it is what a name
keeps when it is too long, and gets when it has none.
"""

from __future__ import annotations

import mimetypes
import re
from urllib.parse import quote

import regex

from relay.core.visible import blank

LONGEST = 120
"""Characters, the ending included. What shows names cuts them sooner."""
LONGEST_ENCODED = 360
"""Characters when it is percent-encoded, as it is twice in a link that has to fit below a text."""
UNTOLD = ("", "application/octet-stream", "binary/octet-stream")
"""Types that say nothing about a file."""

_LOOKED_AT = 2000
_OFFICE = "application/vnd.openxmlformats-officedocument"
_MORE = {
    ".docx": f"{_OFFICE}.wordprocessingml.document",
    ".xlsx": f"{_OFFICE}.spreadsheetml.sheet",
    ".pptx": f"{_OFFICE}.presentationml.presentation",
    ".odt": "application/vnd.oasis.opendocument.text",
    ".ods": "application/vnd.oasis.opendocument.spreadsheet",
    ".odp": "application/vnd.oasis.opendocument.presentation",
    ".md": "text/markdown",
    ".ics": "text/calendar",
    ".vcf": "text/vcard",
    ".log": "text/plain",
    ".rtf": "application/rtf",
    ".gz": "application/gzip",
    ".bz2": "application/x-bzip2",
    ".xz": "application/x-xz",
    ".7z": "application/x-7z-compressed",
    ".rar": "application/vnd.rar",
    ".webp": "image/webp",
    ".heic": "image/heic",
    ".opus": "audio/opus",
    ".m4a": "audio/mp4",
    ".amr": "audio/amr",
    ".aac": "audio/aac",
    ".ogg": "audio/ogg",
    ".oga": "audio/ogg",
    ".3gp": "video/3gpp",
}
# The library's own table: the machine's /etc/mime.types would let every machine name files differently.
_TYPES = {**mimetypes.MimeTypes().types_map[True], **_MORE}
_ENDINGS = {
    **{kind: ending for ending, kind in reversed(_TYPES.items()) if kind not in UNTOLD},
    "image/jpeg": ".jpg", "text/plain": ".txt", "text/html": ".html", "video/mp4": ".mp4", "video/quicktime": ".mov",
    "audio/mpeg": ".mp3", "application/msword": ".doc", "application/vnd.ms-excel": ".xls", "audio/ogg": ".ogg",
    "application/vnd.ms-powerpoint": ".ppt", "application/zip": ".zip", "image/tiff": ".tiff", "text/markdown": ".md",
}  # fmt: skip
_BARRED = regex.compile(r"""(?V1)[:*?"<>|%;\p{C}\p{Default_Ignorable_Code_Point}--\u200d\ufe0f]""")
_BLANKS = re.compile(r"\s+")


def type_of(name: str | None) -> str | None:
    """The MIME type that the name's ending stands for; None where it has none that is known."""
    return _TYPES.get(_ending(name or "").lower())


def cleaned(name: str | None) -> str:
    """A name without folders and without what a file system, a header or an eye would take amiss, "" if none is left.

    Bounded: what is too long loses the end of its stem, and keeps its ending.
    """
    shown = re.split(r"[/\\]", (name or "")[-_LOOKED_AT:])[-1]
    shown = _BLANKS.sub(" ", _BARRED.sub(lambda found: _in_place_of(found[0]), shown)).strip(" ").rstrip(". ")
    ending = _ending(f"file{shown}")
    shown = f"file{shown}" if shown == ending and ending else shown.lstrip(". ")
    stem = shown[: len(shown) - len(ending)][: LONGEST - len(ending)].rstrip(". ")
    while stem and len(quote(stem + ending, safe="")) > LONGEST_ENCODED:
        stem = stem[:-1]
    return stem + ending


def complete(name: str | None, mime_type: str) -> str:
    """A name that can be shown and saved: cleaned, never empty, and with an ending where its type has one."""
    shown = cleaned(name) or "file"
    if _ending(shown):
        return shown
    ending = _ENDINGS.get(mime_type.partition(";")[0].strip().lower(), "")
    return cleaned(shown + ending)


def renamed(name: str, mime_type: str) -> str:
    """The name for a file that was made into one of another type."""
    name = cleaned(name) or "file"
    return complete(name[: len(name) - len(_ending(name))] + _ENDINGS.get(mime_type, ""), mime_type)


def _ending(name: str) -> str:
    """The last one, with its dot; "" for what is no ending that is known, such as the 2 of "version 1.2"."""
    stem, dot, last = name.rpartition(".")
    return f".{last}" if stem and dot and f".{last}".lower() in _TYPES else ""


def _in_place_of(sign: str) -> str:
    """A place is kept for what was written; what shows as nothing leaves none."""
    if sign.isspace():
        return " "
    return "" if blank(sign) else "_"
