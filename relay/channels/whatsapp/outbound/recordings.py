"""What a sound or film really is: WhatsApp takes few kinds, and reports others only after it took them (131053).

Source: Meta's media page, November 2025: AAC, AMR, MP3, M4A and Ogg with Opus of one channel; MP4 and 3GP with H.264
and AAC, one or no audio track. MediaInfo reads the container and decodes nothing; call it outside of the event loop.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import IO, Any

from pymediainfo import MediaInfo

from relay.channels.whatsapp.limits import OPUS, meta_mime
from relay.core.filenames import UNTOLD
from relay.core.messages import Media

_ALSO = ("application/ogg", "application/mp4", "application/x-ogg")
"""Further names of containers that hold sound or film."""


def holds_recording(media: Media) -> bool:
    """Whether the file may be sound or film, by what was said of it."""
    mime = meta_mime(media.mime_type)
    said = mime.startswith(("audio/", "video/")) or mime in _ALSO
    return media.kind not in ("link", "sticker") and (said or (mime in UNTOLD and media.kind in ("audio", "video")))


def identified(file: IO[bytes], media: Media) -> Media | None:
    """The file under the type that it has, or as a link if WhatsApp takes no such; None where nobody can look.

    Only where `holds_recording` says so. Sound takes no text: with one it goes as a link, so that both arrive.
    """
    if not MediaInfo.can_parse():
        return None
    file.seek(0)
    try:
        mime = _type(MediaInfo.parse(file, full=False).tracks)
    # A parser fed with a stranger's bytes may raise anything.
    except Exception:  # noqa: BLE001
        mime = None
    finally:
        file.seek(0)
    sound = mime is not None and mime.startswith("audio/")
    if mime is None or (sound and media.caption):
        return replace(media, kind="link")
    return replace(media, kind="audio" if sound else "video", mime_type=mime)


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
            return OPUS if sound.format == "Opus" and (sound.channel_s or "").startswith("1 ") else None
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
