"""The private servers of a run, started once: PostgreSQL, RabbitMQ, Redis and S3, each with a folder of its own."""

from __future__ import annotations

import dataclasses
import secrets
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import psycopg2

from demo.stack import Postgres, Redis, S3Server
from demo.stack.postgres_home import PostgresHome, postgres_home
from demo.stack.services import running
from tests.services.databases import Databases
from tests.services.rabbitmq import RabbitMQ

PACKAGED = "/usr/lib/postgresql"
"""Where Debian puts PostgreSQL: with pg_stat_statements, which the wheel's server lacks."""


@dataclass(frozen=True)
class Servers:
    postgres: Postgres
    rabbitmq: RabbitMQ
    redis: Redis
    objects: S3Server
    databases: Databases
    counts_statements: bool

    def pids(self) -> dict[str, int]:
        """The servers that work for every contender, by the name that tables give them."""
        return {
            "PostgreSQL": self.postgres.child.pid,
            "RabbitMQ": self.rabbitmq.child.pid,
            "Redis": self.redis.child.pid,
            "S3": self.objects.child.pid,
        }

    def new_broker(self, name: str) -> str:
        return self.rabbitmq.create_virtual_host(f"{name}-{secrets.token_hex(4)}")


@contextmanager
def started(folder: Path) -> Iterator[Servers]:
    """All of them, ready. PostgreSQL keeps its promises to the disk, as it must where the product runs."""
    logs = folder / "logs"
    with ExitStack() as stack:
        home, counts = _packaged(stack.enter_context(postgres_home(folder)))
        postgres = Postgres(home, logs, durable=True)
        stack.enter_context(running(postgres))
        if counts:
            _count_statements(postgres, home.data / "postgresql.conf")
        rabbitmq = RabbitMQ(folder, logs)
        stack.callback(rabbitmq.kill)
        rabbitmq.start()
        redis = stack.enter_context(running(Redis(folder, logs)))
        objects = stack.enter_context(running(S3Server(folder, logs)))
        rabbitmq.wait_ready()
        yield Servers(postgres, rabbitmq, redis, objects, Databases(postgres), counts)


def _packaged(home: PostgresHome) -> tuple[PostgresHome, bool]:
    """The system's own PostgreSQL where it can count statements, the newest one; else the wheel's."""
    found = [one.parents[1] for one in Path(PACKAGED).glob("*/lib/pg_stat_statements.so")]
    if not found:
        return home, False
    return dataclasses.replace(home, programs=max(found, key=lambda one: int(one.name))), True


def _count_statements(postgres: Postgres, configuration: Path) -> None:
    """Loaded with the server, so it starts anew; with room for every form of a grouped statement."""
    with configuration.open("a") as file:
        file.write("shared_preload_libraries = 'pg_stat_statements'\npg_stat_statements.max = 50000\n")
    postgres.stop()
    postgres.start()
    postgres.wait_ready()
    connection = psycopg2.connect(postgres.url())
    with connection, connection.cursor() as cursor:
        cursor.execute("CREATE EXTENSION pg_stat_statements")
    connection.close()
