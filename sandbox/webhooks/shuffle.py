"""The reorder fault: holds an update back until its conversation's next one has overtaken it, or the window is over."""

from collections.abc import Callable
from dataclasses import dataclass

import gevent

from sandbox.faults import Dice, Reorder
from sandbox.webhooks.update import WebhookUpdate


@dataclass(slots=True)
class _Held:
    update: WebhookUpdate
    timer: gevent.Greenlet
    window: float


class Shuffle:
    def __init__(self, dice: Dice, release: Callable[[WebhookUpdate], None], swapped: Callable[[], None]) -> None:
        self._dice = dice
        self._release = release
        self._swapped = swapped
        self._held: dict[str, _Held] = {}

    def offer(self, update: WebhookUpdate, settings: Reorder) -> None:
        held = self._held.pop(update.conversation, None)
        if held is not None:
            held.timer.kill(block=False)
            if _may_swap(held, update):
                self._swapped()
                self._release(update)
                self._release(held.update)
                return
            self._release(held.update)
        if self._dice.strikes(settings.rate):
            self._hold(update, settings.window_ms / 1000)
        else:
            self._release(update)

    @property
    def waiting(self) -> int:
        return len(self._held)

    def clear(self) -> None:
        for held in self._held.values():
            held.timer.kill(block=False)
        self._held.clear()

    def _hold(self, update: WebhookUpdate, window: float) -> None:
        timer = gevent.spawn_later(window, self._window_over, update.conversation)
        self._held[update.conversation] = _Held(update, timer, window)

    def _window_over(self, conversation: str) -> None:
        held = self._held.pop(conversation, None)
        if held is not None:
            self._release(held.update)


def _may_swap(held: _Held, update: WebhookUpdate) -> bool:
    near = update.created - held.update.created <= held.window
    return near and update.stamp != held.update.stamp
