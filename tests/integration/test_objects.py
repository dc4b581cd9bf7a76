"""The object store: files in and out, links that work without credentials and expire."""

import io
import os
from collections.abc import Iterator

import pytest
import requests

from demo.stack import S3Server as Server
from demo.stack.ports import free_port
from relay.core.errors import StoreError
from relay.stores.objects import BUCKETS, MEDIA_INBOUND, ObjectMissingError, ObjectStore
from tests.waiting import PATIENCE, wait_until

KEY = "tenant/2026/11/23/Grüße & mehr.png"


def store_of(server: Server, public_url: str | None = None) -> ObjectStore:
    public = public_url or f"http://{server.endpoint}"
    return ObjectStore(server.endpoint, server.access_key, server.secret_key, False, public)


@pytest.fixture
def store(s3: Server) -> Iterator[ObjectStore]:
    made = store_of(s3)
    made.ensure_buckets()
    yield made
    made.close()


def put(store: ObjectStore, data: bytes, key: str = KEY) -> None:
    store.put(MEDIA_INBOUND, key, io.BytesIO(data), len(data), "image/png", "Grüße.png")


def test_the_buckets_are_made_and_making_them_again_is_fine(store: ObjectStore) -> None:
    store.ensure_buckets()
    assert set(BUCKETS) == {"webhooks-inbound", "webhooks-outbound", "media-inbound", "media-outbound"}
    assert store.ping()


@pytest.mark.parametrize("size", [0, 1, 20_000_000])
def test_what_goes_in_comes_out(store: ObjectStore, size: int) -> None:
    data = os.urandom(size)
    put(store, data)
    with store.open(MEDIA_INBOUND, KEY) as chunks:
        assert b"".join(chunks) == data
    assert store.exists(MEDIA_INBOUND, KEY)
    store.delete(MEDIA_INBOUND, KEY)
    store.delete(MEDIA_INBOUND, KEY)
    assert not store.exists(MEDIA_INBOUND, KEY)


def test_a_link_works_for_anybody_and_expires(store: ObjectStore) -> None:
    put(store, b"picture")
    link = store.presign(MEDIA_INBOUND, KEY, 60, filename='Grüße";x.png', mime_type="image/png")
    answer = requests.get(link, timeout=PATIENCE)
    assert (answer.status_code, answer.content) == (200, b"picture")
    assert answer.headers["Content-Type"] == "image/png"
    assert answer.headers["Content-Disposition"].startswith("attachment;")
    short = store.presign(MEDIA_INBOUND, KEY, 1)
    wait_until(lambda: requests.get(short, timeout=PATIENCE).status_code in (400, 403), message="the link to expire")


def test_a_link_for_another_object_is_refused(store: ObjectStore) -> None:
    put(store, b"picture")
    link = store.presign(MEDIA_INBOUND, KEY, 60)
    assert requests.get(link.replace("tenant/2026", "tenant/2025"), timeout=PATIENCE).status_code in (400, 403)


def test_a_link_is_signed_for_the_public_address_without_a_call(s3: Server) -> None:
    elsewhere = f"https://files.example.invalid:{free_port()}/prefix"
    store = store_of(s3, elsewhere)
    link = store.presign(MEDIA_INBOUND, "a/b", 60)
    assert link.startswith(f"{elsewhere}/media-inbound/a/b?")
    store.close()


def test_a_missing_object_is_not_the_stores_fault(store: ObjectStore) -> None:
    with pytest.raises(ObjectMissingError), store.open(MEDIA_INBOUND, "nowhere"):
        pass


def test_a_store_that_is_away_is_a_store_error_without_secrets() -> None:
    port = free_port()
    store = ObjectStore(f"127.0.0.1:{port}", "access-key", "secret-key-1234", False, f"http://127.0.0.1:{port}")
    with pytest.raises(StoreError) as caught:
        put(store, b"picture")
    assert "Signature" not in str(caught.value)
    assert not store.ping()
    store.close()


def test_wrong_credentials_are_a_store_error(s3: Server) -> None:
    store = ObjectStore(s3.endpoint, s3.access_key, "not-the-secret-key", False, f"http://{s3.endpoint}")
    with pytest.raises(StoreError):
        store.ensure_buckets()
    store.close()
