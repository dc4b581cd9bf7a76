"""Which pictures can be read here, and so be made into JPEG or PNG: what Pillow opens of a stranger's bytes.

HEIC, as iPhones take it, only where `pillow-heif` is installed (the extra `heic`): whoever runs the relay decides, for
its wheel holds x265 (GPL 2) and libheif, where a crafted picture could run code until September 2026 (CVE-2026-84383).
"""

from __future__ import annotations

from PIL import features

_HEIC = ("image/heic", "image/heif")


def _reads_heic() -> bool:
    """Nothing but the picture itself is decoded then. A header that lies about its size is refused by libheif."""
    try:
        from pillow_heif import register_heif_opener
    except ImportError:
        return False
    register_heif_opener(thumbnails=False, depth_images=False, aux_images=False)
    return True


_MIMES = {
    "BMP": ("image/bmp",),
    "GIF": ("image/gif",),
    "TIFF": ("image/tiff",),
    "WEBP": ("image/webp",),
    **({"AVIF": ("image/avif",)} if features.check("avif") else {}),
    **({"HEIF": _HEIC} if _reads_heic() else {}),
}

FORMATS = ("JPEG", "PNG", *_MIMES)
"""The only decoders that a stranger's bytes get to, in Pillow's words."""
CONVERTED = frozenset(mime for mimes in _MIMES.values() for mime in mimes)
"""Pictures that are made into one WhatsApp takes, where they can be (`pictures.py`)."""
