"""An archive that is read while it is written."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterator

import pytest

from relay.core.exports import archive


def test_it_can_be_opened_and_holds_what_was_put_in() -> None:
    made = b"".join(
        archive.zipped([("a.txt", [b"one", b"two"]), ("folder/ü.bin", [bytes(range(256)) * 100]), ("0", [])])
    )
    with zipfile.ZipFile(io.BytesIO(made)) as found:
        assert found.testzip() is None
        assert {name: found.read(name) for name in found.namelist()} == {
            "a.txt": b"onetwo",
            "folder/ü.bin": bytes(range(256)) * 100,
            "0": b"",
        }


def test_a_member_is_asked_for_when_its_turn_has_come() -> None:
    asked: list[str] = []

    def content(name: str) -> Iterator[bytes]:
        asked.append(name)
        yield name.encode()

    making = archive.zipped((name, content(name)) for name in ("first", "second"))
    next(making)
    assert asked == ["first"]
    assert b"".join(making) and asked == ["first", "second"]


def test_what_a_member_raises_ends_the_archive() -> None:
    def failing() -> Iterator[bytes]:
        yield b"a beginning"
        raise OSError("the store is gone")

    with pytest.raises(OSError, match="the store is gone"):
        b"".join(archive.zipped([("a", failing())]))
