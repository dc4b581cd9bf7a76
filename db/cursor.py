"""The cursor that `db.pool` lends. What is read beside a message's path is read by the names of its columns."""

from __future__ import annotations

from dataclasses import fields
from typing import Any, TypeVar

import psycopg2.extensions

T = TypeVar("T")


class Cursor(psycopg2.extensions.cursor):
    """psycopg2's, with rows as values. Statements of a message's path take plain rows: `fetchall` in column order."""

    def dicts(self) -> list[dict[str, Any]]:
        """The rows that are left, each by its columns' names. ValueError where two columns have one name."""
        names = [column.name for column in self.description or ()]
        if len(set(names)) < len(names):
            raise ValueError(f"the statement names a column twice: {', '.join(names)}")
        return [dict(zip(names, row, strict=True)) for row in self.fetchall()]

    def all(self, kind: type[T]) -> list[T]:
        """The rows that are left, each as a `kind`: its fields are the columns, in any order. Else TypeError."""
        return [kind(**row) for row in self.dicts()]

    def one(self, kind: type[T]) -> T | None:
        """The only row as a `kind`, or None."""
        found = self.all(kind)
        return found[0] if found else None


def taken(kind: Any, row: dict[str, Any]) -> Any:
    """A dataclass `kind` made of the columns that are its fields, which are taken out of the row. Else KeyError."""
    return kind(**{field.name: row.pop(field.name) for field in fields(kind)})
