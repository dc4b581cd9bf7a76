"""What receipts say about a message, gathered. The ladder itself is in `db.mailbox.receipts`, where the row is locked.

received → sending → sent → delivered → read, with failed below delivered: Meta may report both for
one message (several devices), and any `delivered` means that it arrived. Facts never go back.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from relay.core.messages import Receipt
from relay.core.prices import PricedCopy

UNFINISHED = ("received", "sending", "unknown")
"""States with work left; `message_tracking.unfinished` names the same three."""
CARRIED = ("sent", "delivered", "read")
"""The other side has it. A receipt may overtake the word of the call, so a message need never be seen as `sent`."""
LISTED = ("received", "sent", "delivered", "read", "failed", "unknown", "dead", "ignored", "record")
"""All that `message_tracking.listed_as` can be: a list of all messages is put together from the lists of each."""
LISTED_UNFINISHED = ("received", "unknown")
"""The same as `message_tracking.listed_as` has them, which lists go by: a claimed message still waits."""


@dataclass(frozen=True, slots=True)
class Facts:
    """All that one group of receipts says about one message. Times are Unix seconds."""

    message_id: str
    provider_id: str
    sent_at: float | None = None
    delivered_at: float | None = None
    read_at: float | None = None
    failed_at: float | None = None
    code: str | None = None
    reason: str | None = None
    prices: tuple[PricedCopy, ...] = ()
    """One of each copy that went out."""


def gather(receipts: Iterable[tuple[str, Receipt]]) -> list[Facts]:
    """One Facts per message from (message id, receipt) pairs in any order, duplicates included."""
    found: dict[str, Facts] = {}
    for message_id, receipt in receipts:
        facts = found.get(message_id) or Facts(message_id, receipt.provider_id)
        found[message_id] = _add(facts, receipt)
    return sorted(found.values(), key=lambda facts: facts.message_id)


def _add(facts: Facts, receipt: Receipt) -> Facts:
    name = f"{receipt.status}_at"
    known = getattr(facts, name)
    changes: dict[str, object] = {name: receipt.time if known is None else min(known, receipt.time)}
    if receipt.status == "failed":
        changes |= {"code": receipt.code, "reason": receipt.reason}
    if receipt.price is not None and receipt.provider_id not in {one.provider_id for one in facts.prices}:
        changes["prices"] = (*facts.prices, PricedCopy(receipt.provider_id, receipt.time, receipt.price))
    return replace(facts, **changes)  # type: ignore[arg-type]
