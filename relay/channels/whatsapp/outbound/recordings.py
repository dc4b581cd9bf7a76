"""What a sound or film really is: WhatsApp takes few kinds, and reports others only after it took them (131053).

The bytes are read in a process of their own, `recording_type.py`: here only its answer is.
"""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path
from typing import IO

from gevent import Timeout
from gevent.subprocess import DEVNULL, PIPE, Popen

from relay.channels.whatsapp.limits import OPUS, meta_mime
from relay.channels.whatsapp.outbound.recording_type import NOBODY, REFUSED, SECONDS
from relay.core.filenames import UNTOLD
from relay.core.messages import Media

_COMMAND = (sys.executable, "-I", str(Path(__file__).with_name("recording_type.py")))
"""Apart from what the environment or the folder would have Python import."""

_ALSO = ("application/ogg", "application/mp4", "application/x-ogg")
"""Further names of containers that hold sound or film."""
_SOUNDS = frozenset({OPUS, "audio/mpeg", "audio/aac", "audio/amr", "audio/mp4"})
_FILMS = frozenset({"video/mp4", "video/3gpp"})
_ANSWERS = _SOUNDS | _FILMS | {REFUSED, NOBODY}
_LONGEST_ANSWER = 64
"""Bytes: more are not read."""


def holds_recording(media: Media) -> bool:
    """Whether the file may be sound or film, by what was said of it."""
    mime = meta_mime(media.mime_type)
    said = mime.startswith(("audio/", "video/")) or mime in _ALSO
    return media.kind not in ("link", "sticker") and (said or (mime in UNTOLD and media.kind in ("audio", "video")))


def identified(file: IO[bytes], media: Media) -> Media | None:
    """The file under the type that it has, or as a link if WhatsApp takes no such; None where nobody can look.

    Only where `holds_recording` says so. Sound takes no text: with one it goes as a link, so that both arrive. What
    the process cannot read in SECONDS, and within its memory, goes as a link, too. The file needs a descriptor.
    Raises OSError where no process can be started. Call it from a greenlet: others run while it waits.
    """
    descriptor = file.fileno()  # on disk, if it was in memory until now
    file.seek(0)
    file.flush()
    mime = _answer(descriptor)
    if mime == NOBODY:
        return None
    if mime in _FILMS or (mime in _SOUNDS and not media.caption):
        return replace(media, kind="video" if mime in _FILMS else "audio", mime_type=mime)
    return replace(media, kind="link")


def _answer(descriptor: int) -> str:
    """What the process said of the file, REFUSED where it said nothing proper in time. It has ended on return."""
    said, code = b"", None
    with Popen(_COMMAND, stdin=descriptor, stdout=PIPE, stderr=DEVNULL, env={}, cwd="/") as process:
        try:
            with Timeout(SECONDS, False):
                said = process.stdout.read(_LONGEST_ANSWER)
                code = process.wait()
        finally:
            process.kill()
    answer = said.decode("ascii", "replace").strip()
    return answer if code == 0 and answer in _ANSWERS else REFUSED
