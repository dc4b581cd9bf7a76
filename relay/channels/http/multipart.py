"""multipart/form-data with one file, streamed: the file is never held in memory."""

from __future__ import annotations

import os
import re
import secrets
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import IO

BLOCK = 256 * 1024


@dataclass(frozen=True, slots=True)
class MultipartBody:
    """What to send: `length` is exact, `blocks` reads the file from its start, once more each time."""

    content_type: str
    length: int
    _head: bytes
    _file: IO[bytes]
    _size: int
    _tail: bytes

    def blocks(self) -> Iterator[bytes]:
        self._file.seek(0)
        left = self._size
        yield self._head
        while left and (block := self._file.read(min(BLOCK, left))):
            left -= len(block)
            yield block
        if left:
            raise OSError("the file became shorter while it was sent")
        yield self._tail


def form(fields: Mapping[str, str], file: IO[bytes], filename: str | None, mime_type: str) -> MultipartBody:
    """A form with `fields` and then the part "file"."""
    boundary = secrets.token_hex(16)
    file.seek(0, os.SEEK_END)
    size = file.tell()
    parts = [
        f'--{boundary}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'
        for name, value in fields.items()
    ]
    parts.append(
        f'--{boundary}\r\nContent-Disposition: form-data; name="file"; filename="{_safe(filename)}"\r\n'
        f"Content-Type: {mime_type}\r\n\r\n"
    )
    head, tail = "".join(parts).encode(), f"\r\n--{boundary}--\r\n".encode()
    return MultipartBody(
        f"multipart/form-data; boundary={boundary}", len(head) + size + len(tail), head, file, size, tail
    )


def _safe(filename: str | None) -> str:
    """A name that cannot leave its quotes or its line."""
    return re.sub(r'[\x00-\x1f\x7f"\\]', "_", filename or "") or "file"
