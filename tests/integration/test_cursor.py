"""Rows by the names of their columns: a column more, less, renamed or named twice never becomes another's value."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from db.cursor import Cursor
from db.pool import Pool


@dataclass(frozen=True)
class Place:
    town: str
    people: int


def test_the_order_of_columns_does_not_matter(pool: Pool) -> None:
    with pool.transaction() as cursor:
        cursor.execute("SELECT n AS people, 'Ulm' AS town FROM generate_series(1, 2) n")
        assert cursor.all(Place) == [Place("Ulm", 1), Place("Ulm", 2)]
        cursor.execute("SELECT 3 AS people, 'Ulm' AS town")
        assert cursor.one(Place) == Place("Ulm", 3)


def test_no_row_is_none(pool: Pool) -> None:
    with pool.autocommit() as cursor:
        cursor.execute("SELECT 1 AS people, 'Ulm' AS town WHERE false")
        assert cursor.one(Place) is None


@pytest.mark.parametrize(
    "columns", ["'Ulm' AS town", "'Ulm' AS town, 1 AS people, 2 AS more", "'Ulm' AS town, 1 AS men"]
)
def test_columns_that_are_not_the_fields_are_refused(pool: Pool, columns: str) -> None:
    with pool.transaction() as cursor:
        cursor.execute(f"SELECT {columns}")
        with pytest.raises(TypeError):
            cursor.all(Place)


def test_a_column_that_is_named_twice_is_refused(pool: Pool) -> None:
    with pool.transaction() as cursor:
        cursor.execute("SELECT 'Ulm' AS town, 'Bonn' AS town, 1 AS people")
        with pytest.raises(ValueError, match="town"):
            cursor.dicts()


def test_every_pool_lends_it(pool: Pool) -> None:
    with pool.transaction() as one, pool.autocommit() as other:
        assert isinstance(one, Cursor) and isinstance(other, Cursor)
