"""A program: says which kind of sound or film its standard input is, as a MIME type that Meta takes.

MediaInfo, a parser in C++, reads strangers' bytes here: what they do to it ends this process and nothing else. It is
run by its path and imports nothing of ours, so that it starts fast. It writes one line: the type, `refused` for what
WhatsApp takes in no such form, or `nobody` where this machine has no MediaInfo. Any other end means that the file was
too much.

Source: Meta's media page, November 2025: AAC, AMR, MP3, M4A and Ogg with Opus of one channel; MP4 and 3GP with H.264
and AAC, one or no audio track. MediaInfo reads the container and decodes nothing.
"""

from __future__ import annotations

import mmap
import resource
import signal
import sys
from collections.abc import Sequence
from typing import Any

SECONDS = 10
"""Should whoever started it be gone, it ends by itself all the same."""
MEMORY = 512 * 1024 * 1024
"""Bytes of address space, the file's own among them."""
REFUSED = "refused"
NOBODY = "nobody"


def main() -> None:
    """Answer on standard output."""
    _limit()
    sys.stdout.write(f"{_answer()}\n")


def _answer() -> str:
    try:
        from pymediainfo import MediaInfo
    except ImportError:
        return NOBODY
    if not MediaInfo.can_parse():
        return NOBODY
    # Mapped, since reading it would move the place at which whoever started this reads the same file.
    with mmap.mmap(sys.stdin.fileno(), 0, access=mmap.ACCESS_READ) as file:
        return _type(MediaInfo.parse(file, full=False).tracks) or REFUSED


def _limit() -> None:
    """What it may take of the machine. The system ends it where it takes more."""
    signal.alarm(SECONDS)
    limits = {resource.RLIMIT_CPU: SECONDS, resource.RLIMIT_CORE: 0, resource.RLIMIT_FSIZE: 0}
    if sys.platform != "darwin":  # whose kernel bounds no address space
        limits[resource.RLIMIT_AS] = MEMORY
    for which, most in limits.items():
        allowed = resource.getrlimit(which)[1]
        most = most if allowed == resource.RLIM_INFINITY else min(most, allowed)
        resource.setrlimit(which, (most, most))


def _type(tracks: Sequence[Any]) -> str | None:
    """As Meta names it; None for what it does not take."""
    container = next((one for one in tracks if one.track_type == "General"), None)
    films = [one for one in tracks if one.track_type == "Video"]
    sounds = [one for one in tracks if one.track_type == "Audio"]
    if container is None or not (films or sounds) or len(films) > 1 or len(sounds) > 1:
        return None
    return _film(container, films[0], sounds) if films else _sound(container, sounds[0])


def _film(container: Any, film: Any, sounds: Sequence[Any]) -> str | None:
    if container.format != "MPEG-4" or film.format != "AVC" or not all(map(_is_aac, sounds)):
        return None
    return "video/3gpp" if "3GPP" in (container.format_profile or "") else "video/mp4"


def _sound(container: Any, sound: Any) -> str | None:
    match container.format:
        case "Ogg":
            mono = (sound.channel_s or "").startswith("1 ")
            return "audio/ogg; codecs=opus" if sound.format == "Opus" and mono else None
        case "MPEG Audio":
            return "audio/mpeg" if sound.format_profile == "Layer 3" else None
        case "ADTS":
            return "audio/aac"
        case "AMR":
            return "audio/amr" if sound.format_profile == "Narrow band" else None
        case "MPEG-4":
            return "audio/mp4" if _is_aac(sound) else None
    return None


def _is_aac(sound: Any) -> bool:
    return str(sound.format).startswith("AAC")


if __name__ == "__main__":
    main()
