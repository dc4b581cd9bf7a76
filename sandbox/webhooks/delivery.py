"""Posts to callbacks: in order within a lane, lanes side by side, retries outside of their lane as the providers do."""

import time
from collections import Counter, deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import gevent
from geventhttpclient import HTTPClient
from geventhttpclient.response import HTTPParseError
from geventhttpclient.url import URL

from sandbox.webhooks.update import Callback, WebhookUpdate

LANES = 32
QUEUE_LIMIT = 200_000
DEADLINE_SECONDS = 10.0


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """Seconds to wait before each repeat, and which answers deserve one. A status of None is no answer at all."""

    waits: Sequence[float]
    success: Callable[[int], bool]
    repeat: Callable[[int | None], bool]


META_RETRIES = RetryPolicy((0, 1, 2, 4, 8, 15) + (30,) * 40, lambda status: status == 200, lambda status: True)
GENESYS_RETRIES = RetryPolicy(
    (5,) * 5, lambda status: 200 <= status < 300, lambda status: status is None or status == 429 or status >= 500
)


@dataclass(slots=True)
class Post:
    callback: Callback
    body: bytes
    signature: str
    updates: list[WebhookUpdate]
    lane: int
    repeats: int = 0
    echo_after: float | None = None


class WebhookDelivery:
    """One per side. Bounded: a queue that is full drops the update and counts it."""

    def __init__(
        self,
        policy: RetryPolicy,
        counts: Callable[[], Counter[str]],
        changed: Callable[[WebhookUpdate], None],
        wait_scale: Callable[[], float] = lambda: 1.0,
    ) -> None:
        self._policy = policy
        self._wait_scale = wait_scale
        self._counts = counts
        self._changed = changed
        self._lanes: dict[tuple[str, int], deque[Post]] = {}
        self._clients: dict[str, HTTPClient] = {}
        self._generation = 0
        self.waiting = 0
        """Updates that are queued, under way or to be repeated."""

    def enqueue(self, post: Post) -> None:
        if self.waiting >= QUEUE_LIMIT:
            self._counts()["overflowed"] += len(post.updates)
            return
        self.waiting += len(post.updates)
        key = (post.callback.url, post.lane)
        lane = self._lanes.get(key)
        if lane is None:
            lane = self._lanes[key] = deque()
            lane.append(post)
            gevent.spawn(self._work, key, self._generation)
        else:
            lane.append(post)

    def clear(self) -> None:
        """Whatever waits is forgotten; a post under way ends without effect."""
        self._generation += 1
        self._lanes.clear()
        self.waiting = 0

    def _work(self, key: tuple[str, int], generation: int) -> None:
        lane = self._lanes.get(key)
        try:
            while lane and generation == self._generation:
                post = lane.popleft()
                if post.echo_after is not None:
                    self.waiting += len(post.updates)
                    gevent.spawn_later(post.echo_after, self._echo, post, generation)
                self._attempt(post, generation)
        finally:
            if generation == self._generation:
                self._lanes.pop(key, None)

    def _echo(self, post: Post, generation: int) -> None:
        """A duplicate: the same bytes once more, nobody waits for it and nobody repeats it."""
        if generation != self._generation:
            return
        self._counts()["posts"] += 1
        self._send(post)
        if generation == self._generation:
            self.waiting -= len(post.updates)

    def _attempt(self, post: Post, generation: int) -> None:
        if generation != self._generation:
            return
        self._counts()["posts"] += 1
        posted_at = time.time()
        status, error = self._send(post)
        if generation != self._generation:
            return
        for update in post.updates:
            update.track.attempted(posted_at, status, error)
        if status is not None and self._policy.success(status):
            self._settle(post, "delivered")
            return
        self._counts()["refused" if status is not None else "failed"] += 1
        self._repeat(post, status, generation)

    def _repeat(self, post: Post, status: int | None, generation: int) -> None:
        if post.repeats >= len(self._policy.waits) or not self._policy.repeat(status):
            self._settle(post, "given up")
            return
        wait = self._policy.waits[post.repeats] * self._wait_scale()
        post.repeats += 1
        self._counts()["retried"] += 1
        for update in post.updates:
            update.track.state = "retrying"
            self._changed(update)
        gevent.spawn_later(wait, self._attempt, post, generation)

    def _settle(self, post: Post, state: str) -> None:
        self.waiting -= len(post.updates)
        counts = self._counts()
        counts[state.replace(" ", "_")] += len(post.updates)
        for update in post.updates:
            update.track.state = state
            if state == "delivered" and update.on_delivered is not None:
                update.on_delivered()
            self._changed(update)

    def _send(self, post: Post) -> tuple[int | None, str | None]:
        headers = {"Content-Type": "application/json", "X-Hub-Signature-256": post.signature}
        headers |= dict(post.callback.headers)
        try:
            response = self._client(post.callback.url).request(
                "POST", URL(post.callback.url).request_uri, post.body, headers
            )
            response.read()
            return response.status_code, None
        except (OSError, ValueError, HTTPParseError, gevent.Timeout) as error:
            return None, f"{type(error).__name__}: {error}"[:200]

    def _client(self, url: str) -> HTTPClient:
        origin = url.split("/", 3)[2]
        client = self._clients.get(origin)
        if client is None:
            client = self._clients[origin] = HTTPClient.from_url(
                url, concurrency=LANES * 2, connection_timeout=5, network_timeout=DEADLINE_SECONDS
            )
        return client
