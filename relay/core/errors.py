"""Why something could not be carried, as data. Raised by channels, decided upon in `core/retry.py`.

RelayError
├── ParseError        an update that cannot be read: to DEAD_LETTERS, with the reason
├── CannotCarry       media or content the receiving side will never take
├── StoreError        our own store (object store, database) is away: wait, try again
└── SendError         a provider call that did not end well
"""

from __future__ import annotations

from typing import Literal

Fate = Literal["retry", "throttled", "refused", "as_link", "credentials", "unknown"]
"""What a failed call means.

retry        nothing happened at the provider (connect failed, or its own transient error body)
throttled    a rate limit: wait `retry_after`, slow down; the message itself is fine
refused      permanent for this message
as_link      permanent for the message's file: a link to our copy of it may go in its place
credentials  the line's token, number or integration is refused: nothing of this line can go
unknown      the request may or may not have been carried out
"""

FINAL: tuple[Fate, ...] = ("refused", "as_link")
"""The same call would be refused again."""


class RelayError(Exception):
    """Base of everything the relay raises on purpose."""


class ParseError(RelayError):
    """The update cannot be read; the text says where and why, without personal data."""


class CannotCarry(RelayError):
    """The receiving side takes no such content. `code` is a short word for `reason_code`."""

    def __init__(self, code: str, text: str) -> None:
        super().__init__(text)
        self.code = code
        self.text = text


class StoreError(RelayError):
    """One of our own stores did not answer; nothing is wrong with the message."""


class SendError(RelayError):
    """A provider call that did not end well.

    `code` is the provider's own (as text) or ours for transport faults, `text` is for people,
    `retry_after` is in seconds where the provider gave one, `scope` tells whom a throttle or
    trouble concerns: the whole line, or this contact only. `answer` is the provider's whole answer, redacted.
    """

    def __init__(
        self,
        fate: Fate,
        code: str,
        text: str,
        *,
        retry_after: float | None = None,
        scope: Literal["line", "contact"] = "line",
        status: int | None = None,
        trace_id: str | None = None,
        answer: str | None = None,
    ) -> None:
        super().__init__(f"{fate}: {code} {text}")
        self.fate: Fate = fate
        self.code = code
        self.text = text
        self.retry_after = retry_after
        self.scope = scope
        self.status = status
        self.trace_id = trace_id
        self.answer = answer
