"""DEAD_LETTERS: updates that nobody could decode. Looked at, and brought back once the cause is mended."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any

from relay.broker.connect import open_link
from relay.broker.envelopes import Outgoing
from relay.broker.updates import packed, unpacked
from relay.core.messages import Update, dump, load
from relay.core.queues import DEAD_LETTERS

AT_ONCE = 100


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """One update as it came, and why it lies here."""

    body: bytes = field(repr=False)
    reason: str


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
        """The first ones, AT_ONCE at most. They stay where they are."""
        with self._channel() as (link, channel):
            taken = self._taken(link, channel, most)
            with link.operation():
                link.close_channel(channel, [tag for _, tag in taken])
        return [letter for letter, _ in taken]

    def bring_back(
        self, route: Callable[[bytes], Outgoing | None], publish: Callable[[list[Outgoing]], Any], most: int
    ) -> tuple[int, int]:
        """Publish what `route` finds a way for, and only then let go of it; the rest stays.

        (how many went, how many stayed) of the first ones, AT_ONCE at most.
        """
        with self._channel() as (link, channel):
            taken = self._taken(link, channel, most)
            routed = [(tag, out) for letter, tag in taken if (out := route(letter.body)) is not None]
            # Confirmed first: published twice is absorbed by the message's key, lost by nothing.
            publish([out for _, out in routed])
            gone = {tag for tag, _ in routed}
            with link.operation():
                for tag in gone:
                    channel.basic_ack(tag)
                link.close_channel(channel, [tag for _, tag in taken if tag not in gone])
        return len(gone), len(taken) - len(gone)

    def _taken(self, link: Any, channel: Any, most: int) -> list[tuple[DeadLetter, Any]]:
        found: list[tuple[DeadLetter, Any]] = []
        while len(found) < min(most, AT_ONCE):
            with link.operation():
                raw = channel.basic_get(DEAD_LETTERS)
            if raw is None:
                break
            body, tag, headers, _ = link.content(raw)
            found.append((DeadLetter(body, str(headers.get("reason", ""))), tag))
        return found

    @contextmanager
    def _channel(self) -> Iterator[tuple[Any, Any]]:
        link = open_link(self._url)
        try:
            with link.operation():
                channel = link.channel()
            yield link, channel
        finally:
            link.close()
