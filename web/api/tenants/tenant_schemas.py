"""What the API takes and tells of tenants themselves."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from pydantic import BaseModel, Field, model_validator

from web.api.tenants.schemas import RequestModel

Language = Literal["en", "de", "es", "pt"]
"""The languages that the relay speaks."""


class TenantChange(RequestModel):
    """One of them at least."""

    status: Literal["active", "paused"] | None = None
    language: Language | None = None

    @model_validator(mode="after")
    def _something(self) -> TenantChange:
        if self.status is None and self.language is None:
            raise ValueError("name what shall change: `status` or `language`")
        return self


class TenantOut(BaseModel):
    id: str
    name: str
    status: Literal["onboarding", "active", "paused"]
    second_factor_demanded: bool = Field(description="its people log in with a second factor or not at all")
    language: str = Field(description="in which its people read the portal who have not chosen their own")
    created_at: datetime
    updated_at: datetime


class TenantList(BaseModel):
    items: list[TenantOut]
    next: str | None = Field(description="pass it as `after` for the next page; null at the end")
