"""Statements that are planned once per connection: what they take, and what they survive."""

from __future__ import annotations

import psycopg2
import pytest

from db.pool import Pool
from db.prepared import Prepared

ODD = [
    "",
    "NULL",
    "null",
    "{}",
    '"',
    "\\",
    'a"b\\"c',
    "it's",
    "a,b",
    " blank ",
    "line\nbreak",
    "\u2028",
    "%s %(x)s",
    None,
]
TEXTS = Prepared("test_texts", "SELECT * FROM unnest(%(texts)s, %(numbers)s)", texts="text[]", numbers="integer[]")
BYTES = Prepared("test_bytes", "SELECT * FROM unnest(%(bytes)s)", bytes="bytea[]")
IDS = Prepared("test_ids", "SELECT * FROM unnest(%(ids)s)", ids="uuid[]")
ONE = Prepared("test_one", "SELECT %(id)s, %(word)s || ' 100%%', %(at)s", id="uuid", word="text", at="timestamptz")
KNOWN = "SELECT count(*), sum(custom_plans) FROM pg_prepared_statements WHERE name = 'test_texts'"


def test_texts_arrive_as_they_are(pool: Pool) -> None:
    with pool.transaction() as cursor:
        TEXTS.run(cursor, texts=ODD, numbers=range(len(ODD)))
        assert cursor.fetchall() == [(text, place) for place, text in enumerate(ODD)]
        TEXTS.run(cursor, texts=[], numbers=[])
        assert cursor.fetchall() == []


def test_bytes_arrive_as_they_are(pool: Pool) -> None:
    odd = [b"", bytes(range(256)), b'","', b"\\x00", None]
    with pool.transaction() as cursor:
        BYTES.run(cursor, bytes=odd)
        assert [None if row[0] is None else bytes(row[0]) for row in cursor.fetchall()] == odd


def test_single_values_and_a_percent_sign(pool: Pool) -> None:
    with pool.transaction() as cursor:
        ONE.run(cursor, id="01900000-0000-7000-8000-000000000001", word="it's", at=None)
        assert [str(one) for one in cursor.fetchone()] == ["01900000-0000-7000-8000-000000000001", "it's 100%", "None"]


@pytest.mark.parametrize(("text", "error"), [("a\x00b", ValueError), ("\ud800", UnicodeEncodeError)])
def test_what_no_text_can_hold_is_the_fault_of_the_data(pool: Pool, text: str, error: type[Exception]) -> None:
    with pytest.raises(error), pool.transaction() as cursor:
        TEXTS.run(cursor, texts=[text], numbers=[1])


def test_an_id_that_is_none_never_shifts_those_of_others(pool: Pool) -> None:
    """What a provider echoes as our id stands beside the receipts of other tenants."""
    one, other = "01900000-0000-7000-8000-000000000001", "01900000-0000-7000-8000-000000000002"
    with pytest.raises(psycopg2.DataError), pool.transaction() as cursor:
        IDS.run(cursor, ids=[f"{one},{other}", other])
    with pool.transaction() as cursor:
        IDS.run(cursor, ids=[one, None, other])
        assert [str(row[0]) for row in cursor.fetchall()] == [one, "None", other]


def test_a_connection_plans_it_once_and_keeps_it_over_a_rollback(postgres: str) -> None:
    with Pool(postgres, size=1, steady=True) as pool:
        with pytest.raises(psycopg2.DataError), pool.transaction() as cursor:
            TEXTS.run(cursor, texts=["a"], numbers=["no number"])
        for _ in range(3):
            with pool.transaction() as cursor:
                TEXTS.run(cursor, texts=["a"], numbers=[1])
        with pool.autocommit() as cursor:
            cursor.execute(KNOWN)
            assert cursor.fetchone() == (1, 0)


def test_a_new_connection_prepares_it_anew(postgres: str) -> None:
    with Pool(postgres, size=1) as pool:
        with pool.autocommit() as cursor:
            TEXTS.run(cursor, texts=["a"], numbers=[1])
            cursor.execute("SELECT pg_backend_pid()")
            first = cursor.fetchone()[0]
        with Pool(postgres, size=1) as other, other.autocommit() as cursor:
            cursor.execute("SELECT pg_terminate_backend(%s, 10000)", (first,))
        with pool.autocommit() as cursor:
            TEXTS.run(cursor, texts=["b"], numbers=[2])
            assert cursor.fetchall() == [("b", 2)]
