"""Media as Meta keeps it: by id, tied to the number that uploaded it, for a limited time and in limited types."""

import secrets
import time
from dataclasses import dataclass
from typing import Any

from sandbox.blobs import Blob
from sandbox.bounded import BoundedDict
from sandbox.ids import media_id
from sandbox.meta.errors import GraphError

MEGABYTE = 1024 * 1024
URL_SECONDS = 300
UPLOAD_DAYS, WEBHOOK_DAYS = 30, 7
_OFFICE = "application/vnd.openxmlformats-officedocument."
DOCUMENTS = {
    "text/plain",
    "application/pdf",
    "application/msword",
    "application/vnd.ms-excel",
    "application/vnd.ms-powerpoint",
    _OFFICE + "wordprocessingml.document",
    _OFFICE + "spreadsheetml.sheet",
    _OFFICE + "presentationml.presentation",
}
TYPES = {
    "image": {"image/jpeg", "image/png"},
    "video": {"video/mp4", "video/3gp", "video/3gpp"},
    "audio": {"audio/aac", "audio/amr", "audio/mpeg", "audio/mp4", "audio/ogg"},
    "sticker": {"image/webp"},
}
UPLOADABLE = set.union(DOCUMENTS, *TYPES.values())
SIZES = {
    "image": 5 * MEGABYTE,
    "video": 16 * MEGABYTE,
    "audio": 16 * MEGABYTE,
    "document": 100 * MEGABYTE,
    "sticker": 500 * 1024,
}


@dataclass(slots=True)
class MediaItem:
    id: str
    phone_number_id: str
    mime_type: str
    blob: Blob
    filename: str | None
    expires: float

    def view(self) -> dict[str, Any]:
        return {
            "id": self.id,
            "mime_type": self.mime_type,
            "size": self.blob.size,
            "sha256": self.blob.sha256,
            "filename": self.filename,
            "url": self.blob.path(self.mime_type, self.filename),
        }


class MediaStore:
    def __init__(self) -> None:
        self._items: BoundedDict[str, MediaItem] = BoundedDict(100_000)
        self._urls: BoundedDict[str, tuple[str, float]] = BoundedDict(100_000)

    def add(self, phone_number_id: str, mime_type: str, blob: Blob, filename: str | None, days: float) -> MediaItem:
        item = MediaItem(media_id(), phone_number_id, mime_type, blob, filename, time.time() + days * 86_400)
        self._items[item.id] = item
        return item

    def get(self, item_id: str) -> MediaItem | None:
        item = self._items.get(item_id)
        return item if item is not None and item.expires > time.time() else None

    def remove(self, item_id: str) -> None:
        self._items.pop(item_id, None)

    def url_query(self, item: MediaItem) -> str:
        """A fresh address, good for five minutes."""
        key, expires = secrets.token_urlsafe(24), time.time() + URL_SECONDS
        self._urls[key] = (item.id, expires)
        return f"mid={item.id}&ext={int(expires)}&hash={key}"

    def by_url(self, key: str, item_id: str) -> MediaItem | None:
        known, expires = self._urls.get(key, ("", 0.0))
        return self.get(item_id) if known == item_id and expires > time.time() else None

    def clear(self) -> None:
        self._items.clear()
        self._urls.clear()


def base_type(mime_type: str) -> str:
    return mime_type.split(";")[0].strip().lower()


def kind_of(mime_type: str) -> str:
    base = base_type(mime_type)
    return next((kind for kind, types in TYPES.items() if base in types), "document")


def check_upload(mime_type: str, size: int) -> None:
    base = base_type(mime_type)
    if base not in UPLOADABLE:
        allowed, received = ", ".join(sorted(UPLOADABLE)), base or "application/octet-stream"
        raise GraphError(
            100,
            f"Param file must be a file with one of the following types: {allowed}. "
            f"Received file of type '{received}'.",
        )
    if base == "audio/ogg" and "codecs=opus" not in mime_type.replace(" ", "").lower().replace('"', ""):
        raise GraphError(100, "Param file: audio/ogg is supported with the opus codec only ('audio/ogg; codecs=opus').")
    limit = SIZES[kind_of(base)]
    if size > limit:
        raise GraphError(131053, f"Param file: {size} bytes exceed the maximum of {limit} bytes for '{base}'.")
    if size == 0:
        raise GraphError(131053, "Param file: the file is empty.")
