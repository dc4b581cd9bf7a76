"""Whose fault each error of the object store is: at the real one, else at a server that answers as S3 says it."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest
from gevent.pywsgi import WSGIServer
from minio import Minio
from prometheus_client import REGISTRY
from structlog.testing import capture_logs

from demo.stack import S3Server
from demo.stack.ports import HOST
from relay.stores.objects import (
    MEDIA_INBOUND,
    FileRefusedError,
    ObjectMissingError,
    ObjectStore,
    ObjectStoreError,
)

CODES = {
    "SlowDown": (503, "busy"),
    "ServiceUnavailable": (503, "busy"),
    "InternalError": (500, "internal"),
    "XMinioStorageFull": (507, "full"),
    "QuotaExceeded": (403, "full"),
    "AccessDenied": (403, "refused"),
    "InvalidAccessKeyId": (403, "refused"),
    "SignatureDoesNotMatch": (403, "refused"),
    "ExpiredToken": (400, "refused"),
    "RequestTimeTooSkewed": (403, "clock"),
    "SomethingNew": (400, "other"),
    "SomethingNewAndFull": (507, "full"),
}
FILE = {"EntityTooLarge": 400, "MetadataTooLarge": 400, "KeyTooLongError": 400}


@dataclass
class Answering:
    """A server that answers whatever it is asked with one status and body, and counts."""

    status: int = 200
    body: bytes = b""
    kind: str = "application/xml"
    asked: list[str] = field(default_factory=list)
    endpoint: str = ""

    def say(self, code: str, status: int) -> None:
        self.status = status
        self.body = f"<Error><Code>{code}</Code><Message>so it is</Message></Error>".encode()

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> list[bytes]:
        environ["wsgi.input"].read()
        self.asked.append(f"{environ['REQUEST_METHOD']} {environ['PATH_INFO']}")
        start_response(f"{self.status} So", [("Content-Type", self.kind), ("Content-Length", str(len(self.body)))])
        return [self.body]


@pytest.fixture
def answering() -> Iterator[Answering]:
    made = Answering()
    with closing(WSGIServer((HOST, 0), made, log=None)) as server:
        server.start()
        made.endpoint = f"{HOST}:{server.server_port}"
        yield made


@pytest.fixture
def store(answering: Answering) -> Iterator[ObjectStore]:
    with closing(store_at(answering.endpoint)) as made:
        yield made


def store_at(endpoint: str, access_key: str = "key", secret_key: str = "secret") -> ObjectStore:
    return ObjectStore(endpoint, access_key, secret_key, False, f"http://{endpoint}")


def put(store: ObjectStore, data: bytes = b"picture", key: str = "a/b") -> None:
    store.put(MEDIA_INBOUND, key, io.BytesIO(data), len(data), "image/png", "x.png")


def counted(kind: str) -> float:
    return REGISTRY.get_sample_value("relay_object_store_failures_total", {"kind": kind}) or 0.0


@contextmanager
def trouble(kind: str) -> Iterator[None]:
    before = counted(kind)
    with pytest.raises(ObjectStoreError) as failed:
        yield
    assert (failed.value.kind, counted(kind)) == (kind, before + 1)
    assert "Signature=" not in str(failed.value)


@pytest.mark.parametrize("code", CODES)
def test_what_s3_says_of_itself_is_the_stores_trouble(answering: Answering, store: ObjectStore, code: str) -> None:
    status, kind = CODES[code]
    answering.say(code, status)
    with trouble(kind):
        put(store)


@pytest.mark.parametrize("code", FILE)
def test_what_s3_says_of_the_file_is_not_waited_for(answering: Answering, store: ObjectStore, code: str) -> None:
    answering.say(code, FILE[code])
    with pytest.raises(FileRefusedError) as failed:
        put(store)
    assert (failed.value.code, code in failed.value.text) == ("not_storable", True)


@pytest.mark.parametrize(
    ("status", "kind"), [(403, "refused"), (429, "busy"), (500, "internal"), (502, "unreachable"), (503, "busy")]
)
def test_a_proxys_page_is_judged_by_its_status(
    answering: Answering, store: ObjectStore, status: int, kind: str
) -> None:
    answering.status, answering.body, answering.kind = status, b"<html>no</html>", "text/html"
    with trouble(kind):
        put(store)


def test_a_proxy_that_takes_no_file_of_this_size(answering: Answering, store: ObjectStore) -> None:
    answering.status, answering.body, answering.kind = 413, b"<html>too large</html>", "text/html"
    with pytest.raises(FileRefusedError):
        put(store)


@pytest.mark.parametrize("body", [b"<Error><Code>Slow", b"\xff\xfe", b""])
def test_an_answer_that_is_no_answer_is_the_stores_trouble(
    answering: Answering, store: ObjectStore, body: bytes
) -> None:
    answering.status, answering.body = 400, body
    with pytest.raises(ObjectStoreError):
        put(store)


# At the real one


def test_a_bucket_that_is_gone_is_made_anew_and_the_file_kept(s3: S3Server) -> None:
    client = Minio(s3.endpoint, s3.access_key, s3.secret_key, secure=False)
    with closing(store_at(s3.endpoint, s3.access_key, s3.secret_key)) as store:
        store.ensure_buckets()
        client.remove_bucket(MEDIA_INBOUND)
        file = io.BytesIO(b"..picture")
        file.seek(2)
        store.put(MEDIA_INBOUND, "a/b", file, 7, "image/png")
        with store.open(MEDIA_INBOUND, "a/b") as chunks:
            assert b"".join(chunks) == b"picture"


def test_a_bucket_that_may_not_be_made_anew_is_the_stores_trouble(answering: Answering, store: ObjectStore) -> None:
    answering.say("NoSuchBucket", 404)
    with pytest.raises(ObjectStoreError) as failed:
        put(store)
    assert failed.value.kind == "bucket"
    assert not isinstance(failed.value, ObjectMissingError), "it may come back"
    assert f"PUT /{MEDIA_INBOUND}" in answering.asked


def test_other_credentials(s3: S3Server) -> None:
    with closing(store_at(s3.endpoint, s3.access_key, "another-secret")) as store, trouble("refused"):
        put(store)


def test_a_store_that_is_not_there() -> None:
    with closing(store_at(f"{HOST}:1")) as store, trouble("unreachable"):
        put(store)


def test_trouble_is_told_once(answering: Answering, store: ObjectStore) -> None:
    answering.say("XMinioStorageFull", 507)
    with capture_logs() as logs:
        for _ in range(3):
            with pytest.raises(ObjectStoreError):
                put(store)
    assert [(one["event"], one["kind"]) for one in logs] == [("object_store_in_trouble", "full")]
    assert "make room" in logs[0]["error"]
