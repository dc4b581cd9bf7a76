"""Pages of long lists: where the next one begins is an opaque string, made of the last row's sort key."""

from __future__ import annotations

from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Generic, TypeVar
from uuid import UUID

T = TypeVar("T")

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
LARGEST = 2**63


class CursorError(ValueError):
    """The string was not handed out by us. The text is for people."""

    def __init__(self) -> None:
        super().__init__("is not the `next` of an earlier page of this list; leave it out to begin anew")


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """`next` leads on from the last item; None: there is no more."""

    items: list[T]
    next: str | None = None


def page(rows: Sequence[T], limit: int, key: Callable[[T], Sequence[datetime | int | str]]) -> Page[T]:
    """Of `rows`, which were asked for with one more than `limit`."""
    items = list(rows[:limit])
    return Page(items, encode(*key(items[-1])) if len(rows) > limit else None)


def encode(*parts: datetime | int | str) -> str:
    return urlsafe_b64encode("~".join(map(_written, parts)).encode()).decode().rstrip("=")


def decode(cursor: str, *kinds: type) -> list[Any]:
    """The parts, each of its kind (datetime, int, UUID or str). Raises CursorError."""
    try:
        text = urlsafe_b64decode(cursor.encode("ascii") + b"=" * (-len(cursor) % 4)).decode("ascii")
        parts = text.split("~")
        if len(parts) != len(kinds):
            raise CursorError
        return [_read(part, kind) for part, kind in zip(parts, kinds, strict=True)]
    except (ValueError, OverflowError) as error:
        raise CursorError from error


def _written(part: datetime | int | str) -> str:
    # Whole microseconds, as PostgreSQL keeps them: a float would be coarser.
    return str((part - EPOCH) // timedelta(microseconds=1)) if isinstance(part, datetime) else str(part)


def _read(part: str, kind: type) -> Any:
    if kind is UUID:
        return UUID(part)
    if kind is str:
        if not part.isprintable():
            raise CursorError
        return part
    number = int(part)
    if not -LARGEST <= number < LARGEST:
        raise CursorError
    return EPOCH + timedelta(microseconds=number) if kind is datetime else number
