"""Where raw webhooks are kept, and what each tenant gets of one that it shares with others."""

from __future__ import annotations

import base64
import gzip
import json
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import orjson

NAME = re.compile(r"^[A-Za-z0-9-]{1,64}$")
OPERATOR = "_operator"
"""In place of a tenant's id: what belongs to several tenants, or to nobody."""


@dataclass(frozen=True, slots=True)
class Webhook:
    """One POST as web published it: a line of JSON that says whose it is, then the body."""

    id: str
    channel: str
    received_at: float
    owners: dict[str, list[str]]
    """Tenant id to its lines' ids at the provider."""
    alone: bool
    """All of it is the one owner's."""
    raw: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class ArchiveCopy:
    """What one tenant, or the operator, gets of a webhook."""

    owner: str
    id: str
    received_at: float
    raw: bytes = field(repr=False)


def read(body: bytes) -> Webhook:
    """Raises ValueError when web did not write this."""
    first, found, raw = body.partition(b"\n")
    about = orjson.loads(first)
    if not found or not isinstance(about, dict):
        raise ValueError("no line that says whose this is")
    try:
        webhook = Webhook(
            str(about["id"]),
            str(about["channel"]),
            float(about["received_at"]),
            {str(owner): [str(ref) for ref in refs] for owner, refs in about["owners"].items()},
            bool(about["alone"]),
            raw,
        )
        datetime.fromtimestamp(webhook.received_at, UTC)
    except (KeyError, TypeError, AttributeError, OverflowError, OSError) as error:
        raise ValueError(f"the line that says whose this is lacks {error}") from error
    if not all(NAME.match(name) for name in (webhook.id, *webhook.owners)):
        raise ValueError("an id that cannot be part of an object's key")
    return webhook


def copies(webhook: Webhook, keep: Callable[[Any, set[str]], Any]) -> list[ArchiveCopy]:
    """The whole for its only owner; else the whole for the operator, and for each tenant its own changes."""
    if webhook.alone and len(webhook.owners) == 1:
        return [_copy(webhook, owner, webhook.raw) for owner in webhook.owners]
    found = [_copy(webhook, OPERATOR, webhook.raw)]
    if webhook.owners:
        body = json.loads(webhook.raw)
        for owner, refs in webhook.owners.items():
            found.append(_copy(webhook, owner, json.dumps(keep(body, set(refs))).encode()))
    return found


def object_key(copy: ArchiveCopy, suffix: str = "json") -> str:
    """The same for the same webhook: writing it twice leaves one object."""
    at = datetime.fromtimestamp(copy.received_at, UTC)
    return f"{copy.owner}/{at:%Y/%m/%d/%H%M%S}-{copy.id}.{suffix}"


def media_key(tenant_id: str, line_id: str, message_id: str, at: float) -> str:
    """Of a message's file, kept at `at` (Unix seconds): retention goes by the day, which is UTC's."""
    return f"{tenant_id}/{datetime.fromtimestamp(at, UTC):%Y/%m/%d}/{line_id}/{message_id}"


def packed(together: Sequence[ArchiveCopy]) -> bytes:
    """Many in one object: gzip, one JSON object per line, the body as it came."""
    lines = [orjson.dumps({"id": one.id, "received_at": one.received_at, **_text(one.raw)}) for one in together]
    return gzip.compress(b"\n".join(lines) + b"\n", compresslevel=3, mtime=0)


def _copy(webhook: Webhook, owner: str, raw: bytes) -> ArchiveCopy:
    return ArchiveCopy(owner, webhook.id, webhook.received_at, raw)


def _text(raw: bytes) -> dict[str, str]:
    try:
        return {"body": raw.decode()}
    except UnicodeDecodeError:
        return {"body_base64": base64.b64encode(raw).decode()}
