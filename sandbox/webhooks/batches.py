"""Meta's aggregation: updates for one callback gather until there are enough, or the first has waited long enough."""

from collections.abc import Callable

import gevent

from sandbox.faults import Batching
from sandbox.webhooks.update import Callback, WebhookUpdate


class Batches:
    def __init__(self, flush: Callable[[list[WebhookUpdate]], None]) -> None:
        self._flush = flush
        self._gathering: dict[Callback, list[WebhookUpdate]] = {}
        self._timers: dict[Callback, gevent.Greenlet] = {}

    def add(self, update: WebhookUpdate, settings: Batching) -> None:
        gathering = self._gathering.setdefault(update.callback, [])
        gathering.append(update)
        if len(gathering) >= settings.max:
            self._close(update.callback)
        elif len(gathering) == 1:
            self._timers[update.callback] = gevent.spawn_later(settings.wait_ms / 1000, self._time_up, update.callback)

    @property
    def waiting(self) -> int:
        return sum(map(len, self._gathering.values()))

    def clear(self) -> None:
        for timer in self._timers.values():
            timer.kill(block=False)
        self._gathering.clear()
        self._timers.clear()

    def _close(self, callback: Callback) -> None:
        timer = self._timers.pop(callback, None)
        if timer is not None:
            timer.kill(block=False)
        self._flush(self._gathering.pop(callback))

    def _time_up(self, callback: Callback) -> None:
        self._timers.pop(callback, None)
        updates = self._gathering.pop(callback, None)
        if updates:
            self._flush(updates)
