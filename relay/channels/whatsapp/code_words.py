"""What people are told of some of Meta's codes, whose own text names a rule and not the way out.

Source: Meta's changelogs of August to November 2026, as typed clients follow them.
"""

from relay.core.languages import phrase

BLOCKED = phrase("The business has blocked this customer: unblock them first")
BID = phrase("The template has a bid, and only the Marketing Messages API takes it: send it there, or take another one")
NEEDS_NUMBER = phrase(
    "This template cannot go to a user id: write to the phone number, or take a template that is neither for codes "
    "nor has a bid"
)
NO_MARKETING = phrase(
    "Marketing templates are switched off for this account on the Cloud API: send them through the Marketing Messages "
    "API"
)
MISPLACED = phrase(
    "Meta limits the account's templates and Direct Send, since it holds some for another category: correct their "
    "category in WhatsApp Manager; answers within 24 hours go on"
)
NO_HIGHEST_PRICE = phrase("No highest price can be set for the recipient's country: send the template without one")
CALLS_ELSEWHERE = phrase(
    "Another app is first for calls of this number: Meta Business Suite names it under Conversation Routing"
)
