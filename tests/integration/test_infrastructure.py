"""R47: the tables, Redis, the buckets and the queues are really there, made by the programs' own start code."""

import secrets
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import minio
import psycopg2
import pytest
import redis
from kombu import Connection, Queue

from db.migrate import ShardCountError, migrate
from demo.stack import S3Server
from relay.broker.errors import TopologyError
from relay.broker.topology import declare
from relay.stores.objects import ObjectStore as Objects
from tests.processes import Process, relay, web
from tests.services.databases import SHARDS, Databases
from tests.services.rabbitmq import RabbitMQ
from tests.waiting import wait_until

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
    "an attempt by the provider's id": ("message_attempts", "(line_id, provider_id)"),
    "a parked receipt": ("parked_receipts", "(line_id, provider_id"),
    "a message's history": ("message_events", "(message_id"),
    "a Genesys conversation": ("genesys_conversations", "(genesys_conversation_id"),
}

BUCKETS = {"webhooks-inbound", "webhooks-outbound", "media-inbound", "media-outbound"}
EXCHANGES = ("INBOUND_WHATSAPP_MESSAGES", "OUTBOUND_GENESYS_MESSAGES")
WORK_QUEUES = {f"{exchange}.{number}" for exchange in EXCHANGES for number in range(SHARDS)}
OTHER_QUEUES = {"DEAD_LETTERS", "WEBHOOK_ARCHIVE"}


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


@pytest.fixture
def virtual_host(rabbitmq: RabbitMQ) -> Iterator[str]:
    name = f"infrastructure-{secrets.token_hex(4)}"
    rabbitmq.create_virtual_host(name)
    yield name
    rabbitmq.delete_virtual_host(name)


def _queues(rabbitmq: RabbitMQ, virtual_host: str) -> dict[str, dict[str, Any]]:
    return {queue["name"]: queue for queue in rabbitmq.manage("GET", f"queues/{virtual_host}").json()}


def test_every_queue_is_there_durable_and_replicated(rabbitmq: RabbitMQ, virtual_host: str) -> None:
    declare(rabbitmq.url(virtual_host), SHARDS)
    queues = _queues(rabbitmq, virtual_host)
    assert set(queues) == WORK_QUEUES | OTHER_QUEUES
    assert all(queue["durable"] and queue["type"] == "quorum" for queue in queues.values())
    assert all(queues[name]["arguments"]["x-single-active-consumer"] for name in WORK_QUEUES)
    # On RabbitMQ 3 this argument loses messages.
    assert not any("x-delivery-limit" in queue["arguments"] for queue in queues.values())
    assert queues["WEBHOOK_ARCHIVE"]["arguments"]["x-overflow"] == "reject-publish"


@pytest.mark.parametrize("exchange", EXCHANGES)
def test_each_exchange_leads_to_its_own_queues(rabbitmq: RabbitMQ, virtual_host: str, exchange: str) -> None:
    declare(rabbitmq.url(virtual_host), SHARDS)
    found = rabbitmq.manage("GET", f"exchanges/{virtual_host}/{exchange}").json()
    assert (found["type"], found["durable"]) == ("direct", True)
    bindings = rabbitmq.manage("GET", f"exchanges/{virtual_host}/{exchange}/bindings/source").json()
    led = {binding["routing_key"]: binding["destination"] for binding in bindings}
    assert led == {str(number): f"{exchange}.{number}" for number in range(SHARDS)}


def test_declaring_again_changes_nothing(rabbitmq: RabbitMQ, virtual_host: str) -> None:
    for _ in range(2):
        declare(rabbitmq.url(virtual_host), SHARDS)
    assert set(_queues(rabbitmq, virtual_host)) == WORK_QUEUES | OTHER_QUEUES


def test_a_queue_that_is_not_as_it_should_be_is_refused(rabbitmq: RabbitMQ, virtual_host: str) -> None:
    url = rabbitmq.url(virtual_host)
    with Connection(url) as connection:
        Queue(f"{EXCHANGES[0]}.0", channel=connection.channel(), durable=True).declare()
    with pytest.raises(TopologyError, match=f"{EXCHANGES[0]}.0"):
        declare(url, SHARDS)


def _buckets(s3: S3Server) -> set[str]:
    client = minio.Minio(s3.endpoint, s3.access_key, s3.secret_key, secure=False)
    return {bucket.name for bucket in client.list_buckets()}


def test_every_bucket_is_there_also_after_a_second_time(s3: S3Server) -> None:
    s3.clear()
    objects = Objects(s3.endpoint, s3.access_key, s3.secret_key, False, f"http://{s3.endpoint}")
    for _ in range(2):
        objects.ensure_buckets()
    assert _buckets(s3) == BUCKETS


@pytest.mark.parametrize("program", [web, relay])
def test_each_program_makes_what_it_uses_when_it_starts(
    program: Callable[[Mapping[str, str], Path], Process],
    rabbitmq: RabbitMQ,
    virtual_host: str,
    s3: S3Server,
    settings_env: dict[str, str],
    logs: Path,
) -> None:
    s3.clear()
    with program(settings_env | {"BROKER_URL": rabbitmq.url(virtual_host)}, logs):
        assert set(_queues(rabbitmq, virtual_host)) == WORK_QUEUES | OTHER_QUEUES
        wait_until(lambda: _buckets(s3) == BUCKETS, message="the buckets")
