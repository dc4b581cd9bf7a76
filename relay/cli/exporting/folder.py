"""The folder into which a tenant is exported: parts, and how far it is, so that a cut-off export goes on where it was.

Every part is written under another name first, and noted in `progress.jsonl` when it is there whole. What is not noted
is not there: it is written once more under the same name.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import IO, Any

import pyrage

PROGRESS = "progress.jsonl"
SUMS = "SHA256SUMS"
CHUNK = 1024 * 1024
LONGEST_NOTE = 16 * 1024
"""In bytes; the key of an object is at most 1,024 [S3]."""


class FolderError(ValueError):
    """The folder cannot be gone on with. The text says what to do."""


class ExportFolder:
    """`recipients`: age's, to whom every part is encrypted; none: parts lie open."""

    def __init__(self, path: Path, tenant_id: str, recipients: Sequence[str]) -> None:
        self._path = path
        self._recipients = [_recipient(one) for one in recipients]
        self.reached: dict[str, list[str]] = {}
        """By place (a table or bucket): the last key that is in a part."""
        self.ended: set[str] = set()
        self.parts: dict[str, int] = {}
        """By place: how many there are."""
        self.complete = False
        begun = {"tenant_id": tenant_id, "recipients": sorted(recipients)}
        path.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._cut_off()
        held = self._notes()
        first = next(held, None)
        if first is None and any(one.name != PROGRESS for one in path.iterdir()):
            raise FolderError(f"{path} holds other files: name an empty folder, or one that does not exist")
        if first not in (None, begun):
            raise FolderError(f"{path} holds an export of another tenant, or for other recipients: name another folder")
        if first is None:
            self._note(begun)
        for one in held:
            self._take(one)

    def _cut_off(self) -> None:
        """A last line that is not whole was never noted."""
        file = self._path / PROGRESS
        if not file.exists():
            return
        with file.open("r+b") as opened:
            end = opened.seek(0, os.SEEK_END)
            opened.seek(max(0, end - LONGEST_NOTE))
            tail = opened.read()
            opened.truncate(end - len(tail) + tail.rfind(b"\n") + 1)

    def _notes(self) -> Iterator[dict[str, Any]]:
        file = self._path / PROGRESS
        if file.exists():
            with file.open("rb") as opened:
                yield from (json.loads(line) for line in opened)

    def _take(self, note: dict[str, Any]) -> None:
        if "part" in note:
            self.parts[note["place"]] = self.parts.get(note["place"], 0) + 1
            self.reached[note["place"]] = note["after"]
        elif "ended" in note:
            self.ended.add(note["ended"])
        self.complete = self.complete or "complete" in note

    def _note(self, note: dict[str, Any]) -> None:
        with (self._path / PROGRESS).open("ab") as file:
            file.write(json.dumps(note).encode() + b"\n")
            file.flush()
            os.fsync(file.fileno())

    def add(self, place: str, name: str, content: Iterable[bytes], after: Sequence[str]) -> None:
        """One part. `after`: how far its place has come with it."""
        name = name + (".age" if self._recipients else "")
        target = self._path / name
        target.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        begun = target.with_name(target.name + ".begun")
        self._write(begun, content)
        digest = _digest(begun)
        begun.rename(target)
        _sync(target.parent)
        note = {"place": place, "part": name, "sha256": digest, "bytes": target.stat().st_size, "after": list(after)}
        self._note(note)
        self._take(note)

    def _write(self, target: Path, content: Iterable[bytes]) -> None:
        with target.open("wb") as file:
            target.chmod(0o600)
            if not self._recipients:
                for chunk in content:
                    file.write(chunk)
            else:
                pyrage.encrypt_io(_Readable(content), file, self._recipients)
            file.flush()
            os.fsync(file.fileno())

    def end(self, place: str) -> None:
        """All of this place is in parts."""
        self._note({"ended": place})
        self.ended.add(place)

    def finish(self) -> None:
        """Everything is there: the digests of all parts, as `sha256sum -c` reads them."""
        with (self._path / SUMS).open("w", encoding="utf-8") as file:
            for note in self._notes():
                if "part" in note:
                    file.write(f"{note['sha256']}  {note['part']}\n")
        self._note({"complete": True})
        self.complete = True


class _Readable:
    """Chunks as a file that pyrage reads from: at no time more than a chunk is in memory."""

    def __init__(self, content: Iterable[bytes]) -> None:
        self._content = iter(content)
        self._left = b""

    def read(self, size: int = -1) -> bytes:
        while not self._left:
            chunk = next(self._content, None)
            if chunk is None:
                return b""
            self._left = bytes(chunk)
        size = len(self._left) if size < 0 else size
        found, self._left = self._left[:size], self._left[size:]
        return found


def _recipient(text: str) -> Any:
    try:
        return pyrage.x25519.Recipient.from_str(text)
    except pyrage.RecipientError:
        raise FolderError(f"{text} is no recipient of age: one begins with age1, and age-keygen makes it") from None


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return _of(file)


def _of(file: IO[bytes]) -> str:
    found = hashlib.sha256()
    while chunk := file.read(CHUNK):
        found.update(chunk)
    return found.hexdigest()


def _sync(folder: Path) -> None:
    """The new name lasts, too."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
