"""A call whose answer was lost: before it is repeated the provider is asked whether it got through.

Two look-ups, and only for a message of which nobody knows; whatever keeps them from being made, or from finding it,
leaves the message to be repeated.

Each counts against the client's rate as any call does. None waits for a permit, which would keep a sender from others,
nor is left out for want of one, which would show messages twice after every outage: what is missing is owed, and the
next turns come that much later.
"""

from __future__ import annotations

import structlog

from db.tenants import catch_ups
from relay.channels.base import Sent
from relay.core.conversation.dispatch import DispatchJob
from relay.core.errors import SendError, StoreError
from relay.core.languages import phrase
from relay.core.limits import Rate
from relay.runtime.context import Parts
from relay.runtime.side import Side, rate_of_account
from relay.stores.limits import TokenBucket

log = structlog.get_logger(__name__)

LOOK_SECONDS = 4.0
"""Of a call's ten, so that there is time left to send it."""
MARGIN_SECONDS = 120.0
"""So much earlier than it arrived here a provider may date a message."""
NEWEST = 100
"""So many of the conversation's newest messages are looked at."""
FOUND = phrase("not sent again: it was seen in the provider's conversation")


def found_there(parts: Parts, side: Side, job: DispatchJob, deadline: float) -> Sent | None:
    """What the lost answer said, if the message can be seen in the conversation; None: it is to be sent."""
    conversation, account = job.may_be_in, side.account
    if conversation is None or (history := side.channel.history) is None:
        return None
    rate, bucket = rate_of_account(side.name, account, parts.limits), parts.bucket
    try:
        _count(bucket, rate)
        listed = history.listed(conversation, account, deadline).messages
        recent = [one for one in listed if one.at >= job.arrived_at - MARGIN_SECONDS][-NEWEST:]
        # What is another message's already is not this one, however alike they are.
        others = catch_ups.known(parts.pool, account.line_id, [one.message_id for one in recent]) if recent else set()
        among = [one for one in recent if one.message_id not in others]
        if not among:
            return None
        _count(bucket, rate)
        provider_id = history.taken(conversation, job.message, among, account, deadline)
    except (SendError, StoreError) as error:
        log.info("lost_answer_not_looked_for", line_id=account.line_id, message_id=job.message_id, error=str(error))
        return None
    if not provider_id:
        return None
    bucket.give_back(rate.key)  # the turn's own permit: there is no call left for it
    return Sent(provider_id, 200, conversation)


def _count(bucket: TokenBucket, rate: Rate) -> None:
    """One look-up more. Raises SendError where Genesys wants no calls for a while."""
    if not bucket.owe(rate.key, rate.per_second, rate.burst):
        raise SendError("throttled", "paused", phrase("no look-ups while Genesys wants no calls"))
