"""Fresh, migrated databases on one private PostgreSQL, each a copy of a template that was migrated once."""

import secrets
from functools import cached_property

import psycopg2
from psycopg2 import sql

from db.daemons import home
from db.migrate import migrate
from db.pool import Pool
from demo.stack.postgres import Postgres

SHARDS = 16


class Databases:
    """`create()` answers with the URL of a new database, `drop(url)` removes it, whoever is connected."""

    def __init__(self, server: Postgres) -> None:
        self.server = server

    def create(self) -> str:
        name = f"test_{secrets.token_hex(6)}"
        self._run(sql.SQL("CREATE DATABASE {} TEMPLATE {}"), name, self._template)
        return self.server.url(name)

    def create_empty(self) -> str:
        """A database without any schema, for tests of the migrations themselves."""
        name = f"test_{secrets.token_hex(6)}"
        self._run(sql.SQL("CREATE DATABASE {}"), name)
        return self.server.url(name)

    def drop(self, url: str) -> None:
        self._run(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)"), url.rpartition("/")[2])

    @cached_property
    def _template(self) -> str:
        name = f"template_{secrets.token_hex(6)}"
        self._run(sql.SQL("CREATE DATABASE {}"), name)
        migrate(self.server.url(name), SHARDS)
        with Pool(self.server.url(name), size=1) as pool, pool.transaction() as cursor:
            home.forget(cursor)  # each copy is an installation of its own
        return name

    def _run(self, statement: sql.SQL, *names: str) -> None:
        connection = psycopg2.connect(self.server.url())
        connection.autocommit = True
        try:
            with connection.cursor() as cursor:
                cursor.execute(statement.format(*map(sql.Identifier, names)))
        finally:
            connection.close()
