"""Live events for the page. A change names what changed, never its content: the page then asks for it."""

import json
from collections.abc import Iterator

from gevent.queue import Empty, Full, Queue

HEARTBEAT_SECONDS = 15


class EventListener:
    def __init__(self) -> None:
        self.queue: Queue = Queue(maxsize=1000)
        self.lagging = False


class Events:
    def __init__(self) -> None:
        self._listeners: set[EventListener] = set()

    def changed(self, side: str, contact: str = "", line: str = "") -> None:
        for listener in self._listeners:
            try:
                listener.queue.put_nowait((side, contact, line))
            except Full:
                # A slow page misses names of changes, not changes: it is told to ask for everything.
                listener.lagging = True

    def stream(self) -> Iterator[str]:
        listener = EventListener()
        self._listeners.add(listener)
        try:
            yield "retry: 1000\n\n" + _event("settings", "", "")
            while True:
                yield from self._next(listener)
        finally:
            self._listeners.discard(listener)

    @staticmethod
    def _next(listener: EventListener) -> Iterator[str]:
        try:
            first = listener.queue.get(timeout=HEARTBEAT_SECONDS)
        except Empty:
            yield ": still here\n\n"
            return
        changes = {first}
        while not listener.queue.empty():
            changes.add(listener.queue.get_nowait())
        if listener.lagging:
            listener.lagging = False
            changes.add(("settings", "", ""))
        yield "".join(_event(*change) for change in sorted(changes))


def _event(side: str, contact: str, line: str) -> str:
    return f"event: change\ndata: {json.dumps({'side': side, 'contact': contact, 'line': line})}\n\n"
