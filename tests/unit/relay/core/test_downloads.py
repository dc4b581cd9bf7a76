"""relay.core.downloads: senders choose a file's name and type; a header takes ASCII only, and nothing runs."""

from __future__ import annotations

from urllib.parse import quote

import pytest
from werkzeug.http import parse_options_header

from relay.core.downloads import NEUTRAL, disposition, type_to_serve
from relay.core.filenames import cleaned


@pytest.mark.parametrize(
    "name", ["offer.pdf", "Rechnung März.pdf", "فاتورة.pdf", "Angebot – 5 €.pdf", "😀.pdf", "a'b,c.pdf"]
)
def test_every_name_fits_into_a_header_and_comes_back(name: str) -> None:
    header = disposition(name)
    assert header.isascii()
    way, given = parse_options_header(header)
    assert (way, given["filename"]) == ("attachment", name)


@pytest.mark.parametrize(
    ("name", "shown"),
    [('a";b.pdf', "a__b.pdf"), ("two\r\nSet-Cookie: x=1.pdf", "two Set-Cookie_ x=1.pdf"), ("\ud800.pdf", "_.pdf")],
)
def test_no_name_becomes_another_header_or_parameter(name: str, shown: str) -> None:
    assert parse_options_header(disposition(name))[1]["filename"] == shown


@pytest.mark.parametrize(
    ("name", "plain"),
    [
        ("report＂； filename＊=UTF-8＇＇evil.exe.pdf", "report__ filename_=UTF-8''evil.exe.pdf"),
        ("a＂b.pdf", "a_b.pdf"),
        ("a；b.pdf", "a_b.pdf"),
        ("folder＼a.pdf", "a.pdf"),
        ("..／..／a.pdf", "a.pdf"),
        ("a＊b.pdf", "a_b.pdf"),
        ("a％22b.pdf", "a_22b.pdf"),
        ("＂", "_"),
        ("界", "file"),
    ],
)
def test_no_sign_becomes_another_one_that_ends_the_name(name: str, plain: str) -> None:
    header = disposition(name)
    assert header == f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(cleaned(name), safe='')}"
    assert parse_options_header(header)[1] == {"filename": cleaned(name)}


@pytest.mark.parametrize("sign", ["x", " ", "é", "界", "😀"])
def test_no_name_is_too_long_for_a_link(sign: str) -> None:
    assert len(quote(disposition("a" + sign * 400 + ".pdf"), safe="")) <= 900


def test_without_a_name_it_is_a_download_all_the_same() -> None:
    assert disposition(None) == "attachment"


@pytest.mark.parametrize(
    "mime_type",
    [
        "text/html", "TEXT/HTML; charset=utf-8",
        "application/xhtml+xml", "image/svg+xml", "text/xml", "application/xml",
        "application/atom+xml", "text/javascript", "text/css", "multipart/related", "message/rfc822",
        "application/x-shockwave-flash", "", "html", "image/png, text/html", "image/png\r\nX: y", "téxt/plain",
    ],
)  # fmt: skip
def test_what_a_browser_may_run_has_a_neutral_type(mime_type: str) -> None:
    assert type_to_serve(mime_type) == NEUTRAL


@pytest.mark.parametrize(
    ("mime_type", "served"),
    [
        ("image/jpeg", "image/jpeg"),
        ("Image/PNG; x=y", "image/png"),
        ("audio/ogg; codecs=opus", "audio/ogg; codecs=opus"),
        ("audio/ogg; codecs=\r\nX: y", "audio/ogg"),
        ("text/plain; charset=utf-7", "text/plain"),
        ("application/pdf", "application/pdf"),
    ],
)
def test_what_is_harmless_says_what_it_is(mime_type: str, served: str) -> None:
    assert type_to_serve(mime_type) == served
