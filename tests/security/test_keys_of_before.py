"""Keys that were made before their makers were kept do not outlive them either."""

from __future__ import annotations

from uuid import uuid4

import pytest
from yoyo import get_backend, read_migrations

from db.access import lineage
from db.migrate import MIGRATIONS, migrate
from db.pool import Pool
from tests.services.databases import SHARDS, Databases

ADMIN_KEY = "the-admin-key-of-today"


@pytest.fixture
def before(databases: Databases) -> str:
    """A database as it was when the portal came, with keys in it."""
    url = databases.create_empty()
    backend = get_backend(url.replace("postgres://", "postgresql://", 1))
    former = [one for one in read_migrations(str(MIGRATIONS)) if one.id < "0003.content" or one.id == "0003.content"]
    with backend.lock():
        for one in former:
            backend.apply_one(one)
    backend.connection.close()
    return url


def test_keys_hang_on_the_maker_that_was_noted_in_words(before: str, databases: Databases) -> None:
    first, second = (f"01a2{n}c00-0000-7000-8000-0000000000{n}{n}" for n in (1, 2))
    with Pool(before, size=1) as pool:
        with pool.transaction() as cursor:
            cursor.execute(
                """INSERT INTO users (id, email, name, role, password_hash)
                   VALUES (%s, 'ada@x.example', 'Ada', 'operator', 'x')""",
                (str(uuid4()),),
            )
            for key_id, name, maker in (
                (first, "first", "ada@x.example"),
                (second, "second", f"key first ({first[-8:]})"),
                (str(uuid4()), "admin's", "operator"),
                (str(uuid4()), "another's", "seed"),
            ):
                cursor.execute(
                    """INSERT INTO api_keys (id, name, secret_hash, hint, scopes, created_by)
                       VALUES (%s, %s, %s, 'h', '{}', %s)""",
                    (key_id, name, name.encode(), maker),
                )
        migrate(before, SHARDS)
        assert holding(pool) == {"first", "second", "admin's", "another's"}
        with pool.transaction() as cursor:
            lineage.mark(cursor, ADMIN_KEY)
        assert holding(pool) == {"first", "second", "admin's", "another's"}
        assert holding(pool, "another-admin-key") == {"first", "second", "another's"}
        with pool.transaction() as cursor:
            cursor.execute("UPDATE users SET status = 'disabled'")
        assert holding(pool) == {"admin's", "another's"}
    databases.drop(before)


def holding(pool: Pool, admin_key: str = ADMIN_KEY) -> set[str]:
    with pool.autocommit() as cursor:
        cursor.execute("SELECT name FROM api_keys WHERE key_holds(id, %s)", (lineage.root_digest(admin_key),))
        return {row[0] for row in cursor.fetchall()}
