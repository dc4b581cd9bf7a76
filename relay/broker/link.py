"""An open broker connection that many greenlets use: one greenlet reads, all may write.

py-amqp lets whoever waits for an answer read the socket, which two greenlets must not do at the
same time. Here only the link's own reader reads; everybody else waits for it (`SharedConnection`).
Publisher and Consumer each own one link at a time and open the next when `lost` is set.
"""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

import gevent
import structlog
from amqp.method_framing import frame_writer
from gevent.event import Event
from kombu.transport import pyamqp

from relay.broker.errors import BrokerError, describe, kind_of
from relay.broker.secure import connection

log = structlog.get_logger(__name__)

HEARTBEAT_SECONDS = 3
CONNECT_SECONDS = 4.0
ANSWER_SECONDS = 10.0
SILENCE_SECONDS = 2 * HEARTBEAT_SECONDS
SLICE_SECONDS = 0.05
"""So long the reader goes on before others have their turn. A short one would keep a flood, and who comes after it, at
the broker: where everybody is busy the next turn may be a while."""
GATHERED_BYTES = 256 * 1024
"""Of a burst: beyond it, what is there is written."""


class Outlet:
    """py-amqp's frame writer for many greenlets: frames leave one by one, or those of a burst in one piece.

    py-amqp packs every frame into one shared buffer; not all of its versions guard it.
    """

    def __init__(self, connection: Any, transport: Any) -> None:
        self._send: Callable[[bytes | memoryview], None] = transport.write
        self._pack = frame_writer(connection, self)
        self._lock = threading.Lock()
        self._gathered: bytearray | None = None

    def __call__(self, *frame: Any) -> None:
        with self._lock:
            self._pack(*frame)

    def write(self, piece: bytes | memoryview) -> None:
        """For py-amqp's packing, which takes this for its transport."""
        if self._gathered is None:
            self._send(piece)
            return
        self._gathered += piece
        if len(self._gathered) >= GATHERED_BYTES:
            self._flush()

    @contextmanager
    def burst(self) -> Iterator[None]:
        """Gather what is written within, and write it at the end; where that fails, or what is within, nothing more.

        Bursts of two greenlets at once are for their link's owner to prevent.
        """
        self._gathered = bytearray()
        try:
            yield
            with self._lock:
                self._flush()
        finally:
            self._gathered = None

    def _flush(self) -> None:
        # What others write while the socket takes this waits for the lock.
        if self._gathered:
            piece, self._gathered = bytes(self._gathered), bytearray()
            self._send(piece)


class SharedConnection(pyamqp.Connection):
    """An AMQP connection whose answers are read by one greenlet, whoever waits for them."""

    def __init__(self, **options: Any) -> None:
        super().__init__(frame_writer=self._outlet_to, **options)
        self.outlet: Outlet
        self.reader: gevent.Greenlet | None = None
        self._progress = Event()

    def _outlet_to(self, connection: Any, transport: Any) -> Outlet:
        self.outlet = Outlet(connection, transport)
        return self.outlet

    def drain_events(self, timeout: float | None = None) -> None:
        """Read as the reader; as anyone else wait until the reader has read something."""
        if self.reader is None or gevent.getcurrent() is self.reader:
            super().drain_events(timeout)
            self.wake()
        elif timeout != 0 and not self._progress.wait(timeout):
            raise TimeoutError
        # 0 is basic_publish, which only looks whether something has come: the reader sees to that.

    def wake(self) -> None:
        """Let those who wait look again. A new event each time: none of them can miss it."""
        progress, self._progress = self._progress, Event()
        progress.set()


class _Transport(pyamqp.Transport):
    Connection = SharedConnection


class _SecureTransport(pyamqp.SSLTransport):
    Connection = SharedConnection


class Link:
    """A RabbitMQ connection with its reader and its heartbeats. It is never repaired: open another one."""

    acks_multiple = True

    def __init__(self, url: str, on_lost: Callable[[], None] | None = None) -> None:
        """Connect; raises BrokerError. `on_lost` is called once, whatever ended the link."""
        self.lost = Event()
        self.accepting = Event()
        """Not set while the broker takes nothing from publishers: its alarm for memory or disk."""
        self.accepting.set()
        self.error: BaseException | None = None
        self._on_lost = on_lost
        self._kombu = connection(
            url,
            transport=_SecureTransport if url.startswith("amqps") else _Transport,
            heartbeat=HEARTBEAT_SECONDS,
            connect_timeout=CONNECT_SECONDS,
            transport_options={"on_blocked": self._blocked, "on_unblocked": self._unblocked},
        )
        try:
            with gevent.Timeout(2 * CONNECT_SECONDS, TimeoutError("no handshake")):
                # Not `connect()`, which tries twice with a pause of its own.
                self._amqp: SharedConnection = self._kombu.transport.establish_connection()
        except self._errors as error:
            raise BrokerError(f"cannot connect to the broker: {describe(error)}", kind_of(error)) from error
        self._greenlets = [gevent.spawn(run) for run in (self._read, self._beat, self._watch)]
        self._amqp.reader = self._greenlets[0]

    @property
    def server_version(self) -> str:
        return str(self._amqp.server_properties.get("version", ""))

    @property
    def _errors(self) -> tuple[type[BaseException], ...]:
        # KeyError and AttributeError are what py-amqp gives when a frame meets a connection just closed.
        # connection_errors hold OSError, of which TimeoutError is one.
        return (*self._kombu.connection_errors, *self._kombu.channel_errors, KeyError, AttributeError)

    @contextmanager
    def operation(self) -> Iterator[None]:
        """Around everything that writes or waits for an answer: bounded, and BrokerError when it fails.

        A failed operation leaves the protocol in an unknown state, so it also ends the link.
        """
        if self.lost.is_set():
            raise BrokerError(f"the broker connection is lost: {describe(self.error)}", kind_of(self.error))
        try:
            with gevent.Timeout(ANSWER_SECONDS, TimeoutError("the broker did not answer")):
                yield
        except self._errors as error:
            self.drop(error)
            raise BrokerError(f"the broker connection is lost: {describe(error)}", kind_of(error)) from error

    @contextmanager
    def burst(self) -> Iterator[None]:
        """An operation whose frames leave in one piece, at its end. For one greenlet of the link's owner at a time."""
        with self.operation(), self._amqp.outlet.burst():
            yield

    def channel(self) -> Any:
        """A new channel. Call inside `operation()`."""
        channel = self._amqp.channel()
        channel.auto_decode = False
        return channel

    def consume(self, channel: Any, queue: str, tag: str, callback: Callable[[Any], None]) -> None:
        """Start consuming. Call inside `operation()`."""
        # Before the broker may deliver: py-amqp rejects (and so reorders) what comes for an unknown tag.
        channel.callbacks[tag] = callback
        channel.basic_consume(queue, consumer_tag=tag, callback=callback)

    def close_channel(self, channel: Any, _unacked: Iterable[Any]) -> None:
        """Close a channel: the broker puts back what is unacked, in order. Call inside `operation()`."""
        channel.close()

    def depth(self, channel: Any, queue: str) -> int:
        """Messages ready in the queue. Call inside `operation()`."""
        return int(channel.queue_declare(queue, passive=True).message_count)

    @staticmethod
    def content(raw: Any) -> tuple[bytes, Any, dict[str, Any], bool]:
        """Body, tag, headers and the redelivered flag of what a consumer's callback was given."""
        info = raw.delivery_info
        headers = raw.properties.get("application_headers") or {}
        return _bytes(raw.body), info["delivery_tag"], headers, bool(info["redelivered"])

    def drop(self, error: BaseException | None) -> None:
        """End the link at once, without a word to the broker. Wakes all who wait. May be called twice."""
        if self.lost.is_set():
            return
        self.error = error
        self.lost.set()
        self.accepting.set()  # whoever waits for that learns that it is lost
        self._cut()
        if self._on_lost is not None:
            self._on_lost()

    def close(self) -> None:
        """Say goodbye, then end the link."""
        if not self.lost.is_set():
            with suppress(BrokerError), gevent.Timeout(2.0, False), self.operation():
                self._amqp.close()
        self.drop(None)
        gevent.killall([one for one in self._greenlets if one is not gevent.getcurrent()], timeout=2.0)

    def _cut(self) -> None:
        transport = self._amqp._transport
        # First, so that a TLS goodbye to a peer that is gone cannot wait for it.
        with suppress(OSError, AttributeError):
            transport.sock.shutdown(socket.SHUT_RDWR)
        with suppress(*self._errors), gevent.Timeout(1.0, False):
            self._amqp.collect()
        self._amqp.wake()

    def _read(self) -> None:
        """Gives the loop away now and then: while the broker pours, the socket never makes it wait."""
        try:
            began = time.perf_counter()
            while self._amqp.connected:
                self._amqp.drain_events()
                if time.perf_counter() - began > SLICE_SECONDS:
                    gevent.sleep(0)
                    began = time.perf_counter()
            self.drop(None)
        # A link is not repaired: whatever was read that cannot be understood, the next one starts afresh.
        except Exception as error:  # noqa: BLE001
            self.drop(error)

    def _beat(self) -> None:
        """Heartbeats of our own, so that a busy or a blocked greenlet never keeps them back."""
        sent = -1
        while not self.lost.wait(HEARTBEAT_SECONDS / 3):
            try:
                if self._amqp.bytes_sent == sent:
                    self._amqp.send_heartbeat()
                sent = self._amqp.bytes_sent
            except self._errors as error:
                self.drop(error)

    def _watch(self) -> None:
        received, since = -1, time.monotonic()
        while not self.lost.wait(HEARTBEAT_SECONDS / 3):
            if self._amqp.bytes_recv != received:
                received, since = self._amqp.bytes_recv, time.monotonic()
            elif time.monotonic() - since > SILENCE_SECONDS:
                self.drop(TimeoutError(f"nothing heard from the broker for {SILENCE_SECONDS} s"))

    def _blocked(self, reason: str) -> None:
        log.warning("broker_blocks_publishers", reason=reason)
        self.accepting.clear()

    def _unblocked(self) -> None:
        log.warning("broker_takes_messages_again")
        self.accepting.set()


def _bytes(body: str | bytes | memoryview) -> bytes:
    return body.encode() if isinstance(body, str) else bytes(body)
