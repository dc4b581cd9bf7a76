"""Whose fault an error of the object store is, and of which kind: the one place that judges it.

ObjectStoreError          the store is in trouble, whatever the file: wait, keep it, try again
└── ObjectMissingError    it answered: there is no such object; waiting will not help
FileRefusedError          it will never take this file: what can be carried goes on without it
"""

from __future__ import annotations

import re
from typing import Literal

from minio.error import MinioException

from relay.core.certificates import refusal
from relay.core.errors import CannotCarry, StoreError

Kind = Literal["unreachable", "busy", "full", "refused", "clock", "bucket", "internal", "other"]

MISSING = ("NoSuchKey", "NoSuchObject", "NoSuchVersion")
FILE = (
    "EntityTooLarge", "EntityTooSmall", "MetadataTooLarge", "KeyTooLongError", "InvalidObjectName",
    "XMinioInvalidObjectName", "XMinioObjectExistsAsDirectory", "ObjectLocked",
)  # fmt: skip
CODES: dict[str, Kind] = {
    "NoSuchBucket": "bucket",
    "SlowDown": "busy",
    "SlowDownRead": "busy",
    "SlowDownWrite": "busy",
    "ServiceUnavailable": "busy",
    "TooManyRequests": "busy",
    "RequestLimitExceeded": "busy",
    "XMinioServerNotInitialized": "busy",
    "XMinioStorageFull": "full",
    "InsufficientStorage": "full",
    "QuotaExceeded": "full",
    "XMinioAdminBucketQuotaExceeded": "full",
    "AccessDenied": "refused",
    "AllAccessDisabled": "refused",
    "AccountProblem": "refused",
    "InvalidAccessKeyId": "refused",
    "SignatureDoesNotMatch": "refused",
    "ExpiredToken": "refused",
    "InvalidToken": "refused",
    "RequestTimeTooSkewed": "clock",
    "InternalError": "internal",
}
# An answer without S3's own body, as some servers give to a GET, and proxies to anything.
STATUSES: dict[int, Kind] = {
    401: "refused", 403: "refused", 429: "busy", 500: "internal", 502: "unreachable", 503: "busy", 504: "unreachable",
    507: "full",
}  # fmt: skip
TOO_LARGE, NOT_FOUND = 413, 404
CODE = re.compile(r"<Code>(\w+)</Code>")

ADVICE: dict[Kind, str] = {
    "full": "make room in it, or raise its quota",
    "refused": "compare MINIO_ACCESS_KEY and MINIO_SECRET_KEY, and what they may do with the four buckets",
    "clock": "set the clock of this machine, or of the store, right",
    "bucket": "it is made anew with the next file, if the credentials may do that",
}


class ObjectStoreError(StoreError):
    """The object store did not answer, or refuses whatever it is asked. Nothing is wrong with the file."""

    def __init__(self, text: str, kind: Kind) -> None:
        super().__init__(f"{text}: {ADVICE[kind]}" if kind in ADVICE else text)
        self.kind: Kind = kind


class ObjectMissingError(ObjectStoreError):
    """The store answered: there is no such object. Waiting will not help."""


class FileRefusedError(CannotCarry):
    """The store answered that it takes no such file, however often it is asked."""


def _code(error: MinioException) -> str | int | None:
    """S3's own word, else the HTTP status: its library reads no answer that calls itself text/xml."""
    body = CODE.search(getattr(error, "_body", None) or "")
    said: str | int | None = body[1] if body else getattr(error, "code", None)
    return said or getattr(error, "_code", None) or getattr(error, "status_code", None)


def judged(error: Exception) -> ObjectStoreError | FileRefusedError:
    """What whatever its client library raised means."""
    if not isinstance(error, MinioException):
        # The text of urllib3's errors holds the whole URL, key and signature included.
        why = refusal(error) or type(error).__name__
        return ObjectStoreError(f"the object store did not answer: {why}", "unreachable")
    code = _code(error)
    said = f"the object store refused: {code or type(error).__name__}"
    if code in MISSING or code == NOT_FOUND:
        return ObjectMissingError(said, "other")
    if code in FILE or code == TOO_LARGE:
        return FileRefusedError("not_storable", f"our object store takes no such file ({code})")
    kind = STATUSES.get(code) if isinstance(code, int) else CODES.get(str(code))
    response = getattr(error, "response", None)
    return ObjectStoreError(said, kind or STATUSES.get(getattr(response, "status", 0), "other"))
