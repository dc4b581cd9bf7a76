"""A line as the load generator and the contenders need it: where webhooks go, and what they are signed with."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Line:
    tenant: int
    """Which tenant it is of, counted from 0: a webhook of Meta's holds updates of one tenant's lines only."""
    phone_number_id: str
    integration_id: str
    meta_path: str
    app_secret: str
    genesys_path: str
    webhook_secret: str

    def as_json(self) -> dict[str, Any]:
        return asdict(self)


def inbound_lines(contender: str, secret: str, first_number: int) -> tuple[Line, ...]:
    """As many as the product is measured with, of a contender that carries inbound only and knows no tenants."""
    return tuple(
        Line(0, f"{first_number + number}", f"{contender}-{number}", "/webhook/meta", secret, "", "")
        for number in range(8)
    )
