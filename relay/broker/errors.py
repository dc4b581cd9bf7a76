"""What the broker may answer instead of a confirm, and which kind of trouble that is: the one place that judges it.

Nothing the broker says is a message's fault: what is not confirmed is told as not taken, and what is not acked comes
again.

BrokerError         the broker is away, refuses, or did not confirm in time
├── Nacked          it said no (a full queue, a queue without a leader)
├── Unroutable      no queue takes this message: the topology is not what it should be
└── TopologyError   a queue or exchange exists with other arguments
"""

from __future__ import annotations

from typing import Literal

from relay.core.certificates import refusal
from relay.core.errors import StoreError

Kind = Literal[
    "unreachable", "timeout", "blocked", "nacked", "unroutable", "refused", "topology", "exhausted", "internal"
]

# AMQP's reply codes. What is not here has ended the connection, and the next one starts afresh.
CODES: dict[int, Kind] = {
    311: "exhausted",  # content too large
    403: "refused",  # login, or a permission
    404: "unroutable",  # an exchange or a queue that is gone
    405: "topology",  # a queue that somebody else holds alone
    406: "topology",  # a queue with other arguments
    506: "exhausted",  # channels, memory
    530: "refused",  # virtual host
    541: "internal",
}
ADVICE: dict[Kind, str] = {
    "blocked": "free memory or disk there",
    "refused": "compare BROKER_URL with its users, virtual hosts and permissions",
    "exhausted": "raise its limit, or run fewer processes",
}


class BrokerError(StoreError):
    """The broker could not be reached, or did not confirm in time. Nothing is wrong with the message."""

    def __init__(self, text: str, kind: Kind = "unreachable") -> None:
        super().__init__(text)
        self.kind: Kind = kind


class Nacked(BrokerError):
    """The broker answered with a nack."""

    def __init__(self, text: str, kind: Kind = "nacked") -> None:
        super().__init__(text, kind)


class Unroutable(BrokerError):
    """The broker returned the message: nothing is bound to its routing key."""

    def __init__(self, text: str, kind: Kind = "unroutable") -> None:
        super().__init__(text, kind)


class TopologyError(BrokerError):
    """What exists at the broker differs from what the relay needs."""

    def __init__(self, text: str, kind: Kind = "topology") -> None:
        super().__init__(text, kind)


def kind_of(error: BaseException | None) -> Kind:
    """Of whatever the client library raised; None: the connection was closed."""
    if isinstance(error, TimeoutError):
        return "timeout"
    if " limit " in str(error) and "reached" in str(error):  # of connections, which comes as "not allowed"
        return "exhausted"
    code = getattr(error, "code", None)
    return CODES.get(code, "unreachable") if isinstance(code, int) else "unreachable"


def describe(error: BaseException | None) -> str:
    """One line for logs and answers; a broker's errors hold no secrets, its URL would."""
    if error is None:
        return "closed"
    said = refusal(error) or f"{type(error).__name__}: {error}".strip().rstrip(":")
    kind = kind_of(error)
    return f"{said}: {ADVICE[kind]}" if kind in ADVICE else said
