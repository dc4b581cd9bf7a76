"""An order from the catalogue: what, how often, for how much."""

from __future__ import annotations

from decimal import Decimal, InvalidOperation
from typing import Any

from relay.channels.http.reading import joined, records
from relay.channels.text import clean
from relay.core.languages import phrase, together

_MOST_PLACES = 6
_LARGEST = Decimal(10) ** 12


def text(item: dict[str, Any]) -> str:
    products = list(records(item.get("product_items")))
    total = _total(products)
    return joined(
        (
            phrase("🛒 Order"),
            *map(_line, products),
            phrase("Total: %(total)s", total=total) if total else None,
            item.get("text"),
        )
    )


def _line(product: dict[str, Any]) -> str:
    count = clean(product.get("quantity")) or "1"
    name = clean(product.get("product_retailer_id")) or phrase("item")
    amount = _number(product.get("item_price"))
    price = joined((_shown(amount) if amount is not None else product.get("item_price"), product.get("currency")), " ")
    if not price:
        return together((count, "×", name), " ")
    if _number(count) not in (None, Decimal(1)):
        price = phrase("%(price)s each", price=price)
    return together((count, " × ", name, " (", price, ")"), "")


def _total(products: list[dict[str, Any]]) -> str | None:
    """Where everything has a price, and all in one currency."""
    total = Decimal(0)
    for product in products:
        amount, count = _number(product.get("item_price")), _number(clean(product.get("quantity")) or "1")
        if amount is None or count is None:
            return None
        total += amount * count
    currencies = {clean(product.get("currency")) for product in products}
    currency = currencies.pop() if len(currencies) == 1 else None
    return f"{_shown(total)} {currency}" if currency else None


def _number(value: Any) -> Decimal | None:
    """A number that a shop could mean; prices come as numbers and as texts."""
    try:
        found = Decimal(clean(value) or "")
    except InvalidOperation:
        return None
    if not found.is_finite() or abs(found) > _LARGEST or int(found.as_tuple().exponent) < -_MOST_PLACES:
        return None
    return found


def _shown(amount: Decimal) -> str:
    """With cents where there are any; more places only where the currency has them."""
    whole = amount == amount.to_integral_value()
    return f"{amount:.0f}" if whole else f"{amount.quantize(Decimal('0.01')) if _places(amount) < 2 else amount:f}"


def _places(amount: Decimal) -> int:
    return -int(amount.normalize().as_tuple().exponent)
