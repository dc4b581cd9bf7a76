"""What Meta says that it charged for a number's messages: the field `pricing_analytics` of its business account.

Source: public copies of Meta's sample, and typed clients of 2026. Who may not see it is refused; what is in it may lag.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from decimal import Decimal, InvalidOperation
from typing import Any
from urllib.parse import quote

from relay.channels.base import Account
from relay.channels.http.client import HttpResponse
from relay.channels.http.reading import record, records
from relay.channels.text import clean
from relay.channels.whatsapp.client import WhatsAppClient
from relay.channels.whatsapp.errors import failure
from relay.channels.whatsapp.identity import digits
from relay.channels.whatsapp.inbound.wording import LONGEST_KIND
from relay.channels.whatsapp.outbound.render import phone_number_id
from relay.core.costs import ToldCharge
from relay.core.errors import SendError
from relay.core.languages import phrase

MOST = 5000
"""Kinds that are looked at: 250 countries in a few categories and types."""
_LARGEST = 10**12


class AccountCharges:
    """The contract of base.Billing."""

    def __init__(self, client: WhatsAppClient) -> None:
        self._client = client

    def charged(self, since: int, until: int, account: Account, deadline: float) -> list[ToldCharge]:
        number = self._number(account, deadline)
        dimensions = ["PRICING_CATEGORY", "PRICING_TYPE", "COUNTRY"]
        field = (
            f"pricing_analytics.start({since}).end({until}).granularity(MONTHLY)"
            f".phone_numbers({json.dumps([number], separators=(',', ':'))})"
            f'.metric_types(["COST","VOLUME"])'
            f".dimensions({json.dumps(dimensions, separators=(',', ':'))})"
        )
        waba = quote(account.credentials.get("waba_id", ""), safe="")
        answer = self._client.get(f"/{waba}", account, deadline, {"fields": field})
        told = record(_good(answer, account).get("pricing_analytics"))
        if "data" not in told:
            raise SendError(
                "refused", "no_analytics", phrase("Meta's answer holds no pricing_analytics"), status=answer.status
            )
        return list(_charges(told))

    def _number(self, account: Account, deadline: float) -> str:
        path = f"/{quote(phone_number_id(account), safe='')}"
        answer = self._client.get(path, account, deadline, {"fields": "display_phone_number"})
        found = digits(clean(_good(answer, account).get("display_phone_number")))
        if not found:
            raise SendError(
                "refused", "no_number", phrase("Meta does not say which number this is"), status=answer.status
            )
        return found


def _charges(told: dict[str, Any]) -> Iterator[ToldCharge]:
    points = (point for group in records(told.get("data")) for point in records(group.get("data_points")))
    for place, point in enumerate(points):
        if place >= MOST:
            return
        volume = _number_in(point.get("volume"))
        yield ToldCharge(
            _word(point, "pricing_category"),
            _word(point, "pricing_type"),
            _word(point, "country"),
            int(volume or 0),
            _number_in(point.get("cost")),
        )


def _number_in(value: Any) -> Decimal | None:
    """One that makes sense: not below nothing, and no more than anybody sends."""
    try:
        found = Decimal((clean(value) or "")[:40])
    except InvalidOperation:
        return None
    return found if found.is_finite() and 0 <= found <= _LARGEST else None


def _word(point: dict[str, Any], name: str) -> str:
    return (clean(point.get(name)) or "")[:LONGEST_KIND]


def _good(answer: HttpResponse, account: Account) -> dict[str, Any]:
    """The object of a success. Raises SendError."""
    if answer.status != 200 or not isinstance(answer.data, dict) or "error" in answer.data:
        raise failure(answer, account.credentials.values())
    return answer.data
