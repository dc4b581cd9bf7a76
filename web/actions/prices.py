"""What a month cost: counted messages by the rate card of its time. For API and portal, within a request."""

from __future__ import annotations

import re
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal

from db.mailbox.prices import KEPT_MONTHS
from db.pool import Pool
from db.tenants import lines, rate_cards
from db.views import prices
from relay.checks.line_checks import account_of
from relay.core import costs
from relay.core.costs import Charge, Comparison, CountedPrice
from relay.core.errors import FINAL, SendError
from relay.core.prices import PricedCopy
from web.request.context import pool, web_context
from web.request.errors import ApiError, wrong_field

SECONDS = 10.0
MONTH = re.compile(r"20[0-9]{2}-(?:0[1-9]|1[0-2])")
NOT_TOLD = "Meta does not say what it charged: {text}. Check the line's access token: it has to manage the account."
NO_ANSWER = "Meta did not answer what it charged: {text}. Try again in a minute."


@dataclass(frozen=True, slots=True)
class PriceReport:
    """`month`: its first day, in UTC. `valid_from`: of the card that its costs are by, None where there is none."""

    month: date
    currency: str
    currencies: Sequence[str]
    valid_from: date | None
    charges: Sequence[Charge]
    free_used: dict[str, int]
    """Service messages out of the free ones of the month, by line."""


@dataclass(frozen=True, slots=True)
class CopyCharge:
    """What one copy of a message costs; None: no card says so."""

    copy: PricedCopy
    currency: str
    cost: Decimal | None


def this_month() -> date:
    return datetime.now(UTC).date().replace(day=1)


def months() -> list[date]:
    """All of which anything may be known, the newest first."""
    first = this_month()
    found = [first]
    for _ in range(KEPT_MONTHS):
        first = date(first.year - (first.month == 1), (first.month - 2) % 12 + 1, 1)
        found.append(first)
    return found


def month_of(text: str | None) -> date:
    """Raises ApiError 400 for what is none of `months`."""
    if not text:
        return this_month()
    found = date.fromisoformat(f"{text}-01") if MONTH.fullmatch(text) else None
    if found is None or found not in months():
        raise wrong_field("month", f"must be one of the last {KEPT_MONTHS}, written as {this_month():%Y-%m}")
    return found


def of_tenant(own: Pool, tenant_id: str, month: date, line_id: str | None, currency: str | None) -> PriceReport:
    return _report(own, prices.of_tenant(own, tenant_id, month, line_id), month, currency)


def of_all(month: date, currency: str | None) -> PriceReport:
    """Without lines. The operator's."""
    everybody = web_context().pool
    return _report(everybody, prices.of_all(everybody, month), month, currency)


def of_copies(own: Pool, tenant_id: str, line_id: str, copies: Sequence[PricedCopy]) -> list[CopyCharge]:
    """What each copy of a message costs, in the first currency that there is a rate card of."""
    known = rate_cards.currencies(own) if copies else []
    found = []
    for one in copies:
        month = datetime.fromtimestamp(one.at, UTC).date().replace(day=1)
        card = rate_cards.valid(own, known[0], month) if known else None
        told = one.price
        counted = CountedPrice(tenant_id, line_id, month, told.country, told.category, told.type, told.subtype, 1)
        found.append(CopyCharge(one, known[0] if known else "", costs.charge(counted, card).cost))
    return found


def _report(own: Pool, counted: Sequence[CountedPrice], month: date, currency: str | None) -> PriceReport:
    known = rate_cards.currencies(own)
    chosen = currency if currency in known else next(iter(known), "")
    card = rate_cards.valid(own, chosen, month) if chosen else None
    charges = [costs.charge(one, card) for one in counted]
    return PriceReport(month, chosen, known, card.valid_from if card else None, charges, costs.free_tier_used(counted))


def compare(tenant_id: str, line_id: str, month: date) -> list[Comparison]:
    """What was counted beside what Meta says that it charged, asked now.

    Raises ApiError 409 where Meta refuses to say, 503 where it does not answer.
    """
    account = lines.accounts(pool(), web_context().cipher, line_id)
    billing = web_context().channels["whatsapp"].billing
    if account is None or account.tenant_id != tenant_id:
        raise ApiError(404, "not_found", "there is no such line")
    assert billing is not None
    since, until = _moment(month), min(int(time.time()), _moment(_next(month)))
    try:
        told = billing.charged(since, until, account_of(account, "whatsapp"), time.monotonic() + SECONDS)
    except SendError as error:
        if error.fate in ("credentials", *FINAL):
            raise ApiError(409, "not_told", NOT_TOLD.format(text=error.text)) from error
        wait = error.retry_after or 2
        raise ApiError(503, "provider_unavailable", NO_ANSWER.format(text=error.text), retry_after=wait) from error
    return costs.compared(prices.of_tenant(pool(), tenant_id, month, line_id), told)


def _next(month: date) -> date:
    return date(month.year + month.month // 12, month.month % 12 + 1, 1)


def _moment(day: date) -> int:
    return int(datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp())
