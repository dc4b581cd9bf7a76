"""The private servers that the other tests stand on: real, alone, and able to stop and come back."""

import io
from collections.abc import Iterator
from datetime import timedelta

import minio
import psycopg2
import pytest
import redis
import requests
from kombu import Connection, Queue
from redis.backoff import NoBackoff
from redis.retry import Retry

from demo.stack import Redis, S3Server
from tests.processes import frozen
from tests.services.databases import Databases
from tests.services.rabbitmq import RabbitMQ
from tests.waiting import PATIENCE, wait_until


def test_rabbitmq_is_one_that_the_relay_is_made_for(rabbitmq: RabbitMQ) -> None:
    version = rabbitmq.manage("GET", "overview").json()["rabbitmq_version"]
    assert tuple(map(int, version.split(".")[:2])) >= (3, 10)


def test_a_virtual_host_starts_empty_and_takes_quorum_queues(rabbitmq: RabbitMQ, broker_url: str) -> None:
    virtual_host = broker_url.rpartition("/")[2]
    assert rabbitmq.manage("GET", f"queues/{virtual_host}").json() == []
    with Connection(broker_url) as connection:
        Queue("there", channel=connection.channel(), queue_arguments={"x-queue-type": "quorum"}).declare()
    (queue,) = rabbitmq.manage("GET", f"queues/{virtual_host}").json()
    assert (queue["name"], queue["type"]) == ("there", "quorum")


def test_rabbitmq_comes_back_with_what_it_held(rabbitmq: RabbitMQ, broker_url: str) -> None:
    with Connection(broker_url) as connection:
        queue = connection.SimpleQueue("kept", queue_args={"x-queue-type": "quorum"})
        queue.put("still here")
        queue.close()
    rabbitmq.stop()
    rabbitmq.start()
    rabbitmq.wait_ready()
    with Connection(broker_url) as connection:
        queue = connection.SimpleQueue("kept", queue_args={"x-queue-type": "quorum"})
        message = queue.get(timeout=PATIENCE)
        message.ack()
        assert message.payload == "still here"
        queue.close()


def test_each_database_is_fresh_and_can_be_dropped_while_in_use(databases: Databases) -> None:
    first, second = databases.create(), databases.create()
    connection = psycopg2.connect(first)
    with connection, connection.cursor() as cursor:
        cursor.execute("CREATE TABLE only_here ()")
    other = psycopg2.connect(second)
    with other, other.cursor() as cursor:
        cursor.execute("SELECT to_regclass('only_here'), to_regclass('message_tracking')")
        assert cursor.fetchone() == (None, "message_tracking")
    databases.drop(first)
    databases.drop(second)
    with pytest.raises(psycopg2.OperationalError):
        psycopg2.connect(first)


def test_redis_is_only_for_those_who_know_its_password(redis_server: Redis) -> None:
    with (
        redis.Redis(host="127.0.0.1", port=redis_server.port, retry=Retry(NoBackoff(), 0)) as stranger,
        pytest.raises(redis.AuthenticationError),
    ):
        stranger.ping()


@pytest.fixture
def bucket(s3: S3Server) -> Iterator[minio.Minio]:
    client = minio.Minio(s3.endpoint, s3.access_key, s3.secret_key, secure=False)
    client.make_bucket("things")
    client.put_object("things", "a/b.txt", io.BytesIO(b"hello"), 5)
    yield client
    s3.clear()


def test_a_presigned_link_opens_without_a_key_until_it_expires(bucket: minio.Minio) -> None:
    link, short = (
        bucket.presigned_get_object("things", "a/b.txt", expires=timedelta(seconds=seconds)) for seconds in (60, 1)
    )
    assert requests.get(link, timeout=PATIENCE).text == "hello"
    wait_until(lambda: "AccessDenied" in requests.get(short, timeout=PATIENCE).text, message="the link to expire")


def test_without_a_signature_the_object_store_gives_nothing(bucket: minio.Minio, s3: S3Server) -> None:
    answer = requests.get(f"http://{s3.endpoint}/things/a/b.txt", timeout=PATIENCE)
    assert answer.status_code in (400, 401, 403)
    assert "hello" not in answer.text


def test_a_frozen_server_comes_back_when_it_is_thawed(redis_server: Redis) -> None:
    with redis.Redis.from_url(redis_server.url(), socket_timeout=0.5, retry=Retry(NoBackoff(), 0)) as client:
        with frozen(redis_server.child), pytest.raises(redis.TimeoutError):
            client.ping()
        wait_until(lambda: redis.Redis.from_url(redis_server.url()).ping(), message="Redis to answer again")
