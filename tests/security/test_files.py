"""No file that a customer or an agent sent runs as a page of ours, whatever its type and whenever stored."""

from __future__ import annotations

import io
from collections.abc import Iterator

import minio
import pytest
import requests

from demo.stack import S3Server as Server
from relay.core.downloads import NEUTRAL
from relay.stores.objects import MEDIA_INBOUND, ObjectStore
from tests.waiting import PATIENCE

PAGE = b"<script>alert(document.domain)</script>"
ACTIVE = (
    ("text/html", "offer.html"),
    ("text/html", None),
    ("application/xhtml+xml", "offer.xhtml"),
    ("image/svg+xml", "logo.svg"),
    ("text/xml", "feed.xml"),
    ("", None),
)


@pytest.fixture
def store(s3: Server) -> Iterator[ObjectStore]:
    made = ObjectStore(s3.endpoint, s3.access_key, s3.secret_key, False, f"http://{s3.endpoint}")
    made.ensure_buckets()
    yield made
    made.close()


@pytest.mark.parametrize(("mime_type", "filename"), ACTIVE)
def test_no_link_opens_as_a_page(store: ObjectStore, mime_type: str, filename: str | None) -> None:
    store.put(MEDIA_INBOUND, "a/b", io.BytesIO(PAGE), len(PAGE), mime_type, filename)
    _is_a_download(store.presign(MEDIA_INBOUND, "a/b", 60, filename, mime_type))
    _is_a_download(store.presign(MEDIA_INBOUND, "a/b", 60))


def test_nor_does_one_to_what_was_stored_with_its_type(store: ObjectStore, s3: Server) -> None:
    client = minio.Minio(s3.endpoint, s3.access_key, s3.secret_key, secure=False)
    client.put_object(MEDIA_INBOUND, "a/old", io.BytesIO(PAGE), len(PAGE), content_type="text/html")
    _is_a_download(store.presign(MEDIA_INBOUND, "a/old", 60, "offer.html", "text/html"))


def test_nor_one_whose_signed_type_was_changed(store: ObjectStore) -> None:
    store.put(MEDIA_INBOUND, "a/c", io.BytesIO(PAGE), len(PAGE), "text/html", "offer.html")
    link = store.presign(MEDIA_INBOUND, "a/c", 60, "offer.html", "text/html")
    for ours, theirs in (("application%2Foctet-stream", "text%2Fhtml"), ("attachment", "inline")):
        assert ours in link
        assert requests.get(link.replace(ours, theirs), timeout=PATIENCE).status_code in (400, 403)


def test_an_object_leaves_as_a_download_without_a_link_of_ours(store: ObjectStore, s3: Server) -> None:
    """As somebody else's tools, or a bucket opened by mistake, would hand it out."""
    store.put(MEDIA_INBOUND, "a/d", io.BytesIO(PAGE), len(PAGE), "text/html", None)
    client = minio.Minio(s3.endpoint, s3.access_key, s3.secret_key, secure=False)
    _is_a_download(client.presigned_get_object(MEDIA_INBOUND, "a/d"))


def _is_a_download(link: str) -> None:
    answer = requests.get(link, timeout=PATIENCE)
    assert (answer.status_code, answer.content) == (200, PAGE)
    assert answer.headers["Content-Type"] == NEUTRAL
    assert answer.headers["Content-Disposition"].partition(";")[0] == "attachment"
