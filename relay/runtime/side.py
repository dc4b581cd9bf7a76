"""One side of a line, shared by a ChannelActor and its senders: the account, the breaker, the channel."""

from __future__ import annotations

from dataclasses import dataclass, field

from relay.channels.base import Account, Channel
from relay.core.breaker import Breaker
from relay.core.messages import ChannelName


@dataclass(slots=True)
class Side:
    """Only the ChannelActor changes it; its senders read."""

    name: ChannelName
    channel: Channel
    account: Account
    breaker: Breaker = field(default_factory=Breaker)
