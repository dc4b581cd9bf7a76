"""All that is kept of a tenant: its settings, every row of its own, and its objects. In small steps, with pauses."""

from __future__ import annotations

import base64
import json
import time
from collections.abc import Iterator, Sequence
from contextlib import closing
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path, PurePosixPath
from typing import Any
from uuid import UUID

from conf.settings import Settings
from db import audit
from db.audit import Author
from db.pool import Pool
from db.tenants import registry
from db.tenants.belongings import BELONGINGS, Belonging
from db.tenants.changes import NotFoundError
from db.views import belonging_rows
from relay.cli.applying import apply
from relay.cli.exporting.folder import ExportFolder
from relay.clients import build_objects
from relay.stores.objects import BUCKETS, ObjectMissingError, ObjectStore

BY = Author("command line")
PART_BYTES = 8 * 1024 * 1024
"""So much JSON is collected for a part, which is in memory once."""
PAUSE_SECONDS = 0.02
"""After each slice: whoever carries messages goes first."""
STATEMENT_SECONDS = 60.0
"""A table that holds mostly others' rows is read through for the next of a tenant's."""
SETTINGS = "settings.yaml"


def export(settings: Settings, tenant_id: str, path: Path, recipients: Sequence[str]) -> Iterator[str]:
    """Go on with the export in this folder, or begin one. Raises NotFoundError, FolderError, StoreError."""
    with (
        Pool(settings.database_url, size=1, statement_seconds=STATEMENT_SECONDS) as pool,
        closing(build_objects(settings)) as objects,
    ):
        if registry.get(pool, tenant_id) is None:
            raise NotFoundError(f"there is no tenant {tenant_id}")
        folder = ExportFolder(path, tenant_id, recipients)
        if folder.complete:
            yield f"{path} holds the whole export already; name another folder for a new one"
            return
        if not folder.parts:
            _record(pool, tenant_id, "tenant.export_begun", {"encrypted": bool(recipients)})
            text = "".join(apply.export(settings, tenant_id))
            folder.add(SETTINGS, SETTINGS, [text.encode()], [])
        for one in BELONGINGS:
            if one.not_exported is None and one.table not in folder.ended:
                yield f"{one.table}: {_table(pool, one, tenant_id, folder)} rows"
        for bucket in BUCKETS:
            if bucket not in folder.ended:
                yield f"{bucket}: {_bucket(objects, bucket, tenant_id, folder)} files"
        folder.finish()
        _record(
            pool, tenant_id, "tenant.exported", {"parts": sum(folder.parts.values()), "encrypted": bool(recipients)}
        )
        yield f"whole: {sum(folder.parts.values())} parts in {path}, with their digests in SHA256SUMS"


def _record(pool: Pool, tenant_id: str, action: str, detail: dict[str, Any]) -> None:
    with pool.transaction() as cursor:
        audit.record(cursor, BY, action, tenant_id=tenant_id, detail=detail)


def _table(pool: Pool, one: Belonging, tenant_id: str, folder: ExportFolder) -> int:
    """What is left of it, in parts. Returns how many rows."""
    last, count = folder.reached.get(one.table, []), 0
    lines: list[bytes] = []
    size = 0
    while True:
        rows, reached = belonging_rows.after(pool, one, tenant_id, last)
        for row in rows:
            lines.append(json.dumps(row, default=_plain).encode() + b"\n")
            size += len(lines[-1])
        count, last = count + len(rows), reached or last
        if lines and (size >= PART_BYTES or not rows):
            number = folder.parts.get(one.table, 0) + 1
            folder.add(one.table, f"tables/{one.table}-{number:05}.jsonl", lines, last)
            lines, size = [], 0
        if not rows:
            folder.end(one.table)
            return count
        time.sleep(PAUSE_SECONDS)


def _bucket(objects: ObjectStore, bucket: str, tenant_id: str, folder: ExportFolder) -> int:
    """Each object is a part of its own, under its key without the tenant. Returns how many were there.

    A store lists keys in their order [S3: ListObjectsV2], so the last one tells where to go on.
    """
    count, [last] = 0, folder.reached.get(bucket) or [""]
    for key in objects.keys(bucket, f"{tenant_id}/"):
        place = PurePosixPath(key)
        if key <= last or ".." in place.parts:
            continue
        try:
            with objects.open(bucket, key) as chunks:
                folder.add(bucket, f"objects/{bucket}/{PurePosixPath(*place.parts[1:])}", chunks, [key])
        except ObjectMissingError:  # its time was over a moment ago
            continue
        count += 1
        time.sleep(PAUSE_SECONDS)
    folder.end(bucket)
    return count


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat()
    if isinstance(value, (UUID, date, Decimal, timedelta)):
        return str(value)
    if isinstance(value, (bytes, memoryview)):
        return base64.b64encode(bytes(value)).decode()
    raise TypeError(f"{type(value).__name__} has no place in an export")
