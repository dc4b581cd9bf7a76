"""R47: the tables, Redis, the buckets and the queues are really there, made by the programs' own start code."""

from collections.abc import Iterator

import psycopg2
import pytest
import redis

from db.migrate import ShardCountError, migrate
from tests.services.databases import SHARDS, Databases

TABLES = {
    "tenants",
    "tenant_credentials",
    "lines",
    "conversation_mappings",
    "contact_aliases",
    "genesys_conversations",
    "message_tracking",
    "message_attempts",
    "message_events",
    "parked_receipts",
    "daemons",
    "shards",
    "audit_log",
}

# Each look-up on a message's path, and the start of an index that serves it.
LOOK_UPS = {
    "a line by phone number": ("lines", "(phone_number_id)"),
    "a line by integration": ("lines", "(integration_id)"),
    "a tenant by its webhook key": ("tenants", "(webhook_key)"),
    "a line by its webhook key": ("lines", "(webhook_key)"),
    "a conversation by the customer's address": ("contact_aliases", "(line_id, alias)"),
    "a conversation by the address at Genesys": ("conversation_mappings", "(line_id, genesys_address)"),
    "a message by its source, once": ("message_tracking", "(line_id, direction, source_id)"),
    "a message by its id": ("message_tracking", "(id)"),
    "a conversation's lane": ("message_tracking", "(conversation_id, direction, sort_time"),
    "work that is left": ("message_tracking", "(seq) WHERE"),
    "an attempt by the provider's id": ("message_attempts", "(line_id, provider_id)"),
    "a parked receipt": ("parked_receipts", "(line_id, provider_id"),
    "a message's history": ("message_events", "(message_id"),
    "a Genesys conversation": ("genesys_conversations", "(genesys_conversation_id"),
}


@pytest.fixture(scope="module")
def database(postgres: str) -> Iterator[psycopg2.extensions.cursor]:
    connection = psycopg2.connect(postgres)
    with connection, connection.cursor() as cursor:
        yield cursor
    connection.close()


def test_every_table_is_there(database: psycopg2.extensions.cursor) -> None:
    database.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
    assert {name for (name,) in database.fetchall()} >= TABLES


@pytest.mark.parametrize("look_up", LOOK_UPS)
def test_every_look_up_of_a_message_has_its_index(database: psycopg2.extensions.cursor, look_up: str) -> None:
    table, start = LOOK_UPS[look_up]
    database.execute("SELECT indexdef FROM pg_indexes WHERE schemaname = 'public' AND tablename = %s", (table,))
    definitions = [definition for (definition,) in database.fetchall()]
    assert any(f"btree {start}" in definition for definition in definitions), definitions


def test_migrating_again_changes_nothing(postgres: str) -> None:
    assert migrate(postgres, SHARDS) == []


def test_another_number_of_shards_is_refused(postgres: str) -> None:
    with pytest.raises(ShardCountError, match=f"RELAY_SHARDS={SHARDS}"):
        migrate(postgres, SHARDS + 1)


def test_an_empty_database_is_brought_to_the_newest_schema(databases: Databases) -> None:
    url = databases.create_empty()
    try:
        assert migrate(url, 4) != []
        connection = psycopg2.connect(url)
        with connection, connection.cursor() as cursor:
            cursor.execute("SELECT n FROM shards ORDER BY n")
            assert [n for (n,) in cursor.fetchall()] == [0, 1, 2, 3]
        connection.close()
    finally:
        databases.drop(url)


def test_redis_answers_and_keeps_what_it_is_given(redis_url: str) -> None:
    with redis.Redis.from_url(redis_url, decode_responses=True) as client:
        assert client.ping()
        client.set("infrastructure", "here", ex=60)
        assert client.get("infrastructure") == "here"
