"""What a provider lists of a conversation afterwards."""

from __future__ import annotations

from dataclasses import dataclass

from relay.channels.raw_update import RawUpdate


@dataclass(frozen=True, slots=True)
class ListedMessage:
    """A message of a conversation, as the provider lists it: without its text.

    `ref` is what to ask for its text by, `message_id` what a webhook would have called it, `at` Unix seconds.
    """

    ref: str
    message_id: str
    at: float


@dataclass(frozen=True, slots=True)
class Listing:
    """A conversation's messages. `over`: its customer has left; what came since is in another one."""

    messages: tuple[ListedMessage, ...]
    over: bool


@dataclass(frozen=True, slots=True)
class WrittenMessage:
    """A message of the provider's own side, as its webhook would have brought it. `at` is Unix seconds.

    `delivered`: the provider holds the relay's own report that it was, whatever it says of the message otherwise.
    """

    updates: tuple[RawUpdate, ...]
    at: float
    delivered: bool


@dataclass(frozen=True, slots=True)
class BegunConversations:
    """A page of a line's conversations, by the provider's ids of them. `more`: there is another page."""

    ids: tuple[str, ...]
    more: bool
