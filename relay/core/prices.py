"""What a provider says that one message costs, and until what it is counted under."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Price:
    """The provider's words as they are: kinds that nobody has described yet are counted like the others.

    `country` is the recipient's, as ISO 3166 writes it; "" where it cannot be told. Absent words are "", too.
    """

    category: str
    type: str
    subtype: str = ""
    country: str = ""


@dataclass(frozen=True, slots=True)
class PricedCopy:
    """A price of one copy of a message, known by its provider's id, and when it was told (Unix seconds).

    A message may have gone out twice, and then both copies are charged.
    """

    provider_id: str
    at: float
    price: Price
