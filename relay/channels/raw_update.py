"""What a webhook brings, before anybody has parsed it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class RawUpdate:
    """One item of a webhook body: a message, a status, or whatever else came.

    `line_ref` is the provider's id of the line (phone_number_id, integration id), or that of the
    account (`account_ref`); it may be "" when the item names none. `payload` is what `parse` wants
    back, and holds the item unchanged.
    """

    line_ref: str
    address: str
    payload: dict[str, Any]
    index: int
    media_type: str | None = None
    mime_type: str | None = None
