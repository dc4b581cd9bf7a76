"""The object store (MinIO or any S3): raw webhooks and media. Its failures become StoreError here."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import IO
from urllib.parse import urlsplit, urlunsplit

import certifi
import urllib3
from minio import Minio
from minio.error import MinioException

from relay.core import downloads
from relay.core.certificates import refusal
from relay.core.errors import StoreError

WEBHOOKS_INBOUND = "webhooks-inbound"
WEBHOOKS_OUTBOUND = "webhooks-outbound"
MEDIA_INBOUND = "media-inbound"
MEDIA_OUTBOUND = "media-outbound"
BUCKETS = (WEBHOOKS_INBOUND, WEBHOOKS_OUTBOUND, MEDIA_INBOUND, MEDIA_OUTBOUND)

PART_BYTES = 8 * 1024 * 1024
CHUNK_BYTES = 64 * 1024
LONGEST_LINK = 7 * 86_400
"""Seconds. S3 signs no link for longer."""
MISSING = ("NoSuchKey", "NoSuchBucket", "NoSuchObject", 404)


class ObjectMissingError(StoreError):
    """The store answered: there is no such object. Waiting will not help."""


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
            retries=urllib3.Retry(total=2, backoff_factor=0.2, status_forcelist=(502, 503, 504)),
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
        with _translated():
            for bucket in BUCKETS:
                if not self._client.bucket_exists(bucket):
                    self._make(bucket)

    def missing_buckets(self) -> list[str]:
        """Those of the four that are not there. Changes nothing. Raises StoreError."""
        with _translated():
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
        """Store `size` bytes of `file`, at most PART_BYTES of it in memory. Whoever gets it gets it as a download."""
        metadata = {"Content-Disposition": downloads.disposition(filename)}
        with _translated():
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
        with _translated():
            response = self._client.get_object(bucket, key, offset=offset, length=length or 0)
        try:
            yield _chunks(response)
        finally:
            response.close()
            response.release_conn()

    def size(self, bucket: str, key: str) -> int:
        """In bytes. Raises ObjectMissingError."""
        with _translated():
            return self._client.stat_object(bucket, key).size or 0

    def exists(self, bucket: str, key: str) -> bool:
        try:
            self.size(bucket, key)
        except ObjectMissingError:
            return False
        return True

    def delete(self, bucket: str, key: str) -> None:
        """Gone afterwards, also when it never was there."""
        with _translated():
            self._client.remove_object(bucket, key)

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
            with _translated():
                return self._client.bucket_exists(MEDIA_INBOUND)
        except StoreError:
            return False

    def close(self) -> None:
        self._pool.clear()


def _region(host: str) -> str | None:
    """Fixed, so that signing asks nobody; AWS names its region in the host."""
    return None if host.endswith(("amazonaws.com", "amazonaws.com.cn")) else "us-east-1"


def _chunks(response: urllib3.BaseHTTPResponse) -> Iterator[bytes]:
    with _translated():
        yield from response.stream(CHUNK_BYTES)


@contextmanager
def _translated() -> Iterator[None]:
    try:
        yield
    except MinioException as error:
        # An answer without a body, as some servers give to a GET, carries the bare HTTP status.
        code = getattr(error, "code", None) or getattr(error, "_code", None) or type(error).__name__
        kind = ObjectMissingError if code in MISSING else StoreError
        raise kind(f"the object store refused: {code}") from error
    except (urllib3.exceptions.HTTPError, OSError) as error:
        # The text of urllib3's errors holds the whole URL, key and signature included.
        why = refusal(error) or type(error).__name__
        raise StoreError(f"the object store did not answer: {why}") from None
