"""What one webhook may cost a worker. Beyond it: refused before its proof, kept whole and listed after it.

Meta sends 3 MB and 1,000 updates at most (its webhooks page); the bounds leave room above that.
"""

from __future__ import annotations

import time
from collections import Counter, OrderedDict
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import TypeVar

import gevent
from gevent.lock import BoundedSemaphore

from relay.core.errors import StoreError

MOST_BYTES = 4 * 1024 * 1024
LARGE_BYTES = 256 * 1024
SCANNED_BYTES = 1024 * 1024
"""So far into an unproved body it is looked for the lines it names."""
REFS_BEFORE_PROOF = 64
SECRETS_TRIED = 8
"""Each costs a pass over the body."""

MOST_OBJECTS = 60_000
MOST_VALUES = 200_000
MOST_UPDATES = 5_000
MOST_REFS = 256
UPDATE_MOST_BYTES = 512 * 1024
"""Of one update that is relayed: no phone and no agent sends as much, and a daemon reads it in one go."""
MOST_SECONDS = 2.0
"""Of this worker's own work on one body; waiting for others does not count."""
SLICE_SECONDS = 0.002
"""So long it works before other requests get their turn."""

SIGNER_BYTES = 32 * 1024 * 1024
SIGNER_BYTES_PER_SECOND = 2 * 1024 * 1024
"""Of one tenant's secret, in one worker, and a burst above that; while others send too."""
OTHERS_SECONDS = 10.0
"""So long after its last webhook a signer counts as one that sends."""
REMEMBERED = 10_000

T = TypeVar("T")


class OverShareError(StoreError):
    """Large bodies of the sender's own, or of others, have used up what there is: it may try again soon.

    It says nothing about whether webhooks in general can be taken.
    """


class OverBudget(Exception):
    """A proved body asks for more than one request may. The text says of what."""


class Budget:
    """Of one request."""

    def __init__(self) -> None:
        self._used = 0.0

    def look_at(self, raw: bytes) -> None:
        """Before it is parsed, which cannot be interrupted. Signs inside of texts are counted, too: they only
        make the bound stricter. Raises OverBudget."""
        if raw.count(b"{") + raw.count(b"[") > MOST_OBJECTS:
            raise OverBudget(f"it holds more than {MOST_OBJECTS:,} objects and lists")
        if raw.count(b",") > MOST_VALUES:
            raise OverBudget(f"it holds more than {MOST_VALUES:,} values")

    def counted(self, found: Iterable[T]) -> Iterator[T]:
        """The same, counted, in slices, between which other requests have their time. Raises OverBudget."""
        for number, update in enumerate(self.in_slices(found)):
            if number == MOST_UPDATES:
                raise OverBudget(f"it holds more than {MOST_UPDATES:,} updates")
            yield update

    def in_slices(self, found: Iterable[T]) -> Iterator[T]:
        """The same; what is done with each counts as work. Raises OverBudget when that has taken too long.

        By the processor's time: on a machine that others use, too, a small body may have to wait for seconds.
        """
        began = time.thread_time()
        for update in found:
            yield update
            spent = time.thread_time() - began
            if spent < SLICE_SECONDS:
                continue
            self._used += spent
            if self._used > MOST_SECONDS:
                raise OverBudget(f"it takes more than {MOST_SECONDS:g} s to read")
            gevent.sleep(0)
            began = time.thread_time()


class LargeBodies:
    """A worker's memory for large bodies, proved or not. Of a signer: one large body at a time, and so much in all."""

    def __init__(self, most: int = 32 * MOST_BYTES, waiting: int = 8) -> None:
        self._free = most
        self._most_waiting = waiting
        self._working: dict[str, BoundedSemaphore] = {}
        self._waiting: Counter[str] = Counter()
        self._spent: OrderedDict[str, tuple[float, float]] = OrderedDict()

    @contextmanager
    def reading(self, size: int | None) -> Iterator[None]:
        """`size` as announced; None: nobody knows. Small ones always find room. Raises OverShareError."""
        taken = MOST_BYTES if size is None else min(size, MOST_BYTES)
        if taken <= LARGE_BYTES:
            yield
            return
        if taken > self._free:
            raise OverShareError("too many large webhooks are being read at once")
        self._free -= taken
        try:
            yield
        finally:
            self._free += taken

    def spend(self, owner: str, size: int) -> None:
        """Count a proved body of this owner's. Raises OverShareError while it has sent too much and others send,
        too. Who sends alone takes nothing from anybody."""
        now = time.monotonic()
        spent, at = self._spent.get(owner, (0.0, now))
        spent = max(0.0, spent - (now - at) * SIGNER_BYTES_PER_SECOND)
        if spent > SIGNER_BYTES and self._others_send(owner, now):
            raise OverShareError("one signer sends more than its share")
        self._spent[owner] = (min(spent, SIGNER_BYTES) + size, now)
        self._spent.move_to_end(owner)
        if len(self._spent) > REMEMBERED:
            self._spent.popitem(last=False)

    def _others_send(self, owner: str, now: float) -> bool:
        latest = next((at for name, (_, at) in reversed(self._spent.items()) if name != owner), None)
        return latest is not None and now - latest < OTHERS_SECONDS

    @contextmanager
    def working(self, owner: str, size: int) -> Iterator[None]:
        """For working on a proved body. Raises OverShareError when too many of this owner's wait already."""
        if size <= LARGE_BYTES:
            yield
            return
        if self._waiting[owner] > self._most_waiting:
            raise OverShareError("too many large webhooks of one signer at once")
        self._waiting[owner] += 1
        try:
            with self._working.setdefault(owner, BoundedSemaphore(1)):
                yield
        finally:
            self._waiting[owner] -= 1
            if not self._waiting[owner]:
                del self._waiting[owner], self._working[owner]
