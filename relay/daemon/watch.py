"""Who watches the daemon from inside: a thread for the event loop, and a greenlet for the actors.

Both only look. What they see is said in log and metrics; what the daemon cannot go on with ends it, and the platform
starts it anew: what was under way is in PostgreSQL and with the broker.
"""

from __future__ import annotations

import os
import sys
import time
import traceback
import warnings
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any

import gevent
import structlog
from gevent import config, events, get_hub

from relay import metrics
from relay.core.retry import backoff
from relay.runtime.actor import AtWork, RelayActor, at_work, failing
from relay.runtime.commands import Ref

log = structlog.get_logger(__name__)

BLOCKED_SECONDS = 1.0
"""The loop may stand still so long before it is said; everybody waits meanwhile."""
LOOK_SECONDS = 1.0
MOST_FAILURES = 20
"""So many commands in a row fail before a vital actor counts as broken; each tries again by itself, with pauses."""
STEADY_SECONDS = 60.0
"""Who has lived so long again dies for the first time."""
STUCK_EXIT = 3
STDERR = 2


class ThreadLogger:
    """Writes what the loop's watch says without the log's lock.

    Under gevent that lock is the loop's: a thread that meets it there may never get it, nor let it go.
    """

    name = __name__

    def error(self, line: bytes) -> None:
        os.write(STDERR, line + b"\n")


thread_log = structlog.wrap_logger(ThreadLogger())


class CannotGoOnError(RuntimeError):
    """The text is the sentence that the log ends with."""


class LoopWatch:
    """Says when the loop stands still, and ends the process where that lasts `longest` seconds.

    Built on gevent's own monitor, which is a real thread. It counts its own looks: the time that the whole process was
    frozen is nobody's fault, and no loop blocked.
    """

    def __init__(self, longest: float) -> None:
        self._most = max(2, round(longest / BLOCKED_SECONDS))
        self._looks = 0
        self._blocked: Any = None

    def start(self) -> None:
        """In the loop's own thread."""
        config.max_blocking_time = BLOCKED_SECONDS
        config.print_blocking_reports = False
        config.monitor_thread = True
        events.subscribers.append(self._on_event)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", RuntimeWarning)  # nobody asked it to watch the memory too
            thread = get_hub().start_periodic_monitoring_thread()
        thread.add_monitoring_function(self._look, BLOCKED_SECONDS)

    def stop(self) -> None:
        # Else every hub that runs from now on would get a monitor of its own.
        config.monitor_thread = False
        hub = get_hub()
        if hub.periodic_monitoring_thread is not None:
            hub.periodic_monitoring_thread.kill()
            hub.periodic_monitoring_thread = None
        events.subscribers.remove(self._on_event)

    def _on_event(self, event: Any) -> None:
        if isinstance(event, events.EventLoopBlocked):
            self._blocked = event.greenlet

    def _look(self, hub: Any) -> None:
        """After each look of gevent's own: was that one of several in a row that saw the same greenlet at work?"""
        blocked, self._blocked = self._blocked, None
        self._looks = self._looks + 1 if blocked is not None else 0
        if self._looks == 1:
            hub.loop.run_callback_threadsafe(metrics.loop_blocked.inc)
            thread_log.error("event_loop_blocked", seconds=BLOCKED_SECONDS, **_who(blocked), stack=_stack(hub))
        elif self._looks >= self._most:
            thread_log.error(
                "relay_cannot_go_on",
                reason=f"the event loop has stood still for {self._looks * BLOCKED_SECONDS:g} s, longer than the lease",
                **_who(blocked),
                stack=_stack(hub),
            )
            os._exit(STUCK_EXIT)


def _who(greenlet: Any) -> dict[str, str]:
    """The actor that runs in it, and at which command it is."""
    for one in at_work():
        if one.greenlet is greenlet:
            return {"actor": type(one.actor).__name__, "command": one.command}
    return {"actor": "", "command": ""}


def _stack(hub: Any) -> str:
    """Files, lines and names; no values."""
    frame = sys._current_frames().get(hub.thread_ident)
    return "".join(traceback.format_stack(frame)) if frame is not None else ""


class SoleActor:
    """An actor of which the daemon has one: started again where it has died, each time after a longer pause."""

    def __init__(self, start: Callable[[], Ref]) -> None:
        self._start = start
        self.ref = start()
        self._since = time.monotonic()
        self._deaths = 0
        self._again_at: float | None = None

    @property
    def name(self) -> str:
        return str(self.ref.actor_class.__name__)

    def look(self) -> None:
        now = time.monotonic()
        if self.ref.is_alive():
            if self._deaths and now - self._since > STEADY_SECONDS:
                self._deaths = 0
        elif self._again_at is None:
            self._deaths += 1
            self._again_at = now + backoff(self._deaths)
            log.error("actor_died", actor=self.name, again_in=backoff(self._deaths))
        elif now >= self._again_at:
            self.ref, self._since, self._again_at = self._start(), now, None


class ActorWatch:
    """Says which actor does not end a command, and calls `cannot_go_on` where a vital one is stuck or broken.

    `lasting` are those that must not end; `kept` are started again.
    """

    def __init__(
        self, lasting: Sequence[Ref], kept: Sequence[SoleActor], cannot_go_on: Callable[[BaseException], None]
    ) -> None:
        self._lasting = lasting
        self._kept = kept
        self._cannot_go_on = cannot_go_on
        self._said: dict[RelayActor, AtWork] = {}
        self._counted: set[str] = set()
        self._greenlet: gevent.Greenlet[..., None] | None = None

    def start(self) -> None:
        self._greenlet = gevent.spawn(self._run)
        self._greenlet.link_exception(lambda ended: self._cannot_go_on(ended.exception))

    def stop(self) -> None:
        if self._greenlet is not None:
            self._greenlet.kill()

    def _run(self) -> None:
        while True:
            gevent.sleep(LOOK_SECONDS)
            self.look()

    def look(self) -> None:
        for ref in self._lasting:
            if not ref.is_alive():
                self._cannot_go_on(CannotGoOnError(f"{ref.actor_class.__name__} has ended"))
        for one in self._kept:
            one.look()
        self._look_at_commands()
        for actor in failing():
            if actor.vital and actor.failures >= MOST_FAILURES:
                text = f"{type(actor).__name__} failed {actor.failures} times in a row; the log says with what"
                self._cannot_go_on(CannotGoOnError(text))

    def _look_at_commands(self) -> None:
        stuck = {one.actor: one for one in at_work() if one.seconds > one.actor.longest_seconds}
        for actor, one in stuck.items():
            said = self._said.get(actor)
            if said is None or said.seconds > one.seconds:  # the latter: that one ended, this is another
                where = {"actor": type(actor).__name__, "command": one.command}
                log.error("actor_stuck", **where, seconds=round(one.seconds, 1), stack=one.stack())
            if actor.vital and one.seconds > 2 * actor.longest_seconds:
                text = f"{type(actor).__name__} has not ended {one.command} for {one.seconds:.0f} s"
                self._cannot_go_on(CannotGoOnError(text))
        for actor, one in self._said.items():
            if actor not in stuck:
                log.info("actor_goes_on", actor=type(actor).__name__, command=one.command)
        self._said = stuck
        self._count(stuck)

    def _count(self, stuck: dict[RelayActor, AtWork]) -> None:
        counts = Counter(type(actor).__name__ for actor in stuck)
        for name in self._counted | counts.keys():
            metrics.actors_stuck.labels(name).set(counts[name])
        self._counted |= counts.keys()
