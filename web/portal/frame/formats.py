"""Times and numbers as the reader's language writes them. Registered as template filters."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal

from babel.dates import format_date, format_datetime
from babel.numbers import format_decimal

from web.portal.frame import language
from web.portal.frame.blueprint import portal

CLOCKS = {"short": "dd MMM, HH:mm", "exact": "dd MMM, HH:mm:ss", "whole": "dd MMM yyyy, HH:mm:ss"}
"""In UTC, until a script shows them in the reader's own zone. Babel's letters for them."""


@portal.app_template_filter("clock_text")
def clock_text(at: datetime, show: str) -> str:
    pattern = CLOCKS.get(show, CLOCKS["short"])
    return written(at, pattern.replace("dd ", "dd. ") if language.code() == "de" else pattern)


@portal.app_template_filter("number")
def number(value: float | Decimal, digits: int = 0) -> str:
    """1,234.5 in English; `digits` behind the point, always."""
    return str(format_decimal(value, format=f"#,##0.{'0' * digits}" if digits else "#,##0", locale=language.code()))


@portal.app_template_filter("month")
def month(of: date) -> str:
    """December 2026."""
    return str(format_date(of, "MMMM 'de' y" if language.code() in ("es", "pt") else "MMMM y", locale=language.code()))


def written(at: datetime, pattern: str) -> str:
    return str(format_datetime(at, pattern, locale=language.code()))


def day(at: datetime) -> str:
    """Tuesday, 1 December."""
    patterns = {"en": "EEEE, d MMMM", "de": "EEEE, d. MMMM"}
    return written(at, patterns.get(language.code(), "EEEE, d 'de' MMMM"))


def short_day(at: datetime) -> str:
    return written(at, "d. MMM" if language.code() == "de" else "d MMM")
