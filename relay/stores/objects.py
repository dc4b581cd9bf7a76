"""The object store (MinIO or any S3): raw webhooks and media. `object_errors` says what its failures mean."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from typing import IO
from urllib.parse import urlsplit, urlunsplit

import certifi
import structlog
import urllib3
from minio import Minio
from minio.deleteobjects import DeleteObject
from minio.error import MinioException
from prometheus_client import Counter

from relay.core import downloads
from relay.core.episode import Episode
from relay.core.errors import StoreError
from relay.stores.object_errors import FileRefusedError, ObjectMissingError, ObjectStoreError, judged

__all__ = ["FileRefusedError", "ObjectMissingError", "ObjectStore", "ObjectStoreError"]

WEBHOOKS_INBOUND = "webhooks-inbound"
WEBHOOKS_OUTBOUND = "webhooks-outbound"
MEDIA_INBOUND = "media-inbound"
MEDIA_OUTBOUND = "media-outbound"
BUCKETS = (WEBHOOKS_INBOUND, WEBHOOKS_OUTBOUND, MEDIA_INBOUND, MEDIA_OUTBOUND)

PART_BYTES = 8 * 1024 * 1024
CHUNK_BYTES = 64 * 1024
LONGEST_LINK = 7 * 86_400
"""Seconds. S3 signs no link for longer."""
FAILURES = Counter(
    "relay_object_store_failures_total", "Calls that the object store did not do; each is waited for", ["kind"]
)

log = structlog.get_logger(__name__)


class ObjectStore:
    """Streams files in and out of the four buckets, and signs links that others may follow.

    `public_url` is where others reach the store. Its path, if it has one, is taken for a prefix
    that a proxy removes, so it is no part of what is signed. `authorities` is the file of those
    that may vouch for the store; left out, the public ones.
    """

    def __init__(
        self,
        endpoint: str,
        access_key: str,
        secret_key: str,
        secure: bool,
        public_url: str,
        authorities: str | None = None,
    ) -> None:
        self._pool = urllib3.PoolManager(
            maxsize=32,
            timeout=urllib3.Timeout(connect=3, read=20),
            # At the end the last answer is read, for it says why.
            retries=urllib3.Retry(total=2, backoff_factor=0.2, status_forcelist=(502, 503, 504), raise_on_status=False),
            cert_reqs="CERT_REQUIRED",
            ca_certs=authorities or certifi.where(),
        )
        self._client = Minio(
            endpoint,
            access_key,
            secret_key,
            secure=secure,
            region=_region(endpoint.partition(":")[0]),
            http_client=self._pool,
        )
        self._episode = Episode()
        public = urlsplit(public_url)
        self._public_path = public.path.rstrip("/")
        self._signer = Minio(
            public.netloc,
            access_key,
            secret_key,
            secure=public.scheme == "https",
            region=_region(public.hostname or ""),
            http_client=self._pool,
        )

    def ensure_buckets(self) -> None:
        """Create what is missing of the four buckets."""
        with self._judging():
            for bucket in BUCKETS:
                if not self._client.bucket_exists(bucket):
                    self._make(bucket)

    def missing_buckets(self) -> list[str]:
        """Those of the four that are not there. Changes nothing. Raises StoreError."""
        with self._judging():
            return [bucket for bucket in BUCKETS if not self._client.bucket_exists(bucket)]

    def _make(self, bucket: str) -> None:
        try:
            self._client.make_bucket(bucket)
        except MinioException:
            if not self._client.bucket_exists(bucket):  # else another process was quicker
                raise

    def put(
        self, bucket: str, key: str, file: IO[bytes], size: int, mime_type: str, filename: str | None = None
    ) -> None:
        """Store `size` bytes of `file`, at most PART_BYTES of it in memory. Whoever gets it gets it as a download.

        Raises ObjectStoreError, and FileRefusedError where the store takes no such file.
        """
        begin = file.tell()
        try:
            self._put(bucket, key, file, size, mime_type, filename)
        except ObjectStoreError as error:
            if error.kind != "bucket":
                raise
            log.warning("bucket_made_anew", bucket=bucket)
            with self._judging():
                self._make(bucket)
            file.seek(begin)
            self._put(bucket, key, file, size, mime_type, filename)

    def _put(self, bucket: str, key: str, file: IO[bytes], size: int, mime_type: str, filename: str | None) -> None:
        metadata = {"Content-Disposition": downloads.disposition(filename)}
        with self._judging():
            self._client.put_object(
                bucket,
                key,
                file,  # type: ignore[arg-type]
                size,
                content_type=downloads.type_to_serve(mime_type),
                metadata=metadata,  # type: ignore[arg-type]
                part_size=PART_BYTES,
                num_parallel_uploads=1,
            )

    @contextmanager
    def open(self, bucket: str, key: str, offset: int = 0, length: int | None = None) -> Iterator[Iterator[bytes]]:
        """The object's bytes, or `length` of them, in chunks, read as they are asked for. Raises ObjectMissingError."""
        with self._judging():
            response = self._client.get_object(bucket, key, offset=offset, length=length or 0)
        try:
            yield self._chunks(response)
        finally:
            response.close()
            response.release_conn()

    def size(self, bucket: str, key: str) -> int:
        """In bytes. Raises ObjectMissingError."""
        with self._judging():
            return self._client.stat_object(bucket, key).size or 0

    def exists(self, bucket: str, key: str) -> bool:
        try:
            self.size(bucket, key)
        except ObjectMissingError:
            return False
        return True

    def delete(self, bucket: str, key: str) -> None:
        """Gone afterwards, also when it never was there."""
        with self._judging():
            self._client.remove_object(bucket, key)

    def keys(self, bucket: str, prefix: str) -> Iterator[str]:
        """All that begin so, in order, asked for by the thousand as they are taken. Raises StoreError."""
        with self._judging():
            for one in self._client.list_objects(bucket, prefix=prefix, recursive=True):
                yield str(one.object_name)

    def delete_all(self, bucket: str, keys: Sequence[str]) -> None:
        """Gone afterwards, also those that never were there. Raises StoreError for the first that is refused."""
        with self._judging():
            for error in self._client.remove_objects(bucket, (DeleteObject(key) for key in keys)):
                raise ObjectStoreError(f"{error.code}: an object of {bucket} was not deleted", "refused")

    def presign(self, bucket: str, key: str, seconds: float, filename: str | None = None, mime_type: str = "") -> str:
        """A link that anybody may GET for `seconds` (LONGEST_LINK at most). Signed here, without a call.

        Type and disposition are part of what is signed: however an object was stored, it leaves as a download.
        """
        headers = {
            "response-content-disposition": downloads.disposition(filename),
            "response-content-type": downloads.type_to_serve(mime_type),
        }
        url = self._signer.presigned_get_object(
            bucket,
            key,
            timedelta(seconds=min(max(int(seconds), 1), LONGEST_LINK)),
            response_headers=headers,  # type: ignore[arg-type]
        )
        parts = urlsplit(url)
        return urlunsplit(parts._replace(path=self._public_path + parts.path))

    def ping(self) -> bool:
        """Whether the store answers."""
        try:
            with self._judging():
                return self._client.bucket_exists(MEDIA_INBOUND)
        except StoreError:
            return False

    def close(self) -> None:
        self._pool.clear()

    def _chunks(self, response: urllib3.BaseHTTPResponse) -> Iterator[bytes]:
        with self._judging():
            yield from response.stream(CHUNK_BYTES)

    @contextmanager
    def _judging(self) -> Iterator[None]:
        """Around each call: what it raises is ObjectStoreError or FileRefusedError; trouble is told once."""
        try:
            yield
        except Exception as error:  # noqa: BLE001 - also what the library makes of an answer that is not S3's
            meant = judged(error)
            if isinstance(meant, ObjectStoreError) and not isinstance(meant, ObjectMissingError):
                self._failed(meant)
            # The error itself may hold the whole URL, signature included.
            raise meant from (error if isinstance(error, MinioException) else None)
        lasted = self._episode.worked(time.monotonic())
        if lasted is not None:
            log.warning("object_store_works_again", seconds=round(lasted, 1))

    def _failed(self, error: ObjectStoreError) -> None:
        FAILURES.labels(error.kind).inc()
        if self._episode.failed(time.monotonic()):
            log.warning("object_store_in_trouble", kind=error.kind, error=str(error))


def _region(host: str) -> str | None:
    """Fixed, so that signing asks nobody; AWS names its region in the host."""
    return None if host.endswith(("amazonaws.com", "amazonaws.com.cn")) else "us-east-1"
