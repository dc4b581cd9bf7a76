"""One side of a line, shared by a ChannelActor and its senders: the account, the breaker, the channel."""

from __future__ import annotations

from dataclasses import dataclass, field

from relay.channels.base import Account, Channel
from relay.core.breaker import Breaker
from relay.core.errors import SendError
from relay.core.languages import phrase
from relay.core.limits import Rate, Rates, rate_of
from relay.core.messages import ChannelName
from relay.runtime.context import Limits, Parts


@dataclass(slots=True)
class Side:
    """Only the ChannelActor changes it; its senders read."""

    name: ChannelName
    channel: Channel
    account: Account
    breaker: Breaker = field(default_factory=Breaker)


def rate_of_account(name: ChannelName, account: Account, limits: Limits) -> Rate:
    """What its calls are counted against: WhatsApp counts by number, Genesys by client."""
    counted_by = account.line_ref if name == "whatsapp" else account.credentials.get("client_id", "")
    rates = Rates(limits.genesys_per_minute, limits.whatsapp_per_second)
    return rate_of(name, account.tenant_id, counted_by, account.settings, rates)


def count_call(parts: Parts, account: Account) -> None:
    """One call to Genesys beside the messages, against the rate of its client: what is missing is owed, and the next
    turns come that much later. Raises SendError where Genesys wants no calls."""
    rate = rate_of_account("genesys", account, parts.limits)
    if not parts.bucket.owe(rate.key, rate.per_second, rate.burst):
        raise SendError("throttled", "paused", phrase("no calls while Genesys wants none"))
