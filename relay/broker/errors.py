"""What the broker may answer instead of a confirm.

BrokerError         the broker is away, or did not confirm in time
├── Refused         it said no (a full queue, a queue without a leader)
├── Unroutable      no queue takes this message: the topology is not what it should be
└── TopologyError   a queue or exchange exists with other arguments
"""

from __future__ import annotations

from relay.core.certificates import refusal
from relay.core.errors import StoreError


class BrokerError(StoreError):
    """The broker could not be reached, or did not confirm in time. Nothing is wrong with the message."""


class Nacked(BrokerError):
    """The broker answered with a nack."""


class Unroutable(BrokerError):
    """The broker returned the message: nothing is bound to its routing key."""


class TopologyError(BrokerError):
    """What exists at the broker differs from what the relay needs."""


def describe(error: BaseException | None) -> str:
    """One line for logs and answers; a broker's errors hold no secrets, its URL would."""
    if error is None:
        return "closed"
    return refusal(error) or f"{type(error).__name__}: {error}".strip().rstrip(":")
