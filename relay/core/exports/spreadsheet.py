"""Tables as CSV that a spreadsheet opens as what it is: no text of a customer's becomes a formula in it."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime

FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20")
"""With these, the full-width ones among them, spreadsheets begin a formula [OWASP: CSV Injection]."""
_INNER = re.compile(r"(?<=[;\t\r\n])(?= *[=+\-@\uff1d\uff0b\uff0d\uff20])")
"""Spreadsheets of many countries part cells at semicolons, and do not see the quotes that hold a line end."""
BOM = "\ufeff"
"""Without it Excel takes UTF-8 for the machine's own set of letters."""

Cell = str | int | float | bool | datetime | None


def table(head: Sequence[str], rows: Iterable[Sequence[Cell]]) -> Iterator[str]:
    """One CSV record after the other as RFC 4180 has them, the heading first. Times are in UTC, as ISO 8601."""
    yield BOM + _record(head)
    for row in rows:
        yield _record([_shown(cell) for cell in row])


def _record(cells: Sequence[str]) -> str:
    written = io.StringIO()
    csv.writer(written).writerow(cells)
    return written.getvalue()


def _shown(cell: Cell) -> str:
    if cell is None:
        return ""
    if isinstance(cell, datetime):
        return cell.astimezone(UTC).isoformat()
    if isinstance(cell, bool):
        return "yes" if cell else "no"
    if isinstance(cell, str):
        return _INNER.sub("'", f"'{cell}" if cell.lstrip(" ").startswith(FORMULA) else cell)
    return str(cell)
