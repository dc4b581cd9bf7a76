"""Content-Disposition of customers' files: they choose the name, a header takes ASCII only."""

from __future__ import annotations

import pytest
from werkzeug.http import dump_options_header, parse_options_header

from web.portal.media import _names


@pytest.mark.parametrize(
    "name", ["offer.pdf", "Rechnung März.pdf", "فاتورة.pdf", "Angebot – 5 €.pdf", "😀.pdf", 'a";b.pdf']
)
def test_every_name_fits_into_a_header_and_comes_back(name: str) -> None:
    header = dump_options_header("attachment", _names(name))
    assert header.isascii()
    assert parse_options_header(header)[1]["filename"] == name
