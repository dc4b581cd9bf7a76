"""A report of prices as its pages show it: added up by what is of interest, and in words. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal

from relay.core import costs
from relay.core.costs import EXEMPT, Charge
from web.portal.frame.blueprint import portal
from web.portal.frame.formats import number
from web.portal.frame.language import _, _l

CATEGORIES = {
    "service": _l("Service"),
    "utility": _l("Utility"),
    "marketing": _l("Marketing"),
    "marketing_lite": _l("Marketing, lite"),
    "authentication": _l("Authentication"),
    "authentication_international": _l("Authentication, international"),
    "authentication-international": _l("Authentication, international"),
    "referral_conversion": _l("After an advertisement"),
    "group_service": _l("Service, in groups"),
    "group_utility": _l("Utility, in groups"),
    "group_marketing": _l("Marketing, in groups"),
}
TYPES = {
    "regular": _l("Charged"),
    "free_customer_service": _l("Free: within the month's 1,000"),
    "free_group_customer_service": _l("Free: within the month's 1,000, in groups"),
    "free_entry_point": _l("Free: after an advertisement"),
    "": _l("Not told"),
}
SUBTYPES = {EXEMPT: "exempt", "": ""}
COUNTRIES = 20
"""With most messages; the others are added up."""


@dataclass(frozen=True, slots=True)
class Sum:
    """Messages together. `cost` is of those that have a rate; `without_rate` is how many have none."""

    names: tuple[str, ...]
    messages: int
    cost: Decimal
    without_rate: int


def sums(charges: Iterable[Charge], *names: str) -> list[Sum]:
    """By these fields of what was counted."""
    return [added(held, key) for key, held in costs.by(charges, *names).items()]


def added(charges: Iterable[Charge], names: tuple[str, ...] = ()) -> Sum:
    held = list(charges)
    messages = sum(one.counted.total for one in held)
    return Sum(names, messages, costs.total_cost(held), costs.without_rate(held))


def by_country(charges: Iterable[Charge]) -> list[Sum]:
    """Those with most messages first, and one line for all others, named by how many they are."""
    found = sorted(sums(charges, "country"), key=lambda one: (-one.messages, one.names))
    shown, rest = found[:COUNTRIES], found[COUNTRIES:]
    if rest:
        others = _("%(count)s other countries", count=len(rest))
        shown.append(
            Sum(
                (others,),
                sum(one.messages for one in rest),
                sum((one.cost for one in rest), Decimal(0)),
                sum(one.without_rate for one in rest),
            )
        )
    return shown


@portal.app_template_filter("category_word")
def category_word(category: str) -> str:
    """One that nobody has described yet as Meta wrote it."""
    return str(CATEGORIES.get(category, category))


@portal.app_template_filter("price_type_word")
def price_type_word(kind: str, subtype: str = "") -> str:
    known = SUBTYPES.get(subtype, subtype)
    return f"{TYPES.get(kind, kind)}{f', {known}' if known else ''}"


@portal.app_template_filter("money")
def money(amount: Decimal | None) -> str:
    """With as many digits as say something: a single message costs a fraction of a cent."""
    if amount is None:
        return "–"
    return number(amount, 2 if amount == 0 or amount >= 1 else 4)
