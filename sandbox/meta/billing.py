"""What Meta charges since October 2026: each delivered message once, by category, type and the recipient's country."""

from dataclasses import dataclass
from datetime import UTC, datetime

import phonenumbers

from sandbox.bounded import BoundedDict
from sandbox.meta.entry import ThreadMessage

HALF_HOUR = 1800
KEPT = 200_000
RATES = {"marketing": 0.11, "marketing_lite": 0.1, "utility": 0.05, "authentication": 0.05, "service": 0.01}
"""Made up: what a delivered message of type `regular` costs."""
CHARGED = "regular"
FREE_TIER, FREE_ENTRY_POINT = "free_customer_service", "free_entry_point"


@dataclass(frozen=True)
class ChargedMessages:
    """Delivered messages of one number that have all this in common. `start`: of their half hour, in Unix seconds."""

    phone_number_id: str
    start: int
    country: str
    category: str
    type: str


class ChargedCounts:
    def __init__(self) -> None:
        self.counts: BoundedDict[ChargedMessages, int] = BoundedDict(KEPT)
        self._service: BoundedDict[tuple[str, str], int] = BoundedDict(KEPT)
        """Delivered service messages by number and month: the first of them are free."""
        self._charged: BoundedDict[str, bool] = BoundedDict(KEPT)

    def priced(
        self,
        phone_number_id: str,
        entry: ThreadMessage,
        wa_id: str,
        status: str,
        moment: int,
        free_until: int,
        tier: int,
    ) -> dict[str, object] | None:
        """The `pricing` of a status, counted with the first of delivered and read. `tier`: so many are free."""
        if status not in ("sent", "delivered", "read") or entry.type == "reaction" or entry.id in self._charged:
            return None
        kind = self._type(phone_number_id, entry, moment, free_until, tier)
        if status != "sent":
            self._count(phone_number_id, entry, wa_id, kind, moment)
        return {"billable": kind == CHARGED, "pricing_model": "PMP", "type": kind, "category": entry.category}

    def _type(self, phone_number_id: str, entry: ThreadMessage, moment: int, free_until: int, tier: int) -> str:
        if free_until > moment:
            return FREE_ENTRY_POINT
        if entry.category == "service" and self._service.get((phone_number_id, _month(moment)), 0) < tier:
            return FREE_TIER
        return CHARGED

    def _count(self, phone_number_id: str, entry: ThreadMessage, wa_id: str, kind: str, moment: int) -> None:
        self._charged[entry.id] = True
        if entry.category == "service" and kind != FREE_ENTRY_POINT:
            month = phone_number_id, _month(moment)
            self._service[month] = self._service.get(month, 0) + 1
        group = ChargedMessages(phone_number_id, moment - moment % HALF_HOUR, _country(wa_id), entry.category, kind)
        self.counts[group] = self.counts.get(group, 0) + 1


def _month(moment: int) -> str:
    return datetime.fromtimestamp(moment, UTC).strftime("%Y-%m")


def _country(wa_id: str) -> str:
    try:
        number = phonenumbers.parse(f"+{wa_id}")
    except phonenumbers.NumberParseException:
        return ""
    return phonenumbers.region_code_for_number(number) or phonenumbers.region_code_for_country_code(
        number.country_code or 0
    )
