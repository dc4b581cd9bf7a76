"""DEAD_LETTERS: updates that nobody could decode. Looked at, and brought back once the cause is mended."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any

import gevent

from relay.broker.connect import open_link
from relay.broker.envelopes import Outgoing
from relay.broker.updates import packed, unpacked
from relay.core.messages import Update, dump, load
from relay.core.queues import DEAD_LETTERS

AT_ONCE = 100
"""So many are published, and confirmed, together."""
MOST_SEEN = 10_000
"""One look goes no further into the queue: whatever is taken stays with the broker meanwhile, and it keeps account."""

BACK_SECONDS = 2.0
"""At most until what was looked at waits again. Somebody else may look at it by then."""


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """One update as it came, and why it lies here."""

    body: bytes = field(repr=False)
    reason: str

    @property
    def id(self) -> str:
        """By which it can be named: the broker gives it none."""
        return hashlib.sha256(self.body).hexdigest()[:32]


def route(body: bytes, shards: int, proved: Callable[[Update], bool]) -> Outgoing | None:
    """Back to the queue that it came from; None where that cannot be told, or where its proof no longer counts.

    A daemon that takes one update a message buries a message with several as a whole: that goes back as a whole.
    """
    try:
        updates = [load(Update, one) for one in unpacked(body)]
        messages = packed([(one, dump(one)) for one in updates], shards)
    except (ValueError, KeyError):
        return None
    if not all(proved(one) for one in updates) or len(messages) != 1:
        return None
    return replace(messages[0], body=body)


class DeadLetters:
    """Connects for each call: hardly anybody ever asks. Raises BrokerError."""

    def __init__(self, url: str) -> None:
        self._url = url

    def count(self) -> int:
        with self._channel() as (link, channel), link.operation():
            return int(link.depth(channel, DEAD_LETTERS))

    def peek(self, most: int) -> list[DeadLetter]:
        """So many, MOST_SEEN at most. They stay, though not always in their order: a quorum queue forgets it."""
        with self._channel() as (link, channel):
            taken = list(self._taken(link, channel, min(most, MOST_SEEN)))
            _put_back(link, channel, [tag for _, tag in taken])
        return [letter for letter, _ in taken]

    def bring_back(
        self, route: Callable[[DeadLetter], Outgoing | None], publish: Callable[[list[Outgoing]], Any], most: int
    ) -> tuple[int, int]:
        """Publish what `route` finds a way for, and only then let go of it; the rest stays.

        (how many went, `most` at most; how many of those before them stayed). What stays is passed over, wherever it
        lies: MOST_SEEN are looked at.
        """
        gone, seen = 0, 0
        stay: list[Any] = []
        with self._channel() as (link, channel):
            while gone < most and seen < MOST_SEEN:
                taken = list(self._taken(link, channel, min(AT_ONCE, most - gone, MOST_SEEN - seen)))
                if not taken:
                    break
                seen += len(taken)
                routed = [(tag, out) for letter, tag in taken if (out := route(letter)) is not None]
                # Confirmed first: published twice is absorbed by the message's key, lost by nothing.
                publish([out for _, out in routed])
                tags = {tag for tag, _ in routed}
                with link.operation():
                    for tag in tags:
                        channel.basic_ack(tag)
                gone += len(tags)
                stay += [tag for _, tag in taken if tag not in tags]
            _put_back(link, channel, stay)
        return gone, len(stay)

    def _taken(self, link: Any, channel: Any, most: int) -> Iterator[tuple[DeadLetter, Any]]:
        """The next ones, which nobody else gets until they are acked or the channel is closed."""
        for _ in range(most):
            with link.operation():
                raw = channel.basic_get(DEAD_LETTERS)
            if raw is None:
                return
            body, tag, headers, _ = link.content(raw)
            yield DeadLetter(body, str(headers.get("reason", ""))), tag

    @contextmanager
    def _channel(self) -> Iterator[tuple[Any, Any]]:
        link = open_link(self._url)
        try:
            with link.operation():
                channel = link.channel()
            yield link, channel
        finally:
            link.close()


def _put_back(link: Any, channel: Any, tags: list[Any]) -> None:
    """RabbitMQ does it a moment after it has said so: whoever asked in between would find nothing waiting."""
    with link.operation():
        link.close_channel(channel, tags)
        another = link.channel()
    until = time.monotonic() + BACK_SECONDS
    while time.monotonic() < until:
        with link.operation():
            if link.depth(another, DEAD_LETTERS) >= len(tags):
                return
        gevent.sleep(0.02)
