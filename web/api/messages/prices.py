"""What messages cost: counted by month, category, type and country, with the operator's rate cards."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from typing import Annotated, Literal
from uuid import UUID

from flask import Response
from pydantic import BaseModel, Field

from relay.core import costs
from relay.core.costs import FREE_SERVICE, Charge
from web.actions import prices
from web.actions.prices import PriceReport
from web.api.blueprint import ERRORS, behind_a_key
from web.api.tenants.schemas import ErrorBody, LinePath, RequestModel, TenantPath
from web.api.tenants.setup import known_tenant
from web.request.context import pool, reply
from web.request.principal import OPERATOR, needs

api = behind_a_key("prices", __name__, "prices", "/api")
operators = behind_a_key("all_prices", __name__, "prices", "/api", errors=(*ERRORS, 403))

Month = Annotated[str, Field(pattern=r"^20[0-9]{2}-(0[1-9]|1[0-2])$", description="such as 2026-11, in UTC")]
Currency = Annotated[str, Field(pattern=r"^[A-Z]{3}$")]


class AllPricesQuery(RequestModel):
    month: Month | None = Field(None, description="default: the present one")
    currency: Currency | None = Field(None, description="of a rate card; default: the first there is")


class PricesQuery(AllPricesQuery):
    line_id: UUID | None = None


class ComparisonQuery(RequestModel):
    month: Month | None = Field(None, description="default: the present one")


class ChargeOut(BaseModel):
    """Messages of one kind. Category, type and subtype are Meta's words."""

    tenant_id: str
    line_id: str | None = Field(description="null where all lines are taken together")
    country: str = Field(description="of the recipients' numbers, by ISO 3166; empty where it cannot be told")
    category: str
    type: str
    subtype: str
    messages: int
    rate: Decimal | None = Field(description="of one message; null where no rate card says")
    cost: Decimal | None


class FreeTierOut(BaseModel):
    """Service messages of a number that cost nothing, of those that it has free in the month."""

    line_id: str
    used: int
    of: int


class PricesOut(BaseModel):
    month: str
    time_zone: Literal["UTC"] = "UTC"
    currency: str | None = Field(description="null where there is no rate card")
    currencies: list[str]
    card_valid_from: date | None = Field(description="null where no card of this currency was valid in the month")
    items: list[ChargeOut]
    messages: int
    cost: Decimal = Field(description="of all that have a rate")
    without_rate: int = Field(description="messages that are in no cost, since the card says nothing of them")
    free_tier: list[FreeTierOut]


class ComparedOut(BaseModel):
    category: str
    type: str
    counted: int = Field(description="by the relay")
    told: int = Field(description="by Meta")
    difference: int = Field(description="above 0: Meta charged more than went through the relay")
    told_cost: Decimal | None = Field(description="in the currency of the account")


class ComparisonOut(BaseModel):
    month: str
    time_zone: Literal["UTC"] = "UTC"
    items: list[ComparedOut]


@api.get("/tenants/<uuid:tenant_id>/prices", summary="What a tenant's messages cost", responses={200: PricesOut})
@needs("messages:read", per_line=True, without_consent=True)
def of_tenant(path: TenantPath, query: PricesQuery) -> Response:
    """Each delivered message once, under the month (UTC) in which Meta told its price. Kept for 24 months."""
    tenant_id = known_tenant(path).id
    line_id = str(query.line_id) if query.line_id else None
    return reply(_out(prices.of_tenant(pool(), tenant_id, prices.month_of(query.month), line_id, query.currency)))


@api.get(
    "/tenants/<uuid:tenant_id>/lines/<uuid:line_id>/prices/comparison",
    summary="What Meta says that it charged, beside what was counted",
    responses={200: ComparisonOut, 409: ErrorBody},
)
@needs("messages:read", per_line=True)
def comparison(path: LinePath, query: ComparisonQuery) -> Response:
    """Asks Meta now, for the line's number. What others send with the number is counted by Meta alone.

    409: Meta does not show it to the line's token. 503: Meta did not answer.
    """
    month = prices.month_of(query.month)
    found = prices.compare(known_tenant(path).id, str(path.line_id), month)
    items = [
        ComparedOut(
            category=one.category, type=one.type, counted=one.counted, told=one.told, difference=one.difference,
            told_cost=one.told_cost,
        )
        for one in found
    ]  # fmt: skip
    return reply(ComparisonOut(month=f"{month:%Y-%m}", items=items))


@operators.get("/prices", summary="What all tenants' messages cost", responses={200: PricesOut})
@needs(OPERATOR, scope="messages:read")
def of_all(query: AllPricesQuery) -> Response:
    """The same over all tenants, without their lines: of the 200 with most messages."""
    return reply(_out(prices.of_all(prices.month_of(query.month), query.currency)))


def _out(report: PriceReport) -> PricesOut:
    return PricesOut(
        month=f"{report.month:%Y-%m}",
        currency=report.currency or None,
        currencies=list(report.currencies),
        card_valid_from=report.valid_from,
        items=_charges(report.charges),
        messages=sum(one.counted.total for one in report.charges),
        cost=costs.total_cost(report.charges),
        without_rate=costs.without_rate(report.charges),
        free_tier=[
            FreeTierOut(line_id=line_id, used=used, of=FREE_SERVICE)
            for line_id, used in sorted(report.free_used.items())
            if line_id
        ],
    )


def _charges(charges: Sequence[Charge]) -> list[ChargeOut]:
    return [
        ChargeOut(
            tenant_id=one.counted.tenant_id,
            line_id=one.counted.line_id or None,
            country=one.counted.country,
            category=one.counted.category,
            type=one.counted.type,
            subtype=one.counted.subtype,
            messages=one.counted.total,
            rate=one.rate,
            cost=one.cost,
        )
        for one in charges
    ]
