"""What a file is: by what its sender said, by its bytes, and by its name where both say nothing."""

from __future__ import annotations

from collections.abc import Iterable

import filetype

from relay.core.filenames import UNTOLD, type_of

_OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_OLD_OFFICE = ("application/msword", "application/vnd.ms-excel", "application/vnd.ms-powerpoint")
_ZIPPED = (
    "application/zip",
    "application/vnd.openxmlformats-",
    "application/vnd.oasis.opendocument.",
    "application/epub",
)
"""Types whose files are ZIP archives inside."""
_WRITTEN = ("text/", "application/json", "application/rtf", "application/xml")


def type_of_file(said: Iterable[str], head: bytes, name: str | None) -> str:
    """The MIME type: the first that somebody `said`, unless the bytes in `head` are plainly of another class.

    Nobody said one: what the bytes show, and of those that many kinds of file share, or that show nothing, what the
    name's ending says. A name alone makes no picture, sound or film of a file: those have bytes of their own.
    """
    shown = filetype.guess_mime(head)
    for one in said:
        if one.partition(";")[0].strip().lower() in UNTOLD:
            continue
        if shown == "application/pdf" and not one.startswith("application/"):
            return str(shown)
        # Meta takes Ogg with Opus only, and wants to be told so.
        return "audio/ogg; codecs=opus" if one == "audio/ogg" and b"OpusHead" in head else one
    by_name = type_of(name)
    return by_name if by_name and _may_be(by_name, shown, head) else str(shown or "application/octet-stream")


def _may_be(by_name: str, shown: str | None, head: bytes) -> bool:
    """Whether such bytes may be a file of the type that its name says."""
    if by_name.startswith(_ZIPPED):
        return bool(shown) and str(shown).startswith(_ZIPPED)
    if by_name in _OLD_OFFICE:
        return head.startswith(_OLE)
    return by_name.startswith(_WRITTEN) and shown is None and b"\x00" not in head
