"""Bytes of media and attachments, kept once per content and within a bound; the oldest are forgotten first."""

import hashlib
from collections import OrderedDict
from dataclasses import dataclass
from urllib.parse import urlencode

CAPACITY = 384 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Blob:
    sha256: str
    data: bytes

    @property
    def size(self) -> int:
        return len(self.data)

    def path(self, mime_type: str, filename: str | None = None) -> str:
        return f"/control/blobs/{self.sha256}?" + urlencode({"type": mime_type, "name": filename or ""})


class BlobStore:
    def __init__(self, capacity: int = CAPACITY) -> None:
        self._capacity = capacity
        self._size = 0
        self._blobs: OrderedDict[str, Blob] = OrderedDict()

    def add(self, data: bytes) -> Blob:
        digest = hashlib.sha256(data).hexdigest()
        blob = self._blobs.get(digest)
        if blob is None:
            blob = self._blobs[digest] = Blob(digest, data)
            self._size += blob.size
        self._blobs.move_to_end(digest)
        while self._size > self._capacity and len(self._blobs) > 1:
            self._size -= self._blobs.popitem(last=False)[1].size
        return blob

    def get(self, sha256: str) -> Blob | None:
        return self._blobs.get(sha256)

    def clear(self) -> None:
        self._blobs.clear()
        self._size = 0
