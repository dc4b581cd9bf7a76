"""Trouble on demand: what `/control/faults` sets, and the dice that decide when it strikes."""

import random
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator

Rate = Annotated[float, Field(ge=0, le=1)]
MESSAGE_CALLS = [
    "messages",
    "media_upload",
    "media_object",
    "media_download",
    "inbound_message",
    "inbound_receipt",
    "inbound_event",
    "inbound_structured_response",
    "message_details",
    "attachment_download",
]


def _range(value: Any) -> Any:
    if isinstance(value, dict):
        return [value.get("min", 0), value.get("max", value.get("min", 0))]
    return [value, value] if isinstance(value, int | float) else value or [0, 0]


def _expiry(value: Any) -> Any:
    return "until_renewed" if value is True else value or None


class FaultSettings(BaseModel):
    model_config = ConfigDict(extra="forbid")


class Reorder(FaultSettings):
    rate: Rate = 0.0
    window_ms: float = Field(default=200, ge=0, le=60_000)


class Batching(FaultSettings):
    max: int = Field(default=100, ge=1, le=1000)
    wait_ms: float = Field(default=50, ge=0, le=60_000)


class Faults(FaultSettings):
    """The faults that both sides know."""

    latency_ms: Annotated[tuple[float, float], BeforeValidator(_range)] = (0, 0)
    error_rate: Rate = 0.0
    error_codes: list[int] = Field(default=[500], min_length=1)
    retry_after: int = Field(default=2, ge=0)
    drop_rate: Rate = 0.0
    timeout_rate: Rate = 0.0
    timeout_seconds: float = Field(default=0, ge=0, le=600)
    html_502_rate: Rate = 0.0
    html_502_processed_rate: Rate = 0.0
    html_200_rate: Rate = 0.0
    """Somebody else's page, with 200, in the provider's place: the call is not processed."""
    token_expired: Annotated[Literal["until_renewed", "for_good"] | None, BeforeValidator(_expiry)] = None
    media_404_rate: Rate = 0.0
    duplicate_rate: Rate = 0.0
    reorder: Reorder = Field(default_factory=lambda: Reorder())
    webhook_wait_scale: float = Field(default=1, gt=0, le=1)
    """The waits before a webhook is repeated are so many times as long as the provider's."""
    seed: int | None = None
    calls: list[str] = Field(default_factory=lambda: list(MESSAGE_CALLS))
    only: list[str] = []
    """Texts; trouble strikes only a call whose path or body holds one of them. Empty: all."""

    @model_validator(mode="before")
    @classmethod
    def _null_means_default(cls, data: Any) -> Any:
        return {key: value for key, value in data.items() if value is not None} if isinstance(data, dict) else data


class MetaFaults(Faults):
    batch: Batching | None = None


class GenesysFaults(Faults):
    client_refused: bool = False
    token_seconds: int = Field(default=86_400, ge=1)
    download_needs_token: bool = False
    published_receipts: bool = True
    history_lag_seconds: float = Field(default=0, ge=0, le=600)
    """So long after it was taken a message is not yet in what the conversation is said to hold."""
    history_dashed_ids: bool = False
    answers_dashed_ids: bool = False
    history_names_ours: bool = True
    """Whether a customer's message is listed with the id that it was handed over with."""


class Dice:
    """One per side, so that a seed gives the same rolls whatever the other side does."""

    def __init__(self) -> None:
        self._random = random.Random()

    def seed(self, seed: int | None) -> None:
        self._random.seed(seed)

    def strikes(self, rate: float) -> bool:
        return rate > 0 and self._random.random() < rate

    def choose(self, options: list[int]) -> int:
        return self._random.choice(options)

    def between(self, low: float, high: float) -> float:
        return self._random.uniform(low, high)
