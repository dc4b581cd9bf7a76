"""One side's way out: an update passes the reorder fault, the duplicate fault and the batch before it is posted."""

import base64
import hashlib
import hmac
from collections import Counter
from collections.abc import Callable
from typing import Any

import gevent

from sandbox.faults import Batching, Dice, Faults
from sandbox.webhooks.batches import Batches
from sandbox.webhooks.delivery import LANES, Post, RetryPolicy, WebhookDelivery
from sandbox.webhooks.shuffle import Shuffle
from sandbox.webhooks.update import WebhookUpdate

Render = Callable[[list[WebhookUpdate]], bytes]
Sign = Callable[[str, bytes], str]
BATCH_LANE = -1


class Outbox:
    def __init__(
        self,
        render: Render,
        sign: Sign,
        policy: RetryPolicy,
        dice: Dice,
        faults: Callable[[], Any],
        counts: Callable[[], Counter[str]],
        changed: Callable[[WebhookUpdate], None],
    ) -> None:
        self._render, self._sign, self._dice = render, sign, dice
        self._faults, self._counts = faults, counts
        self._shuffle = Shuffle(dice, self._released, self._swapped)
        self._batches = Batches(self._post_batch)
        self._delivery = WebhookDelivery(policy, counts, changed, lambda: float(self._faults().webhook_wait_scale))
        self._generation = 0

    def emit(self, update: WebhookUpdate) -> None:
        self._counts()["updates"] += 1
        self._shuffle.offer(update, self._faults().reorder)

    @property
    def waiting(self) -> int:
        """Updates on their way: held for a swap, gathering for a batch, queued, or to be repeated."""
        return self._shuffle.waiting + self._batches.waiting + self._delivery.waiting

    def clear(self) -> None:
        self._generation += 1
        self._shuffle.clear()
        self._batches.clear()
        self._delivery.clear()

    def _swapped(self) -> None:
        self._counts()["swapped"] += 1

    def _released(self, update: WebhookUpdate) -> None:
        faults: Faults = self._faults()
        batch: Batching | None = getattr(faults, "batch", None)
        echo_after = self._echo_after(faults)
        if batch is None:
            self._post([update], hash(update.conversation) % LANES, echo_after)
            return
        self._batches.add(update, batch)
        if echo_after is not None:
            gevent.spawn_later(echo_after, self._add_again, update, batch, self._generation)

    def _add_again(self, update: WebhookUpdate, batch: Batching, generation: int) -> None:
        if generation == self._generation:
            self._batches.add(update, batch)

    def _echo_after(self, faults: Faults) -> float | None:
        """At the same instant as often as a little later: both happen, and they break different things."""
        if not self._dice.strikes(faults.duplicate_rate):
            return None
        self._counts()["duplicated"] += 1
        return 0.0 if self._dice.strikes(0.5) else self._dice.between(0.05, 1.5)

    def _post_batch(self, updates: list[WebhookUpdate]) -> None:
        self._counts()["batched"] += len(updates)
        # One lane: two batches side by side would shuffle the conversations that both hold.
        self._post(updates, BATCH_LANE, None)

    def _post(self, updates: list[WebhookUpdate], lane: int, echo_after: float | None) -> None:
        callback = updates[0].callback
        body = self._render(updates)
        self._delivery.enqueue(
            Post(callback, body, self._sign(callback.secret, body), updates, lane, echo_after=echo_after)
        )


def sign_hex(secret: str, body: bytes) -> str:
    """Meta's form."""
    return "sha256=" + hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()


def sign_base64(secret: str, body: bytes) -> str:
    """Genesys' form, in a header of the same name."""
    return "sha256=" + base64.b64encode(hmac.new(secret.encode(), body, hashlib.sha256).digest()).decode()
