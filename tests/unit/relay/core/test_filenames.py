"""Names of files: what is taken out, what stays, and the ending that each leaves with."""

from __future__ import annotations

from urllib.parse import quote

import pytest

from relay.core.filenames import LONGEST, LONGEST_ENCODED, cleaned, complete, renamed, type_of


@pytest.mark.parametrize(
    ("name", "mime_type", "shown"),
    [
        ("scan", "application/pdf", "scan.pdf"),
        ("scan.", "application/pdf", "scan.pdf"),
        ("scan ", "application/pdf", "scan.pdf"),
        ("scan...", "application/pdf; charset=binary", "scan.pdf"),
        (".pdf", "application/pdf", "file.pdf"),
        ("Version 1.2", "application/pdf", "Version 1.2.pdf"),
        ("Rechnung v. März", "application/pdf", "Rechnung v. März.pdf"),
        ("SCAN.PDF", "application/pdf", "SCAN.PDF"),
        ("prices.csv", "text/plain", "prices.csv"),
        ("prices", "text/csv", "prices.csv"),
        (None, "image/jpeg", "file.jpg"),
        ("", "text/plain", "file.txt"),
        ("note", "application/octet-stream", "note"),
        ("note", "application/x-nobody-knows", "note"),
    ],
)
def test_a_name_leaves_with_the_ending_of_its_type(name: str | None, mime_type: str, shown: str) -> None:
    assert complete(name, mime_type) == shown


@pytest.mark.parametrize("length", [121, 122, 150, 200, 255, 300, 5000])
@pytest.mark.parametrize("sign", ["x", "é", "界", "😀", "٣"])
@pytest.mark.parametrize("ending", [".pdf", ".docx", ".tar.gz"])
def test_a_long_name_keeps_its_ending(sign: str, ending: str, length: int) -> None:
    shown = cleaned(sign * (length - len(ending)) + ending)
    assert shown.startswith(sign)
    assert shown.endswith(f".{ending.rpartition('.')[2]}")
    assert len(shown) <= LONGEST
    assert len(quote(shown, safe="")) <= LONGEST_ENCODED


@pytest.mark.parametrize("length", [116, 117, 118, 119, 120, 121, 4000])
def test_a_long_name_without_an_ending_gets_one(length: int) -> None:
    shown = complete("x" * length, "application/pdf")
    assert shown.endswith("x.pdf")
    assert len(shown) <= LONGEST


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("../../etc/passwd", "passwd"),
        ("C:\\docs\\offer.pdf", "offer.pdf"),
        ("photo\u202egpj.exe", "photogpj.exe"),
        ("\u2060offer\u200b.pdf", "offer.pdf"),
        ("👨\u200d👩\u200d👧 ❤\ufe0f.png", "👨\u200d👩\u200d👧 ❤\ufe0f.png"),
        ("two\r\nlines\t.pdf", "two lines.pdf"),
        ("%0d%0aX.pdf", "_0d_0aX.pdf"),
        ("a<b>|c?*.pdf", "a_b__c__.pdf"),
        ("nul\x00.pdf", "nul.pdf"),
        (" ... ", ""),
        ("\u3164", ""),
        (None, ""),
    ],
)
def test_what_a_name_may_not_hold(name: str | None, shown: str) -> None:
    assert cleaned(name) == shown


@pytest.mark.parametrize("name", ["offer.pdf", "Rechnung März 2026.docx", "فاتورة.pdf", "a'b,c (2).xlsx"])
def test_a_usual_name_stays_as_it_is(name: str) -> None:
    assert cleaned(name) == complete(name, "application/pdf") == name


@pytest.mark.parametrize(
    ("name", "shown"),
    [("smile.webp", "smile.png"), ("smile", "smile.png"), ("v 1.2", "v 1.2.png"), (".webp", "file.png")],
)
def test_what_was_made_into_another_type_is_named_so(name: str, shown: str) -> None:
    assert renamed(name, "image/png") == shown


@pytest.mark.parametrize(
    ("name", "mime_type"),
    [("a.CSV", "text/csv"), ("a.txt", "text/plain"), ("a.doc", "application/msword"), ("a", None), ("csv", None),
     (".csv", None), (None, None), ("a.xls", "application/vnd.ms-excel")],
)  # fmt: skip
def test_a_name_says_what_it_is_by_its_ending(name: str | None, mime_type: str | None) -> None:
    assert type_of(name) == mime_type
