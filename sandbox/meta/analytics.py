"""`pricing_analytics`: the field of a business account that says what its numbers were charged for.

Shape: public copies of Meta's sample, and typed clients of 2026. What is not among their words is refused.
"""

import json
import re
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from sandbox.accounts import Number
from sandbox.meta.billing import HALF_HOUR, RATES, ChargedCounts, ChargedMessages
from sandbox.meta.errors import GraphError

NAME = "pricing_analytics"
YEAR = 366 * 86_400
_CALL = re.compile(r"\.([a-z_]+)\(([^()]*)\)")
_LISTS = {
    "phone_numbers": None,
    "country_codes": None,
    "metric_types": ("COST", "VOLUME"),
    "dimensions": ("PRICING_CATEGORY", "PRICING_TYPE", "COUNTRY", "PHONE", "TIER"),
    "pricing_types": ("REGULAR", "FREE_CUSTOMER_SERVICE", "FREE_ENTRY_POINT", "FREE_GROUP_CUSTOMER_SERVICE"),
    "pricing_categories": None,
}
_GRANULARITIES = ("HALF_HOUR", "DAILY", "MONTHLY")
Point = dict[str, Any]


def answer(billing: ChargedCounts, numbers: list[Number], wanted: str) -> dict[str, Any]:
    """Counted from what was really delivered. Raises GraphError for what Meta would refuse."""
    parameters = _parameters(wanted)
    digits = {each.phone_number_id: each.digits for each in numbers}
    points: dict[tuple[Any, ...], Point] = {}
    for group, count in billing.counts.items():
        if group.phone_number_id in digits and _matches(group, digits[group.phone_number_id], parameters):
            _add(points, group, count, digits[group.phone_number_id], parameters)
    return {NAME: {"data": [{"data_points": list(points.values())}]}}


def _add(points: dict[tuple[Any, ...], Point], group: ChargedMessages, count: int, phone: str, asked: Point) -> None:
    start, end = _SPANS[asked["granularity"]](group.start)
    known = {
        "PHONE": ("phone_number", phone),
        "COUNTRY": ("country", group.country),
        "PRICING_TYPE": ("pricing_type", group.type.upper()),
        "PRICING_CATEGORY": ("pricing_category", group.category.upper()),
    }
    named = dict(known[each] for each in asked.get("dimensions", []) if each in known)
    point = points.setdefault((start, *named.values()), {"start": start, "end": end, **named})
    metrics = asked.get("metric_types") or ["COST", "VOLUME"]
    if "VOLUME" in metrics:
        point["volume"] = point.get("volume", 0) + count
    if "COST" in metrics:
        rate = RATES.get(group.category, 0.0) if group.type == "regular" else 0.0
        point["cost"] = round(point.get("cost", 0.0) + rate * count, 6)


def _matches(group: ChargedMessages, phone: str, asked: Point) -> bool:
    return (
        asked["start"] <= group.start < asked["end"]
        and phone in (asked.get("phone_numbers") or [phone])
        and group.country in (asked.get("country_codes") or [group.country])
        and group.type.upper() in (asked.get("pricing_types") or [group.type.upper()])
        and group.category.upper() in (asked.get("pricing_categories") or [group.category.upper()])
    )


def _parameters(wanted: str) -> Point:
    calls = _CALL.findall(wanted)
    if NAME + "".join(f".{name}({value})" for name, value in calls) != wanted:
        raise GraphError(2500, message=f"Syntax error in {NAME}")
    found: Point = {}
    for name, value in calls:
        found[name] = _value(name, value)
    missing = [name for name in ("start", "end", "granularity") if name not in found]
    if missing:
        raise GraphError(100, f"The parameter {missing[0]} is required.")
    if not time.time() - YEAR < found["start"] < found["end"]:
        raise GraphError(100, "start must be before end, and within a year.")
    return found


def _value(name: str, value: str) -> Any:
    if name in ("start", "end") and value.isdecimal():
        return int(value)
    if name == "granularity" and value in _GRANULARITIES:
        return value
    if name in _LISTS:
        return _listed(name, value)
    raise GraphError(100, f"Invalid parameter {name} in {NAME}.")


def _listed(name: str, value: str) -> list[str]:
    try:
        found = json.loads(value)
    except ValueError:
        found = None
    allowed = _LISTS[name]
    if not isinstance(found, list) or not all(isinstance(each, str) for each in found):
        raise GraphError(100, f"{name} must be a list of texts.")
    if allowed is not None and not set(found) <= set(allowed):
        raise GraphError(100, f"{name} must be of {', '.join(allowed)}.")
    return found


def _day(moment: int) -> tuple[int, int]:
    start = moment - moment % 86_400
    return start, start + 86_400


def _month(moment: int) -> tuple[int, int]:
    first = datetime.fromtimestamp(moment, UTC).replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    following = first.replace(year=first.year + first.month // 12, month=first.month % 12 + 1)
    return int(first.timestamp()), int(following.timestamp())


_SPANS: dict[str, Callable[[int], tuple[int, int]]] = {
    "HALF_HOUR": lambda moment: (moment, moment + HALF_HOUR),
    "DAILY": _day,
    "MONTHLY": _month,
}
