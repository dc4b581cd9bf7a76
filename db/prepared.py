"""Statements that PostgreSQL reads and plans once per connection, and then only executes: what every message needs.

psycopg2 writes values into the text, so that each execution would be parsed and planned anew, which costs more than
the execution itself. Lists travel as one literal of an array: adapted value by value they cost the same again.
"""

from __future__ import annotations

from typing import Any

from db.cursor import Cursor


class Prepared:
    """`run(cursor, name=value, ...)` executes it; rows are fetched from the cursor as ever.

    `text` names its parameters as `%(name)s`, each is declared with its type: `ids="uuid[]"`. `name` is unique among
    all statements. The cursor is one of `db.pool`'s, whose connections know what they have prepared.
    """

    def __init__(self, name: str, text: str, **types: str) -> None:
        places = {parameter: f"${place}" for place, parameter in enumerate(types, 1)}
        self._name = name
        self._types = types
        self._prepare = f"PREPARE {name} ({', '.join(types.values())}) AS {text % places}"
        self._execute = f"EXECUTE {name} ({', '.join(['%s'] * len(types))})"

    def run(self, cursor: Cursor, **values: Any) -> None:
        """Raises what `cursor.execute` raises, and KeyError where a value is missing."""
        prepared: set[str] = cursor.connection.prepared
        if self._name not in prepared:
            cursor.execute(self._prepare)
            prepared.add(self._name)
        cursor.execute(self._execute, [_written(values[one], kind) for one, kind in self._types.items()])


def _written(value: Any, kind: str) -> Any:
    if kind.endswith("[]"):
        return "{" + ",".join(map(_element, value)) + "}"
    return str(value) if kind == "uuid" and value is not None else value


def _element(value: Any) -> str:
    """Every text in quotation marks, of whatever type: one that holds a comma must never become two."""
    if isinstance(value, str):
        return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'
    if isinstance(value, bytes):
        return f'"\\\\x{value.hex()}"'
    return "NULL" if value is None else str(value)
