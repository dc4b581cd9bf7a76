"""What counted messages cost, by a rate card and by what the provider says of each. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from relay.core.rate_card import RateCard, category_key

FREE_SERVICE = 1000
"""Delivered service messages of a number that cost nothing in a month, since October 2026."""
CHARGED = "regular"
FREE = ("free_customer_service", "free_group_customer_service", "free_entry_point")
FREE_TIER = ("free_customer_service", "free_group_customer_service")
EXEMPT = "paid_exempt"
"""The subtype of governments and of those who serve no profit."""


@dataclass(frozen=True, slots=True)
class CountedPrice:
    """So many messages of a line in a month (its first day, UTC) that were charged alike."""

    tenant_id: str
    line_id: str
    month: date
    country: str
    category: str
    type: str
    subtype: str
    total: int


@dataclass(frozen=True, slots=True)
class Charge:
    """What counted messages cost. `rate` of one and `cost` of all; None: the card says nothing of such messages."""

    counted: CountedPrice
    rate: Decimal | None
    cost: Decimal | None


def charge(counted: CountedPrice, card: RateCard | None) -> Charge:
    """What Meta calls free costs nothing, and needs no card: the free tier is marked so message by message."""
    if counted.type in FREE or counted.subtype == EXEMPT:
        return Charge(counted, Decimal(0), Decimal(0))
    if card is None or counted.type != CHARGED:
        return Charge(counted, None, None)
    rate = card.rate(counted.country, category_key(counted.category))
    return Charge(counted, rate, None if rate is None else rate * counted.total)


def free_tier_used(counted: Iterable[CountedPrice]) -> dict[str, int]:
    """By line: service messages that were free because the number had some left. Those after an advertisement, and
    those of who is exempt, use nothing up."""
    found: dict[str, int] = {}
    for one in counted:
        if one.type in FREE_TIER and one.subtype != EXEMPT:
            found[one.line_id] = found.get(one.line_id, 0) + one.total
    return found


@dataclass(frozen=True, slots=True)
class ToldCharge:
    """What the provider says that it charged: so many messages of a kind."""

    category: str
    type: str
    country: str
    volume: int
    cost: Decimal | None = None


@dataclass(frozen=True, slots=True)
class Comparison:
    """The same kind of message, counted by the relay and by the provider."""

    category: str
    type: str
    counted: int
    told: int
    told_cost: Decimal | None

    @property
    def difference(self) -> int:
        """Above 0: the provider charged more than went through the relay."""
        return self.told - self.counted


def compared(counted: Sequence[CountedPrice], told: Sequence[ToldCharge]) -> list[Comparison]:
    """By category and type, whichever side knows them."""
    ours, theirs, costs = dict[tuple[str, str], int](), dict[tuple[str, str], int](), dict[tuple[str, str], Decimal]()
    for one in counted:
        _add(ours, (category_key(one.category), one.type.lower()), one.total)
    for other in told:
        key = category_key(other.category), other.type.lower()
        _add(theirs, key, other.volume)
        if other.cost is not None:
            costs[key] = costs.get(key, Decimal(0)) + other.cost
    return [Comparison(*key, ours.get(key, 0), theirs.get(key, 0), costs.get(key)) for key in sorted({*ours, *theirs})]


def _add(counts: dict[tuple[str, str], int], key: tuple[str, str], number: int) -> None:
    counts[key] = counts.get(key, 0) + number


def total_cost(charges: Iterable[Charge]) -> Decimal:
    """Of those that have a rate."""
    return sum((one.cost for one in charges if one.cost is not None), Decimal(0))


def without_rate(charges: Iterable[Charge]) -> int:
    """So many messages are in no total, since the card says nothing of them."""
    return sum(one.counted.total for one in charges if one.cost is None)


def by(charges: Iterable[Charge], *names: str) -> Mapping[tuple[str, ...], list[Charge]]:
    """Charges together that have these fields in common, in the order of those."""
    found: dict[tuple[str, ...], list[Charge]] = {}
    for one in charges:
        found.setdefault(tuple(str(getattr(one.counted, name)) for name in names), []).append(one)
    return dict(sorted(found.items()))
