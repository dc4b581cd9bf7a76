"""Rate cards: the operator's, the same for all tenants."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated

from flask import Response
from pydantic import BaseModel, Field

from db.tenants import rate_cards
from db.tenants.rate_cards import TooManyCardsError
from relay.core import rate_card
from relay.core.rate_card import BYTES, CardRefused, RateCard
from web.api.access import auth
from web.api.blueprint import ERRORS, behind_a_key
from web.api.tenants.schemas import ErrorBody, RequestModel
from web.request.context import pool, reply
from web.request.errors import ApiError
from web.request.principal import OPERATOR, needs

api = behind_a_key("rate_cards", __name__, "prices", "/api/rate-cards", errors=(*ERRORS, 403))


class CardFile(RequestModel):
    csv: str = Field(
        max_length=BYTES,
        description="the file's text; its first line names valid_from, currency, countries, category, rate and, if "
        "there is one, market",
    )


class CardPath(BaseModel):
    currency: Annotated[str, Field(pattern=r"^[A-Z]{3}$")]
    valid_from: date


class CardOut(BaseModel):
    currency: str
    valid_from: date = Field(description="the first of a month, in UTC")
    uploaded_at: datetime
    uploaded_by: str
    rates: int


class CardList(BaseModel):
    items: list[CardOut]


@api.get("", summary="The rate cards", responses={200: CardList})
@needs(OPERATOR, scope="tenants:read")
def list_cards() -> Response:
    """By currency, the newest first. A card holds until the next one of its currency."""
    return reply(_listed())


@api.post("", summary="Upload rate cards", responses={200: CardList, 409: ErrorBody})
@needs(OPERATOR, scope="tenants:write")
def upload(body: CardFile) -> Response:
    """One file may hold several dates and currencies. Each card takes the place of the one with its date and currency.

    400 names line and column of all that is wrong, and how it is right; then nothing of the file is taken.
    """
    put(body.csv.encode("utf-8", "replace"))
    return reply(_listed())


@api.delete("/<currency>/<valid_from>", summary="Delete a rate card", responses={204: None})
@needs(OPERATOR, scope="tenants:write")
def delete(path: CardPath) -> tuple[str, int]:
    """Its months are reckoned by the one before, from then on."""
    if not rate_cards.delete(pool(), auth.by(), path.currency, path.valid_from):
        raise ApiError(404, "not_found", "there is no rate card of this currency and date")
    return "", 204


def put(data: bytes) -> list[RateCard]:
    """Read and kept. Raises ApiError 400 with all that is wrong in the file, 409 where there are too many cards."""
    try:
        cards = rate_card.read(data)
        rate_cards.put(pool(), auth.by(), cards)
    except CardRefused as error:
        details = [
            {"field": "csv", "line": one.line, "column": one.column, "message": one.text} for one in error.errors
        ]
        raise ApiError(400, "invalid_request", str(error.errors[0]), details) from error
    except TooManyCardsError as error:
        raise ApiError(409, "too_many", str(error)) from error
    return cards


def _listed() -> CardList:
    return CardList(
        items=[
            CardOut(
                currency=one.currency, valid_from=one.valid_from, uploaded_at=one.uploaded_at,
                uploaded_by=one.uploaded_by, rates=one.rates,
            )
            for one in rate_cards.listed(pool())
        ]
    )  # fmt: skip
