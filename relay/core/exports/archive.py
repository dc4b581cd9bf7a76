"""A ZIP archive that is written while it is read: no copy of it is kept anywhere, however large its files are."""

from __future__ import annotations

import zipfile
from collections.abc import Iterable, Iterator

Member = tuple[str, Iterable[bytes]]
"""A file's name in the archive, and its bytes."""


class _Written:
    """What `zipfile` writes to: it cannot be sought in, so sizes and checksums follow each file."""

    def __init__(self) -> None:
        self._parts: list[bytes] = []

    def write(self, part: bytes) -> int:
        self._parts.append(bytes(part))
        return len(part)

    def flush(self) -> None:
        """Nothing is held back."""

    def close(self) -> None:
        """Nothing is open."""

    def taken(self) -> bytes:
        parts, self._parts = self._parts, []
        return b"".join(parts)


def zipped(members: Iterable[Member]) -> Iterator[bytes]:
    """The archive's bytes. A member's bytes are asked for when its turn has come; what they raise ends the archive."""
    written = _Written()
    with zipfile.ZipFile(written, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members:
            with archive.open(name, "w", force_zip64=True) as member:
                for part in content:
                    member.write(part)
                    yield written.taken()
            yield written.taken()
    yield written.taken()
