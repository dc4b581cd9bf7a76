"""The one place that decides what happens to a message after a call that did not end well."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from relay.core.errors import FINAL, Fate, SendError, StoreError

LONGEST_WAIT = 30.0
"""Seconds. No backoff waits longer, so that a mended provider is noticed soon."""

LONGEST_STORE_WAIT = 1.5
"""The same for our own stores, which are few and ours to burden: all work stands while one of them is away, and for up
to this after it is back."""

POISON_ATTEMPTS = 8
"""So often a message may fail on a line that carries others, before it is set aside as dead."""

FILE_ATTEMPTS = 12
"""The same for fetching a file, which has nobody's word for what ails it: a gateway that answers every second call with
an error lets others through meanwhile. With its pauses that is two and a half minutes."""

DELIVERY_ATTEMPTS = 3
"""So often a message is sent that the provider takes, and says later that it could not deliver it for now."""

OLDEST_SECONDS = 7 * 86400.0
"""Meta's media ids and its webhook retries live seven days; nobody waits longer for an answer."""

FILE_SECONDS = 3600.0
"""So long a file's message waits for a provider in trouble, when nothing says that others do better."""

OUR_OWN = ("lease_lost", "claim_too_old")
"""Codes of calls that we did not begin: no fault of the message, and no trouble of the provider."""

PASSING: tuple[Fate, ...] = ("retry", "throttled")
"""Kinds of trouble that are over after a while, whatever the message."""

RetryDecision = Literal["retry", "failed", "dead", "unknown"]


@dataclass(frozen=True, slots=True)
class Decision:
    """`state` of the row from now on ("retry" is `received` again), and after how many seconds."""

    next: RetryDecision
    delay: float = 0.0
    counts: bool = True
    """False: not this message's fault, its attempt does not bring it nearer to dead."""


def decide(error: SendError, attempts: int, age: float, line_works: bool) -> Decision:
    """What to do after attempt number `attempts` (from 1) of a message `age` seconds old.

    `line_works`: other messages went through since this one first failed, so the fault is its own.
    """
    if error.code in OUR_OWN:
        return Decision("retry", backoff(1), counts=False)
    if error.fate in FINAL:
        return Decision("failed")
    if error.fate == "unknown" and age <= OLDEST_SECONDS and not (attempts >= POISON_ATTEMPTS and line_works):
        return Decision("unknown", backoff(attempts))
    if age > OLDEST_SECONDS or (error.fate in ("retry", "unknown") and attempts >= POISON_ATTEMPTS and line_works):
        return Decision("dead")
    if error.fate == "credentials":
        return Decision("retry", 0.0, counts=False)
    if error.fate == "throttled":
        return Decision("retry", _throttle(error, attempts), counts=error.scope == "contact")
    return Decision("retry", backoff(attempts))


def send_again(fate: Fate | None, undelivered: int, has_file: bool = False) -> float | None:
    """Seconds until a message goes out once more that the provider took and then did not deliver; None: it failed.

    `undelivered`: how many attempts ended so, this one included. Meta's own recipe is 4^n seconds. `has_file`: one that
    a link can take the place of; then it is another message, and waits for nothing.
    """
    if fate == "as_link":
        return 0.0 if has_file else None
    if fate not in PASSING or undelivered >= DELIVERY_ATTEMPTS:
        return None
    return float(4**undelivered)


def backoff(attempts: int, longest: float = LONGEST_WAIT) -> float:
    """Seconds before the next try: 0.25, 0.5, 1, 2, ... up to `longest`."""
    return float(min(longest, 0.25 * 2 ** min(max(attempts - 1, 0), 10)))


def store_backoff(attempts: int) -> float:
    """The same for a store of our own."""
    return backoff(attempts, LONGEST_STORE_WAIT)


def before_next_preparation(error: Exception, preparations: int, age: float, others_work: bool) -> float | None:
    """Seconds before a file is tried again, or None: the message goes on without it.

    Our own store away: wait. A provider's trouble: wait too, unless other files of the line go through
    meanwhile, or an hour has passed, because a file holds up its whole conversation. Its word, or ours,
    that the file cannot be had or carried: go on at once.
    """
    if isinstance(error, StoreError):
        return store_backoff(preparations)
    if not isinstance(error, SendError):
        return None
    if error.fate not in FINAL and age > FILE_SECONDS:
        return None
    decision = decide(error, preparations, age, line_works=others_work and preparations >= FILE_ATTEMPTS)
    return decision.delay or backoff(preparations) if decision.next in ("retry", "unknown") else None


def _throttle(error: SendError, attempts: int) -> float:
    if error.retry_after is not None:
        return min(LONGEST_WAIT, max(error.retry_after, 0.1))
    # Meta's recipe for the pair limit is 4^n seconds [Meta: about the platform, 5 Dec 2025].
    return float(min(LONGEST_WAIT, 4 ** min(max(attempts - 1, 0), 3)))
