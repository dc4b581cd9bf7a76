"""What a message of an intake queue holds: updates of one line and one queue, each a line of JSON, in their order.

A message for each update costs a publish, a confirm, a delivery and an ack for each; a webhook with a hundred items
touches a few queues only. A message with one update is what every message was before.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from relay.broker.envelopes import TRACE, Outgoing
from relay.core.messages import Update
from relay.core.queues import EXCHANGE, queue_number

MOST_UPDATES = 64
MOST_BYTES = 256 * 1024
"""Of one message, unless a single update has more: a daemon takes a message in as a whole."""
MIME_TYPE = re.compile(r"[!-~ ]{1,255}")
"""What may stand in a header: headers have to fit into one frame, and providers name types of any length."""

Written = tuple[Update, bytes]
"""An update, and itself as JSON."""


def packed(updates: Iterable[Written], shards: int, trace: str | None = None) -> list[Outgoing]:
    """The messages for all of them. What goes to the same queue for the same line keeps its order.

    `trace`: the traceparent of the webhook that brought them, if it is traced.
    """
    queues: dict[tuple[str, str, int], list[Written]] = {}
    for one in updates:
        update = one[0]
        number = queue_number(update.line_id, update.address, shards)
        queues.setdefault((EXCHANGE[update.channel], update.line_id, number), []).append(one)
    return [
        Outgoing(
            exchange, str(number), b"\n".join(body for _, body in group), _headers([one for one, _ in group], trace)
        )
        for (exchange, _, number), found in queues.items()
        for group in _groups(found)
    ]


def unpacked(body: bytes) -> list[bytes]:
    """Each update as JSON; one at least, whatever the body is."""
    return body.split(b"\n")


def how_many(body: bytes) -> int:
    """Updates that it holds: as many as `unpacked` finds, without a copy of them."""
    return body.count(b"\n") + 1


def _groups(updates: Sequence[Written]) -> Iterator[Sequence[Written]]:
    first, size = 0, 0
    for place, (_, body) in enumerate(updates):
        size += len(body)
        if place > first and (place - first == MOST_UPDATES or size > MOST_BYTES):
            yield updates[first:place]
            first, size = place, len(body)
    yield updates[first:]


def _headers(updates: Sequence[Update], trace: str | None) -> dict[str, Any]:
    """`lineId` and `arrivedAt` are what a daemon goes by before it reads the body."""
    kinds = dict.fromkeys(one.media_type for one in updates if one.media_type)
    types = dict.fromkeys(one.mime_type for one in updates if one.mime_type and MIME_TYPE.fullmatch(one.mime_type))
    return {
        "tenantId": updates[0].tenant_id,
        "lineId": updates[0].line_id,
        "arrivedAt": min(one.arrived_at for one in updates),
        "mediaType": ",".join(kinds),
        "mimeType": ",".join(types),
        **({} if trace is None else {TRACE: trace}),
    }
