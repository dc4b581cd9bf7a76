"""What a file is taken for: what was said, what its bytes show, what its name says."""

from __future__ import annotations

import io
import zipfile

import pytest

from relay.core.file_types import type_of_file

OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600)
PNG = b"\x89PNG\r\n\x1a\n" + bytes(40)
ANY = "application/octet-stream"


def zipped(*names: str) -> bytes:
    with io.BytesIO() as file:
        with zipfile.ZipFile(file, "w") as archive:
            for name in names:
                archive.writestr(name, "x")
        return file.getvalue()


@pytest.mark.parametrize("said", [(), ("",), (ANY,), ("", "binary/octet-stream"), ("Application/Octet-Stream; x=y",)])
@pytest.mark.parametrize(
    ("name", "head", "mime_type"),
    [
        ("a.txt", b"hello", "text/plain"),
        ("a.csv", b"a;b\r\n1;2", "text/csv"),
        ("a.md", "# Grüße".encode(), "text/markdown"),
        ("a.json", b"{}", "application/json"),
        ("a.doc", OLE, "application/msword"),
        ("a.xls", OLE, "application/vnd.ms-excel"),
        ("a.ppt", OLE, "application/vnd.ms-powerpoint"),
        ("a.xlsx", zipped("a"), "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"),
        ("a.odt", zipped("a"), "application/vnd.oasis.opendocument.text"),
        ("a.txt", PNG, "image/png"),
        ("a.pdf", b"%PDF-1.7", "application/pdf"),
        ("scan", b"%PDF-1.7", "application/pdf"),
        ("a.png", b"hello", ANY),
        ("a.mp3", b"hello", ANY),
        ("a.pdf", b"hello", ANY),
        ("a.doc", b"hello", ANY),
        ("a.txt", b"\x00\x01\x02", ANY),
        (None, b"hello", ANY),
    ],
)
def test_where_nobody_said_a_type_bytes_and_name_tell(
    said: tuple[str, ...], name: str | None, head: bytes, mime_type: str
) -> None:
    assert type_of_file(said, head, name) == mime_type


def test_what_was_said_counts_before_the_name() -> None:
    assert type_of_file(("text/csv", "text/plain"), b"a", "a.txt") == "text/csv"
    assert type_of_file(("image/jpeg",), b"%PDF-1.7", "a.jpg") == "application/pdf"
