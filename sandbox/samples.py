"""Small real files, one of each kind, so that a test needs none of its own."""

from dataclasses import dataclass
from functools import cache
from pathlib import Path

FOLDER = Path(__file__).parent / "samples"
DOCX = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"


@dataclass(frozen=True, slots=True)
class Sample:
    data: bytes
    mime_type: str
    filename: str


_FILES = {
    "image": ("sample.jpg", "image/jpeg", "mountains.jpg"),
    "png": ("sample.png", "image/png", "mountains.png"),
    "video": ("sample.mp4", "video/mp4", "sunrise.mp4"),
    "audio": ("sample.ogg", "audio/ogg; codecs=opus", "voice.ogg"),
    "document": ("sample.pdf", "application/pdf", "offer.pdf"),
    "docx": ("sample.docx", DOCX, "offer.docx"),
    "sticker": ("sample.webp", "image/webp", "smile.webp"),
    "animated": ("animated.webp", "image/webp", "wave.webp"),
    "vcf": ("sample.vcf", "text/vcard", "ada-brandt.vcf"),
}


@cache
def sample(kind: str) -> Sample:
    name, mime_type, filename = _FILES[kind]
    return Sample((FOLDER / name).read_bytes(), mime_type, filename)


def kinds() -> list[str]:
    return list(_FILES)
