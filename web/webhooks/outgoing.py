"""What a webhook becomes at the broker: a message for each line and queue that its updates go to, and its raw body."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from uuid import uuid4

import orjson

from db.tenants.lines import LineRoute
from relay.broker.publisher import Outgoing
from relay.broker.updates import Written, packed
from relay.channels.raw_update import RawUpdate
from relay.core.brevity import shallow
from relay.core.messages import Update, dump
from relay.core.queues import WEBHOOK_ARCHIVE
from web.webhooks.budget import UPDATE_MOST_BYTES

__all__ = ["Outgoing", "archive", "updates"]


def updates(
    channel: str,
    accepted: Iterable[tuple[RawUpdate, LineRoute]],
    arrived_at: float,
    shards: int,
    signer: str,
    trace: str | None = None,
) -> tuple[list[Outgoing], list[RawUpdate]]:
    """The messages, and the updates that are too large or cannot be written as JSON.

    `signer`: the digest of the proving secret; `trace`: the traceparent of what comes of it.
    """
    written: list[Written] = []
    left: list[RawUpdate] = []
    for part, route in accepted:
        update = Update(
            channel=channel,
            tenant_id=route.tenant_id,
            line_id=route.line_id,
            address=part.address,
            arrived_at=arrived_at,
            index=part.index,
            payload=part.payload,
            media_type=part.media_type,
            mime_type=part.mime_type,
            signer=signer,
            language=route.language,
        )
        body = _encoded(update)
        if body is None or len(body) > UPDATE_MOST_BYTES:
            left.append(part)
            continue
        written.append((update, body))
    return packed(written, shards, trace), left


def _encoded(update: Update) -> bytes | None:
    """Without what is nested deeper than can be written; None where even that does not help."""
    for one in (update, replace(update, payload=shallow(update.payload))):
        try:
            return dump(one)
        except TypeError:  # orjson's
            continue
    return None


def archive(channel: str, raw: bytes, arrived_at: float, owners: dict[str, list[str]], alone: bool) -> Outgoing:
    """The raw body behind one line of JSON that says whose it is (read by relay.actors.archiver).

    Droppable: where the archive's queue is full, the messages go all the same.
    """
    about = {
        "id": uuid4().hex,
        "channel": channel,
        "received_at": arrived_at,
        "owners": owners,
        "alone": alone,
    }
    body = orjson.dumps(about) + b"\n" + raw
    return Outgoing("", WEBHOOK_ARCHIVE, body, {"channel": channel}, "application/octet-stream", droppable=True)
