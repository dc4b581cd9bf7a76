"""The reader's own time zone, as the browser told it in a cookie. Days are theirs, not the server's."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from flask import request

COOKIE = "zone"
LONGEST = 64


def name() -> str:
    """A zone that PostgreSQL and Python both know; UTC where the browser has not said."""
    return _zone().key


def begin(day: date) -> datetime:
    """The day's first moment where the reader is."""
    return datetime.combine(day, time(), _zone())


def end(day: date) -> datetime:
    """The first moment of the day after."""
    return begin(day + timedelta(days=1) if day < date.max else day)


def local(at: datetime) -> datetime:
    return at.astimezone(_zone())


def here(at: datetime) -> datetime:
    """What the reader's clock and calendar show as `at`, as a moment."""
    return at.replace(tzinfo=_zone())


def _zone() -> ZoneInfo:
    given = request.cookies.get(COOKIE, "")
    if not given or len(given) > LONGEST:
        return ZoneInfo("UTC")
    try:
        return ZoneInfo(given)
    except (ZoneInfoNotFoundError, ValueError, OSError):  # a name that is none, or a folder
        return ZoneInfo("UTC")
