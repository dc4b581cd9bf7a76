"""Stickers that move may be larger than those that do not: their bytes tell which one it is.

Source: Meta's page on sticker messages; WebP's container specification (animation is bit 1 of the flags of VP8X).
"""

from __future__ import annotations

from dataclasses import replace
from typing import IO

from relay.channels.whatsapp.limits import largest
from relay.core.messages import Media

_HEAD = 21
_ANIMATION = 0x02


def is_doubtful(media: Media) -> bool:
    """Whether it is too large unless it moves."""
    return media.kind == "sticker" and (media.size or 0) > largest(media)


def identified(file: IO[bytes], media: Media) -> Media:
    file.seek(0)
    head = file.read(_HEAD)
    file.seek(0)
    moves = head[:4] == b"RIFF" and head[8:16] == b"WEBPVP8X" and len(head) == _HEAD and bool(head[20] & _ANIMATION)
    return replace(media, animated=moves)
