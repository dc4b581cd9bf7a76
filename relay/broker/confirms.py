"""Publisher confirms on one AMQP channel shared by many greenlets.

Requests put messages into the outbox; one greenlet writes what has gathered there with one call of the socket, the
link's reader resolves each by delivery tag. One confirm per request costs ten times as much.
"""

from __future__ import annotations

import math
import time
from collections import OrderedDict
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import amqp
import gevent
import structlog
from gevent.event import Event
from gevent.lock import BoundedSemaphore
from gevent.queue import Queue

from relay.broker.connect import Backoff
from relay.broker.envelopes import Outgoing
from relay.broker.errors import ADVICE, BrokerError, Nacked, Unroutable, describe, kind_of
from relay.broker.link import Link
from relay.core.episode import QUIET_SECONDS, Episode

log = structlog.get_logger(__name__)

UNCONFIRMED_LIMIT = 20_000
BURST = 64
BLOCKED_LOOK_SECONDS = 0.5
RECONNECT_SECONDS = (0.1, 2.0)
PERSISTENT = 2


class Publication:
    """What one `send` waits for."""

    def __init__(self) -> None:
        self.done = Event()
        self.abandoned = False
        self.open: dict[int, Outgoing] = {}
        self.failures: list[tuple[Outgoing, BrokerError]] = []

    def add(self, outgoing: Outgoing) -> Unconfirmed:
        unconfirmed = Unconfirmed(self, len(self.open) + len(self.failures), outgoing)
        self.open[unconfirmed.place] = outgoing
        return unconfirmed


class Unconfirmed:
    """One message of a publication on its way to its confirm."""

    __slots__ = ("error", "outgoing", "place", "publication")

    def __init__(self, publication: Publication, place: int, outgoing: Outgoing) -> None:
        self.publication = publication
        self.place = place
        self.outgoing = outgoing
        self.error: BrokerError | None = None

    def resolve(self, error: BrokerError | None = None) -> None:
        error = self.error or error
        self.publication.open.pop(self.place, None)
        if error is not None:
            self.publication.failures.append((self.outgoing, error))
        if not self.publication.open:
            self.publication.done.set()


class ConfirmingSender:
    """The AMQP side of Publisher: connects, writes, resolves, and starts over when the link is lost."""

    def __init__(self, url: str, prepare: Callable[[], None] | None) -> None:
        self._url = url
        self._prepare = prepare
        self._outbox: Queue[Unconfirmed | None] = Queue()
        # Bounds outbox and unconfirmed together: each message holds one until it is resolved.
        self._free_places = BoundedSemaphore(UNCONFIRMED_LIMIT)
        self._unconfirmed: OrderedDict[int, Unconfirmed] = OrderedDict()
        self._closed = Event()
        self._greenlet: gevent.Greenlet | None = None
        self._link: Link | None = None
        self._episode = Episode()
        self._connected_at = math.inf
        self._trouble: BrokerError = BrokerError("not connected yet")

    @property
    def connected(self) -> bool:
        """And the broker takes what is published."""
        return self._link is not None and not self._link.lost.is_set() and self._link.accepting.is_set()

    @property
    def waiting(self) -> int:
        return UNCONFIRMED_LIMIT - int(self._free_places.counter)

    def start(self) -> None:
        if self._greenlet is None and not self._closed.is_set():
            self._greenlet = gevent.spawn(self._run)

    def send(self, outgoing: Sequence[Outgoing], deadline: float) -> list[tuple[Outgoing, BrokerError]]:
        """Publish once; returns what was not confirmed by the deadline, each with its reason."""
        self.start()
        publication = Publication()
        added = [publication.add(one) for one in outgoing]
        for unconfirmed in added:
            if not self._free_places.acquire(timeout=max(deadline - time.monotonic(), 0.001)):
                break
            self._outbox.put(unconfirmed)
        if added and not publication.done.wait(max(deadline - time.monotonic(), 0.001)):
            publication.abandoned = True
            reason = self._reason()
            return publication.failures + [(one, reason) for one in publication.open.values()]
        return publication.failures

    def _reason(self) -> BrokerError:
        """Why there is no confirm."""
        link = self._link
        if link is None or link.lost.is_set():
            return BrokerError(str(self._trouble), self._trouble.kind)
        if not link.accepting.is_set():
            return BrokerError(f"the broker takes nothing for now: {ADVICE['blocked']}", "blocked")
        return BrokerError("no confirm in time", "timeout")

    def close(self) -> None:
        self._closed.set()
        self._outbox.put(None)
        if self._greenlet is not None:
            self._greenlet.join(timeout=5.0)
            self._greenlet.kill(timeout=2.0)

    def _run(self) -> None:
        backoff = Backoff(*RECONNECT_SECONDS)
        while not self._closed.is_set():
            try:
                self._serve(backoff)
            except BrokerError as error:
                self._trouble = error
            # Nobody restarts this greenlet: whatever it is, it is told, and the next round starts afresh.
            except Exception as error:
                self._trouble = BrokerError(f"publisher failed: {type(error).__name__}")
                log.exception("publisher_failed")
            self._fail_unconfirmed()
            self._forget_abandoned()
            if not self._closed.is_set():
                if self._episode.failed(time.monotonic()):
                    log.warning("publisher_disconnected", kind=self._trouble.kind, reason=str(self._trouble))
                self._closed.wait(backoff.pause())
        self._fail_outbox()

    def _serve(self, backoff: Backoff) -> None:
        if self._prepare is not None:
            self._prepare()
        link = Link(self._url, on_lost=lambda: self._outbox.put(None))
        try:
            channel = self._open_channel(link)
            self._link = link
            log.info("publisher_connected", server=link.server_version)
            backoff.reset()
            self._connected_at = time.monotonic()
            self._write_until_lost(link, channel)
        finally:
            self._link = None
            if time.monotonic() - self._connected_at > QUIET_SECONDS:
                self._episode = Episode()  # it has worked for a while: what comes now is news
            link.close()

    def _open_channel(self, link: Link) -> Any:
        with link.operation():
            channel = link.channel()
            channel.events["basic_ack"].add(self._acked)
            channel.events["basic_nack"].add(self._nacked)
            channel.events["basic_return"].add(self._returned)
            channel.confirm_select()
        return channel

    def _write_until_lost(self, link: Link, channel: Any) -> None:
        tag = 0
        while not link.lost.is_set() and not self._closed.is_set():
            unconfirmed = self._outbox.get()
            if unconfirmed is None:
                continue
            self._await_acceptance(link)
            burst = self._still_wanted([unconfirmed, *self._at_hand(BURST - 1)])
            # All at first: a link that breaks in the middle fails the whole burst, and each is repeated by its sender.
            tagged = dict(enumerate(burst, tag + 1))
            tag += len(tagged)
            self._unconfirmed.update(tagged)
            with link.burst():
                for own_tag, one in tagged.items():
                    self._write(channel, own_tag, one.outgoing)
        raise BrokerError(f"the broker connection is lost: {describe(link.error)}", kind_of(link.error))

    def _await_acceptance(self, link: Link) -> None:
        """What is written while the broker does not read would only fill the socket, and end the link with it."""
        while not link.accepting.wait(BLOCKED_LOOK_SECONDS) and not self._closed.is_set():
            self._forget_abandoned()

    def _still_wanted(self, gathered: Iterable[Unconfirmed]) -> list[Unconfirmed]:
        wanted = []
        for unconfirmed in gathered:
            if unconfirmed.publication.abandoned:
                self._settle(unconfirmed, None)
            else:
                wanted.append(unconfirmed)
        return wanted

    def _at_hand(self, limit: int) -> Iterable[Unconfirmed]:
        for _ in range(min(self._outbox.qsize(), limit)):
            unconfirmed = self._outbox.get_nowait()
            if unconfirmed is not None:
                yield unconfirmed

    @staticmethod
    def _write(channel: Any, tag: int, outgoing: Outgoing) -> None:
        message = amqp.Message(
            outgoing.body,
            content_type=outgoing.content_type,
            application_headers=outgoing.headers or {},
            delivery_mode=PERSISTENT,
            message_id=str(tag),  # a returned message carries no delivery tag
        )
        channel.basic_publish(message, exchange=outgoing.exchange, routing_key=outgoing.routing_key, mandatory=True)

    def _acked(self, tag: int, multiple: bool) -> None:
        for unconfirmed in self._resolved(tag, multiple):
            self._settle(unconfirmed, None)

    def _nacked(self, tag: int, multiple: bool) -> None:
        for unconfirmed in self._resolved(tag, multiple):
            self._settle(unconfirmed, Nacked("the broker refused it"))

    def _returned(self, error: Exception, _exchange: str, _key: str, message: Any) -> None:
        """Comes before the ack of the same message."""
        unconfirmed = self._unconfirmed.get(int(message.properties["message_id"]))
        if unconfirmed is not None:
            unconfirmed.error = Unroutable(f"no queue takes it: {error}")

    def _resolved(self, tag: int, multiple: bool) -> Iterable[Unconfirmed]:
        if not multiple:
            unconfirmed = self._unconfirmed.pop(tag, None)
            return [unconfirmed] if unconfirmed is not None else []
        resolved = []
        while self._unconfirmed and next(iter(self._unconfirmed)) <= tag:
            resolved.append(self._unconfirmed.popitem(last=False)[1])
        return resolved

    def _settle(self, unconfirmed: Unconfirmed, error: BrokerError | None) -> None:
        unconfirmed.resolve(error)
        self._free_places.release()

    def _fail_unconfirmed(self) -> None:
        while self._unconfirmed:
            _, unconfirmed = self._unconfirmed.popitem(last=False)
            self._settle(unconfirmed, BrokerError(str(self._trouble), self._trouble.kind))

    def _forget_abandoned(self) -> None:
        """While the broker is away nobody else takes out what its sender has given up: bodies can be large."""
        for unconfirmed in self._still_wanted(list(self._at_hand(self._outbox.qsize()))):
            self._outbox.put(unconfirmed)

    def _fail_outbox(self) -> None:
        for unconfirmed in list(self._at_hand(self._outbox.qsize())):
            self._settle(unconfirmed, BrokerError("the publisher is closed"))
